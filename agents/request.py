"""Propose what the approval role should ask for: that people decide on a plan, and that a passed deadline ends one."""

from agents.approve import deadline
from agents.case import PlanState
from agents.ledger_state import LedgerState
from schemas.commands import ExpirePlan, RequestApproval


def proposals(state: LedgerState, now: int) -> list[object]:
    """Return the commands that the cases call for at `now` (ms); each is the same until it was followed."""
    wanted: list[object] = []
    for incident in sorted(state.active):
        plan = state.cases[incident].plan
        if plan is None:
            continue
        if plan.state is PlanState.PROPOSED:
            wanted.append(RequestApproval(incident=incident, plan=plan.digest))
        running = deadline(plan)
        if running is not None and now >= running:
            wanted.append(ExpirePlan(incident=incident, plan=plan.digest, deadline=running))
    return wanted
