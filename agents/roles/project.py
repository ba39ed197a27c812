"""The incident as it stands: what a subscriber reads who does not want the history."""

from agents.ledger.case import Case
from agents.triage.reports import reporter_named
from schemas.ledger import ActionStatus, IncidentStatus


def status(case: Case, index: int, at: int) -> IncidentStatus:
    """Return a case as of entry `index`, decided at `at`."""
    plan = case.plan
    actions = tuple(
        ActionStatus(target=a.target, desired=a.desired, outcome=a.outcome, read_back=a.read_back)
        for a in case.actions.values()
    )
    return IncidentStatus(
        incident=case.incident,
        index=index,
        sequence=case.sequence,
        at=at,
        phase=case.phase.value,
        acknowledged=case.acknowledged,
        severity=case.severity,
        category=case.category,
        system=case.system,
        title=reporter_named(case.title, {}),
        models=tuple(dict.fromkeys(affected.model for affected in case.affected)),
        versions=tuple(dict.fromkeys(f"{a.model}/{a.version}" for a in case.affected)),
        opened_at=case.opened_at,
        plan=plan.digest if plan else "",
        plan_state=plan.state.value if plan else "",
        approvals=len(plan.approvals) if plan else 0,
        quorum=plan.quorum if plan else 0,
        actions=actions,
        recurrence_of=case.recurrence_of,
        drill=case.drill,
        technique=case.technique or None,
    )
