"""CUSUMs (Page 1954), many at a time: each is the evidence, in nats, that a shift it was designed for began since.

Without a fault a CUSUM of log-likelihood ratios passes h about once in K⁻¹·eʰ rows (Lorden 1971), where K holds
the overshoot (Siegmund 1985); so a bank's limit follows from how often it may pass by chance, and its score is
−log10 of the probability that it gets as high within one window of rows.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import steps
from agents.detection.detectors.sequential.steps import Integers

GRAIN = 1024.0
"""Coefficients are whole numbers of a grain, so that sums are exact in whatever order they are taken."""

FINE = 2.0**20
"""The grain for what is multiplied by smaller numbers."""

OVERSHOOT = 1.166
"""Twice Siegmund's .583, for evidence in nats of a normal mean."""


@dataclass(frozen=True, slots=True)
class Designs:
    """What the CUSUMs of a bank are designed for: evidence grows by slope·x + toll·n with each block.

    slope, toll
        By design (designs × 1, or × channels).
    rate
        Passings a row at a limit of 0 nats, of the same shape: K above.
    divergence
        Evidence a row where the shift is there, in the mean.
    """

    slope: Floats
    toll: Floats
    rate: Floats
    divergence: Floats

    def limit(self, score: float, window: int) -> Floats:
        """Return the evidence at which the score is reached."""
        found: Floats = np.log(np.maximum(self.rate * window, 1e-9)) + score * math.log(10)
        return np.maximum(found, 3.0)

    def score(self, passing: "Passing", window: int) -> float:
        """Return −log10 of the probability that a window without a fault shows as much evidence."""
        rate = float(self.of(self.rate, passing))
        return (passing.evidence - math.log(max(rate * window, 1e-9))) / math.log(10)

    @staticmethod
    def of(part: Floats, passing: "Passing") -> float:
        """Return the slope, toll or rate of the CUSUM that passed."""
        return float(part[passing.design, passing.channel % part.shape[1]])

    def sum_of(self, passing: "Passing") -> float:
        """Return the sum of x that makes up the evidence."""
        toll = self.of(self.toll, passing)
        return (passing.evidence - toll * passing.weight) / self.of(self.slope, passing)


def grained(values: Floats, grain: float = GRAIN) -> Floats:
    """Return the values rounded to whole numbers of 1/grain."""
    found: Floats = np.rint(values * grain) / grain
    return found


@lru_cache(maxsize=8)
def of_mean(shifts: tuple[float, ...], block: int, unit: float) -> Designs:
    """Return CUSUMs of the mean of standard normal values, up and down by each shift (powers of 2); x in 1/unit."""
    delta = np.array([sign * shift for shift in shifts for sign in (1, -1)])
    rate = delta**2 / 2 * np.exp(-OVERSHOOT * np.abs(delta) * math.sqrt(block))
    return Designs(delta[:, None] / unit, (-(delta**2) / 2)[:, None], rate[:, None], (delta**2 / 2)[:, None])


@lru_cache(maxsize=8)
def of_scale(ratios: tuple[float, ...], block: int, unit: float) -> Designs:
    """Return CUSUMs of the deviation of normal values, up and down by each ratio; x sums squares, in 1/unit²."""
    ratio = np.array([r for given in ratios for r in (given, 1 / given)])
    slope, toll = grained((1 - ratio**-2) / 2), grained(-np.log(ratio))
    divergence = (ratio**2 - 1) / 2 - np.log(ratio)
    rate = divergence * np.exp(-OVERSHOOT * np.sqrt(2 * divergence * (block - 1)))
    return Designs(slope[:, None] / unit**2, toll[:, None], rate[:, None], divergence[:, None])


@dataclass(frozen=True, slots=True)
class Passing:
    """A CUSUM that reached its limit, or a raised channel that is back at its baseline (`back`).

    weight, since
        Values since the evidence was last 0, and the time of the first of them.
    """

    channel: int
    design: int
    evidence: float
    weight: float
    since: int
    back: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BankState:
    """A bank's arrays; version 1."""

    evidence: bytes
    mark: bytes
    since: bytes
    total: bytes
    raised: bytes
    reverse: bytes


