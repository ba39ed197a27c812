"""Propose what the clocks role should report: that a share of a statutory clock's time is used."""

from agents.ledger.case import Case, Phase
from agents.regulation.progress import crossing
from agents.regulation.watch import ClockCrossed, Watched, watch
from schemas.case.clocks import ReportClockShare

AGAIN_MS = 10_000


def watched(case: Case) -> tuple[Watched, ...]:
    """Return the clocks that run on a case: also where it was merged or dismissed while they ran."""
    if case.phase is Phase.CLOSED:
        return ()
    return tuple(
        Watched(incident=case.incident, clock=one.clock, start=one.trigger_at, due=one.due, reached=one.reached)
        for one in case.clocks.running
    )


def proposals(case: Case, now: int) -> tuple[list[object], int | None]:
    """Return the commands that a case's clocks call for at `now` (ms), and when the next share will be used.

    Each command stays the same for AGAIN_MS: the registrar's clock may be behind ours.
    """
    clocks = watched(case)
    found, coming = watch(clocks, now)
    starts = {one.clock: one.start for one in clocks}
    return [_report(one, starts[one.clock], now) for one in found], coming


def _report(one: ClockCrossed, start: int, now: int) -> ReportClockShare:
    repeat = (now - crossing(start, one.due, one.share)) // AGAIN_MS
    return ReportClockShare(incident=one.incident, clock=one.clock, share=one.share, due=one.due, repeat=repeat)
