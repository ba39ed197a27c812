"""Failed requests of a model version: their share now against its own share before, and against a fixed limit."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import bdtrc

from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """What health remembers; version 1."""

    before: tuple[int, ...]
    requests: int
    failures: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Health:
    """Requests and failures of one scope, judged by a binomial tail.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "health"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds
        self._score = score
        self._window = max(50, thresholds.floor_rows // 3)
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._before = (0, 0)
        self._requests = self._failures = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in requests and failures; enough of them are judged."""
        if not sample.requests:
            return
        self._from = sample.at_from if not self._requests else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._requests else max(self._to, sample.at_to)
        self._requests += sample.requests
        self._failures += sample.failures
        if self._requests >= self._window:
            self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest requests, though fewer than a window, look like it too."""
        if self._requests < 20:
            return self._levels.holds(key)
        return self._failures / self._requests >= self._limits()[1]

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            HealthState(
                before=self._before,
                requests=self._requests,
                failures=self._failures,
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(HealthState, state)
        self._before = (saved.before[0], saved.before[1]) if len(saved.before) == 2 else (0, 0)
        self._requests, self._failures = saved.requests, saved.failures
        self._from, self._to = saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _close(self) -> None:
        requests, failures = self._before
        rate = self._failures / self._requests
        usual, rise = self._limits()
        tail = float(bdtrc(float(self._failures) - 1, self._requests, max(usual, 0.01)))
        score = CAP if tail <= 10.0**-CAP else -float(np.log10(tail))
        found = rate >= rise and score > self._score
        self._levels.judge([self._level(rate, rise, score)] if found else [])
        if not found:
            keep = 0.5 if requests > 50 * self._window else 1.0
            self._before = (int(requests * keep) + self._requests, int(failures * keep) + self._failures)
        self._requests = self._failures = 0

    def _limits(self) -> tuple[float, float]:
        policy = self._policy.streams
        requests, failures = self._before
        if not requests:
            return 0.0, policy.failure_limit
        usual = (failures + 1) / (requests + 2)
        return usual, min(usual + policy.failure_rise, policy.failure_limit)

    def _level(self, rate: float, limit: float, score: float) -> Level:
        return Level(
            detector=self.name,
            subject="requests",
            statistic="failure_rate",
            baseline="rolling" if self._before[0] else "limit",
            category=Category.INFRASTRUCTURE,
            value=rate,
            threshold=limit,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=self._requests,
            symptom=False,
        )
