"""What remediation does next: plans, starts, and what must be kept; safe at any crash and with several cases."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Action
from agents.ledger.decisions.execute import intent_id
from agents.ledger.regions.plan import PlanState
from agents.ledger.state import LedgerState
from agents.roles.remediate import MAX_PLANS, next_start, open_actions, standing, wants_plan
from schemas import commands as c
from schemas.signals import Affected
from tests import play
from tests.ledgers import INCIDENT, Ledger, names, reason
from tests.play import AFTER, ALIAS, BEFORE, STEPS, TARGET, step


def test_a_declared_case_wants_one_plan() -> None:
    """Until it is proposed; then never while it is under way, nor while the case waits for a person or for rows."""
    assert [case.incident for case in wants_plan(play.opened().state)] == [INCIDENT]
    for stage in (play.proposed, play.requested, play.authorised, play.contained, play.recovering, play.resolved):
        assert wants_plan(stage().state) == []
    undecided = play.opened()
    changed = replace(undecided.case, phase=type(undecided.case.phase).TRIAGE)
    assert wants_plan(replace(undecided.state, cases={INCIDENT: changed})) == []


@pytest.mark.parametrize("outcome", ["target_changed", "failed"])
def test_a_plan_that_met_another_target_is_made_anew(outcome: str) -> None:
    """The next plan is accepted, asks for new approvals, and the first plan's authority starts nothing any more."""
    ledger = play.authorised()
    play.start(ledger)
    play.finish(ledger, outcome=outcome, read_back=BEFORE)
    assert [case.plans for case in wants_plan(ledger.state)] == [1]
    assert next_start(ledger.control, ledger.case, "x-1", ledger.at) is None
    assert names(ledger.ask(play.proposal(attempt=2), "remediation")) == ["PlanProposed"]
    assert wants_plan(ledger.state) == []
    assert next_start(ledger.control, ledger.case, "x-1", ledger.at) is None


def test_plans_are_made_anew_only_so_often() -> None:
    """After the last, people decide."""
    ledger = play.authorised()
    play.start(ledger)
    play.finish(ledger, outcome="failed")
    for plans, wanted in ((MAX_PLANS - 1, 1), (MAX_PLANS, 0)):
        state = replace(ledger.state, cases={INCIDENT: replace(ledger.case, plans=plans)})
        assert len(wants_plan(state)) == wanted


@pytest.mark.parametrize("end", ["denied", "expired", "revoked"])
def test_a_plan_that_people_ended_is_not_made_anew(end: str) -> None:
    """A no, or no answer, is not asked about again."""
    ledger = play.authorised() if end == "revoked" else play.requested()
    assert ledger.case.plan is not None
    if end == "denied":
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), "max")
    elif end == "revoked":
        ledger.ask(c.RevokeApproval(incident=INCIDENT, plan=ledger.plan, reason="no"), "max")
    else:
        deadline = ledger.case.plan.decide_by
        ledger.at = deadline
        ledger.ask(c.ExpirePlan(incident=INCIDENT, plan=ledger.plan, deadline=deadline), "approval")
    assert (ledger.case.plan.state, ledger.case.plan.why) == (PlanState.ENDED, end)
    assert wants_plan(ledger.state) == []
    assert next_start(ledger.control, ledger.case, "x-1", ledger.at) is None


def begin(ledger: Ledger, executor: str = "x-1") -> list[str]:
    """Ask for the start that is proposed now; return the names of the events."""
    wanted = next_start(ledger.control, ledger.case, executor, ledger.at)
    return [] if wanted is None else names(ledger.ask(wanted, "remediation"))


def test_steps_start_in_order_each_once_the_one_before_is_done() -> None:
    """Nothing before authority; one open intent at a time; nothing after the last."""
    for stage in (play.opened, play.proposed, play.requested):
        early = stage()
        assert next_start(early.control, early.case, "x-1", early.at) is None
    ledger = play.authorised()
    assert begin(ledger) == ["ActionStarted"]
    assert [action.step for action in open_actions(ledger.case)] == [0]
    assert begin(ledger) == []
    play.finish(ledger)
    assert open_actions(ledger.case) == []
    assert begin(ledger) == ["ActionStarted"]
    assert [action.step for action in open_actions(ledger.case)] == [1]
    play.finish(ledger, 1)
    assert begin(ledger) == []
    done = replace(ledger.case.plan or pytest.fail("no plan"), state=PlanState.EXECUTING)
    assert next_start(ledger.control, replace(ledger.case, plan=done), "x-1", ledger.at) is None


def test_an_intent_without_an_outcome_is_taken_up_once_its_lease_has_run_out() -> None:
    """After a crash another executor starts the same intent again, as the next attempt, and not a moment earlier."""
    ledger = play.authorised()
    begin(ledger)
    (first,) = open_actions(ledger.case)
    ledger.at = first.lease_until - 1
    assert begin(ledger, "x-2") == []
    ledger.at += 1
    assert begin(ledger, "x-2") == ["ActionStarted"]
    (again,) = open_actions(ledger.case)
    assert (again.intent, again.executor, again.attempt) == (first.intent, "x-2", 2)
    assert begin(ledger, "x-1") == []


