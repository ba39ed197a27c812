"""The usual spread of a series' measures: between quantiles of its past rows, a bounded number of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.series.views import MEASURES
from schemas.errors import SchemaError

Floats = NDArray[np.float64]

KEPT = 1024
"""Rows that are kept at least, of more: every second, fourth, …"""

TAILS = (0.01, 0.02, 0.05)
"""The spread is the mean of the distances between these quantiles and their opposites."""

_LEAST_SHARE, _LEAST = 1e-3, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadState:
    """Every `stride`th row's measures, from row `first` on; version 1."""

    first: int
    stride: int
    rows: bytes


class Spread:
    """Keeps evenly spaced rows of the last `memory`.

    Parameters
    ----------
    memory
        Rows back to which it reaches.

    Attributes
    ----------
    now
        The spread of each measure, never 0.
    """

    def __init__(self, memory: int) -> None:
        self.now: Floats = np.full(len(MEASURES), _LEAST)
        self._memory = memory
        self._first = 0
        self._stride = 1
        self._rows: Floats = np.empty((len(MEASURES), 0))

    def learn(self, measured: Floats, row: int) -> None:
        """Take in measures, the first of which are those of `row`."""
        self._rows = np.concatenate([self._rows, measured[:, -row % self._stride :: self._stride]], axis=1)
        end = row + measured.shape[1]
        while min(end, self._memory) > KEPT * self._stride:
            self._rows = self._rows[:, self._first // self._stride % 2 :: 2]
            self._stride *= 2
            self._first = -(-self._first // self._stride) * self._stride
        gone = max(-(-(end - self._memory - self._first) // self._stride), 0)
        self._rows = self._rows[:, gone:]
        self._first += gone * self._stride
        self.now = self._measure()

    def state(self) -> SpreadState:
        """Return all that is remembered, exactly."""
        return SpreadState(first=self._first, stride=self._stride, rows=pack(self._rows))

    def restore(self, state: SpreadState) -> None:
        """Remember exactly that; SchemaError where it cannot be."""
        count = len(state.rows) // (8 * len(MEASURES))
        if state.stride < 1 or state.first < 0:
            raise SchemaError("a saved series' spread is not one that this program writes")
        self._first, self._stride = state.first, state.stride
        self._rows = unpack(state.rows, (len(MEASURES), count))
        self.now = self._measure()

    def _measure(self) -> Floats:
        count = self._rows.shape[1]
        if not count:
            return np.full(len(MEASURES), _LEAST)
        tails = [int(tail * (count - 1)) for tail in TAILS]
        middle = count // 2
        picked = sorted({middle, *tails, *(count - 1 - tail for tail in tails)})
        ordered = np.partition(self._rows, picked, axis=1)
        between = np.zeros(len(MEASURES))
        for tail in tails:
            between = between + (ordered[:, count - 1 - tail] - ordered[:, tail])
        found: Floats = np.maximum(between / len(TAILS), np.abs(ordered[:, middle]) * _LEAST_SHARE)
        return np.maximum(found, _LEAST)
