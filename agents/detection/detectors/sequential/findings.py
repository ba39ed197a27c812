"""What a passed CUSUM found, as a level: how large, since when, and what would show that it is over."""

import math
from dataclasses import dataclass, replace

from agents.detection.detectors.level import CAP, Level
from agents.detection.detectors.sequential.cusum import FINE, GRAIN, Designs, Passing
from agents.detection.detectors.sequential.steps import UNIT
from agents.detection.profile import Facet
from schemas.thresholds import Thresholds
from schemas.values import Category

MEAN, SCALE, SHARE = range(3)
"""The banks, in their order."""

_CUSUMS = 1.1  # passings that the limits allow for each false alarm: they are a little above what they need be
_PAIRS = 0.05  # and all pairs of features
SCALED = 100
"""Rows that must show another scale before an incident is made of it; PSI sees a lasting one, too."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How sure a finding must be: −log10 of a tail probability within one epoch of rows, and policy."""

    score: float
    epoch: int
    policy: Thresholds

    @classmethod
    def of(cls, cusums: int, epoch: int, policy: Thresholds) -> "Limits":
        """Return the limits under which so many CUSUMs together make their share of the false alarms."""
        epochs = policy.rows_between_false_alarms / epoch
        return cls(max(math.log10(epochs * max(cusums, 1) / _CUSUMS), 0.5), epoch, policy)

    @property
    def back(self) -> float:
        """Evidence, in nats, that a channel is back at its baseline."""
        return math.log(10) * max(self.score, 3.0)

    def correlation(self, features: int) -> float:
        """Return the score that one of all pairs of so many features needs."""
        pairs = max(features * (features - 1) / 2, 1)
        windows = self.policy.rows_between_false_alarms / self.epoch
        return max(math.log10(windows * pairs / _PAIRS), 2.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A passed CUSUM's meaning.

    value
        The shift in deviations of the facet, the ratio of its deviations, or the share of a category.
    estimate
        The same of the CUSUM's own values: what the evidence that it is over is designed for.
    limit
        What the value must be for an incident.
    """

    facet: Facet
    statistic: str
    value: float
    estimate: float
    before: float
    designs: Designs

    def follow(self, level: Level, window: tuple[int, int, int], limits: Limits) -> Level:
        """Return a level that stands with the newest window's part in it; window: its first and last time, and rows."""
        now = replace(self, value=(level.value + self.value) / 2)
        threshold, material = _material(now, limits.policy, window[2])
        return replace(
            level,
            value=now.value,
            threshold=threshold,
            material=material,
            window_from=window[0],
            window_to=max(window[:2]),
            rows=window[2],
        )

    def level(self, detector: str, passing: Passing, at: int, limits: Limits) -> Level:
        """Return the level that it is, as of a time."""
        threshold, material = _material(self, limits.policy, passing.weight)
        return Level(
            detector=detector,
            subject=self.facet.name,
            statistic=self.statistic,
            baseline="rolling",
            category=Category.DATA_DRIFT,
            value=self.value,
            threshold=threshold,
            score=min(max(self.designs.score(passing, limits.epoch), 0.0), CAP),
            first_bad_at=passing.since,
            window_from=passing.since,
            window_to=max(at, passing.since),
            rows=int(passing.weight),
            symptom=self.facet.role != "feature",
            material=material,
        )


def on_mean(facet: Facet, designs: Designs, passing: Passing, gain: float) -> Finding:
    """Return a finding of the mean; gain turns deviations of innovations into those of the facet."""
    mean = designs.sum_of(passing) / UNIT / max(passing.weight, 1.0)
    return Finding(facet, "mean", mean * gain, min(max(mean, -3.0), 3.0), 0.0, designs)


def on_scale(facet: Facet, designs: Designs, passing: Passing) -> Finding:
    """Return a finding of the deviation."""
    power = designs.sum_of(passing) / UNIT**2 / max(passing.weight, 1.0)
    ratio = math.sqrt(min(max(power, 0.0025), 400.0))
    return Finding(facet, "scale", ratio, ratio, 1.0, designs)


def since(facet: Facet, statistic: str, value: float, designs: Designs) -> Finding:
    """Return what a window of rows shows of a column that is raised."""
    return Finding(facet, statistic, value, value, 0.0, designs)


def on_share(facet: Facet, designs: Designs, passing: Passing, share: float) -> Finding:
    """Return a finding of a category's share."""
    now = min(max(designs.sum_of(passing) / max(passing.weight, 1.0), 1e-4), 1 - 1e-4)
    return Finding(facet, "share", now, now, share, designs)


def reverse(bank: int, found: Finding) -> tuple[float, float]:
    """Return slope and toll of the evidence that the values are back at the baseline."""
    if bank == MEAN:
        return grain(-found.estimate, FINE) / UNIT, grain(found.estimate**2 / 2, FINE)
    if bank == SCALE:
        return grain(-(1 - found.estimate**-2) / 2, GRAIN) / UNIT**2, grain(math.log(found.estimate), GRAIN)
    before, now = found.before, found.estimate
    slope = math.log(before * (1 - now) / (now * (1 - before)))
    return grain(slope, FINE), grain(math.log((1 - before) / (1 - now)), FINE)


def grain(value: float, grains: float) -> float:
    """Return the value rounded to whole numbers of 1/grains."""
    return round(value * grains) / grains


def _material(found: Finding, policy: Thresholds, rows: float) -> tuple[float, bool]:
    if found.statistic == "mean":
        # A normal facet whose mean moves by d deviations has a stability index of d².
        limit = math.sqrt(policy.psi)
        return math.copysign(limit, found.value), abs(found.value) >= limit
    if found.statistic == "scale":
        ratio = policy.drift.scale
        limit = ratio if found.value > 1 else 1 / ratio
        # A few wild values, or a rare one that stays away for a while, are no change of scale to be paged for.
        return limit, rows >= SCALED and (found.value >= ratio or found.value <= 1 / ratio)
    p, q = found.value, found.before
    index = (p - q) * math.log(p * (1 - q) / (q * (1 - p)))
    return found.before, index >= policy.psi
