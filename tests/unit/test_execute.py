"""Intent before act, steps in order, one lease a target, done only as read back; and recovery by rows."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.ledger.decisions.execute import intent_id
from agents.ledger.regions.plan import PlanState
from schemas import commands as c
from schemas.values import Role
from tests.ledgers import INCIDENT, ROLES, Ledger, enrolment, genesis, names, reason
from tests.play import (
    AFTER,
    BEFORE,
    STEPS,
    TARGET,
    agreed,
    approve,
    authorised,
    contained,
    evidence_kept,
    finish,
    incident_grew,
    incident_opened,
    opened,
    proposal,
    proposed,
    recovering,
    recovery,
    requested,
    resolved,
    start,
    step,
)


def plan_state(ledger: Ledger) -> tuple[PlanState, str]:
    """Return where the plan stands, and why it ended."""
    assert ledger.case.plan is not None
    return ledger.case.plan.state, ledger.case.plan.why


def restore(ledger: Ledger, **changes: Any) -> list[object]:
    """Report that the traffic was put back."""
    body = c.ReportRestored(
        incident=INCIDENT, intent=intent_id(ledger.plan, 0), number=1, found=BEFORE, read_back=AFTER
    )
    return ledger.ask(replace(body, **changes), "remediation")


def with_plan(*steps: c.Step) -> Ledger:
    """Return a ledger that is authorised to carry out these steps."""
    ledger = proposed(steps=steps)
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    approve(ledger, "max")
    approve(ledger, "mia")
    ledger.ask(evidence_kept(), "evidence")
    return ledger


def test_an_intent_states_what_was_approved() -> None:
    """Target, desired state and precondition are those of the plan; the id is derived from plan and step."""
    ledger = authorised()
    event = start(ledger)[0]
    assert event == ledger.verified[-1].events[0]
    action = ledger.case.actions[intent_id(ledger.plan, 0)]
    assert (action.target, action.desired, action.precondition) == (TARGET, AFTER, STEPS[0].precondition)
    assert (action.lease_until, ledger.case.phase) == (ledger.at + 10_000, Phase.CONTAINING)


@pytest.mark.parametrize("ledger", [opened(), proposed(), requested()], ids=["none", "proposed", "requested"])
def test_nothing_starts_without_an_authorised_plan(ledger: Ledger) -> None:
    """Neither before a plan nor before its approval."""
    plan = ledger.case.plan.digest if ledger.case.plan else ""
    body = c.StartAction(incident=INCIDENT, plan=plan, step=0, executor="x-1", attempt=1)
    assert reason(ledger.ask(body, "remediation")) == ("not_authorised" if plan else "unknown_plan")


@pytest.mark.parametrize(
    ("number", "changes", "why"),
    [
        (0, {"plan": "0" * 64}, "unknown_plan"),
        (-1, {}, "unknown_step"),
        (2, {}, "unknown_step"),
        (1, {}, "out_of_order"),
        (0, {"attempt": 0}, "stale"),
        (0, {"attempt": 2}, "stale"),
    ],
)
def test_a_start_that_does_not_fit_is_refused(number: int, changes: dict[str, Any], why: str) -> None:
    """Plan, step, order and attempt are checked."""
    assert reason(start(authorised(), number, **changes)) == why


def test_a_step_waits_for_the_one_before() -> None:
    """Started is not done."""
    ledger = authorised()
    start(ledger)
    assert reason(start(ledger, 1)) == "out_of_order"
    finish(ledger)
    assert names(start(ledger, 1, repeat=1)) == ["ActionStarted"]
    assert ledger.case.phase is Phase.REMEDIATING


def test_a_target_is_leased_to_one_executor() -> None:
    """While the lease runs another executor is refused; the same one, and anybody after it, may try again."""
    ledger = authorised()
    start(ledger)
    assert reason(start(ledger, executor="x-2", attempt=2)) == "lease_held"
    assert names(start(ledger, attempt=2)) == ["ActionStarted"]
    ledger.later(9.999)
    assert reason(start(ledger, executor="x-2", attempt=3)) == "lease_held"
    ledger.later(0.001)
    assert start(ledger, executor="x-2", attempt=3) == []
    assert names(start(ledger, executor="x-2", attempt=3, repeat=1)) == ["ActionStarted"]
    assert reason(start(ledger, attempt=3)) == "stale"
    assert ledger.case.actions[intent_id(ledger.plan, 0)].executor == "x-2"


def test_two_incidents_do_not_move_one_target_at_once() -> None:
    """The lease is of one intent: the same executor may not begin another on the same target."""
    ledger = authorised()
    ledger.ask(incident_opened(id="incident-2"), "triage")
    ledger.ask(proposal(incident="incident-2"), "remediation")
    plan = ledger.state.cases["incident-2"].plan
    assert plan is not None
    ledger.ask(c.RequestApproval(incident="incident-2", plan=plan.digest), "approval")
    for who in ("max", "mia"):
        ledger.ask(agreed(plan.digest, ledger.at, incident="incident-2"), who)
    start(ledger)
    second = c.StartAction(incident="incident-2", plan=plan.digest, step=0, executor="x-1", attempt=1)
    assert reason(ledger.ask(second, "remediation")) == "lease_held"
    finish(ledger)
    assert names(ledger.ask(replace(second, repeat=1), "remediation")) == ["ActionStarted"]


def test_execution_that_began_in_time_may_end_later() -> None:
    """The deadline is for the start: after a crash what was begun is taken up again, and the next step follows."""
    ledger = authorised()
    start(ledger)
    ledger.later(3600)
    assert names(start(ledger, executor="x-2", attempt=2)) == ["ActionStarted"]
    finish(ledger)
    assert names(start(ledger, 1)) == ["ActionStarted"]
    expiry = c.ExpirePlan(incident=INCIDENT, plan=ledger.plan, deadline=ledger.case.plan.execute_by)  # type: ignore[union-attr]
    assert reason(ledger.ask(expiry, "approval")) == "stale"


def test_done_is_what_the_target_shows() -> None:
    """A report of success with another state read back is refused, and the action stays open."""
    ledger = authorised()
    start(ledger)
    assert reason(finish(ledger, read_back=BEFORE)) == "not_shown"
    assert reason(finish(ledger, outcome="perhaps")) == "unknown_outcome"
    assert ledger.case.actions[intent_id(ledger.plan, 0)].outcome == ""
    assert names(finish(ledger)) == ["ActionFinished", "CaseContained"]
    assert reason(finish(ledger, detail="once more")) == "finished"
    assert reason(start(ledger, attempt=2)) == "finished"


@pytest.mark.parametrize("outcome", ["target_changed", "failed"])
def test_any_other_outcome_ends_the_plan(outcome: str) -> None:
    """What did not work needs a new plan and new approval."""
    ledger = authorised()
    start(ledger)
    assert names(finish(ledger, outcome=outcome, read_back=BEFORE)) == ["ActionFinished", "PlanEnded"]
    assert plan_state(ledger) == (PlanState.ENDED, outcome)
    assert reason(start(ledger, 1)) == "not_authorised"
    old = intent_id(ledger.plan, 0)
    assert names(ledger.ask(proposal(attempt=2), "remediation")) == ["PlanProposed"]
    assert reason(finish(ledger, intent=old)) == "finished"


def test_an_outcome_without_an_intent_is_refused() -> None:
    """Nothing is done that was not announced."""
    assert reason(finish(authorised())) == "unknown_intent"
    report = c.ReportOutcome(incident=INCIDENT, intent="x", outcome="done", read_back=AFTER, detail="")
    assert reason(opened().ask(report, "remediation")) == "unknown_intent"


def test_contained_is_when_every_containing_step_is_done() -> None:
    """Not before the last of them, whatever else is done."""
    other = step(target="envoy:other")
    alias = STEPS[1]
    ledger = with_plan(step(), alias, other)
    start(ledger)
    assert names(finish(ledger)) == ["ActionFinished"]
    start(ledger, 1)
    assert names(finish(ledger, 1)) == ["ActionFinished"]
    assert ledger.case.contained_at == 0
    start(ledger, 2)
    done = c.ReportOutcome(
        incident=INCIDENT, intent=intent_id(ledger.plan, 2), outcome="done", read_back=AFTER, detail=""
    )
    assert names(ledger.ask(done, "remediation")) == ["ActionFinished", "CaseContained", "CaseRecovering"]
    assert ledger.case.contained_at == ledger.at


def test_a_plan_that_only_remediates_leads_to_recovery_too() -> None:
    """Without a containing step nothing is called contained."""
    ledger = with_plan(replace(STEPS[0], purpose="remediate"))
    start(ledger)
    assert names(finish(ledger)) == ["ActionFinished", "CaseRecovering"]
    assert plan_state(ledger)[0] is PlanState.DONE


def test_a_target_that_moved_is_put_back_and_counted() -> None:
    """Each restoration has the next number and shows the approved state."""
    ledger = contained()
    assert reason(restore(ledger, number=2)) == "stale"
    assert reason(restore(ledger, read_back=BEFORE)) == "not_shown"
    assert reason(restore(ledger, intent="other")) == "unknown_intent"
    assert names(restore(ledger)) == ["ActionRestored"]
    assert names(restore(ledger, number=2, found="{}")) == ["ActionRestored"]
    assert ledger.case.actions[intent_id(ledger.plan, 0)].restored == 2
    ledger = authorised()
    start(ledger)
    assert reason(restore(ledger)) == "unknown_intent"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "2"}, "no_survivor"),
        ({"model": "other"}, "no_survivor"),
        ({"clear_rows": 999}, "too_early"),
        ({"clear_rows": -1}, "too_early"),
    ],
)
def test_recovery_needs_a_survivor_with_enough_clear_rows(changes: dict[str, Any], why: str) -> None:
    """The bad version and another model prove nothing, nor do too few rows."""
    assert reason(recovering().ask(recovery(**changes), "recovery")) == why


def test_a_case_is_resolved_by_rows() -> None:
    """With the rows that policy asks the case ends; before the plan is done it cannot."""
    assert reason(contained().ask(recovery(), "recovery")) == "illegal_transition"
    ledger = recovering()
    assert names(ledger.ask(recovery(), "recovery")) == ["CaseResolved", "RatingAsked"]
    assert ledger.case.phase is Phase.RESOLVED
    assert reason(ledger.ask(recovery(observation="o-2"), "recovery")) == "illegal_transition"


def test_a_version_that_became_bad_is_no_survivor() -> None:
    """What the incident grew to counts."""
    ledger = recovering()
    affected = tuple(replace(incident_opened().affected[0], version=version) for version in ("1", "2"))
    ledger.ask(incident_grew(affected=affected), "triage")
    assert reason(ledger.ask(recovery(), "recovery")) == "no_survivor"


@pytest.mark.parametrize("who", sorted(set(ROLES) - {"remediation"}))
def test_only_remediation_acts(who: str) -> None:
    """Nobody else proposes, starts or reports, not even those who approve."""
    ledger = authorised()
    for body in (
        proposal(attempt=2),
        c.StartAction(incident=INCIDENT, plan=ledger.plan, step=0, executor="x", attempt=1),
        c.ReportOutcome(incident=INCIDENT, intent="x", outcome="done", read_back="", detail=""),
        c.ReportRestored(incident=INCIDENT, intent="x", number=1, found="", read_back=""),
    ):
        assert reason(ledger.ask(body, who)) == "wrong_role"


def test_a_second_remediation_service_stands_in_for_the_first() -> None:
    """The lease and the attempt, not the key, keep two executors apart."""
    ledger = authorised()
    ledger.ask(c.EnrolKey(enrolment=enrolment("remediation-2", Role.REMEDIATION)), "ada")
    start(ledger)
    body = c.StartAction(incident=INCIDENT, plan=ledger.plan, step=0, executor="x-2", attempt=2)
    assert reason(ledger.ask(body, "remediation-2")) == "lease_held"
    ledger.later(10)
    assert names(ledger.ask(replace(body, repeat=1), "remediation-2")) == ["ActionStarted"]


def test_a_case_that_is_over_takes_no_action() -> None:
    """After resolution every command of the case is illegal."""
    assert reason(restore(resolved())) == "illegal_transition"
    assert reason(genesis().ask(proposal(), "remediation")) == "unknown_incident"
