"""Propose what the approval role should ask for: that people decide on a plan, and that a passed deadline ends one."""

from agents.ledger.case import PlanState
from agents.ledger.decisions.approve import deadline
from agents.ledger.state import LedgerState
from schemas.commands import ExpirePlan, RequestApproval

AGAIN_MS = 10_000


def proposals(state: LedgerState, now: int) -> list[object]:
    """Return the commands that the cases call for at `now` (ms); each stays the same for AGAIN_MS."""
    wanted: list[object] = []
    for incident in sorted(state.active):
        plan = state.cases[incident].plan
        if plan is None:
            continue
        if plan.state is PlanState.PROPOSED:
            wanted.append(RequestApproval(incident=incident, plan=plan.digest))
        running = deadline(plan)
        if running is not None and now >= running:
            wanted.append(_expire(incident, plan.digest, running, now))
    return wanted


def _expire(incident: str, plan: str, deadline: int, now: int) -> ExpirePlan:
    """Ask again every so often: the registrar's clock may be behind ours, and each statement is decided once."""
    return ExpirePlan(incident=incident, plan=plan, deadline=deadline, repeat=(now - deadline) // AGAIN_MS)
