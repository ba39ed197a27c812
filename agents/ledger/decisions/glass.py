"""Decide on broken glasses and on the reviews of what began without the quorum."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.plan import Plan, PlanState
from schemas.approving import BreakGlassRule
from schemas.case import glass as g
from schemas.case.people import Duty
from schemas.values import Role

MAX_BROKEN = 50
_MINUTE_MS = 60_000


def _must_know(control: Control, case: Case) -> tuple[str, ...]:
    """Return the principals who are told at once: the commander of the case, and everybody of compliance."""
    told = {principal for principal, roles in control.roles.items() if Role.COMPLIANCE in roles}
    commander = case.people.duties.get(Duty.COMMANDER)
    return tuple(sorted(told | ({commander} if commander else set())))


def _unfit(case: Case, plan: Plan, body: g.BreakGlass, rule: BreakGlassRule) -> tuple[str, str] | None:
    """Return why this step cannot be let start so, or None."""
    if plan.state not in {PlanState.PROPOSED, PlanState.PENDING}:
        return "not_pending", f"the plan is {plan.state.value}"
    if not 0 <= body.step < len(plan.steps):
        return "unknown_step", f"the plan has {len(plan.steps)} steps"
    if plan.steps[body.step].purpose != "contain" or not plan.reversible:
        return "not_reversible", "a glass is broken for a reversible containing step alone"
    if not 1 <= body.minutes <= rule.minutes:
        return "bad_time", f"a broken glass lasts 1 to {rule.minutes} minutes"
    if len(case.glass.broken) >= MAX_BROKEN:
        return "too_much", f"at most {MAX_BROKEN} glasses are broken on a case"
    return None


def _break(control: Control, case: Case, asked: Asked, body: g.BreakGlass, at: int) -> list[object]:
    rule, plan = control.policies[case.policy].break_glass, case.plan
    leads = rule.commander and case.people.duties.get(Duty.COMMANDER) == asked.principal
    if not asked.roles & frozenset(rule.roles) and not leads:
        return refuse(asked, "wrong_role", "the case's policy does not let this person break the glass")
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    if why := _unfit(case, plan, body, rule):
        return refuse(asked, *why)
    if any(one.plan == plan.digest and one.step == body.step and at < one.until for one in case.glass.broken):
        return refuse(asked, "broken", "the glass is broken for this step already")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    broken = g.GlassBroken(
        incident=case.incident,
        number=len(case.glass.broken) + 1,
        plan=plan.digest,
        step=body.step,
        principal=asked.principal,
        key=asked.key,
        reason=body.reason,
        until=at + body.minutes * _MINUTE_MS,
        review_by=at + rule.review_within * 1000,
        tell=_must_know(control, case),
    )
    return [broken]


def _involved(case: Case) -> frozenset[str]:
    """Return who had a part in the response: whoever decided on a plan, has a duty, or broke a glass."""
    broke = (one.principal for one in case.glass.broken)
    return case.deciding.decided.union(case.deciding.involved, broke)


def _review(control: Control, case: Case, asked: Asked, body: g.ReviewBreakGlass) -> list[object]:
    found = next((one for one in case.glass.broken if one.number == body.number), None)
    if found is None:
        return refuse(asked, "unknown_glass", f"{len(case.glass.broken)} glasses were broken on this case")
    if found.verdict is not None:
        return refuse(asked, "reviewed", "it is reviewed already")
    if not asked.roles & frozenset(control.policies[case.policy].break_glass.reviewers):
        return refuse(asked, "wrong_role", "the case's policy names other roles for this review")
    if asked.principal in _involved(case):
        return refuse(asked, "involved", "whoever had a part in the response does not review this")
    if (unspoken := unsaid(asked, body.note)) is not None:
        return unspoken
    reviewed = g.GlassReviewed(
        incident=case.incident,
        number=body.number,
        principal=asked.principal,
        verdict=body.verdict,
        note=body.note,
    )
    return [reviewed]


def _review_standing(case: Case, asked: Asked, body: g.ReviewStanding) -> list[object]:
    found = next((one for one in case.glass.used if one.number == body.number), None)
    if found is None:
        return refuse(asked, "unknown_use", f"standing approvals were used {len(case.glass.used)} times on this case")
    if found.verdict is not None:
        return refuse(asked, "reviewed", "it is reviewed already")
    if found.reviewer not in asked.roles:
        return refuse(asked, "wrong_role", f"this use is reviewed by the role {found.reviewer.value}")
    if (unspoken := unsaid(asked, body.note)) is not None:
        return unspoken
    reviewed = g.StandingReviewed(
        incident=case.incident,
        number=body.number,
        principal=asked.principal,
        verdict=body.verdict,
        note=body.note,
    )
    return [reviewed]


def _overdue(case: Case, asked: Asked, body: g.ReportGlassOverdue, at: int) -> list[object]:
    every = case.glass.used if body.standing else case.glass.broken
    one = next((each for each in every if each.number == body.number), None)
    if one is None or one.verdict is not None or one.overdue:
        return refuse(asked, "not_waiting", "no review of this number waits without being told as overdue")
    if at < one.review_by:
        return refuse(asked, "not_due", "there is still time to review it")
    late = g.GlassOverdue(incident=case.incident, number=body.number, standing=body.standing, review_by=one.review_by)
    return [late]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of such a command, or None where it is none."""
    match asked.body:
        case g.BreakGlass():
            return _break(control, case, asked, asked.body, at)
        case g.ReviewBreakGlass():
            return _review(control, case, asked, asked.body)
        case g.ReportGlassOverdue():
            return _overdue(case, asked, asked.body, at)
        case g.ReviewStanding():
            return _review_standing(case, asked, asked.body)
    return None