def test_a_start_stays_the_same_for_ten_seconds_and_is_then_asked_for_anew() -> None:
    """Every tick says the same bytes; a refusal for good is outlived by the next."""
    ledger = play.authorised()
    first = next_start(ledger.control, ledger.case, "x-1", ledger.at)
    assert first is not None
    assert next_start(ledger.control, ledger.case, "x-1", ledger.at + 9999) == first
    assert next_start(ledger.control, ledger.case, "x-1", ledger.at + 10_000) == replace(first, repeat=first.repeat + 1)
    begin(ledger)
    until = open_actions(ledger.case)[0].lease_until
    second = next_start(ledger.control, ledger.case, "x-1", until)
    assert second == next_start(ledger.control, ledger.case, "x-1", until + 9999) == replace(first, attempt=2, repeat=0)


def test_a_step_that_ended_otherwise_is_never_started_again() -> None:
    """Even were its plan still under way."""
    ledger = play.authorised()
    begin(ledger)
    intent = intent_id(ledger.plan, 0)
    failed = replace(ledger.case.actions[intent], outcome="failed")
    assert next_start(ledger.control, replace(ledger.case, actions={intent: failed}), "x-1", ledger.at + 10**6) is None


def kept(state: LedgerState) -> list[tuple[str, str, str]]:
    """Return incident, target and state of what is to be kept."""
    return [(case.incident, action.target, action.desired) for case, action in standing(state)]


def test_what_was_done_is_kept_while_the_case_is_open() -> None:
    """Both targets of a done plan, nothing before an outcome, nothing once the case is over."""
    assert kept(play.authorised().state) == []
    under_way = play.authorised()
    play.start(under_way)
    assert kept(under_way.state) == []
    assert kept(play.contained().state) == [(INCIDENT, TARGET, AFTER)]
    assert kept(play.recovering().state) == [(INCIDENT, TARGET, AFTER), (INCIDENT, ALIAS, '{"version":"1"}')]
    assert kept(play.resolved().state) == []


def second_case(ledger: Ledger) -> tuple[str, list[Action]]:
    """Let another incident move the same traffic further; return its plan's digest and its open actions."""
    other = "incident-2"
    ledger.ask(play.incident_opened(id=other, affected=(Affected(model="shuttle", version="3"),)), "triage")
    moved = step(desired='{"1":100,"2":0,"3":0}', observed=AFTER)
    ledger.ask(play.proposal(incident=other, steps=(moved, STEPS[1])), "remediation")
    plan = ledger.state.cases[other].plan
    assert plan is not None
    ledger.ask(c.RequestApproval(incident=other, plan=plan.digest), "approval")
    for who in ("max", "mia"):
        ledger.ask(play.agreed(plan.digest, ledger.at, incident=other), who)
    start = next_start(ledger.control, ledger.state.cases[other], "x-1", ledger.at)
    assert names(ledger.ask(start, "remediation")) == ["ActionStarted"]
    return plan.digest, open_actions(ledger.state.cases[other])


def test_two_cases_never_fight_over_a_target() -> None:
    """What an open intent moves is left alone, and then the newest word holds, though the older case is open longer."""
    ledger = play.contained().later(1)
    _, (opened,) = second_case(ledger)
    assert kept(ledger.state) == []
    report = c.ReportOutcome(
        incident="incident-2", intent=opened.intent, outcome="done", read_back=opened.desired, detail=""
    )
    assert names(ledger.ask(report, "remediation")) == ["ActionFinished", "CaseContained"]
    assert kept(ledger.state) == [("incident-2", TARGET, opened.desired)]
    over = replace(ledger.state.cases["incident-2"], phase=play.resolved().case.phase)
    state = replace(ledger.state, cases={**ledger.state.cases, "incident-2": over}, active={INCIDENT})
    assert kept(state) == []


def test_two_cases_do_not_start_on_one_target_at_once() -> None:
    """The second is refused while the first holds the lease, asks again, and gets it afterwards."""
    ledger = play.authorised()
    _, (opened,) = second_case(ledger)
    held = next_start(ledger.control, ledger.case, "x-9", ledger.at)
    assert reason(ledger.ask(held, "remediation")) == "lease_held"
    body: dict[str, Any] = {"outcome": "done", "read_back": opened.desired, "detail": ""}
    ledger.ask(c.ReportOutcome(incident="incident-2", intent=opened.intent, **body), "remediation")
    assert ledger.ask(held, "remediation") == []
    assert begin(ledger.later(10), "x-9") == ["ActionStarted"]


def test_a_later_plan_of_a_case_says_what_its_target_shows() -> None:
    """Of two done actions on one target the newer is kept."""
    ledger = play.contained()
    (first,) = ledger.case.actions.values()
    newer = replace(first, intent="i-2", desired='{"1":90,"2":10}', started_at=first.started_at + 1)
    for actions in ({"i-2": newer, first.intent: first}, {first.intent: first, "i-2": newer}):
        state = replace(ledger.state, cases={INCIDENT: replace(ledger.case, actions=actions)})
        assert kept(state) == [(INCIDENT, TARGET, newer.desired)]
