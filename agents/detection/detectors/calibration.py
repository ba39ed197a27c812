"""Confidence against correctness: what the confidence of a window of labels promises, and what was right of it.

A model that gets worse while its confidence stays is a fault of its performance and raised as such. What is raised here
is confidence that moved while what it promises did not come true: at least half of the gap is its own.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.detectors.intervals import normal_score, stated, wilson
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.detectors.promise import BINS, Promise, PromiseState, sure_of, table_of
from agents.detection.sample import Counts, Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

_ONE_IN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationState:
    """What calibration remembers; version 1."""

    promise: PromiseState
    now: bytes
    memory: bytes
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Calibration:
    """Confidence of one model version, window by window of labels.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "calibration"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.calibration
        self._memory_windows = thresholds.performance.memory_windows
        self._score = score / thresholds.confirm_windows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._promise = Promise()
        self._now = np.zeros((BINS, 2), dtype=np.int64)
        self._memory: list[float] = []
        self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in joined labels; a full window is judged."""
        if sample.joined is None:
            return
        joined, first = sure_of(sample.joined), 0
        while first < len(joined):
            end = min(first + self._policy.window - int(self._now[:, 0].sum()), len(joined))
            part, first = joined.where(np.arange(first, end)), end
            self._from = int(part.at.min()) if not self._now.any() else min(self._from, int(part.at.min()))
            self._to = int(part.at.max()) if not self._now.any() else max(self._to, int(part.at.max()))
            self._now += table_of(part)
            if int(self._now[:, 0].sum()) >= self._policy.window:
                self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            CalibrationState(
                promise=self._promise.state(),
                now=pack(self._now, "<i8"),
                memory=pack(np.array(self._memory)),
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(CalibrationState, state)
        self._promise.restore(saved.promise)
        self._now = unpack(saved.now, (BINS, 2), "<i8")
        self._memory = unpack(saved.memory, (len(saved.memory) // 8,)).tolist()
        self._from, self._to = saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _close(self) -> None:
        now = self._now
        self._now = np.zeros_like(now)
        if self._promise.labels < self._policy.learn:
            self._promise.table += now
            return
        level = self._judge(now)
        self._levels.judge([level] if level else [])

    def _judge(self, now: Counts) -> Level | None:
        rows, right = now.sum(axis=0).tolist()
        promised = float(now[:, 0] @ self._promise.kept()) / rows
        accuracy, before = right / rows, self._promise.accuracy()
        gap = promised - accuracy
        memory = np.sort(self._memory)
        natural = float(memory[-1 - len(memory) // _ONE_IN]) if len(memory) else 0.0
        noise = promised * (1 - promised) / rows + before * (1 - before) / self._promise.labels
        score = normal_score((abs(gap) - natural) / math.sqrt(max(noise, 1e-12)))
        limit = natural + self._policy.gap
        own = abs(promised - before) >= abs(gap) / 2 and (promised - before) * gap > 0
        if own and abs(gap) >= limit and score > self._score:
            return self._level(gap, limit, score, now)
        self._memory = [*self._memory, abs(gap)][-self._memory_windows :]
        return None

    def _level(self, gap: float, limit: float, score: float, now: Counts) -> Level:
        rows, right = now.sum(axis=0).tolist()
        side = "over" if gap > 0 else "under"
        was, error = expected_error(self._promise.table), expected_error(now)
        return Level(
            detector=self.name,
            subject="confidence",
            statistic="calibration_gap",
            baseline="reference",
            category=Category.CONFIDENCE,
            value=gap,
            threshold=limit if gap > 0 else -limit,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=rows,
            symptom=True,
            note=f"{side}confident: right are {right} of {rows}, {stated(wilson(right, rows))}; expected calibration "
            f"error {error:.2g}, in the reference {was:.2g}",
        )


def expected_error(table: Counts) -> float:
    """Return the expected calibration error of bins × (predictions, right ones) (Naeini et al., 2015)."""
    rows = np.maximum(table[:, 0], 1)
    apart = np.abs(table[:, 1] / rows - (np.arange(BINS) + 0.5) / BINS)
    return float((apart * table[:, 0]).sum() / max(int(table[:, 0].sum()), 1))
