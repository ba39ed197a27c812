"""Decide on actions: intent before act, one lease a target, steps in order, done only as read back; and on recovery."""

from agents.ledger.asked import Asked
from agents.ledger.case import Action, Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.learn import rating_asked
from agents.ledger.leave import (
    BREAK_GLASS,
    STANDING,
    covered,
    judged_by_people,
    lacks_evidence,
    lacks_sign_off,
    leave,
    rule_for,
)
from agents.ledger.refusal import refuse
from agents.ledger.regions.plan import Plan, PlanState
from schemas import commands as c
from schemas.case.action import ActionFinished, ActionRestored, ActionStarted
from schemas.case.glass import StandingApprovalUsed
from schemas.events import (
    CaseContained,
    CaseRecovering,
    CaseResolved,
    PlanEnded,
)
from schemas.ids import derive

OUTCOMES = frozenset({"done", "target_changed", "failed"})


def intent_id(plan: str, step: int) -> str:
    """Return the id of the intent to carry out a step: the idempotency key of its action."""
    return derive("intent", plan, step)


def _held(control: Control, target: str, intent: str, executor: str, at: int) -> bool:
    """Whether another executor, or another intent of this one, is at work on the target."""
    lease = control.leases.get(target)
    return lease is not None and lease.until > at and (lease.executor, lease.intent) != (executor, intent)


def _may_start(control: Control, case: Case, plan: Plan, body: c.StartAction, at: int) -> tuple[str, str] | None:
    if not 0 <= body.step < len(plan.steps):
        return "unknown_step", f"the plan has {len(plan.steps)} steps"
    entitled = leave(control, case, plan, body.step, at)
    if not entitled and plan.state is not PlanState.AUTHORISED:
        return "not_authorised", f"the plan is {plan.state.value}, and nothing else lets the step start"
    intent = intent_id(plan.digest, body.step)
    known = case.actions.get(intent)
    if known is not None and known.outcome:
        return "finished", f"the step is {known.outcome}"
    if plan.state is PlanState.AUTHORISED and at >= plan.execute_by:
        return "expired", "the time to start has passed"
    if not entitled:
        return "quorum_lost", "an approval counts no more, because its key was revoked since; people decide again"
    if body.attempt != (known.attempt + 1 if known else 1):
        return "stale", "another attempt is under way"
    if undone := _undone(case, plan, body.step, alone=entitled == BREAK_GLASS):
        return "out_of_order", f"step {undone[0]} is not done"
    if _held(control, plan.steps[body.step].target, intent, body.executor, at):
        return "lease_held", "another action holds the target"
    if plan.steps[body.step].purpose == "remediate" and lacks_evidence(control, case):
        return (
            "no_evidence",
            "the policy wants evidence frozen first, or `headgate incidents keep-nothing`",
        )
    return None


def _undone(case: Case, plan: Plan, step: int, *, alone: bool) -> list[int]:
    """Return the earlier steps that are not done; a glass is broken for a containing step `alone`."""
    before = [number for number in range(step) if not (alone and plan.steps[number].purpose == "contain")]
    return [number for number in before if not is_done(case, plan, number)]


def is_done(case: Case, plan: Plan, number: int) -> bool:
    """Whether a step of the plan shows its desired state."""
    action = case.actions.get(intent_id(plan.digest, number))
    return action is not None and action.outcome == "done"


def all_done(case: Case, plan: Plan) -> bool:
    """Whether every step of the plan shows its desired state."""
    return all(is_done(case, plan, number) for number in range(len(plan.steps)))


def _first_use(control: Control, case: Case, plan: Plan, number: int, at: int) -> list[object]:
    """Return the record that a standing approval is used for a plan, where this step is the first that needs it."""
    rule = rule_for(control, case, plan, number, at)
    if rule is None or any(use.rule == rule.name and use.plan == plan.digest for use in case.glass.used):
        return []
    used = StandingApprovalUsed(
        incident=case.incident,
        number=len(case.glass.used) + 1,
        rule=rule.name,
        plan=plan.digest,
        steps=covered(rule, control, case, plan),
        at=at,
        review_by=at + rule.review_within * 1000,
        reviewer=rule.reviewer,
    )
    return [used]


def start(control: Control, case: Case, asked: Asked, body: c.StartAction, at: int) -> list[object]:
    """Record the intent, with a lease on its target."""
    plan = case.plan
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    if why := _may_start(control, case, plan, body, at):
        return refuse(asked, *why)
    step, entitled = plan.steps[body.step], leave(control, case, plan, body.step, at)
    first = _first_use(control, case, plan, body.step, at) if entitled == STANDING else []
    started = ActionStarted(
        incident=case.incident,
        intent=intent_id(plan.digest, body.step),
        plan=plan.digest,
        step=body.step,
        target=step.target,
        desired=step.desired,
        precondition=step.precondition,
        executor=body.executor,
        attempt=body.attempt,
        lease_until=at + control.policies[case.policy].remediation.lease_seconds * 1000,
        leave=entitled,
    )
    return [*first, started]


