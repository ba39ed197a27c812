"""What comes before any detector: every cell judged over the whole batch, times clamped, repeats dropped.

One NaN blinds river's ADWIN for ever, and some river objects raise a BaseException on one; so only finite values
of the right type go on, and the rest is counted.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Floats, Rows
from agents.detection.compiled import compiled
from agents.detection.profile import INF, NAN, NULL, UNSEEN, WRONG_TYPE, Facet, flagged
from agents.detection.sample import BAD, Counts
from schemas.values import Flag

PAST_MS = 7 * 86_400_000
FUTURE_MS = 5 * 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The highest position seen of one source."""

    source: str
    position: int


class Marks:
    """High-water marks by source, so that a repeat counts once; the source longest silent is forgotten.

    Parameters
    ----------
    limit
        Sources remembered.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: dict[str, int] = {}
        self.repeated = 0

    def fresh(self, source: str, first: int, rows: int) -> int:
        """Return how many leading rows were seen before, and remember these."""
        seen = self._seen.pop(source, -1)
        repeated = min(max(seen + 1 - first, 0), rows)
        self._seen[source] = max(seen, first + rows - 1)
        if len(self._seen) > self._limit:
            del self._seen[next(iter(self._seen))]
        self.repeated += repeated
        return repeated

    def fresh_rows(self, rows: Rows) -> int:
        """Return how many leading rows of a batch were seen before, and remember them all."""
        name = f"rows/{rows.source}"
        if rows.with_role("position") is None:
            return self.fresh(name, rows.first_position, rows.rows)
        positions = rows.positions()
        before = int(np.searchsorted(positions, self._seen.get(name, -1), side="right"))
        self.fresh(name, int(positions[-1]), 1)
        self.repeated += before - (before == len(positions))
        return before

    def state(self) -> tuple[Mark, ...]:
        """Return the marks, the source longest silent first."""
        return tuple(Mark(source=source, position=position) for source, position in self._seen.items())

    def restore(self, state: tuple[Mark, ...], repeated: int) -> None:
        """Remember exactly these."""
        self._seen = {mark.source: mark.position for mark in state}
        self.repeated = repeated


def times(rows: Rows, timestamp: int) -> NDArray[np.int64]:
    """Return each row's event time in milliseconds, clamped to the broker's (−7 days, +5 minutes)."""
    at = rows.with_role("at")
    if at is None or at.kind != "long":
        return np.full(rows.rows, timestamp, dtype=np.int64)
    clamped = np.clip(at.values.astype(np.int64), timestamp - PAST_MS, timestamp + FUTURE_MS)
    if at.flags is not None:
        clamped[at.flags != Flag.PRESENT] = timestamp
    return clamped


def matrix(rows: Rows, facets: tuple[Facet, ...]) -> tuple[Floats, NDArray[np.uint8] | None]:
    """Return the facets' values (facets × rows), NaN where a cell cannot be used, and why.

    The second is None where every cell can be used, else 0 for a usable cell or 1 + the index in BAD.
    """
    columns = rows.named()
    values = np.empty((len(facets), rows.rows))
    why: NDArray[np.uint8] | None = None
    for i, facet in enumerate(facets):
        cells = columns.get(facet.name)
        reasons = _fill(values[i], cells, facet)
        if reasons is not None:
            why = np.zeros(values.shape, dtype=np.uint8) if why is None else why
            why[i] = reasons
    if np.isfinite(values).all():
        return values, why
    why = np.zeros(values.shape, dtype=np.uint8) if why is None else why
    why[np.isnan(values) & (why == 0)] = 1 + NAN
    why[np.isinf(values)] = 1 + INF
    values[why > 0] = np.nan
    return values, why


def count_bad(why: NDArray[np.uint8] | None, facets: int) -> Counts:
    """Return how many cells of each facet are unusable, by kind (facets × BAD)."""
    counts = np.zeros((facets, len(BAD)), dtype=np.int64)
    if why is not None:
        for i in np.flatnonzero(why.any(axis=1)):
            counts[i] = np.bincount(why[i], minlength=len(BAD) + 1)[1 : len(BAD) + 1]
    return counts


def _fill(row: Floats, cells: Cells | None, facet: Facet) -> NDArray[np.uint8] | None:
    if cells is None:
        row[:] = np.nan
        return np.full(len(row), 1 + NULL, dtype=np.uint8)
    if cells.text != facet.text:
        row[:] = np.nan
        reasons = np.full(len(row), 1 + WRONG_TYPE, dtype=np.uint8)
    elif facet.text:
        row[:], reasons = _codes(cells, facet)
    else:
        row[:] = cells.values
        if cells.flags is None:
            return None
        reasons = np.zeros(len(row), dtype=np.uint8)
    if cells.flags is not None:
        reasons[flagged(cells.flags, Flag.WRONG_TYPE)] = 1 + WRONG_TYPE
        reasons[flagged(cells.flags, Flag.NULL)] = 1 + NULL
        row[cells.flags != Flag.PRESENT] = np.nan
    return reasons


def _codes(cells: Cells, facet: Facet) -> tuple[Floats, NDArray[np.uint8]]:
    known = {text: float(code) for code, text in enumerate(facet.categories)}
    codes = np.array([known.get(text, np.nan) for text in cells.dictionary] or [np.nan])
    values = codes[cells.values]
    return values, np.where(np.isnan(values), 1 + UNSEEN, 0).astype(np.uint8)


class Runs:
    """The run of equal values that each facet of one instance ends with, carried from batch to batch."""

    def __init__(self, facets: int) -> None:
        self._facets = facets
        self._held: Floats | None = None

    @property
    def last(self) -> Floats:
        """The value that each facet ended with."""
        last: Floats = self._runs()[0]
        return last

    @property
    def length(self) -> Counts:
        """How often it came."""
        length: Counts = self._runs()[1].view(np.int64)
        return length

    def resume(self, last: Floats, length: Counts) -> None:
        """Go on from there."""
        if length.any() or np.isfinite(last).any():
            self._held = np.stack([last, length.view(np.float64)])

    def longest(self, values: Floats) -> tuple[Counts, Counts]:
        """Return each facet's longest run in this batch, and its pairs (equal to the cell before; all)."""
        self._held = self._runs()
        longest, pairs = _runs(values, self.last, self.length)
        return longest, pairs

    def _runs(self) -> Floats:
        # Made with the first rows: the whole of a monitor has none of its own.
        if self._held is not None:
            return self._held
        return np.stack([np.full(self._facets, np.nan), np.zeros(self._facets)])


@compiled
def _runs(values: Floats, last: Floats, length: Counts) -> tuple[Counts, Counts]:
    facets, rows = values.shape
    longest, pairs = np.ones(facets, dtype=np.int64), np.zeros((facets, 2), dtype=np.int64)
    for i in range(facets):
        before, run, most, same = last[i], length[i], 1, 0
        for t in range(rows):
            value = values[i, t]
            if value == before:
                run += 1
                same += t > 0
                most = max(most, run)
            else:
                run = 1
            before = value
        last[i], length[i], longest[i] = before, run, most
        pairs[i, 0], pairs[i, 1] = same, rows - 1
    return longest, pairs
