"""Decide on plans: proposed once at a time, asked about under the case's policy, recounted, ended by a deadline."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.approve import ended
from agents.ledger.quorum import authorised, counted, enough
from agents.ledger.refusal import refuse
from agents.ledger.regions.plan import Plan, PlanState
from schemas import commands as c
from schemas.approving import ApprovalRule
from schemas.case.approval import ApprovalsRecounted, Impact, Needed, RecountApprovals
from schemas.events import ApprovalRequested, PlanEnded, PlanProposed
from schemas.values import Severity

MAX_STEPS = 32
MAX_NAMED = 200
PURPOSES = frozenset({"contain", "remediate"})
IRREVERSIBLE_QUORUM = 2
PLANNABLE = frozenset(
    {Phase.DECLARED, Phase.CONTAINING, Phase.CONTAINED, Phase.INVESTIGATING, Phase.REMEDIATING},
)
_WAITING = frozenset({PlanState.PROPOSED, PlanState.PENDING})
_GREW = "the case names other versions than the plan was made for"


def _unfit(case: Case, body: c.ProposePlan) -> tuple[str, str] | None:
    """Return why a plan cannot be taken as it is, or None."""
    if case.phase not in PLANNABLE:
        return "illegal_transition", f"no plan is needed while the case is {case.phase.value}"
    if case.plan is not None and case.plan.state is not PlanState.ENDED:
        return "superseded", f"plan {case.plan.number} is {case.plan.state.value}"
    if not body.steps:
        return "empty_plan", "a plan needs at least one step"
    if len(body.steps) > MAX_STEPS:
        return "too_long", f"a plan has at most {MAX_STEPS} steps"
    if any(step.purpose not in PURPOSES for step in body.steps):
        return "unknown_purpose", "the purpose of a step is contain or remediate"
    if body.attempt != case.plans + 1:
        return "stale", f"the next plan is number {case.plans + 1}, not {body.attempt}"
    if len(body.excluded) > MAX_NAMED or (body.impact is not None and _too_much(body.impact)):
        return "too_long", f"a plan names at most {MAX_NAMED} persons, dependents and checks, and 0 to 100 percent"
    return None


def _too_much(impact: Impact) -> bool:
    named = len(impact.dependents) > MAX_NAMED or len(impact.checks) > MAX_NAMED
    return named or not 0 <= impact.traffic_percent <= 100


def propose(control: Control, case: Case, asked: Asked, body: c.ProposePlan) -> list[object]:
    """Record a plan for a declared incident that has none under way; it carries who may not decide on it."""
    if why := _unfit(case, body):
        return refuse(asked, *why)
    named = control.policies[case.policy].persons
    barred = case.deciding.excluded.union(body.excluded, named.excluded, named.executor_owners)
    plan = PlanProposed(
        incident=case.incident,
        number=body.attempt,
        proposer=asked.principal,
        steps=body.steps,
        dry_run=body.dry_run,
        impact=body.impact,
        excluded=tuple(sorted(barred)),
        policy=case.policy,
    )
    return [plan]


def _asked_of(rule: ApprovalRule, plan: Plan) -> tuple[tuple[Needed, ...], int, bool]:
    """Return places, persons and step-up that a rule asks for a plan; what cannot be undone asks for two persons."""
    needs = tuple(Needed(role=factor.role, count=factor.count) for factor in rule.needs)
    least = 1 if plan.reversible else IRREVERSIBLE_QUORUM
    return needs, max(rule.persons, least), rule.step_up or not plan.reversible


def worded(needs: tuple[Needed, ...]) -> str:
    """Return the roles that decide, as words: with their counts where there are several."""
    if len(needs) == 1:
        return needs[0].role.value
    return " and ".join(f"{need.role.value} ({need.count})" for need in needs)


def request(control: Control, case: Case, plan: Plan, asked: Asked, at: int) -> list[object]:
    """Ask the persons whom the policy of the case names."""
    if plan.state is not PlanState.PROPOSED:
        return refuse(asked, "illegal_transition", f"the plan is {plan.state.value}")
    rule = control.policies[case.policy].approval[case.severity]
    needs, quorum, step_up = _asked_of(rule, plan)
    asked_for = ApprovalRequested(
        incident=case.incident,
        plan=plan.digest,
        role=worded(needs),
        quorum=quorum,
        decide_by=at + rule.decide_within * 1000,
        execute_within=rule.execute_within * 1000,
        needs=needs,
        denials=rule.denials,
        step_up=step_up,
    )
    return [asked_for]


def recounted(control: Control, case: Case, plan: Plan, severity: Severity, why: str, at: int) -> ApprovalsRecounted:
    """Return the plan's approvals counted anew, by the rule of a severity that may have risen since it was asked."""
    rule = control.policies[case.policy].approval[severity]
    needs, quorum, step_up = plan.needs, plan.quorum, plan.step_up
    if severity.rank < plan.severity.rank:
        wanted, persons, fresh = _asked_of(rule, plan)
        needs, quorum, step_up = wanted, max(quorum, persons), step_up or fresh
    given = tuple(one for one in counted(control, case, plan) if one.stepped_up or not step_up)
    pending = plan.state is PlanState.PENDING or not enough(needs, quorum, given)
    back = pending and plan.state is PlanState.AUTHORISED
    return ApprovalsRecounted(
        incident=case.incident,
        plan=plan.digest,
        why=why,
        role=worded(needs),
        needs=needs,
        quorum=quorum,
        denials=plan.denials,
        step_up=step_up,
        counted=tuple(one.principal for one in given),
        pending=pending,
        decide_by=at + rule.decide_within * 1000 if back else plan.decide_by,
    )


