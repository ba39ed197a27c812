"""What was detected becomes a case by rule, and people respond within what its phase allows."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.roles.project import status
from schemas import commands as c
from schemas.case.response import Dismissal
from schemas.signals import Affected
from schemas.values import Category, Severity
from tests.ledgers import INCIDENT, ROLES, Ledger, established, genesis, names, reason
from tests.play import evidence_kept, incident_grew, incident_opened, incident_quieted, opened, proposed, resolved

MEDIUM = b"""version = 1
[systems.low]
scope = "x"
tier = "low"
[systems.low.models.small]
[systems.middle]
scope = "y"
tier = "medium"
[systems.middle.models.medium]
"""


def affected(*models: str) -> tuple[Affected, ...]:
    """Name version 2 of each model."""
    return tuple(Affected(model=model, version="2") for model in models)


def tiers() -> Ledger:
    """Return a ledger that also declares models of lower tiers."""
    ledger = genesis()
    ledger.ask(c.AdoptSystems(document=MEDIUM), "ada")
    return ledger


ACKNOWLEDGE = c.Acknowledge(incident=INCIDENT, note="mine")
DECLARE = c.Declare(incident=INCIDENT, reason="it is one")
DISMISS = c.Dismiss(incident=INCIDENT, reason=Dismissal.TEST, note="a drill")
CANDIDATE = {"affected": affected("small")}


def candidate() -> Ledger:
    """Return a ledger whose case waits for a person's word."""
    ledger = tiers()
    ledger.ask(incident_opened(**CANDIDATE), "triage")
    assert ledger.case.phase is Phase.TRIAGE
    return ledger


def test_a_declared_model_of_the_highest_tier_is_declared_at_once() -> None:
    """The policy's rule opens and declares in one entry, and the case keeps that policy."""
    ledger = genesis()
    assert names(ledger.ask(incident_opened(), "triage")) == ["CaseOpened", "CaseDeclared", "EvidenceHeld"]
    assert (ledger.case.severity, ledger.case.policy) == (Severity.SEV2, ledger.control.policy_digest)
    assert ledger.state.active == {INCIDENT}


@pytest.mark.parametrize(
    ("models", "severity", "declared_system"),
    [
        (("small",), Severity.SEV4, True),
        (("medium",), Severity.SEV3, True),
        (("small", "medium"), Severity.SEV3, True),
        (("unheard-of",), Severity.SEV2, False),
        (("small", "unheard-of"), Severity.SEV2, False),
        ((), Severity.SEV2, True),
    ],
)
def test_severity_is_that_of_the_worst_model(
    models: tuple[str, ...], severity: Severity, declared_system: bool
) -> None:
    """An undeclared model, or none at all, is judged by the strictest tier; an undeclared one is flagged."""
    event = tiers().ask(incident_opened(affected=affected(*models)), "triage")[0]
    assert (event.severity, event.declared_system) == (severity, declared_system)  # type: ignore[attr-defined]


def test_nothing_is_judged_without_a_policy() -> None:
    """Before a policy is adopted an incident is refused."""
    assert reason(established().ask(incident_opened(), "triage")) == "no_policy"


@pytest.mark.parametrize("name", ["", "../../etc", "x" * 200, "a b"])
def test_an_incident_of_an_unsound_name_is_refused(name: str) -> None:
    """The id becomes a key and perhaps a path."""
    assert reason(genesis().ask(incident_opened(id=name), "triage")) == "bad_id"


def test_an_incident_is_opened_once() -> None:
    """The same id announced again, in the same words or others, or after its end, adds nothing."""
    for ledger in (opened(), resolved()):
        size = len(ledger.leaves)
        assert ledger.ask(incident_opened(), "triage") == []
        assert ledger.ask(incident_opened(title="again", category=Category.ATTACK), "triage") == []
        assert len(ledger.leaves) == size


