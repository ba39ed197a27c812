"""What is usual of a series: the spread of its measures and its novelty, by quantiles of a bounded number of rows."""

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

USUAL = 0.97
"""The quantile of a series' own novelty that is usual for it."""

_ROWS = len(MEASURES) + 1
_LEAST_SHARE, _LEAST = 1e-3, 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadState:
    """Every `stride`th row's measures and novelty, from row `first` on; version 1."""

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
    usual
        The novelty that few rows exceed.
    """

    def __init__(self, memory: int) -> None:
        self.now: Floats = np.full(len(MEASURES), _LEAST)
        self.usual = 0.0
        self._memory = memory
        self._first = 0
        self._stride = 1
        self._rows: Floats = np.empty((_ROWS, 0))

    def learn(self, measured: Floats, novelty: Floats, row: int) -> None:
        """Take in measures and novelty, the first of which are those of `row`."""
        given = np.concatenate([measured, novelty[None, :]])
        self._rows = np.concatenate([self._rows, given[:, -row % self._stride :: self._stride]], axis=1)
        end = row + given.shape[1]
        while min(end, self._memory) > KEPT * self._stride:
            self._rows = self._rows[:, self._first // self._stride % 2 :: 2]
            self._stride *= 2
            self._first = -(-self._first // self._stride) * self._stride
        gone = max(-(-(end - self._memory - self._first) // self._stride), 0)
        self._rows = self._rows[:, gone:]
        self._first += gone * self._stride
        self._measure()

    def state(self) -> SpreadState:
        """Return all that is remembered, exactly."""
        return SpreadState(first=self._first, stride=self._stride, rows=pack(self._rows))

    def restore(self, state: SpreadState) -> None:
        """Remember exactly that; SchemaError where it cannot be."""
        count = len(state.rows) // (8 * _ROWS)
        if state.stride < 1 or state.first < 0:
            raise SchemaError("a saved series' spread is not one that this program writes")
        self._first, self._stride = state.first, state.stride
        self._rows = unpack(state.rows, (_ROWS, count))
        self._measure()

    def _measure(self) -> None:
        count = self._rows.shape[1]
        if not count:
            return
        tails = [int(tail * (count - 1)) for tail in TAILS]
        middle, usual = count // 2, int(USUAL * (count - 1))
        ordered = np.sort(self._rows, axis=1)
        measured = ordered[:-1]
        between = np.zeros(len(MEASURES))
        for tail in tails:
            between = between + (measured[:, count - 1 - tail] - measured[:, tail])
        found = np.maximum(between / len(TAILS), np.abs(measured[:, middle]) * _LEAST_SHARE)
        self.now = np.maximum(found, _LEAST)
        self.usual = float(ordered[-1, usual])
