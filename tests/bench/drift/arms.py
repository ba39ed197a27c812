"""Who is measured: the live monitor, river's detectors one a feature, and two that see nothing."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from river import drift

from agents.detection.joined import Joined, Target
from agents.detection.monitor import Monitor
from agents.detection.monitor_state import MonitorState
from schemas.thresholds import Thresholds
from schemas.values import Mode
from tests.bench.drift.families import NUMBERS, Fault, Part, Source, rows_of

EXPECTED = 100_000
"""Rows between false alarms of the whole model, as policy says it."""

POLICY = Thresholds(
    rows_between_false_alarms=EXPECTED,
    reference_rows=5000,
    reference_cells=100_000,
    late_seconds=604_800,
)
"""The default policy but for the run length, a reference of 3.5 days, and that a batch spans more than an hour."""


class Ours:
    """The live monitor."""

    def __init__(self, state: MonitorState | None = None) -> None:
        self.monitor = Monitor("1", Mode.REALTIME, POLICY) if state is None else Monitor.of_state(state, POLICY)

    def take(self, part: Part) -> set[str]:
        """Judge rows and their labels; return the subjects of what was raised anew."""
        at = int(part.times[-1])
        changes = self.monitor.update(rows_of(part), at)
        changes += self.monitor.labelled(_labels(part), at)
        return {name for change in changes if change.raised for name in change.level.subject.split(", ")}

    @property
    def quiet(self) -> bool:
        """Whether nothing is raised."""
        return not self.monitor.standing


def _labels(part: Part) -> Joined:
    rows = len(part.wrong)
    none = np.full(rows, -1, dtype=np.int64)
    return Joined(
        target=Target(version="1", mode=Mode.REALTIME),
        at=part.times,
        errors=part.wrong.astype(np.float64),
        residuals=np.full(rows, np.nan),
        confidence=np.full(rows, np.nan),
        predicted=none,
        labelled=none,
        classes=(),
        groups=none,
        combinations=(),
    )


@dataclass
class Null:
    """What came of rows without a fault; `points` are moments to go on from with one."""

    rows: int = 0
    alarms: int = 0
    signals: dict[str, int] = field(default_factory=dict)
    points: list[tuple[Source, MonitorState]] = field(default_factory=list)


FIRST_POINT, POINT_EVERY = 40_000, 10_000
BATCH = 2000


def ours_without_fault(family: str, seed: int, rows: int, points: int, say: Callable[[str], None]) -> Null:
    """Judge rows without a fault, and count the times that anything is raised while nothing was."""
    source, ours, found = Source(family, seed), Ours(), Null()
    next_word, next_point = rows // 5, FIRST_POINT
    while found.rows < rows:
        quiet = ours.quiet
        raised = ours.take(source.take(BATCH))
        found.rows += BATCH
        if raised:
            found.alarms += quiet
            for standing in ours.monitor.standing:
                name = f"{standing.level.detector} {standing.level.statistic}"
                found.signals[name] = found.signals.get(name, 0) + 1
        if found.rows >= next_point and len(found.points) < points and ours.quiet:
            found.points.append((copy.deepcopy(source), ours.monitor.state()))
            next_point += POINT_EVERY
        if found.rows >= next_word:
            say(f"{family}: {found.rows:,} of {rows:,} rows without a fault, {found.alarms} false alarms")
            next_word += rows // 5
    return found


def ours_with_fault(point: tuple[Source, MonitorState], fault: Fault, seed: int, step: int, most: int) -> int | None:
    """Return the rows from the fault's first to its signal, or None where there is none in so many."""
    source, ours = copy.deepcopy(point[0]), Ours(point[1])
    source.rng = np.random.default_rng(seed)
    # Rows without it first, so that faults begin anywhere in a window and in a block.
    ours.take(source.take(int(source.rng.integers(1, 500))))
    seen = 0
    while seen < most:
        raised = ours.take(source.take(step, fault))
        seen += step
        if fault.subject in raised:
            return seen
    return None


class One(Protocol):
    """A detector of single values, as river's."""

    drift_detected: bool

    def update(self, x: Any) -> Any:
        """Take in a value."""


@dataclass(frozen=True)
class Peer:
    """Another detector: how it is made, what it reads, and how much of it there is time for."""

    name: str
    make: Callable[[], One] | None
    bits: bool = False
    rows: int = 20_000
    warm: int = 2000
    most: int = 4000

    def without_fault(self, family: str, seed: int) -> Null:
        """Run one detector a feature, and count the rows in which any alarms."""
        if self.make is None:
            return Null(rows=self.rows)
        part = Source(family, seed).take(self.rows)
        alarms = np.zeros(self.rows, dtype=bool)
        for values in self._streams(part):
            one = self.make()
            for i, value in enumerate(values):
                one.update(value)
                alarms[i] |= one.drift_detected
        return Null(rows=self.rows, alarms=int(alarms.sum()))

    def with_fault(self, family: str, fault: Fault, seed: int) -> int | None:
        """Return the rows from the fault's first to an alarm of the detector that reads it."""
        if self.make is None or (self.name != "dummy" and self.bits != fault.errors) or fault.category:
            return None
        source, one = Source(family, seed), self.make()
        for value in self._streams(source.take(self.warm + seed % 97))[0]:
            one.update(value)
        for i, value in enumerate(self._streams(source.take(self.most, fault))[0]):
            one.update(value)
            if one.drift_detected:
                return i + 1
        return None

    def _streams(self, part: Part) -> list[list[Any]]:
        if self.bits:
            return [part.wrong.tolist()]
        if self.name == "dummy":
            return [part.numbers[0].tolist()]
        values = np.where(part.null, 0.0, part.numbers)  # a NaN would blind it for ever
        return [values[i].tolist() for i in range(NUMBERS)]


class EveryHundred:
    """Alarms every 100 values, whatever they are."""

    def __init__(self) -> None:
        self.drift_detected = False
        self._seen = 0

    def update(self, _x: Any) -> None:
        """Take in a value."""
        self._seen += 1
        self.drift_detected = self._seen % 100 == 0


PEERS = (
    Peer("dummy", EveryHundred),
    Peer("never", None),
    Peer("adwin", drift.ADWIN),
    Peer("kswin", lambda: drift.KSWIN(seed=1), rows=1500, warm=300, most=1000),
    Peer("page_hinkley", drift.PageHinkley),
    Peer("hddm_a", drift.binary.HDDMA, bits=True),
    Peer("hddm_w", drift.binary.HDDMW, bits=True),
)
"""With their defaults; KSWIN reads fewer rows, since it judges about 5,000 a second."""


def lighter(peer: Peer) -> Peer:
    """Return the same with fewer rows."""
    return replace(peer, rows=peer.rows // 4, most=peer.most // 2)
