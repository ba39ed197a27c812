"""The metrics of a monitor: one series for each instance and column of the role `metric`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Rows
from agents.detection.detectors.level import CAP, Level
from agents.detection.guard import times
from agents.detection.series.detector import Floats, Ints, Scored, SeriesDetector, SeriesState
from agents.detection.standing import Change, Open
from schemas.thresholds import Series
from schemas.values import Flag

ROLE = "metric"

METRICS = frozenset({ROLE, "at", "position"})
"""Roles of rows that tell of an instance and hold no prediction: none is missing from them."""


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of a series' rows in one batch."""

    name: str
    first_at: int
    threshold: float
    scores: Floats
    skipped: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedState:
    """One series, the row of the watch at which it was last heard, and its signal where one stands; version 1."""

    instance: str
    name: str
    heard: int
    series: SeriesState
    open: Open | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """All series, the one longest silent first; version 1."""

    rows: int
    refused: int
    watched: tuple[WatchedState, ...]


@dataclass(slots=True)
class _Watched:
    detector: SeriesDetector
    heard: int = 0
    open: Open | None = None


class Watch:
    """Judges metrics as they come: a late row too, because a series is what came after what.

    Parameters
    ----------
    policy
        How to judge, and how many series.
    late_ms
        A row this much older than its record is backfill: its signal pages nobody.
    """

    def __init__(self, policy: Series, late_ms: int) -> None:
        self.told: list[Told] = []
        self.refused = 0
        self._policy = policy
        self._late_ms = late_ms
        self._rows = 0
        self._watched: dict[tuple[str, str], _Watched] = {}

    @property
    def standing(self) -> list[Open]:
        """The signals that stand, in a fixed order."""
        return [one.open for _, one in sorted(self._watched.items()) if one.open is not None]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not watched, in a sentence, if there is anything."""
        if not self.refused:
            return ()
        series = self._policy.max_series
        why = f"because {series} series are heard already; raise series.max_series or send fewer metrics"
        return (f"{self.refused} times a batch's metric was not watched, {why}",)

    def update(self, rows: Rows, timestamp: int) -> list[Change]:
        """Judge a batch's metrics and return what changed; `told` then holds their scores."""
        self.told = []
        columns = [cells for cells in rows.columns if cells.role == ROLE]
        if not columns:
            return []
        self._rows += rows.rows
        at, own = times(rows, timestamp), _own_times(rows, timestamp)
        late = at < timestamp - self._late_ms
        changes: list[Change] = []
        for cells in columns:
            watched = self._of(rows.instance, cells.name)
            if watched is None:
                self.refused += 1
                continue
            before = watched.detector.bad
            scored = watched.detector.update(_values(cells), own)
            skipped = watched.detector.bad - before
            self.told.append(Told(cells.name, int(own[0]), watched.detector.threshold, scored.scores, skipped))
            changes += self._settle((rows.instance, cells.name), watched, scored, (at, late))
        return changes

    def state(self) -> WatchState:
        """Return all that is remembered, exactly."""
        watched = tuple(
            WatchedState(instance=i, name=n, heard=one.heard, series=one.detector.state(), open=one.open)
            for (i, n), one in self._watched.items()
        )
        return WatchState(rows=self._rows, refused=self.refused, watched=watched)

    def restore(self, state: WatchState) -> None:
        """Remember exactly that."""
        self._rows, self.refused = state.rows, state.refused
        self._watched.clear()
        for saved in state.watched:
            detector = SeriesDetector(self._policy)
            detector.restore(saved.series)
            self._watched[saved.instance, saved.name] = _Watched(detector, saved.heard, saved.open)

    def _of(self, instance: str, name: str) -> _Watched | None:
        key = (instance, name)
        if key not in self._watched:
            if len(self._watched) >= self._policy.max_series:
                silent = next(iter(self._watched), None)
                # One that is still heard makes no room, or more series than are allowed would blind all of them.
                if silent is None or self._rows - self._watched[silent].heard <= self._policy.memory_rows:
                    return None
                del self._watched[silent]
            self._watched[key] = _Watched(SeriesDetector(self._policy))
        self._watched[key] = watched = self._watched.pop(key)  # behind the others: the first is the longest silent
        watched.heard = self._rows
        return watched

    def _settle(
        self, key: tuple[str, str], watched: _Watched, scored: Scored, when: tuple[Ints, NDArray[np.bool_]]
    ) -> list[Change]:
        at, late = when
        changes: list[Change] = []
        row = -1
        while (row := _next(scored.alarms if watched.open is None else scored.calm, row + 1)) >= 0:
            stands = watched.open
            if stands is None:
                level = self._level(key[1], float(scored.scores[row]), watched.detector.threshold, int(at[row]))
                watched.open = Open(level=level, instance=key[0], backfill=bool(late[row]))
                changes.append(Change(raised=True, level=level, instance=key[0], backfill=bool(late[row])))
            else:
                watched.open = None
                changes.append(Change(raised=False, level=stands.level, instance=key[0], backfill=stands.backfill))
        return changes

    def _level(self, name: str, score: float, threshold: float, at: int) -> Level:
        return Level(
            detector="series",
            subject=name,
            statistic="surprise",
            baseline="rolling",
            category=self._policy.category,
            value=score,
            threshold=threshold,
            score=min(score, CAP),
            first_bad_at=at,
            window_from=at,
            window_to=at,
            rows=1,
            symptom=False,
        )


def _next(marked: NDArray[np.bool_], row: int) -> int:
    """Return the first marked row from one on, or -1."""
    found = int(marked[row:].argmax()) + row if row < len(marked) else -1
    return found if found >= 0 and marked[found] else -1


def _values(cells: Cells) -> Floats:
    if cells.text:
        return np.full(len(cells.values), np.nan)
    values = cells.values.astype(np.float64)
    if cells.flags is not None:
        values[cells.flags != Flag.PRESENT] = np.nan
    return values


def _own_times(rows: Rows, timestamp: int) -> Ints:
    """Return each row's own time, however old: what is new at an hour must not depend on when the row came."""
    at = rows.with_role("at")
    if at is None or at.kind != "long":
        return np.full(rows.rows, timestamp, dtype=np.int64)
    own = at.values.astype(np.int64)
    if at.flags is not None:
        own[at.flags != Flag.PRESENT] = timestamp
    return own
