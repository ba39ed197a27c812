"""How far the limits of CUSUMs must rise where a reference is not normal."""

import math
from functools import lru_cache

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import epochs
from agents.detection.detectors.sequential.cusum import Designs, of_mean, of_scale
from agents.detection.detectors.sequential.findings import MEAN, SCALE, Limits
from agents.detection.detectors.sequential.steps import BLOCK, UNIT

SHIFTS = (0.125, 0.25, 0.5, 1.0)
"""Shifts of the mean that CUSUMs are designed for, in deviations of the innovations."""

RATIOS = (1.25, 1.75)
"""Ratios of the deviation, up and down."""

DESIGNS = (of_mean(SHIFTS, BLOCK, UNIT), of_scale(RATIOS, BLOCK, UNIT))
"""What the banks of mean and scale look for."""

_FIRST = len(DESIGNS[MEAN].slope)
_DIVERGENCE = np.concatenate([designs.divergence for designs in DESIGNS])

NEVER = 0.001
"""The least θ of `tempered`: a limit that is not reached."""

_ROWS, _SURE = 200, 3.0  # rows, and standard errors, that show that values are not normal


class Tempers:
    """θ of each CUSUM of the banks of mean and scale, and the limits that follow.

    Parameters
    ----------
    channels
        Numeric facets.
    limits
        How sure a finding must be.
    """

    def __init__(self, channels: int, limits: Limits) -> None:
        self._limits = limits
        self._theta = _normal(channels)

    def learn(self, learnt: Floats, still: list[bool]) -> None:
        """Learn from the reference's innovations; `still` are the channels whose scale is never judged."""
        mean, scale = tempered(DESIGNS[MEAN], learnt), tempered(DESIGNS[SCALE], learnt**2)
        scale[:, still] = NEVER
        self._hold(np.concatenate([mean, scale]))

    def limits(self, weight: Floats) -> tuple[Floats, Floats]:
        """Return the evidence at which each bank's CUSUMs pass, where baselines are of so many rows (channels).

        They are not kept: they would be as much memory as the evidence is.
        """
        epoch = self._limits.epoch
        found = epochs.allowed(_usual(self._limits.score, epoch), self._theta, _DIVERGENCE, weight, epoch)
        return found[:_FIRST], found[_FIRST:]

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return pack(self._theta)

    def restore(self, state: bytes) -> None:
        """Remember exactly that; SchemaError where the bytes are none."""
        self._hold(unpack(state, self._theta.shape))

    def _hold(self, theta: Floats) -> None:
        normal = _normal(theta.shape[1])
        self._theta = normal if np.array_equal(theta, normal) else theta


def tempered(designs: Designs, x: Floats) -> Floats:
    """Return θ ≤ 1 of each CUSUM and channel at which a reference's evidence has E exp(θ·evidence) = 1.

    A CUSUM of what is not normal passes h as often as a normal one passes θ·h. Where the reference (channels × rows)
    does not show that it is not normal, θ is 1.
    """
    found = np.ones((len(designs.slope), len(x)))
    if x.shape[1] < _ROWS:
        return found
    for d in range(len(found)):
        grown = designs.slope[d] * x + designs.toll[d]
        odds = np.exp(grown)
        wild = odds.mean(axis=1) - 1 > _SURE * odds.std(axis=1) / math.sqrt(x.shape[1])
        for c in np.flatnonzero(wild).tolist():
            low, high = NEVER, 1.0
            for _ in range(14):
                middle = (low + high) / 2
                low, high = (low, middle) if float(np.exp(middle * grown[c]).mean()) > 1 else (middle, high)
            found[d, c] = low
    return found


@lru_cache(maxsize=256)
def _usual(score: float, epoch: int) -> Floats:
    """Return the limits where a column is normal and its baseline is known: the same for all monitors alike."""
    return np.concatenate([designs.limit(score, epoch) for designs in DESIGNS])


@lru_cache(maxsize=256)
def _normal(channels: int) -> Floats:
    """Return θ of so many normal columns, the same for all monitors alike: nobody may write it."""
    return np.ones((len(_DIVERGENCE), channels))
