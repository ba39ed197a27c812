"""Which clocks have used 50, 80 or 100 per cent of their time since people were last told, and when to look again."""

from collections.abc import Iterable
from dataclasses import dataclass

from agents.regulation.progress import SHARES, crossed, crossing


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A running clock; `start` and `due` in ms, `reached` is the highest share (per cent) that was told, or 0."""

    incident: str
    clock: str
    start: int
    due: int
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockCrossed:
    """So many per cent of the time that a clock has until `due` are used."""

    incident: str
    clock: str
    share: int
    due: int


def watch(clocks: Iterable[Watched], now: int) -> tuple[tuple[ClockCrossed, ...], int | None]:
    """Return what is newly crossed at `now` (ms), and when the next share will be; None where all were crossed.

    Of several shares that a clock crossed at once, as one does that is due at its trigger, the highest is told alone.
    """
    found: list[ClockCrossed] = []
    coming: list[int] = []
    for one in clocks:
        used = crossed(one.start, one.due, now)
        share = max(used, default=0)
        if share > one.reached:
            found.append(ClockCrossed(incident=one.incident, clock=one.clock, share=share, due=one.due))
        coming += [crossing(one.start, one.due, each) for each in SHARES if each not in used][:1]
    return tuple(found), min(coming, default=None)
