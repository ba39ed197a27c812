"""The response of a case moves along its statechart and no other way; what leaves it and ends it is recorded."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger import rules
from agents.ledger.case import Case, Phase
from agents.ledger.closing import unfinished
from agents.ledger.endings import endings
from agents.ledger.lifecycle import MOVES
from agents.ledger.regions.course import end_of
from agents.roles import remediate
from schemas import commands as c
from schemas.case import by_hand
from schemas.case import response as r
from schemas.case.hold import ReleaseHold
from schemas.case.learning import AcceptPostMortem, CauseKind
from schemas.case.people import AddTask, FinishTask
from schemas.case.response import Dismissal
from schemas.case.reviews import Band, QueueReview
from schemas.signals import Affected
from schemas.values import Role, Severity
from tests import ledgers, play
from tests.learnt import POST_MORTEM, answer_everything, cause, write
from tests.ledgers import INCIDENT, Ledger, enrolment, genesis, names, reason

OTHER = "incident-2"
TWO = (play.evidence(), play.evidence(signal="s-2", version="3", score=4.0, summary="f2 has drifted"))


def opened(**changes: Any) -> Ledger:
    """Return a ledger with a declared case, a person of the role legal, and another open case."""
    ledger = genesis()
    ledger.ask(c.EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    ledger.ask(play.incident_opened(**changes), "triage")
    ledger.ask(play.incident_opened(id=OTHER), "triage")
    return ledger


def at_phase(ledger: Ledger, phase: Phase) -> Ledger:
    """Put the case into a phase without the way there."""
    ledger.state.cases[INCIDENT] = replace(ledger.case, phase=phase)
    return ledger


def declined(ledger: Ledger) -> Case:
    """Return the case without what counts its entries."""
    return replace(ledger.case, sequence=0)


BY_HAND = {"incident": INCIDENT, "statement": "by hand", "evidence": "ticket 1"}
COMMANDS: dict[str, tuple[object, str]] = {
    "Declare": (c.Declare(incident=INCIDENT, reason="it is one"), "eva"),
    "Dismiss": (c.Dismiss(incident=INCIDENT, reason=Dismissal.BENIGN, note=""), "eva"),
    "Merge": (r.Merge(incident=INCIDENT, into=OTHER, reason="the same"), "eva"),
    "Split": (r.Split(incident=INCIDENT, signals=("s-1",), reason="another"), "eva"),
    "ProposePlan": (play.proposal(), "remediation"),
    "Investigate": (r.Investigate(incident=INCIDENT, reason="why?"), "eva"),
    "StateContained": (by_hand.StateContained(**BY_HAND), "eva"),
    "StateRemedied": (by_hand.StateRemedied(**BY_HAND), "eva"),
    "JudgeRecovered": (by_hand.JudgeRecovered(**BY_HAND), "max"),
    "Regress": (r.Regress(incident=INCIDENT, reason="worse"), "eva"),
    "ReportRegression": (
        r.ReportRegression(incident=INCIDENT, model="shuttle", version="1", observation="o", reason="worse"),
        "recovery",
    ),
    "ReportRecovery": (play.recovery(), "recovery"),
    "BeginReview": (r.BeginReview(incident=INCIDENT, note=""), "eva"),
    "Close": (r.Close(incident=INCIDENT, note=""), "eva"),
    "Reopen": (r.Reopen(incident=INCIDENT, reason="again"), "eva"),
    "QueueReview": (
        QueueReview(
            incident=INCIDENT,
            prediction="r-1",
            model="shuttle",
            version="2",
            band=Band.RISKY,
            confidence=None,
            risk="high",
            digest="ab" * 32,
        ),
        "evidence",
    ),
    "ReleaseHold": (ReleaseHold(incident=INCIDENT, reason="no claim"), "lea"),
}
ILLEGAL = [(kind, phase) for kind, legal in MOVES.items() for phase in Phase if phase not in legal]
LEDGER = opened()


def test_the_table_names_each_command_that_moves_a_case() -> None:
    """So that the next test leaves none out."""
    assert set(MOVES) <= set(COMMANDS)


@pytest.mark.parametrize(("kind", "phase"), ILLEGAL, ids=str)
def test_an_illegal_transition_is_refused_and_recorded(kind: str, phase: Phase) -> None:
    """In each phase that the table does not name for it, the command changes nothing, and its refusal is an entry."""
    ledger = at_phase(LEDGER, phase)
    ledger.state.decided.clear()  # the same words were said in another phase
    before, entries = declined(ledger), len(ledger.leaves)
    body, who = COMMANDS[kind]
    found = ledger.ask(body, who)
    assert (names(found), reason(found)) == (["Refused"], "illegal_transition")
    assert (declined(ledger), len(ledger.leaves)) == (before, entries + 1)


@pytest.mark.parametrize("kind", sorted(MOVES))
def test_what_the_table_allows_is_not_refused_for_its_phase(kind: str) -> None:
    """In its phases a command is decided on its merits."""
    for phase in sorted(MOVES[kind]):
        ledger = at_phase(LEDGER, phase)
        asked = ledger.state.ask(ledger.statement(*COMMANDS[kind]))
        found = rules.decide(rules.CURRENT, ledger.control, ledger.case, asked, ledger.at)
        assert reason(found) != "illegal_transition"


def test_what_is_said_without_a_reason_is_refused() -> None:
    """A person who moves a case on says why, and not at any length."""
    ledger = opened()
    for text in ("", " ", "x" * 5000):
        assert reason(ledger.ask(r.Investigate(incident=INCIDENT, reason=text), "eva")) == "bad_reason"
    assert reason(ledger.ask(r.BeginReview(incident=INCIDENT, note="x" * 5000), "eva")) == "illegal_transition"


def test_a_case_is_merged_into_an_open_one_and_both_say_so() -> None:
    """The merged one is over and goes on in the other, which records it once and is not closed before."""
    ledger = opened()
    assert reason(ledger.ask(r.Merge(incident=INCIDENT, into=INCIDENT, reason="itself"), "eva")) == "not_open"
    assert reason(ledger.ask(r.Merge(incident=INCIDENT, into="incident-9", reason="none"), "eva")) == "not_open"
    assert names(ledger.ask(*COMMANDS["Merge"])) == ["CaseMerged"]
    assert (ledger.case.phase, ledger.case.course.merged_into) == (Phase.MERGED, OTHER)
    assert ledger.state.active == {OTHER} == set(ledger.control.open)
    other = ledger.state.cases[OTHER]
    assert any("merged into it" in sentence for sentence in unfinished(ledger.control, other))
    back = r.Merge(incident=OTHER, into=INCIDENT, reason="back")
    assert reason(ledger.ask(back, "eva")) == "not_open"
    assert reason(ledger.ask(r.Absorb(incident=OTHER, merged="incident-9"), "eva")) == "not_merged"
    assert names(ledger.ask(r.Absorb(incident=OTHER, merged=INCIDENT), "eva")) == ["CaseAbsorbed"]
    assert reason(ledger.ask(r.Absorb(incident=OTHER, merged=INCIDENT, repeat=1), "eva")) == "absorbed"
    assert end_of(ledger.control.merged, INCIDENT) == OTHER


def test_a_merged_incident_is_over_with_the_one_it_goes_on_in() -> None:
    """Until then its signals open nothing anew; afterwards both have ended at the same time."""
    ledger = opened()
    ledger.ask(*COMMANDS["Merge"])
    assert list(endings(ledger.case, ledger.control.merged)) == []
    other = ledger.state.cases[OTHER]
    assert list(endings(other, ledger.control.merged)) == []
    resolved = replace(other, phase=Phase.RESOLVED, course=replace(other.course, over_at=7))
    assert list(endings(resolved, ledger.control.merged)) == [(OTHER, 7), (INCIDENT, 7)]


def test_a_merger_ends_a_plan_that_waits_and_never_one_that_was_agreed_to() -> None:
    """Nobody decides on a plan of a case that is over; and an authorised plan is not lost by the way."""
    ledger = opened()
    ledger.ask(play.proposal(), "remediation")
    assert names(ledger.ask(*COMMANDS["Merge"])) == ["PlanEnded", "CaseMerged"]
    agreed = play.authorised()
    agreed.ask(play.incident_opened(id=OTHER), "triage")
    assert reason(agreed.ask(*COMMANDS["Merge"])) == "too_late"


def test_signals_of_another_fault_leave_and_open_their_own_case() -> None:
    """The new case has what left, judged by the same policy; growth does not bring it back."""
    both = (Affected(model="shuttle", version="2"), Affected(model="shuttle", version="3"))
    ledger = opened(evidence=TWO, affected=both)
    split = r.Split(incident=INCIDENT, signals=("s-2",), reason="another sensor")
    assert names(ledger.ask(split, "eva")) == ["CaseSplit"]
    (into,) = ledger.case.course.splits
    assert any("is not opened" in sentence for sentence in unfinished(ledger.control, ledger.case))
    assert reason(ledger.ask(r.OpenSplit(incident=into, origin=OTHER), "eva")) == "unknown_split"
    found = ledger.ask(r.OpenSplit(incident=into, origin=INCIDENT), "eva")
    assert names(found) == ["CaseOpened", "CaseDeclared", "EvidenceHeld", "FactRecorded"]
    new = ledger.state.cases[into]
    assert (new.affected, new.policy) == (both[1:], ledger.case.policy)
    assert [each.signal for each in new.course.signals] == ["s-2"]
    assert ledger.case.affected == both[:1]
    ledger.ask(play.incident_grew(evidence=TWO, affected=both), "triage")
    assert ledger.case.affected == both[:1]
    assert [each.signal for each in ledger.case.course.signals] == ["s-1"]
    assert not ledger.control.splits
    assert reason(ledger.ask(r.OpenSplit(incident=into, origin=INCIDENT, repeat=1), "eva")) == "opened"


@pytest.mark.parametrize(
    ("signals", "why"), [((), "unknown_signal"), (("s-9",), "unknown_signal"), (("s-1", "s-2"), "nothing_left")]
)
def test_a_split_names_some_signals_of_the_case(signals: tuple[str, ...], why: str) -> None:
    """Known ones, and not all."""
    ledger = opened(evidence=TWO)
    assert reason(ledger.ask(r.Split(incident=INCIDENT, signals=signals, reason="another"), "eva")) == why


def test_a_recovery_that_fails_is_contained_again_by_another_plan() -> None:
    """The recovery role or a person says so; the plan that was done is ended, and what was seen before counts not."""
    for who, body in (("eva", COMMANDS["Regress"][0]), ("recovery", COMMANDS["ReportRegression"][0])):
        ledger = play.recovering()
        assert names(ledger.ask(body, who)) == ["CaseRegressed", "PlanEnded"]
        assert ledger.case.phase is Phase.CONTAINING
        assert ledger.case.course.regressed == 1
        assert names(ledger.ask(play.proposal(attempt=2), "remediation"))[0] == "PlanProposed"
    bad = replace(COMMANDS["ReportRegression"][0], version="2")  # type: ignore[type-var]
    assert reason(play.recovering().ask(bad, "recovery")) == "no_survivor"


def closable() -> Ledger:
    """Return a ledger whose case is under review with nothing left to do but to close it."""
    ledger = play.resolved()
    ledger.ask(c.EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    answer_everything(ledger, "mia")
    ledger.ask(cause(kind=CauseKind.ROOT), "mia")
    ledger.ask(write(text=POST_MORTEM), "mia")
    ledger.ask(r.BeginReview(incident=INCIDENT, note=""), "mia")
    return ledger


def accept(ledger: Ledger) -> None:
    """Let another person accept the post-mortem, and two persons release the evidence."""
    ledger.ask(AcceptPostMortem(incident=INCIDENT, digest=ledger.case.learning.written), "max")
    ledger.ask(ReleaseHold(incident=INCIDENT, reason="no claim"), "max")
    ledger.ask(ReleaseHold(incident=INCIDENT, reason="no claim"), "lea")


def test_a_case_closes_when_all_is_done_and_else_says_all_that_is_missing() -> None:
    """An open task, the post-mortem and the hold are named in one refusal; then it closes."""
    ledger = closable()
    due = AddTask(incident=INCIDENT, task="t-1", title="Check units", owner="p-max", due_at=1)
    ledger.ask(due, "mia")
    refused = ledger.ask(*COMMANDS["Close"])
    assert reason(refused) == "unfinished"
    for word in ("t-1", "post-mortem", "hold"):
        assert word in refused[0].detail  # type: ignore[attr-defined]
    ledger.ask(FinishTask(incident=INCIDENT, task="t-1", note="done"), "max")
    accept(ledger)
    assert names(ledger.ask(r.Close(incident=INCIDENT, note="", repeat=1), "eva")) == ["CaseClosed"]
    assert (ledger.case.phase, ledger.case.phase.final) == (Phase.CLOSED, True)


def test_small_cases_close_without_a_post_mortem_unless_policy_asks() -> None:
    """The policy that the case opened under names the severities that need one."""
    ledger = closable()
    case = replace(ledger.case, severity=Severity.SEV3)
    assert not any("post-mortem" in sentence for sentence in unfinished(ledger.control, case))
    assert any("post-mortem" in sentence for sentence in unfinished(ledger.control, ledger.case))


def test_a_reopened_case_begins_again_where_it_was_declared() -> None:
    """Without plan, counted, its evidence held once more, and old actions no longer kept up."""
    ledger = closable()
    accept(ledger)
    ledger.ask(*COMMANDS["Close"])
    assert not ledger.case.hold.stands
    found = ledger.later(1).ask(*COMMANDS["Reopen"])
    assert names(found) == ["CaseReopened", "EvidenceHeld"]
    assert (ledger.case.phase, ledger.case.plan, ledger.case.course.reopened) == (Phase.DECLARED, None, 1)
    assert ledger.state.active == {INCIDENT}
    assert remediate.standing(ledger.state) == []
    assert names(ledger.ask(play.proposal(attempt=2), "remediation"))[0] == "PlanProposed"


def test_a_later_policy_changes_no_running_case() -> None:
    """Rules, quorum, recovery and closing are those of the policy that the case opened under."""
    ledger = play.opened()
    lax = ledgers.POLICY.replace(b"quorum = 2", b"quorum = 1").replace(b"clear_rows = 1000", b"clear_rows = 1")
    lax = lax.replace(b'post_mortem = ["sev1", "sev2"]', b"post_mortem = []")
    before = replace(ledger.case)
    ledger.ask(c.AdoptPolicy(document=lax), "ada")
    assert ledger.case == before
    assert ledger.control.policy_digest != ledger.case.policy
    ledger.ask(play.evidence_kept(), "evidence")
    ledger.ask(play.proposal(), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    play.approve(ledger, "max")
    assert reason(play.start(ledger)) == "not_authorised"
    play.approve(ledger, "mia")
    for number in range(2):
        play.start(ledger, number, repeat=1)
        play.finish(ledger, number)
    assert reason(ledger.ask(play.recovery(clear_rows=999), "recovery")) == "too_early"
    assert any("post-mortem" in sentence for sentence in unfinished(ledger.control, ledger.case))
    ledger.ask(play.incident_opened(id=OTHER), "triage")
    assert ledger.state.cases[OTHER].policy == ledger.control.policy_digest
