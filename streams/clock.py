"""The clock of this process: the machine's, or a drill's, which runs faster while people are waited for.

A drill's clock is a file of segments that every process of the drill reads. It never goes back, what it said of a
moment that is over never changes, and whoever reads it gets the same answer to the millisecond. It is only there for
ledgers whose names begin with ``drill-``: nobody's incidents can be given other times.
"""

import json
import os
import time
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import structlog

from schemas.errors import PolicyError
from streams.settings import Settings

DRILL = "drill-"
LEAD_MS = 100
"""So long before it begins a segment is written, so that every process has read it by then."""
_SEEN_MS = 20
LATEST = 253_402_300_799_000  # the last second of the year 9999, which is as far as dates reach
MAX_RATE = 1_000_000
MAX_SEGMENTS = 10_000
MAX_BYTES = 1_048_576
_LOG = structlog.get_logger("clock")


class Segment(NamedTuple):
    """From `real` on (ms of the machine) the clock stands at `clock`, and gains `gains` ms in each `per` ms."""

    real: int
    clock: int
    gains: int
    per: int

    def at(self, real: int) -> int:
        """Return what the clock says at a time of the machine."""
        return self.clock + (real - self.real) * self.gains // self.per


class Course:
    """What a drill's clock says at each moment: continuous, and strictly increasing by the millisecond.

    Before its first segment it runs as the machine's clock does.
    """

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = tuple(segments)
        first = self.segments[0]
        self._all = (Segment(first.real, first.clock, 1, 1), *self.segments)
        self._real = [segment.real for segment in self.segments]
        self._clock = [segment.clock for segment in self.segments]

    def at(self, real: int) -> int:
        """Return what the clock says at a time of the machine (ms)."""
        return min(max(self._all[bisect_right(self._real, real)].at(real), 0), LATEST)

    def real(self, clock: int) -> int:
        """Return the machine's time (ms) at which the clock first said so much, or more."""
        segment = self._all[bisect_right(self._clock, clock)]
        return max(segment.real - (segment.clock - clock) * segment.per // segment.gains, 0)

    def until(self, real: int) -> tuple[Segment, ...]:
        """Return the segments that had begun by a time of the machine."""
        return self.segments[: bisect_right(self._real, real)]


def read(path: Path) -> Course:
    """Read a clock's file; PolicyError where it is none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        found = json.loads(data) if len(data) <= MAX_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyError(f"{path} cannot be read as a drill's clock: {type(error).__name__}.") from None
    if not isinstance(found, list) or not 0 < len(found) <= MAX_SEGMENTS or not all(map(_whole, found)):
        raise PolicyError(f"{path} is no drill's clock: it is not a list of segments of four whole numbers.")
    segments = [Segment(*one) for one in found]
    if any(late.real <= early.real or late.clock != early.at(late.real) for early, late in pairwise(segments)):
        raise PolicyError(f"{path} is no drill's clock: its segments do not join.")
    return Course(segments)


def _whole(one: object) -> bool:
    if not isinstance(one, list) or len(one) != len(Segment._fields):
        return False
    real, clock, gains, per = (number if type(number) is int else -1 for number in one)
    return 0 <= real <= LATEST and 0 <= clock <= LATEST and 0 < per <= gains <= min(per * MAX_RATE, LATEST)


class _Followed:
    """A clock's file as a process follows it; where it can no longer be used, the last good course stays."""

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._seen = self._mark()
        self._course = read(self._path)
        self._told = 0

    def at(self, real: int, now: int) -> int:
        """Return the clock's time of a moment; both are by the machine, `now` taken just before."""
        course = self.course()  # looked at after `now` was taken: what is written later begins later
        self._told = max(self._told, min(real, now))
        return course.at(real)

    def course(self) -> Course:
        """Return the course as the file has it now; what it was asked of the past stays as it was told."""
        mark = self._mark()
        if mark != self._seen:
            self._seen = mark
            try:
                self._course = self._read_on(self._course.until(self._told))
            except PolicyError as error:
                _LOG.warning("the clock goes on as it was", reason=str(error))
        return self._course

    def _read_on(self, past: tuple[Segment, ...]) -> Course:
        course = read(self._path)
        if course.segments[: len(past)] != past:
            raise PolicyError(f"{self._path} changes the past.")
        return course

    def _mark(self) -> tuple[int, ...]:
        try:
            status = os.stat(self._path)  # noqa: PTH116  # asked for each record, and Path takes twice as long
        except OSError:
            return ()
        return status.st_ino, status.st_mtime_ns, status.st_size


_followed: _Followed | None = None


def install(settings: Settings) -> None:
    """Let this process go by the clock of its settings; PolicyError where it is no drill's, or cannot be read."""
    global _followed  # noqa: PLW0603  # a process has one clock
    if settings.clock is None:
        _followed = None
        return
    if not settings.ledger.startswith(DRILL):
        raise PolicyError(
            f"HEADGATE_CLOCK is for drills alone, and the ledger {settings.ledger} is none: its name does not begin "
            f"with {DRILL}. Unset HEADGATE_CLOCK."
        )
    _followed = _Followed(settings.clock)


def now_ms(behind: float = 0.0) -> int:
    """Return what this process's clock says (ms since 1970), or said so many real seconds ago."""
    real = int((time.time() - behind) * 1000)
    return real if _followed is None else _followed.at(real, real)


def of_broker(ms: int) -> int:
    """Return when Kafka, or another program on real time, stamped something, by this process's clock.

    What is not above nought is no time, and stays as it is.
    """
    return ms if _followed is None or ms <= 0 else _followed.at(ms, int(time.time() * 1000))


def to_broker(ms: int) -> int:
    """Return the real time of a time by this process's clock: what Kafka is asked for; undoes `of_broker`."""
    return ms if _followed is None or ms <= 0 else _followed.course().real(ms)


def machine_seconds() -> float:
    """Return the machine's time: for what others hold against their own clocks, such as signatures and files."""
    return time.time()


class ClockFile:
    """Writes a drill's clock; there is one writer of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, at: int | None = None) -> None:
        """Begin at a time (ms since 1970; now, if not given), as fast as life; PolicyError where it has begun."""
        if self.path.exists():
            raise PolicyError(f"{self.path} is there already; a drill's clock begins once.")
        real = int(time.time() * 1000)
        self._put([Segment(real, real if at is None else at, 1, 1)])

    def run(self, rate: float, until: int | None = None) -> float:
        """Run `rate` times as fast as life from LEAD_MS on; at `until` (ms, by the clock) as fast as life again.

        Returns after how many real seconds that is so: at once where the clock is past `until` by then. What was to
        come of an earlier run is cancelled. PolicyError where the rate is not from 1 to MAX_RATE.
        """
        if not 1 <= rate <= MAX_RATE:
            raise PolicyError(f"a clock cannot run at {rate:g} times life; give 1 to {MAX_RATE}.")
        gains, per = Fraction(rate).limit_denominator(1000).as_integer_ratio()
        while True:
            begins = int(time.time() * 1000) + LEAD_MS
            segments = list(read(self.path).until(begins - 1))
            clock = segments[-1].at(begins)
            if max(until or 0, clock) > LATEST:
                raise PolicyError("a clock cannot run beyond the year 9999; begin another drill.")
            ends = begins
            if until is None:
                segments.append(Segment(begins, clock, gains, per))
            else:
                if until > clock:
                    ends = begins - (clock - until) * per // gains
                    segments.append(Segment(begins, clock, until - clock, ends - begins))
                segments.append(Segment(ends, max(until, clock), 1, 1))
            if self._put(segments, before=begins - _SEEN_MS):
                return max(ends / 1000 - time.time(), 0.0)

    def _put(self, segments: Sequence[Segment], before: int = LATEST) -> bool:
        """Replace the file at once, unless it has become too late: then nothing is changed."""
        if len(segments) > MAX_SEGMENTS:
            raise PolicyError(f"{self.path} has {MAX_SEGMENTS} segments; begin another drill.")
        fresh = self.path.with_name(f"{self.path.name}.new")
        fresh.write_text(json.dumps(segments), "utf-8")
        if time.time() * 1000 >= before:
            return False
        fresh.replace(self.path)
        return True
