"""A stream's mean now against its mean before: confidence, latency, errors, residuals, scores, the forest's scores.

river's detector (where there is one) says that something changed; what is raised is a level: the newest window's
mean differs from the mean before, significantly and by as much as the policy asks.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.detectors.standardised import standardised, without_outliers
from agents.detection.detectors.triggers import Trigger
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

CLIP = 8.0
"""Standardised values are clipped here, so that one wild value moves no mean by itself."""

MOST = 4096
"""Most values that a mean and deviation are learnt from."""

_NOTHING = np.empty(0)

PATIENCE = 4
"""Windows for which a change that river found may still turn out to be a level."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """What a stream is, and what counts as a shift of it.

    direction
        +1 where only a rise is bad, −1 where only a fall is, 0 for both.
    effect, absolute
        Smallest shift: in standard deviations, and in the stream's own (transformed) unit.
    floor
        Smallest shift in the unit before the logarithm, where `log` is set.
    technique
        ATLAS id of what a shift is a suspicion of, if anything.
    spread
        The least standard deviation that a stream is believed to have.
    """

    detector: str
    subject: str
    statistic: str
    baseline: str
    category: Category
    symptom: bool
    learn: int
    window: int
    direction: int = 1
    effect: float = 0.0
    absolute: float = 0.0
    floor: float = 0.0
    spread: float = 1e-9
    log: bool = False
    bits: bool = False
    technique: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftState:
    """What a shift detector remembers; version 1."""

    learnt: bytes
    numbers: bytes
    at_from: int
    at_to: int
    suspect: int
    trigger: bytes
    held: tuple[Held, ...]


class Shift:
    """One stream of one scope.

    Parameters
    ----------
    spec
        The stream.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    trigger
        river's detector; without one the window's mean alone decides.
    base
        Mean and standard deviation where they are known; else they are learnt from the first values.
    """

    def __init__(
        self,
        spec: Spec,
        thresholds: Thresholds,
        score: float,
        trigger: Trigger | None = None,
        base: tuple[float, float] | None = None,
    ) -> None:
        self.spec = spec
        self.name = spec.detector
        self._score = score
        self._trigger = trigger
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        # The first values while learning; mean and deviation after; number and sum of the baseline, of the window.
        self._learnt = _NOTHING
        self._mean, self._deviation = base or (0.0, 0.0)
        self._sums = np.zeros((2, 2))
        if base:
            self._before[0] = spec.learn
        self._from = self._to = self._suspect = 0

    @property
    def _before(self) -> Floats:
        before: Floats = self._sums[0]
        return before

    @property
    def _now(self) -> Floats:
        now: Floats = self._sums[1]
        return now

    @property
    def base(self) -> tuple[float, float] | None:
        """The mean and standard deviation learnt, or None before."""
        return (self._mean, self._deviation) if self._deviation > 0 else None

    def begin(self, sample: Sample) -> None:
        """Learn from a reference: all of the stream's values, however many of them there are."""
        given = sample.streams.get(self.spec.subject)
        if given is not None and len(given):
            values = self._logged(given[np.isfinite(given)])
            self._learn(values, max(min(len(values), MOST), self.spec.learn))

    def update(self, sample: Sample) -> None:
        """Take in the stream's values of a sample; a full window is judged."""
        given = sample.streams.get(self.spec.subject)
        if given is None or not len(given):
            return
        usable = np.isfinite(given)
        times = sample.stream_times.get(self.spec.subject)
        at = np.full(len(given), sample.at_from) if times is None else times
        if not usable.all():
            given, at = given[usable], at[usable]
        self._take(given, at)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest values, though fewer than a window, look like it too."""
        if self._now[0] < 30 or not self._before[0]:
            return self._levels.holds(key)
        return self._far(self._shift())

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        numbers = np.concatenate([[self._mean, self._deviation], self._before, self._now])
        return encode(
            ShiftState(
                learnt=pack(self._learnt),
                numbers=pack(numbers),
                at_from=self._from,
                at_to=self._to,
                suspect=self._suspect,
                trigger=self._trigger.state() if self._trigger else b"",
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(ShiftState, state)
        numbers = unpack(saved.numbers, (6,))
        self._learnt = unpack(saved.learnt, (len(saved.learnt) // 8,))
        self._mean, self._deviation = float(numbers[0]), float(numbers[1])
        self._sums = numbers[2:].reshape(2, 2).copy()
        self._from, self._to, self._suspect = saved.at_from, saved.at_to, saved.suspect
        if self._trigger is not None:
            self._trigger.restore(saved.trigger)
        self._levels.restore(saved.held)

    def _take(self, values: Floats, at: NDArray[np.int64]) -> None:
        values = self._logged(values)
        if self._deviation == 0:
            taken = self._learn(values, self.spec.learn)
            values, at = values[taken:], at[taken:]
        while len(values):
            # Windows end at an exact value, so that nothing depends on how values were batched.
            left = max(self.spec.window - int(self._now[0]), 1)
            self._judge(values[:left], at[:left])
            values, at = values[left:], at[left:]

    def _judge(self, values: Floats, at: NDArray[np.int64]) -> None:
        reach = math.inf if self.spec.bits else CLIP
        now = self._now
        count, before = now.tolist()
        score, total, since, until = standardised(
            values, np.ascontiguousarray(at), (self._mean, self._deviation, reach, before)
        )
        if self._trigger is not None and self._trigger.feed(values if self.spec.bits else score):
            self._suspect = PATIENCE
        self._from = since if not count else min(self._from, since)
        self._to = until if not count else max(self._to, until)
        now[:] = count + len(score), total
        if count + len(score) >= self.spec.window:
            self._close()

    def _logged(self, values: Floats) -> Floats:
        return np.log(np.maximum(values, 1e-9)) if self.spec.log else values

    def _learn(self, values: Floats, wanted: int) -> int:
        taken = min(max(wanted - len(self._learnt), 0), len(values))
        self._learnt = np.concatenate([self._learnt, values[:taken]])
        if len(self._learnt) < wanted:
            return taken
        usual = self._learnt if self.spec.bits else without_outliers(self._learnt, self.spec.spread)
        mean, variance = float(usual.mean()), float(usual.var())
        if self.spec.bits:
            # Laplace's rule: a share of 0 among so few is not a share of 0.
            share = (float(usual.sum()) + 1) / (len(usual) + 2)
            variance = share * (1 - share)
        self._mean, self._deviation = mean, max(math.sqrt(variance), self.spec.spread)
        self._before[:] = float(len(usual)), 0.0
        self._learnt = _NOTHING
        return taken

    def _shift(self) -> float:
        (number, total), (rows, now) = self._sums.tolist()
        return float(now / rows - total / number)

    def _far(self, shift: float) -> bool:
        spec = self.spec
        size = abs(shift) if spec.direction == 0 else shift * spec.direction
        if size < spec.effect or size * self._deviation < spec.absolute:
            return False
        if not spec.floor:
            return True
        now, before = self._natural(self._now), self._natural(self._before)
        return abs(now - before) >= spec.floor

    def _natural(self, part: Floats) -> float:
        value = self._mean + self._deviation * float(part[1] / part[0])
        return math.exp(min(value, 700.0)) if self.spec.log else value

    def _close(self) -> None:
        shift = self._shift()
        asked = self._trigger is None or self._suspect > 0 or bool(self._levels.raised())
        score = self._sure(shift) if asked and self._far(shift) else 0.0
        found = score > self._score
        self._levels.judge([self._level(score)] if found else [])
        if not found:
            self._absorb()
        self._suspect = max(self._suspect - 1, 0)
        self._now[:] = 0

    def _sure(self, shift: float) -> float:
        error = math.sqrt(1 / self._now[0] + 1 / self._before[0])
        sides = 2 if self.spec.direction == 0 else 1
        return min(-float(log_ndtr(-abs(shift) / error)) / math.log(10) - math.log10(sides), CAP)

    def _absorb(self) -> None:
        if self.spec.baseline != "rolling":
            return
        before = self._before
        before += self._now
        if before[0] > 40 * max(self.spec.window, self.spec.learn / 4):
            before /= 2

    def _level(self, score: float) -> Level:
        spec = self.spec
        step = max(spec.effect * self._deviation, spec.absolute)
        sign = -1 if spec.direction < 0 else 1
        before = self._mean + self._deviation * float(self._before[1] / self._before[0])
        limit = before + sign * step
        return Level(
            detector=spec.detector,
            subject=spec.subject,
            statistic=spec.statistic,
            baseline=spec.baseline,
            category=spec.category,
            value=self._natural(self._now),
            threshold=math.exp(min(limit, 700.0)) if spec.log else limit,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=int(self._now[0]),
            symptom=spec.symptom,
            technique=spec.technique,
        )
