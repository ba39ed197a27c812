"""Who decides in another's place, and what else people say so that plans may go on: asked again, kept, signed off."""

from dataclasses import replace
from itertools import permutations

import pytest

from agents.ledger.regions.plan import PlanState
from schemas import commands as c
from schemas.case import approval as a
from schemas.delegation import Delegate, RevokeDelegation
from schemas.values import Role
from tests.chapters.approval import agree, asked, carry_out
from tests.factors import PLAIN, RISING, factored, state
from tests.ledgers import INCIDENT, Ledger, genesis, key_of, names, reason
from tests.play import evidence_kept, start

HOUR = 3_600_000


def delegate(ledger: Ledger, who: str, to: str, until: int = HOUR, repeat: int = 0) -> list[object]:
    """Let somebody decide in one's place for so long."""
    return ledger.ask(Delegate(to=to, until=ledger.at + until, reason="on leave", repeat=repeat), who)


def test_a_deputy_decides_in_anothers_place_for_a_bounded_time() -> None:
    """With the other's role; the record says for whom. Afterwards the right is gone."""
    ledger = factored()
    assert reason(agree(ledger, INCIDENT, "eva")) == "wrong_role"
    assert names(delegate(ledger, "max", "p-eva")) == ["Delegated"]
    ledger.later(1)
    assert names(agree(ledger, INCIDENT, "eva")) == ["ApprovalGiven"]
    assert ledger.case.plan is not None
    assert ledger.case.plan.given[0].on_behalf == "p-max"
    ledger = factored()
    delegate(ledger, "max", "p-eva", until=1000)
    ledger.later(1)
    assert reason(agree(ledger, INCIDENT, "eva")) == "wrong_role"


def test_a_person_and_their_deputy_are_one_voice() -> None:
    """Whoever of the two comes second adds nothing."""
    for order in permutations(("max", "eva")):
        ledger = factored(policy=RISING.replace(b"[approval.sev3]", b"[approval.sev3]\nquorum = 2"))
        delegate(ledger, "max", "p-eva")
        assert names(agree(ledger, INCIDENT, order[0])) == ["ApprovalGiven"]
        assert reason(agree(ledger, INCIDENT, order[1])) in {"same_person", "wrong_role"}


@pytest.mark.parametrize(
    ("to", "until", "why"),
    [
        ("p-remediation", HOUR, "no_person"),
        ("p-nobody", HOUR, "no_person"),
        ("p-max", HOUR, "no_person"),
        ("p-eva", 0, "bad_time"),
        ("p-eva", 15 * 24 * HOUR, "bad_time"),
    ],
)
def test_a_right_is_lent_to_another_person_for_a_time_alone(to: str, until: int, why: str) -> None:
    """Never to a service, to nobody, to oneself, or for ever."""
    assert reason(delegate(genesis(), "max", to, until)) == why


def test_a_lent_right_is_not_handed_on() -> None:
    """A deputy delegates nothing; and whoever has no right has none to delegate."""
    ledger = genesis()
    assert reason(delegate(ledger, "eva", "p-mia")) == "wrong_role"
    delegate(ledger, "max", "p-eva")
    assert reason(delegate(ledger, "eva", "p-mia", repeat=1)) == "onwards"


@pytest.mark.parametrize("excluded", ["p-max", "p-eva"])
def test_neither_an_excluded_person_nor_their_deputy_decides(excluded: str) -> None:
    """An exclusion is not got around by a delegation, in either direction."""
    ledger = factored()
    ledger.ask(a.ExcludePerson(incident=INCIDENT, principal=excluded, reason="released it"), "mia")
    delegate(ledger, "max", "p-eva")
    assert reason(agree(ledger, INCIDENT, "eva")) in {"wrong_role", "excluded"}


@pytest.mark.parametrize("end", ["taken back", "key revoked"])
def test_what_a_deputy_approved_counts_no_more_once_the_right_is_gone(end: str) -> None:
    """Taken back, or the key that lent it revoked: before the plan begins it has lost its quorum."""
    ledger = factored(("max-2", (Role.ML_MANAGER,), "p-max"))
    delegate(ledger, "max-2", "p-eva")
    agree(ledger, INCIDENT, "eva")
    agree(ledger, INCIDENT, "cleo")
    if end == "taken back":
        ledger.ask(RevokeDelegation(to="p-eva", reason="back"), "max")
    else:
        ledger.ask(c.RevokeKey(key=key_of("max-2").key_id, reason="lost"), "ada")
    assert reason(start(ledger)) == "quorum_lost"


def test_only_ones_own_delegation_is_taken_back() -> None:
    """Nobody ends what another has lent."""
    ledger = genesis()
    delegate(ledger, "max", "p-eva")
    assert reason(ledger.ask(RevokeDelegation(to="p-eva", reason="no"), "mia")) == "no_delegation"


def test_a_plan_that_people_ended_is_made_anew_when_a_person_asks() -> None:
    """Once, with a reason, and not while a plan is under way."""
    ledger = factored()
    wish = a.AskForPlan(incident=INCIDENT, reason="version 1 was validated")
    assert reason(ledger.ask(wish, "eva")) == "superseded"
    for who in ("max", "cleo"):
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), who)
    assert names(ledger.ask(replace(wish, repeat=1), "eva")) == ["PlanAskedFor"]
    assert reason(ledger.ask(replace(wish, repeat=2), "eva")) == "asked"
    asked(ledger, INCIDENT, 2)
    assert state(ledger) is PlanState.PENDING


def authorised() -> Ledger:
    """Return a ledger whose plan a manager and compliance agreed to."""
    ledger = factored(("vic", (Role.VALIDATOR,), ""), policy=PLAIN + END)
    agree(ledger, INCIDENT, "max")
    agree(ledger, INCIDENT, "cleo")
    return ledger


END = b'[remediation]\nevidence_first = ["high"]\n[recovery]\nsign_off = ["sev2"]\n'


def test_nothing_is_changed_for_good_before_evidence_is_frozen() -> None:
    """Traffic moves at once; the registry waits for a frozen window, or for somebody's word that there is none."""
    for said, who in (
        (evidence_kept(), "evidence"),
        (a.KeepNothing(incident=INCIDENT, reason="no predictions"), "mia"),
    ):
        ledger = authorised()
        list(carry_out(ledger, INCIDENT, 0))
        assert reason(start(ledger, 1)) == "no_evidence"
        ledger.ask(evidence_kept(kind="output_audit", digest="cd" * 32), "evidence")
        assert reason(start(ledger, 1, repeat=1)) == "no_evidence"
        ledger.ask(said, who)
        assert names(start(ledger, 1, repeat=2)) == ["ActionStarted"]


def test_recovery_waits_for_the_sign_off_of_somebody_who_decided_nothing() -> None:
    """Not before every step is read back, not by who approved, not by a manager; then the case recovers."""
    ledger = authorised()
    sign_off = a.SignOff(incident=INCIDENT, plan=ledger.plan, note="validated")
    assert reason(ledger.ask(sign_off, "vic")) == "not_done"
    ledger.ask(evidence_kept(), "evidence")
    done = [found for step in (0, 1) for found in carry_out(ledger, INCIDENT, step)]
    assert names(done[-1]) == ["ActionFinished"]
    assert reason(ledger.ask(sign_off, "cleo")) == "involved"
    assert reason(ledger.ask(sign_off, "max")) == "wrong_role"
    assert names(ledger.ask(replace(sign_off, repeat=1), "vic")) == ["SignedOff", "CaseRecovering"]
