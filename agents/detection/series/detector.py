"""A series' scores and alarms, row by row: its novelty as a tail probability, told once and not in every row."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.series.novelty import Novelty, NoveltyState
from schemas.thresholds import Series

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LARGEST = 1e150
"""A value further from 0 cannot be squared or summed safely, and is no measurement."""

SILENT = 160
"""Usable rows before the first that is told: of less, too much would be new."""

BASE, SLOPE = 1.7, 0.85
"""-log10 of the share of rows whose novelty reaches n is about BASE + SLOPE n, where nothing is wrong.

Measured with `python tests/bench/nab` on the rows outside all windows; see `calibration` in its report.
"""


@dataclass(frozen=True, slots=True)
class Scored:
    """What is said of each row.

    scores
        -log10 of a tail probability; 0 where a row tells nothing new, or is no number.
    alarms
        Whether the score reaches the threshold.
    calm
        Whether no row of the quiet period that ends here was as new as an alarm's.
    """

    scores: Floats
    alarms: Bools
    calm: Bools


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """What a series looked like, and its newest novelties; version 1."""

    novelty: NoveltyState
    recent: bytes
    bad: int


class SeriesDetector:
    """Judges one series, strictly by what came before; blocks or single rows give the same bits.

    Parameters
    ----------
    policy
        How to judge; no parameter depends on the series.
    """

    def __init__(self, policy: Series) -> None:
        self.bad = 0
        self.threshold = math.log10(policy.rows_between_false_alarms)
        self._quiet = policy.quiet_rows
        self._novelty = Novelty(policy)
        self._recent: Floats = np.zeros(policy.quiet_rows)

    def update(self, values: Floats, times: Ints) -> Scored:
        """Return scores and alarms of the rows (times in ms); one that is no finite number is skipped and counted."""
        usable = np.abs(values) <= LARGEST
        scores, calm = np.zeros(len(values)), np.zeros(len(values), dtype=np.bool_)
        self.bad += len(values) - int(np.count_nonzero(usable))
        if usable.any():
            first = self._novelty.rows
            new = self._novelty.update(values[usable], times[usable])
            past = np.concatenate([self._recent, new])
            # A row is told only where it is newer than all within the quiet period: one fault, one alarm.
            highest = sliding_window_view(past, self._quiet).max(axis=1)
            told = (new > highest[:-1]) & (first + np.arange(len(new)) >= SILENT)
            scores[usable] = np.where(told, np.maximum(BASE + SLOPE * new, 0.0), 0.0)
            calm[usable] = BASE + SLOPE * highest[1:] < self.threshold
            self._recent = past[len(new) :].copy()
        return Scored(scores, scores >= self.threshold, calm)

    def state(self) -> SeriesState:
        """Return all that is remembered, exactly."""
        return SeriesState(novelty=self._novelty.state(), recent=pack(self._recent), bad=self.bad)

    def restore(self, state: SeriesState) -> None:
        """Remember exactly that; SchemaError where it is no state of this program."""
        self._novelty.restore(state.novelty)
        recent = unpack(state.recent, (len(state.recent) // 8,))[-self._quiet :]
        # Policy may have changed the quiet period since.
        self._recent = np.concatenate([np.zeros(self._quiet - len(recent)), recent])
        self.bad = state.bad
