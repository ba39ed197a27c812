"""What entitles a step to start now: the quorum, a standing approval of the policy, or a glass that somebody broke."""

from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.quorum import authorised, in_force
from agents.ledger.regions.plan import QUORUM, Plan, PlanState
from schemas.approving import StandingRule
from schemas.systems import STRICTEST_TIER

STANDING, BREAK_GLASS = "standing", "break_glass"
_WAITING = frozenset({PlanState.PROPOSED, PlanState.PENDING})


def tiers(control: Control, case: Case) -> frozenset[str]:
    """Return the tiers of the models that a case touches; one that no system declares is of the strictest."""
    found = {affected.model: control.systems.find(affected.model) for affected in case.affected}
    return frozenset(declared[1].tier if declared else STRICTEST_TIER for declared in found.values())


def _covers(rule: StandingRule, control: Control, case: Case, plan: Plan, number: int) -> bool:
    step = plan.steps[number]
    return (
        step.purpose == "contain"
        and plan.reversible
        and case.severity in rule.severities
        and (not rule.categories or case.category in rule.categories)
        and (not rule.tiers or tiers(control, case) <= frozenset(rule.tiers))
        and step.target.partition(":")[0] in rule.target_kinds
    )


def covered(rule: StandingRule, control: Control, case: Case, plan: Plan) -> tuple[int, ...]:
    """Return the steps of a plan that a standing rule approves in advance."""
    return tuple(number for number in range(len(plan.steps)) if _covers(rule, control, case, plan, number))


def rule_for(control: Control, case: Case, plan: Plan, number: int, at: int) -> StandingRule | None:
    """Return the first standing rule that lets a step start at `at` (ms); one whose day is used up lets nothing new."""
    for rule in control.policies[case.policy].standing:
        used = any(use.rule == rule.name and use.plan == plan.digest for use in case.glass.used)
        if _covers(rule, control, case, plan, number) and (used or control.deputies.uses(rule.name, at) < rule.per_day):
            return rule
    return None


def broken_for(control: Control, case: Case, plan: Plan, number: int, at: int) -> bool:
    """Whether a glass is broken for a step and lasts at `at` (ms); not with a key that was revoked since."""
    return any(
        glass.plan == plan.digest and glass.step == number and at < glass.until and in_force(control, glass.key)
        for glass in case.glass.broken
    )


def leave(control: Control, case: Case, plan: Plan, number: int, at: int) -> str:
    """Return what entitles a step to start at `at` (ms): quorum, standing or break_glass; empty where nothing does."""
    if plan.state is PlanState.EXECUTING:
        return QUORUM
    if plan.state is PlanState.AUTHORISED and at < plan.execute_by and authorised(control, case, plan):
        return QUORUM
    if plan.state not in _WAITING:
        return ""
    if rule_for(control, case, plan, number, at) is not None:
        return STANDING
    return BREAK_GLASS if broken_for(control, case, plan, number, at) else ""


def lacks_evidence(control: Control, case: Case) -> bool:
    """Whether the policy wants evidence of the case frozen before it is remediated, and none is."""
    wanted = control.policies[case.policy].remediation.evidence_first
    if not tiers(control, case) & frozenset(wanted):
        return False
    return not case.deciding.nothing_to_keep and not any(kept.kind == "window" for kept in case.evidence)


def wants_sign_off(control: Control, case: Case) -> bool:
    """Whether the case's policy wants what was done to a case of its severity signed off."""
    return case.severity in control.policies[case.policy].recovery.sign_off


def lacks_sign_off(control: Control, case: Case, plan: Plan) -> bool:
    """Whether the policy wants what the plan did signed off before recovery is watched, and nobody has."""
    return wants_sign_off(control, case) and case.deciding.signed_off != plan.digest


def judged_by_people(control: Control, case: Case) -> bool:
    """Whether rows alone do not end it: it was put right by hand, which nobody approved, and is to be signed off."""
    return bool(case.course.remedied_by) and wants_sign_off(control, case)
