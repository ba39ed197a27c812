"""Decide on approvals: distinct persons over the digest of exact bytes, two expiries, a denial ends it."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.quorum import counted, deputies_of, enough, excluded
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.plan import Given, Plan, PlanState
from schemas import commands as c
from schemas.case.approval import DenialGiven
from schemas.events import ApprovalGiven, ApprovalRevoked, PlanAuthorised, PlanEnded

CONFIRMED_DIGITS = 8
_SKEW_MS = 60_000  # how far ahead of the registrar's a person's clock may be


def _may_decide(control: Control, case: Case, plan: Plan, asked: Asked, at: int) -> tuple[str, str] | None:
    """Return why this person may not decide on this plan now, or None."""
    if plan.state is not PlanState.PENDING:
        return "not_pending", f"the plan is {plan.state.value}"
    if at >= plan.decide_by:
        return "expired", "the time to decide has passed"
    if asked.principal == plan.proposer:
        return "self_approval", "whoever proposed a plan does not decide on it"
    if asked.principal in excluded(control, case, plan):
        return "excluded", "this person has a part in what the plan changes, so another one decides"
    return None


def _right(control: Control, case: Case, plan: Plan, asked: Asked, at: int) -> tuple[str, Given] | tuple[str, None]:
    """Return in whose right the person may agree, or the role that is asked for."""
    wanted = frozenset(need.role for need in plan.needs)
    if asked.roles & wanted:
        return "", Given(principal=asked.principal, key=asked.key, roles=tuple(sorted(asked.roles)))
    barred = excluded(control, case, plan)
    used = {one.on_behalf or one.principal for one in counted(control, case, plan)}
    for other in deputies_of(control, asked.principal, at):
        roles = control.roles.get(other, frozenset())
        if roles & wanted and other not in barred and other not in used:
            given = Given(principal=asked.principal, key=asked.key, roles=tuple(sorted(roles)), on_behalf=other)
            return "", given
    return f"this plan is decided by the role {plan.role}", None


def _confirmed(control: Control, case: Case, plan: Plan, body: c.Approve, at: int) -> tuple[str, str] | None:
    """Return why the statement is no fresh confirmation of this very plan, or None."""
    if body.confirmed != plan.digest[:CONFIRMED_DIGITS]:
        return "not_confirmed", f"this plan asks for its digest's first {CONFIRMED_DIGITS} digits, typed once more"
    within = control.policies[case.policy].approval[plan.severity].step_up_within * 1000
    if not at - within <= body.confirmed_at <= at + _SKEW_MS:
        return "stale_confirmation", f"the confirmation must be at most {within // 1000} s old; confirm once more"
    return None


def give(control: Control, case: Case, plan: Plan, asked: Asked, body: c.Approve, at: int) -> list[object]:
    """Count one distinct person; the last of the quorum authorises the plan in the same entry."""
    if why := _may_decide(control, case, plan, asked, at):
        return refuse(asked, *why)
    standing = counted(control, case, plan)
    said, given = _right(control, case, plan, asked, at)
    if given is None:
        return refuse(asked, "wrong_role", said)
    if asked.principal in {one.principal for one in standing} | {one.on_behalf for one in standing}:
        return refuse(asked, "same_person", "this person has approved already; another one is needed")
    if asked.principal in plan.denied_by:
        return refuse(asked, "same_person", "this person has refused the plan")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    not_confirmed = _confirmed(control, case, plan, body, at)
    if plan.step_up and not_confirmed is not None:
        return refuse(asked, *not_confirmed)
    approval = ApprovalGiven(
        incident=case.incident,
        plan=plan.digest,
        principal=asked.principal,
        key=asked.key,
        reason=body.reason,
        statement=asked.statement,
        roles=given.roles,
        on_behalf=given.on_behalf,
        stepped_up=not_confirmed is None,
    )
    if not enough(plan.needs, plan.quorum, (*standing, given)):
        return [approval]
    authorised = PlanAuthorised(incident=case.incident, plan=plan.digest, execute_by=at + plan.execute_within)
    return [approval, authorised]


def ended(case: Case, plan: Plan, why: str, principal: str, reason: str) -> PlanEnded:
    """Return the end of a plan."""
    return PlanEnded(incident=case.incident, plan=plan.digest, why=why, principal=principal, reason=reason)


def deny(control: Control, case: Case, plan: Plan, asked: Asked, body: c.Deny, at: int) -> list[object]:
    """Refuse a pending plan; as many persons as the policy says, one by default, end it."""
    if why := _may_decide(control, case, plan, asked, at):
        return refuse(asked, *why)
    if asked.principal in plan.denied_by:
        return refuse(asked, "same_person", "this person has refused the plan already")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    if len(plan.denied_by) + 1 >= plan.denials:
        return [ended(case, plan, "denied", asked.principal, body.reason)]
    denial = DenialGiven(incident=case.incident, plan=plan.digest, principal=asked.principal, reason=body.reason)
    return [denial]


def revoke(case: Case, plan: Plan, asked: Asked, body: c.RevokeApproval) -> list[object]:
    """Take one's approval back, until execution has started; an authorised plan ends by it."""
    if plan.state not in {PlanState.PENDING, PlanState.AUTHORISED}:
        return refuse(asked, "too_late", f"the plan is {plan.state.value}")
    if asked.principal not in plan.approvals:
        return refuse(asked, "no_approval", "this person has not approved the plan")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    revoked = ApprovalRevoked(incident=case.incident, plan=plan.digest, principal=asked.principal, reason=body.reason)
    if plan.state is PlanState.PENDING:
        return [revoked]
    return [revoked, ended(case, plan, "revoked", asked.principal, body.reason)]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a person's decision on a plan, or None where the command is none."""
    body, plan = asked.body, case.plan
    if not isinstance(body, c.Approve | c.Deny | c.RevokeApproval):
        return None
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    match body:
        case c.Approve():
            return give(control, case, plan, asked, body, at)
        case c.Deny():
            return deny(control, case, plan, asked, body, at)
    return revoke(case, plan, asked, body)
