"""The rules are total: a defect, an unknown version and an unknown command are refusals, never exceptions."""

from dataclasses import dataclass, replace

import pytest

from agents.ledger import rules
from agents.ledger.asked import TOPIC_OF, Asked
from agents.ledger.control import Control
from schemas.values import Role
from tests.ledgers import INCIDENT, Ledger, genesis, reason
from tests.play import opened, proposal, recovering, recovery


@dataclass(frozen=True, slots=True, kw_only=True)
class Strange:
    """A command that these rules do not know."""

    incident: str = INCIDENT


def asked(body: object, kind: str, *roles: Role) -> Asked:
    """Return an authentic command."""
    return Asked(
        kind=kind,
        incident=INCIDENT,
        body=body,
        principal="p-x",
        key="k",
        roles=frozenset(roles),
        statement="00" * 32,
    )


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A ledger with a case."""
    return opened()


def test_an_unknown_version_is_a_refusal(ledger: Ledger) -> None:
    """Rules that this program does not have decide nothing."""
    refused = rules.decide(99, ledger.control, None, asked(proposal(), "ProposePlan", Role.REMEDIATION), 0)
    assert reason(refused) == "defect"


def test_a_defect_in_the_rules_is_a_refusal(ledger: Ledger) -> None:
    """A policy that is not there should be impossible; if it happens the registrar goes on."""
    broken = replace(ledger.control, policies={})
    case = recovering().case
    body = asked(proposal(), "ProposePlan", Role.REMEDIATION)
    assert reason(rules.decide(1, ledger.control, case, replace(body, roles=frozenset()), 0)) == "wrong_role"
    assert reason(rules.decide(1, broken, case, asked(recovery(), "ReportRecovery", Role.RECOVERY), 0)) == "defect"


def test_an_unknown_command_is_a_refusal(ledger: Ledger) -> None:
    """A body of a kind that some role may issue, but that no decider knows."""
    refused = rules.decide(1, ledger.control, ledger.case, asked(Strange(), "Acknowledge", Role.SRE), 0)
    assert reason(refused) == "unknown_command"


@pytest.mark.parametrize("kind", sorted(set(TOPIC_OF) - {"EstablishLedger"}))
def test_nobody_without_a_role_is_followed(kind: str) -> None:
    """A principal of no role is refused before anything is looked at."""
    refused = rules.decide(1, Control(), None, asked(Strange(), kind), 0)
    assert reason(refused) == "wrong_role"
    assert "no role" in str(refused[0])


def test_the_version_in_force_is_one_of_them() -> None:
    """New entries are decided by rules that can be executed again."""
    assert rules.CURRENT in rules.RULES
    assert genesis().verified[-1].entry.rules == rules.CURRENT  # type: ignore[union-attr]