def _recount(control: Control, case: Case, plan: Plan, asked: Asked, at: int) -> list[object]:
    if plan.state is not PlanState.AUTHORISED or authorised(control, case, plan):
        return refuse(asked, "stale", "the plan has what it needs, or does not wait to begin")
    return [recounted(control, case, plan, plan.severity, "key_revoked", at)]


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
    return [ended(case, plan, "expired", "", f"undecided or not started at {running}")]


def _targeted(control: Control, pairs: tuple[tuple[str, str], ...]) -> frozenset[tuple[str, str]]:
    """Return the (model, version) pairs that a plan could do something about."""
    found = set()
    for model, version in pairs:
        declared = control.systems.find(model)
        if declared is not None and (declared[2].traffic or declared[2].registry):
            found.add((model, version))
    return frozenset(found)


def moved_on(control: Control, case: Case, plan: Plan) -> bool:
    """Whether the case now names other versions of models with targets than the plan was made for."""
    now = tuple((affected.model, affected.version) for affected in case.affected)
    return _targeted(control, now) != _targeted(control, plan.basis)


def follows(control: Control, before: Case, after: Case, at: int) -> list[object]:
    """Return what always follows for a plan that has not begun, of what an entry did to its case.

    It ends where the case has grown beyond what it was made for; its quorum rises with the severity, and what people
    who are excluded by now have agreed to counts no more.
    """
    plan = after.plan
    if plan is None or before.plan is None or plan.digest != before.plan.digest:
        return []
    under_way = any(action.plan == plan.digest and not action.outcome for action in after.actions.values())
    if plan.state in _WAITING and not under_way and moved_on(control, after, plan):
        return [PlanEnded(incident=after.incident, plan=plan.digest, why="superseded", principal="", reason=_GREW)]
    if plan.state not in {PlanState.PENDING, PlanState.AUTHORISED}:
        return []
    if after.severity.rank < plan.severity.rank:
        return [recounted(control, after, plan, after.severity, "severity_rose", at)]
    newly = after.deciding.excluded - before.deciding.excluded
    if newly.intersection(plan.approvals):
        return [recounted(control, after, plan, plan.severity, "person_excluded", at)]
    return []


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about a plan that no person decides, or None where it is none."""
    body, plan = asked.body, case.plan
    if isinstance(body, c.ProposePlan):
        return propose(control, case, asked, body)
    if not isinstance(body, c.RequestApproval | c.ExpirePlan | RecountApprovals):
        return None
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    match body:
        case c.RequestApproval():
            return request(control, case, plan, asked, at)
        case RecountApprovals():
            return _recount(control, case, plan, asked, at)
    return expire(case, plan, asked, body, at)
