"""What retention must leave alone: the windows of cases whose hold on evidence stands."""

from dataclasses import dataclass

from agents.ledger.case import Case, Phase

END = 253_402_300_799_999
"""The last millisecond of the year 9999: a window that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldWindow:
    """Predictions of a model between two points in time (ms), both included."""

    model: str
    since: int
    until: int


def windows(case: Case) -> tuple[HeldWindow, ...]:
    """Return what the case holds: each model from when the harm began until the response was over.

    A merged case goes on in another one, so that its window stays open until the hold is released.
    """
    if not case.hold.stands:
        return ()
    merged = case.phase is Phase.MERGED
    until = END if merged else case.course.over_at or END
    models = sorted({each.model for each in case.hold.held})
    return tuple(HeldWindow(model=model, since=case.hold.since, until=until) for model in models)
