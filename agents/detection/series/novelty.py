"""How new each row of a series is, judged by the rows before it alone.

In each view (agents/detection/series/views.py) a row is as new as its distance `d` from the nearest point that the
series has shown before, in units of its usual spread. Each view's distance counts as 1 + d / NEAR, and the logarithm
of the product is the row's novelty, less a share of what is usual for the series. The idea of contexts never seen
before is that of CAD OSE (smirmik/CAD) and ARTime (Hampton 2021), both measured on NAB; distances in place of bits,
and a scale of its own for each series, are ours.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.series.book import FURTHEST, Book, BookState
from agents.detection.series.spread import Spread, SpreadState
from agents.detection.series.views import DAY, DAY_SPREAD, LOOK_BACK, MEASURES, VIEWS, measures, time_of_day
from schemas.errors import SchemaError
from schemas.thresholds import Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BLOCK = 32
"""Rows after which what they showed counts as seen; always the same rows, however they arrive."""

NEAR = 0.04
"""The distance, in spreads, at which a row is twice as surprising as one that was seen before."""

OWN = 1 / 3
"""The share of a series' usual novelty that is no news: one that is always a little new must be newer than that."""

WARM_UP = 64
"""Rows that are not called new: nothing has been seen yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyState:
    """Rows so far; values and times of the open block, and LOOK_BACK values before them; version 1."""

    rows: int
    values: bytes
    times: bytes
    spread: SpreadState
    books: tuple[BookState, ...]


class Novelty:
    """Remembers what a series looked like, and says how new what follows is.

    Parameters
    ----------
    policy
        How much is remembered.
    """

    def __init__(self, policy: Series) -> None:
        self._memory = policy.memory_rows
        self.rows = 0
        self._values: Floats = np.empty(0)
        self._times: Ints = np.empty(0, dtype=np.int64)
        self._spread = Spread(policy.memory_rows)
        self._books = [Book(len(view), policy.points, wraps=DAY in view) for view in VIEWS]

    def update(self, values: Floats, times: Ints) -> Floats:
        """Return the novelty of each row (finite values; times in ms), and remember them."""
        # Rows of the open block come again, because the block is learnt as a whole.
        again = self.rows % BLOCK
        before = self._values[: len(self._values) - again]
        x = np.concatenate([self._values[len(before) :], values])
        at = np.concatenate([self._times, times])
        views = self._views(measures(x, before), time_of_day(at))
        novelty = np.zeros(len(x))
        first = self.rows - again
        for start in range(0, len(x), BLOCK):
            part = slice(start, min(start + BLOCK, len(x)))
            novelty[part] = self._block([view[:, part] for view in views], first + start)
        self.rows += len(values)
        left = self.rows % BLOCK
        self._times = at[len(at) - left :]
        self._values = np.concatenate([before, x])[-(LOOK_BACK + left) :]
        return novelty[again:]

    def state(self) -> NoveltyState:
        """Return all that is remembered, exactly."""
        return NoveltyState(
            rows=self.rows,
            values=pack(self._values),
            times=pack(self._times, "<i8"),
            spread=self._spread.state(),
            books=tuple(book.state() for book in self._books),
        )

    def restore(self, state: NoveltyState) -> None:
        """Remember exactly that; SchemaError where the parts do not fit together."""
        open_rows = state.rows % BLOCK
        wanted = min(LOOK_BACK + open_rows, max(state.rows, 0))
        if state.rows < 0 or len(state.books) != len(self._books):
            raise SchemaError("a saved series is not one that this program writes")
        self.rows = state.rows
        self._values = unpack(state.values, (wanted,))
        self._times = unpack(state.times, (open_rows,), "<i8")
        self._spread.restore(state.spread)
        for book, saved in zip(self._books, state.books, strict=True):
            book.restore(saved)

    def _views(self, measured: Floats, day: Floats) -> list[Floats]:
        rows = dict(zip(MEASURES, measured, strict=True)) | {DAY: day}
        return [measured, *(np.stack([rows[name] for name in view]) for view in VIEWS)]

    def _block(self, views: list[Floats], row: int) -> Floats:
        measured, *points = views
        spread = dict(zip(MEASURES, self._spread.now.tolist(), strict=True)) | {DAY: DAY_SPREAD}
        product = np.ones(measured.shape[1])
        usual = self._spread.usual
        whole = measured.shape[1] == BLOCK
        for view, book, given in zip(VIEWS, self._books, points, strict=True):
            scale = np.array([spread[name] for name in view])
            found = book.nearest(given, scale)
            product = product * (1.0 + np.minimum(found[0], FURTHEST) / NEAR)
            if whole:
                book.learn(given, scale, found, row)
                book.forget(row + BLOCK - self._memory)
        if row < WARM_UP:
            product = np.ones(measured.shape[1])
        # Not numpy's: its last bits may differ between a row alone and among others.
        novelty = np.array([math.log10(one) for one in product.tolist()])
        if whole:
            self._spread.learn(measured, novelty, row)
        return novelty - OWN * usual