def test_an_incident_that_is_known_is_still_refused_to_others() -> None:
    """Only triage announces; anybody else's word is refused and recorded."""
    assert reason(opened().ask(incident_opened(title="mine"), "eva")) == "wrong_role"


def test_a_recurrence_names_the_incident_before() -> None:
    """A new incident of the same cause is linked."""
    ledger = resolved()
    again = incident_opened(id="incident-2", recurrence_of=INCIDENT)
    assert names(ledger.ask(again, "triage")) == ["CaseOpened", "CaseDeclared", "EvidenceHeld"]
    assert ledger.state.cases["incident-2"].recurrence_of == INCIDENT
    assert ledger.state.active == {"incident-2"}


def test_a_cause_that_is_found_later_renames_the_case() -> None:
    """Growth with a title replaces the title; growth without one leaves it."""
    ledger = candidate()
    first = ledger.case.title
    for told, kept in (("", first), ("Outage", "Outage"), ("", "Outage")):
        ledger.ask(incident_grew(sequence=ledger.case.sequence + 1, title=told, **CANDIDATE), "triage")
        assert ledger.case.title == kept


def test_a_technique_that_is_suspected_later_is_the_cases_until_another_is() -> None:
    """Growth that names one replaces what the opening said; growth that names none takes nothing back."""
    ledger = candidate()
    assert ledger.case.technique == ""
    for told, kept in (("AML.T0020", "AML.T0020"), (None, "AML.T0020"), ("AML.T0024.002", "AML.T0024.002")):
        ledger.ask(incident_grew(sequence=ledger.case.sequence + 1, technique=told, **CANDIDATE), "triage")
        assert ledger.case.technique == kept
    assert status(ledger.case, 9, 9).technique == "AML.T0024.002"


def test_severity_rises_by_rule_and_never_falls_by_itself() -> None:
    """Growth to a higher tier declares the case; growth back to a lower one changes the facts alone."""
    ledger = candidate()
    assert names(ledger.ask(incident_grew(affected=affected("medium")), "triage")) == ["CaseGrew", "SeverityChanged"]
    assert ledger.case.severity.rank == 3
    ledger.ask(incident_quieted(), "triage")
    assert ledger.case.quiet
    grown = ledger.ask(incident_grew(sequence=3, affected=affected("medium", "large")), "triage")
    assert names(grown) == ["CaseGrew", "SeverityChanged", "CaseDeclared", "EvidenceHeld"]
    assert (ledger.case.severity, ledger.case.phase, ledger.case.quiet) == (Severity.SEV2, Phase.DECLARED, False)
    assert names(ledger.ask(incident_grew(sequence=4, **CANDIDATE), "triage")) == ["CaseGrew", "EvidenceHeld"]
    assert ledger.case.severity.rank == 2
    assert ledger.case.bad_versions("small") == {"2"}
    assert ledger.case.bad_versions("large") == set()


def test_a_case_is_judged_by_the_policy_it_opened_under() -> None:
    """A policy adopted later changes nothing for it."""
    ledger = candidate()
    kept = ledger.case.policy
    harsher = '[[severity]]\nname = "all"\nseverity = "sev1"\n' + "".join(
        f"[approval.{severity.value}]\n" for severity in Severity
    )
    ledger.ask(c.AdoptPolicy(document=b"version = 1\n" + harsher.encode()), "ada")
    ledger.ask(incident_grew(**CANDIDATE), "triage")
    assert (ledger.case.severity, ledger.case.policy) == (Severity.SEV4, kept)


@pytest.mark.parametrize(("body", "phase"), [(DECLARE, Phase.DECLARED), (DISMISS, Phase.DISMISSED)])
def test_a_person_decides_on_a_candidate(body: object, phase: Phase) -> None:
    """An engineer declares or dismisses, once."""
    ledger = candidate()
    assert reason(ledger.ask(body, "eva")) == ""
    assert ledger.case.phase is phase
    assert (INCIDENT in ledger.state.active) is not phase.over
    assert reason(ledger.ask(replace(body, repeat=1), "max")) == "illegal_transition"  # type: ignore[type-var]