def _progress(control: Control, case: Case, plan: Plan, finished: Action, read_back: str) -> list[object]:
    """Return what follows of a step that is done: contained when all containing steps are, recovering when all are.

    A plan that ended meanwhile leads to no recovery; and where the policy wants a sign-off, that leads to it.
    """
    done = {action.step for action in case.actions.values() if action.plan == plan.digest and action.outcome == "done"}
    done.add(finished.step)
    steps = range(len(plan.steps))
    follows: list[object] = []
    contain = {number for number in steps if plan.steps[number].purpose == "contain"}
    if finished.step in contain and contain <= done:
        follows.append(CaseContained(incident=case.incident, read_back=read_back))
    over = plan.state is PlanState.ENDED or lacks_sign_off(control, case, plan)
    if set(steps) <= done and not over:
        follows.append(CaseRecovering(incident=case.incident))
    return follows


def finish(control: Control, case: Case, asked: Asked, body: c.ReportOutcome) -> list[object]:
    """Record what the target showed; anything but the desired state ends the plan."""
    action, plan = case.actions.get(body.intent), case.plan
    if action is None:
        return refuse(asked, "unknown_intent", "no such action is under way")
    if action.outcome:
        return refuse(asked, "finished", f"the action is {action.outcome}")
    if body.outcome not in OUTCOMES:
        return refuse(asked, "unknown_outcome", "an outcome is done, target_changed or failed")
    if body.outcome == "done" and body.read_back != action.desired:
        return refuse(asked, "not_shown", "the target does not show the approved state")
    finished = ActionFinished(
        incident=case.incident,
        intent=body.intent,
        target=action.target,
        outcome=body.outcome,
        read_back=body.read_back,
        detail=body.detail,
    )
    if plan is None or action.plan != plan.digest:
        return [finished]  # of an earlier plan, which ended while the step was under way
    if body.outcome == "done":
        return [finished, *_progress(control, case, plan, action, body.read_back)]
    if plan.state is PlanState.ENDED:
        return [finished]
    ended = PlanEnded(
        incident=case.incident,
        plan=plan.digest,
        why=body.outcome,
        principal=asked.principal,
        reason=body.detail,
    )
    return [finished, ended]


def restore(case: Case, asked: Asked, body: c.ReportRestored) -> list[object]:
    """Record that a stale write was undone."""
    action = case.actions.get(body.intent)
    if action is None or action.outcome != "done":
        return refuse(asked, "unknown_intent", "no such action is done")
    if body.number != action.restored + 1:
        return refuse(asked, "stale", f"restoration {action.restored + 1} comes next")
    if body.read_back != action.desired:
        return refuse(asked, "not_shown", "the target does not show the approved state")
    restored = ActionRestored(incident=case.incident, intent=body.intent, found=body.found, read_back=body.read_back)
    return [restored]


def survives(case: Case, model: str, version: str) -> bool:
    """Whether a version's rows tell of the recovery: another version of an affected model, or what was put right."""
    bad = case.bad_versions(model)
    return bool(bad) and (version not in bad or bool(case.course.remedied_by))


def recover(control: Control, case: Case, asked: Asked, body: c.ReportRecovery) -> list[object]:
    """Resolve the case once a survivor has been clear for the rows that its policy asks."""
    if case.phase is not Phase.RECOVERING:
        return refuse(asked, "illegal_transition", f"the case is {case.phase.value}, not recovering")
    if not survives(case, body.model, body.version):
        return refuse(asked, "no_survivor", "the version is not a survivor of an affected model")
    if judged_by_people(control, case):
        return refuse(asked, "no_sign_off", "the policy wants a person's word: `headgate incidents recovered`")
    needed = control.policies[case.policy].recovery.clear_rows
    if body.clear_rows < needed:
        return refuse(asked, "too_early", f"{body.clear_rows} clear rows; the policy asks for {needed}")
    resolved = CaseResolved(incident=case.incident, model=body.model, version=body.version, clear_rows=body.clear_rows)
    return [resolved, rating_asked(case)]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about actions or recovery, or None where it is none."""
    match asked.body:
        case c.StartAction():
            return start(control, case, asked, asked.body, at)
        case c.ReportOutcome():
            return finish(control, case, asked, asked.body)
        case c.ReportRestored():
            return restore(case, asked, asked.body)
        case c.ReportRecovery():
            return recover(control, case, asked, asked.body)
    return None
