"""What leads a case on, or elsewhere: the next commands of a response, and who says them."""

import dataclasses
from collections.abc import Iterator
from typing import Any

from agents.ledger.case import Case, Phase
from agents.ledger.decisions.execute import intent_id
from agents.ledger.regions.plan import PlanState
from agents.ledger.targets import movable
from schemas import commands as c
from schemas.case import approval, by_hand, clocks, glass, learning, people, response
from schemas.case.hold import ReleaseHold
from schemas.case.learning import CauseKind, MissedControl
from tests import play
from tests.learnt import POST_MORTEM
from tests.machine.world import INCIDENTS, World, digest_of


def _planned(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what may follow of the case's plan."""
    plan, incident = case.plan, case.incident
    if plan is None or plan.state is PlanState.ENDED:
        for excluded in ((), ("p-bob",)):
            proposed = play.proposal(
                incident=incident, attempt=case.plans + 1, dry_run=str(world.asked), excluded=excluded
            )
            yield proposed, "remediation"
        return
    match plan.state:
        case PlanState.PROPOSED:
            yield c.RequestApproval(incident=incident, plan=plan.digest), "approval"
        case PlanState.PENDING:
            for who in ("max", "mia", "bob"):
                yield (
                    c.Approve(
                        incident=incident,
                        plan=plan.digest,
                        reason="right",
                        repeat=world.asked,
                        confirmed=plan.digest[:8],
                        confirmed_at=world.at,
                    ),
                    who,
                )
    yield approval.KeepNothing(incident=incident, reason="shadow"), "max"
    for number, step in enumerate(plan.steps):
        intent = intent_id(plan.digest, number)
        action = case.actions.get(intent)
        if action is None:
            start = c.StartAction(incident=incident, plan=plan.digest, step=number, executor="x-1", attempt=1)
            yield dataclasses.replace(start, repeat=world.asked), "remediation"
            if step.purpose == "contain":
                broken = glass.BreakGlass(
                    incident=incident, plan=plan.digest, step=number, reason="now", minutes=10, repeat=world.asked
                )
                yield broken, "max"
        elif not action.outcome:
            yield (
                c.ReportOutcome(incident=incident, intent=intent, outcome="done", read_back=step.desired, detail=""),
                "remediation",
            )
    yield approval.SignOff(incident=incident, plan=plan.digest, note="right", repeat=world.asked), "vera"


def _causes(case: Case) -> Iterator[tuple[Any, str]]:
    for kind, name, parent in ((CauseKind.TRIGGER, "c-1", None), (CauseKind.ROOT, "c-2", "c-1")):
        if name not in case.learning.causes:
            code = MissedControl.DATA_CONTRACT
            yield (
                learning.RecordCause(
                    incident=case.incident, cause=name, text="units", kind=kind, code=code, parent=parent
                ),
                "mia",
            )


def _work(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what is left of the checklist and of the tasks."""
    for item in world.state.control.policies[case.policy].checklist:
        if item not in case.people.checked:
            yield people.CheckItem(incident=case.incident, item=item, note="as noted", repeat=world.asked), "mia"
    for task, found in case.people.tasks.items():
        if not found.done_at:
            yield people.FinishTask(incident=case.incident, task=task, note="done"), "mia"


def _learnt(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what is left to be done before the case closes."""
    incident, rest = case.incident, world.asked
    yield from _work(case, world)
    yield from _causes(case)
    if not case.learning.written:
        yield learning.WritePostMortem(incident=incident, text=POST_MORTEM), "mia"
    elif not case.learning.accepted:
        yield learning.AcceptPostMortem(incident=incident, digest=case.learning.written), "max"
    for clock in case.clocks.running:
        said = clocks.DeclareNotApplicable(incident=incident, clock=clock.clock, reason="nobody's data", repeat=rest)
        yield said, "lea"
    for broken in (one for one in case.glass.broken + case.glass.used if one.verdict is None):
        for cls, who in ((glass.ReviewBreakGlass, "cleo"), (glass.ReviewStanding, "mia")):
            yield cls(incident=incident, number=broken.number, verdict=glass.Justified.JUSTIFIED, note="seen"), who
    if case.hold.stands:
        for who in ("max", "lea"):
            yield ReleaseHold(incident=incident, reason="no claim", repeat=rest), who
    yield response.Close(incident=incident, note="", repeat=rest), "max"


def _over(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    incident, rest = case.incident, world.asked
    if case.phase is Phase.RESOLVED:
        yield response.BeginReview(incident=incident, note="", repeat=rest), "max"
    elif case.phase is Phase.REVIEW:
        yield from _learnt(case, world)
        for into, split in world.state.control.splits.items():
            yield response.OpenSplit(incident=into, origin=split.incident, repeat=rest), "max"
        for merged, into in world.state.control.merged.items():
            yield response.Absorb(incident=into, merged=merged, repeat=rest), "max"
    elif case.phase is Phase.CLOSED:
        yield response.Reopen(incident=incident, reason="again", repeat=rest), "max"


def aside(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what leads a case elsewhere."""
    incident, rest, plan = case.incident, world.asked, digest_of(case)
    for other in INCIDENTS:
        yield response.Merge(incident=incident, into=other, reason="the same", repeat=rest), "eva"
    yield response.Split(incident=incident, signals=("s-2",), reason="another", repeat=rest), "eva"
    yield c.Dismiss(incident=incident, reason=response.Dismissal.FALSE_POSITIVE, note="a sensor", repeat=rest), "max"
    yield response.Regress(incident=incident, reason="worse", repeat=rest), "eva"
    yield c.RevokeApproval(incident=incident, plan=plan, reason="wait", repeat=rest), "max"
    yield c.Deny(incident=incident, plan=plan, reason="no", repeat=rest), "mia"
    yield response.Investigate(incident=incident, reason="why?", repeat=rest), "eva"
    yield response.BeginReview(incident=incident, note="", repeat=rest), "eva"
    yield response.Close(incident=incident, note="", repeat=rest), "eva"
    yield response.Reopen(incident=incident, reason="again", repeat=rest), "eva"
    if case.plan is not None:
        expire = c.ExpirePlan(incident=incident, plan=plan, deadline=case.plan.decide_by, repeat=rest)
        yield expire, "approval"
    for into, split in world.state.control.splits.items():
        yield response.OpenSplit(incident=into, origin=split.incident, repeat=rest), "max"
    for merged, into in world.state.control.merged.items():
        yield response.Absorb(incident=into, merged=merged, repeat=rest), "max"


def _said(cls: Any, case: Case, world: World) -> Any:
    return cls(incident=case.incident, statement="by hand", evidence="ticket 1", repeat=world.asked)


def onward(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what leads a case on from where it stands."""
    if case.phase.over:
        yield from _over(case, world)
    elif case.phase is Phase.TRIAGE:
        yield c.Declare(incident=case.incident, reason="it is one", repeat=world.asked), "max"
    elif case.phase is Phase.RECOVERING and case.course.remedied_by:
        for who in ("mia", "vera"):
            yield _said(by_hand.JudgeRecovered, case, world), who
        yield from aside(case, world)
    elif case.phase is Phase.RECOVERING:
        report = play.recovery(incident=case.incident, model=case.affected[0].model if case.affected else "shuttle")
        yield dataclasses.replace(report, observation=str(world.asked)), "recovery"
        yield from aside(case, world)
    elif not list(movable(case, world.state.control.systems)):
        yield approval.KeepNothing(incident=case.incident, reason="shadow"), "max"
        yield _said(by_hand.StateContained, case, world), "eva"
        yield _said(by_hand.StateRemedied, case, world), "max"
        yield from aside(case, world)
    else:
        yield from _planned(case, world)
