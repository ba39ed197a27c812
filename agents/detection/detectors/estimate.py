"""Accuracy estimated from confidence while labels are missing (the idea of NannyML's CBPE), never guessed.

The confidence of a window of rows, translated into accuracy by labels that came earlier, is what is to be expected.
Without labels there is nothing to translate by, so nothing is said; where labels of these rows come, they speak.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.intervals import normal_score, stated
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.detectors.promise import BINS, Promise, PromiseState, binned, sure_of, table_of
from agents.detection.joined import Codes
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

AGE = 4
"""Windows that a label may lag behind the newest rows and still speak for them."""

_ONE_IN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateState:
    """What the estimate remembers; version 1. `starts` are the times at which the newest windows began."""

    promise: PromiseState
    now: bytes
    memory: bytes
    starts: tuple[int, ...]
    labelled: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Estimate:
    """Estimated accuracy of one model version, window by window of rows.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "estimate"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.calibration
        self._window = thresholds.window_rows
        self._learn_windows = thresholds.performance.learn_windows
        self._memory_windows = thresholds.performance.memory_windows
        self._score = score / thresholds.confirm_windows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._promise = Promise()
        self._now = np.zeros(BINS, dtype=np.int64)
        self._memory: list[float] = []
        self._starts: tuple[int, ...] = ()
        self._labelled = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in labels, which teach what a confidence promises, or rows; a full window of rows is judged."""
        if sample.joined is not None:
            missing = self._policy.learn - self._promise.labels
            if missing > 0:
                taught = sure_of(sample.joined)
                self._promise.table += table_of(taught.where(np.arange(min(missing, len(taught)))))
            if len(sample.joined):
                self._labelled = max(self._labelled, int(sample.joined.at.max()))
            return
        given = sample.streams.get("confidence")
        if given is None or self._promise.labels < self._policy.learn:
            return
        usable = (given >= 0) & (given <= 1)
        times = sample.stream_times.get("confidence")
        at = np.full(len(given), sample.at_from) if times is None else times
        self._take(given[usable], at[usable])

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            EstimateState(
                promise=self._promise.state(),
                now=pack(self._now, "<i8"),
                memory=pack(np.array(self._memory)),
                starts=self._starts,
                labelled=self._labelled,
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(EstimateState, state)
        self._promise.restore(saved.promise)
        self._now = unpack(saved.now, (BINS,), "<i8")
        self._memory = unpack(saved.memory, (len(saved.memory) // 8,)).tolist()
        self._starts, self._labelled = saved.starts, saved.labelled
        self._from, self._to = saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _take(self, confidence: Floats, at: Codes) -> None:
        while len(confidence):
            left = max(self._window - int(self._now.sum()), 1)
            times = at[:left]
            self._from = int(times.min()) if not self._now.any() else min(self._from, int(times.min()))
            self._to = int(times.max()) if not self._now.any() else max(self._to, int(times.max()))
            self._now += np.bincount(binned(confidence[:left]), minlength=BINS)
            confidence, at = confidence[left:], at[left:]
            if int(self._now.sum()) >= self._window:
                self._close()

    def _close(self) -> None:
        now = self._now
        self._now = np.zeros_like(now)
        self._starts = (*self._starts, self._from)[-AGE:]
        level = self._judge(now) if len(self._memory) >= self._learn_windows else None
        if level is None:
            promised = float(now @ self._promise.kept()) / int(now.sum())
            self._memory = [*self._memory, promised][-self._memory_windows :]
        covered = self._labelled >= self._starts[0]
        self._levels.judge([level] if level is not None and not covered else [])

    def _judge(self, now: Codes) -> Level | None:
        rows, kept = int(now.sum()), self._promise.kept()
        promised = float(now @ kept) / rows
        memory = np.sort(self._memory)
        natural = float(memory[len(memory) // _ONE_IN])
        limit = natural - self._policy.fall
        spread = max(float(now @ (kept - promised) ** 2) / rows, 1e-6)
        wander = float(memory.std(ddof=1))
        score = normal_score((natural - promised) / math.sqrt(spread / rows + wander**2))
        if promised > limit or score <= self._score:
            return None
        reach = 1.96 * math.sqrt(float(now @ (kept * (1 - kept))) / rows / self._promise.labels + spread / rows)
        return Level(
            detector=self.name,
            subject="accuracy",
            statistic="estimated_accuracy",
            baseline="rolling",
            category=Category.PERFORMANCE,
            value=promised,
            threshold=limit,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=rows,
            symptom=True,
            material=promised <= natural - self._policy.fall_incident,
            note=f"an estimate from confidence by {self._promise.labels} earlier labels, "
            f"{stated((max(promised - reach, 0.0), min(promised + reach, 1.0)))}; no labels of these rows have come",
        )