def test_somebody_acknowledges_once() -> None:
    """The second person learns that somebody has it."""
    ledger = opened()
    assert names(ledger.ask(ACKNOWLEDGE, "eva")) == ["CaseAcknowledged"]
    assert ledger.case.acknowledged
    assert reason(ledger.ask(ACKNOWLEDGE, "max")) == "acknowledged"


def test_a_declared_case_is_not_declared_and_not_dismissed_by_anybody() -> None:
    """The one is for candidates; the other is for whoever leads the case."""
    assert reason(proposed().ask(DECLARE, "eva")) == "illegal_transition"
    assert reason(proposed().ask(DISMISS, "eva")) == "wrong_role"


@pytest.mark.parametrize("body", [ACKNOWLEDGE, DECLARE, DISMISS, incident_grew(), incident_quieted()])
def test_a_case_that_nobody_opened_is_unknown(body: object) -> None:
    """A command about no case is refused."""
    who = "triage" if hasattr(body, "id") else "eva"
    assert reason(genesis().ask(body, who)) == "unknown_incident"


@pytest.mark.parametrize("body", [ACKNOWLEDGE, DECLARE, DISMISS])
def test_nothing_is_done_about_a_case_that_is_over(body: object) -> None:
    """A resolved case takes no more commands of people."""
    assert reason(resolved().ask(body, "max")) == "illegal_transition"


def test_detection_may_speak_of_a_case_that_is_over() -> None:
    """What triage sees of it is recorded, and opens nothing."""
    ledger = resolved()
    assert names(ledger.ask(incident_grew(), "triage")) == ["CaseGrew"]
    assert names(ledger.ask(incident_quieted(), "triage")) == ["CaseQuieted"]
    assert (ledger.case.phase, ledger.state.active) == (Phase.RESOLVED, set())


@pytest.mark.parametrize("who", sorted(ROLES))
def test_who_may_respond(who: str) -> None:
    """Managers and engineers may declare; services, admins and compliance may not."""
    assert (reason(candidate().ask(DECLARE, who)) == "wrong_role") is (who not in {"max", "mia", "eva"})


def test_evidence_is_recorded_once_by_its_digest_also_when_the_case_is_over() -> None:
    """The evidence role attaches; the case keeps kind, digest and rows; the same digest again is refused."""
    ledger = resolved()
    assert names(ledger.ask(evidence_kept(digest="cd" * 32), "evidence")) == ["EvidenceAttached"]
    kept = ledger.case.evidence[-1]
    assert (kept.kind, kept.digest, kept.rows, kept.at) == ("window", "cd" * 32, 40, ledger.at)
    assert ledger.ask(evidence_kept(digest="cd" * 32), "evidence") == []
    assert reason(ledger.ask(evidence_kept(digest="cd" * 32, rows=41), "evidence")) == "attached"
    assert ledger.case.phase is Phase.RESOLVED


@pytest.mark.parametrize(
    "changes",
    [{"digest": "AB" * 32}, {"digest": "ab"}, {"kind": "../x"}, {"rows": -1}, {"summary": "x" * 2001}],
)
def test_malformed_evidence_is_refused(changes: dict[str, Any]) -> None:
    """A digest is 64 small hexadecimal digits, a kind a sound name, and a summary has a limit."""
    assert reason(opened().ask(evidence_kept(**changes), "evidence")) == "bad_evidence"


def test_a_case_names_a_bounded_number_of_pieces_of_evidence() -> None:
    """The 65th is refused, and triage may attach none."""
    ledger = opened()
    assert reason(ledger.ask(evidence_kept(), "triage")) == "wrong_role"
    for number in range(64):
        assert names(ledger.ask(evidence_kept(digest=f"{number:064x}"), "evidence")) == ["EvidenceAttached"]
    assert reason(ledger.ask(evidence_kept(), "evidence")) == "too_much"