class Bank:
    """The CUSUMs of all designs over all channels, block by block.

    Parameters
    ----------
    designs
        What they look for.
    channels
        How many there are.
    back
        Evidence at which a raised channel is back.
    """

    def __init__(self, designs: Designs, channels: int, back: float) -> None:
        self.designs = designs
        self.back = back
        # One array for all, because an array's own header is larger than a row of it: evidence, mark and since of each
        # design; the total; `_reverse`; and whether a channel is raised.
        self._held = np.zeros((3 * len(designs.slope) + 5, channels))
        self._part(2)[:] = -1.0
        self._walked: tuple[Floats, bool] | None = None

    @property
    def raised(self) -> NDArray[np.bool_]:
        """Which channels are raised."""
        raised: NDArray[np.bool_] = self._held[-1] != 0
        return raised

    @property
    def _total(self) -> Floats:
        total: Floats = self._held[-5]
        return total

    @property
    def _reverse(self) -> Floats:
        """While a channel is raised: evidence that it is back, and the slope and toll of that evidence."""
        return self._held[-4:-1]

    def _part(self, place: int) -> Floats:
        designs = len(self.designs.slope)
        return self._held[place * designs : (place + 1) * designs]

    def walk(self, series: tuple[Floats, Floats, Integers], place: tuple[int, int], limit: Floats) -> int:
        """Take in blocks up to the first with a passing, and return where they stopped; kept by `keep` alone.

        Parameters
        ----------
        series, place
            Sums and numbers (channels × blocks) and first times of blocks; the first block and the end.
        limit
            Evidence at which a CUSUM passes (designs × 1, or × channels).
        """
        designs = (self.designs.slope, self.designs.toll, limit, self.back)
        made = np.empty_like(self._held)
        stop, passed = steps.walked(series, place, designs, self._held, made)
        self._walked = made, passed
        return stop

    def keep(self, start: int, limit: Floats) -> list[Passing]:
        """Keep the blocks that were walked, and return what passed in the last of them, which began at `start`.

        What passes is set back to 0, and is the caller's to raise or clear.
        """
        if self._walked is None:
            return []
        self._held, passed = self._walked
        self._walked = None
        if not passed:
            return []
        found = self._passings(limit)
        raised = self.raised
        if raised.any():
            found += [
                Passing(int(c), 0, float(self._reverse[0, c]), 0.0, start, back=True)
                for c in np.flatnonzero(raised & (self._reverse[0] >= self.back))
            ]
        return found

    def hold(self, channel: int, slope: float, toll: float) -> None:
        """Hold a channel as raised; slope and toll are those of the evidence that it is back."""
        self._held[-4:, channel] = (0.0, slope, toll, 1.0)
        self._clear(channel)

    def release(self, channel: int) -> None:
        """Watch a channel anew."""
        self._held[-4:, channel] = 0.0
        self._clear(channel)

    def state(self) -> BankState:
        """Return all that is remembered, exactly."""
        return BankState(
            evidence=pack(self._part(0)),
            mark=pack(self._total - self._part(1)),
            since=pack(self._part(2), "<i8"),
            total=pack(self._total),
            raised=pack(self.raised, "u1"),
            reverse=pack(self._reverse),
        )

    def restore(self, state: BankState) -> None:
        """Remember exactly that; SchemaError where the bytes are none."""
        shape = self._part(0).shape
        self._part(0)[:] = unpack(state.evidence, shape)
        self._total[:] = unpack(state.total, shape[1:])
        self._part(1)[:] = self._total - unpack(state.mark, shape)
        self._part(2)[:] = unpack(state.since, shape, "<i8")
        self._held[-1] = unpack(state.raised, shape[1:], "u1") != 0
        self._reverse[:] = unpack(state.reverse, (3, shape[1]))

    def _passings(self, limit: Floats) -> list[Passing]:
        evidence, mark, since = (self._part(place) for place in range(3))
        over = evidence - limit
        if not (over >= 0).any():
            return []
        over[:, self.raised] = -1.0
        found = []
        for c in np.flatnonzero((over >= 0).any(axis=0)).tolist():
            # Of several designs the one furthest beyond its limit tells best when it began.
            d = int(over[:, c].argmax())
            weight = float(self._total[c] - mark[d, c])
            found.append(Passing(c, d, float(evidence[d, c]), weight, int(since[d, c]), back=False))
        return found

    def _clear(self, channel: int) -> None:
        self._part(0)[:, channel] = 0.0
        self._part(1)[:, channel] = self._total[channel]
        self._part(2)[:, channel] = -1.0
