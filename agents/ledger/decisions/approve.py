"""Decide on plans and approvals: distinct persons over the digest of exact bytes, two expiries, one denial ends it."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase, Plan, PlanState
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from schemas import commands as c
from schemas.events import (
    ApprovalGiven,
    ApprovalRequested,
    ApprovalRevoked,
    PlanAuthorised,
    PlanEnded,
    PlanProposed,
)

MAX_STEPS = 32
PURPOSES = frozenset({"contain", "remediate"})
_PLANNABLE = frozenset({Phase.DECLARED, Phase.CONTAINING, Phase.CONTAINED, Phase.REMEDIATING})


def propose(case: Case, asked: Asked, body: c.ProposePlan) -> list[object]:
    """Record a plan for a declared incident that has none under way."""
    if case.phase not in _PLANNABLE:
        return refuse(asked, "illegal_transition", f"no plan is needed while the case is {case.phase.value}")
    if case.plan is not None and case.plan.state is not PlanState.ENDED:
        return refuse(asked, "superseded", f"plan {case.plan.number} is {case.plan.state.value}")
    if not body.steps:
        return refuse(asked, "empty_plan", "a plan needs at least one step")
    if len(body.steps) > MAX_STEPS:
        return refuse(asked, "too_long", f"a plan has at most {MAX_STEPS} steps")
    if any(step.purpose not in PURPOSES for step in body.steps):
        return refuse(asked, "unknown_purpose", "the purpose of a step is contain or remediate")
    if body.attempt != case.plans + 1:
        return refuse(asked, "stale", f"the next plan is number {case.plans + 1}, not {body.attempt}")
    plan = PlanProposed(
        incident=case.incident,
        number=body.attempt,
        proposer=asked.principal,
        steps=body.steps,
        dry_run=body.dry_run,
    )
    return [plan]


def request(control: Control, case: Case, plan: Plan, asked: Asked, at: int) -> list[object]:
    """Ask the persons whom the policy of the case names."""
    if plan.state is not PlanState.PROPOSED:
        return refuse(asked, "illegal_transition", f"the plan is {plan.state.value}")
    rule = control.policies[case.policy].approval[case.severity]
    asked_for = ApprovalRequested(
        incident=case.incident,
        plan=plan.digest,
        role=rule.role.value,
        quorum=rule.quorum,
        decide_by=at + rule.decide_within * 1000,
        execute_within=rule.execute_within * 1000,
    )
    return [asked_for]


def _may_decide(plan: Plan, asked: Asked, at: int) -> tuple[str, str] | None:
    """Return why this person may not decide on this plan now, or None."""
    if plan.state is not PlanState.PENDING:
        return "not_pending", f"the plan is {plan.state.value}"
    if at >= plan.decide_by:
        return "expired", "the time to decide has passed"
    if asked.principal == plan.proposer:
        return "self_approval", "whoever proposed a plan does not decide on it"
    if plan.role not in {role.value for role in asked.roles}:
        return "wrong_role", f"this plan is decided by the role {plan.role}"
    return None


def give(case: Case, plan: Plan, asked: Asked, body: c.Approve, at: int) -> list[object]:
    """Count one distinct person; the last of the quorum authorises the plan in the same entry."""
    if why := _may_decide(plan, asked, at):
        return refuse(asked, *why)
    if asked.principal in plan.approvals:
        return refuse(asked, "same_person", "this person has approved already; another one is needed")
    given = ApprovalGiven(
        incident=case.incident,
        plan=plan.digest,
        principal=asked.principal,
        key=asked.key,
        reason=body.reason,
        statement=asked.statement,
    )
    if len(plan.approvals) + 1 < plan.quorum:
        return [given]
    authorised = PlanAuthorised(incident=case.incident, plan=plan.digest, execute_by=at + plan.execute_within)
    return [given, authorised]


def _end(case: Case, plan: Plan, why: str, principal: str, reason: str) -> PlanEnded:
    return PlanEnded(incident=case.incident, plan=plan.digest, why=why, principal=principal, reason=reason)


def deny(case: Case, plan: Plan, asked: Asked, body: c.Deny, at: int) -> list[object]:
    """End a pending plan by one person's refusal."""
    why = _may_decide(plan, asked, at)
    if why is not None and why[0] != "wrong_role":  # the table of authority lets others say no
        return refuse(asked, *why)
    return [_end(case, plan, "denied", asked.principal, body.reason)]


def revoke(case: Case, plan: Plan, asked: Asked, body: c.RevokeApproval) -> list[object]:
    """Take one's approval back, until execution has started; an authorised plan ends by it."""
    if plan.state not in {PlanState.PENDING, PlanState.AUTHORISED}:
        return refuse(asked, "too_late", f"the plan is {plan.state.value}")
    if asked.principal not in plan.approvals:
        return refuse(asked, "no_approval", "this person has not approved the plan")
    revoked = ApprovalRevoked(incident=case.incident, plan=plan.digest, principal=asked.principal, reason=body.reason)
    if plan.state is PlanState.PENDING:
        return [revoked]
    return [revoked, _end(case, plan, "revoked", asked.principal, body.reason)]


def deadline(plan: Plan) -> int | None:
    """Return the deadline (ms) that runs for the plan now, or None."""
    match plan.state:
        case PlanState.PENDING:
            return plan.decide_by
        case PlanState.AUTHORISED:
            return plan.execute_by
    return None


def expire(case: Case, plan: Plan, asked: Asked, body: c.ExpirePlan, at: int) -> list[object]:
    """End a plan whose running deadline has passed."""
    running = deadline(plan)
    if running is None or body.deadline != running:
        return refuse(asked, "stale", "no such deadline is running")
    if at < running:
        return refuse(asked, "early", "the deadline has not passed")
    return [_end(case, plan, "expired", "", f"undecided or not started at {running}")]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about plans and approvals, or None where it is none."""
    body, plan = asked.body, case.plan
    if isinstance(body, c.ProposePlan):
        return propose(case, asked, body)
    if not isinstance(body, c.RequestApproval | c.Approve | c.Deny | c.RevokeApproval | c.ExpirePlan):
        return None
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    match body:
        case c.RequestApproval():
            return request(control, case, plan, asked, at)
        case c.Approve():
            return give(case, plan, asked, body, at)
        case c.Deny():
            return deny(case, plan, asked, body, at)
        case c.RevokeApproval():
            return revoke(case, plan, asked, body)
        case _:
            return expire(case, plan, asked, body, at)
