"""Propose what the approval role should ask for: that people decide on a plan, and that a passed deadline ends one."""

from agents.ledger.decisions.plan import deadline
from agents.ledger.quorum import authorised
from agents.ledger.regions.plan import PlanState
from agents.ledger.state import LedgerState
from schemas.case.approval import RecountApprovals
from schemas.case.response import TakeFollowing
from schemas.case.silences import ExpireSilence
from schemas.commands import ExpirePlan, RequestApproval

AGAIN_MS = 10_000


def proposals(state: LedgerState, now: int) -> list[object]:
    """Return the commands that the cases call for at `now` (ms); each stays the same for AGAIN_MS."""
    wanted: list[object] = [*_over(state, now), *_following(state, now)]
    for incident in sorted(state.active):
        plan = state.cases[incident].plan
        if plan is None:
            continue
        if plan.state is PlanState.PROPOSED:
            wanted.append(RequestApproval(incident=incident, plan=plan.digest))
        if plan.state is PlanState.AUTHORISED and not authorised(state.control, state.cases[incident], plan):
            wanted.append(RecountApprovals(incident=incident, plan=plan.digest, repeat=now // AGAIN_MS))
        running = deadline(plan)
        if running is not None and now >= running:
            wanted.append(_expire(incident, plan.digest, running, now))
    return wanted


def _over(state: LedgerState, now: int) -> list[object]:
    """Return the word that a silence has ended, for each whose end has passed."""
    return [
        ExpireSilence(silence=name, until=silence.until, repeat=(now - silence.until) // AGAIN_MS)
        for name, silence in sorted(state.control.desk.silences.items())
        if now >= silence.until
    ]


def _following(state: LedgerState, now: int) -> list[object]:
    """Return the word that a case which was split off takes what was raised of its fault since."""
    return [
        TakeFollowing(incident=into, origin=waiting.incident, repeat=now // AGAIN_MS)
        for into, waiting in sorted(state.control.following.items())
        if into in state.active
    ]


def _expire(incident: str, plan: str, deadline: int, now: int) -> ExpirePlan:
    """Ask again every so often: the registrar's clock may be behind ours, and each statement is decided once."""
    return ExpirePlan(incident=incident, plan=plan, deadline=deadline, repeat=(now - deadline) // AGAIN_MS)
