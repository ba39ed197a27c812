"""Which two features move together otherwise than before: their innovations' correlation, window by window."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.level import CAP, Held, Level, Levels
from agents.detection.detectors.sequential import epochs
from agents.detection.detectors.sequential.findings import Limits
from schemas.values import Category

MOST = 16
"""Features whose pairs are watched, the first by name."""

MOST_CHANGED = 8
"""Pairs that are told of."""


_PRIOR, _REMEMBERED = 4, 100  # windows that a pair's own spread begins with, and is remembered for


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrelationState:
    """Sums of products and numbers, of the baseline and of the window; version 1."""

    sums: bytes
    power: bytes
    windows: int
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two features, their correlation now and before, and −log10 p of the difference."""

    first: int
    second: int
    now: float
    before: float
    score: float


class Correlation:
    """Fisher's z of every pair's correlation in a window against its baseline.

    Parameters
    ----------
    names
        Features watched, at most MOST.
    limits
        How sure a finding must be.
    """

    def __init__(self, names: list[str], limits: Limits) -> None:
        self._names, self._limits = names, limits
        self._cap = limits.policy.drift.baseline_rows
        self._levels = Levels(limits.policy.confirm_windows, limits.policy.clear_windows)
        self._channels = channels = len(names)
        # Sums of products and the number of both known, of the upper triangle, before and now; then the mean square of
        # each pair's standardised change, window by window. One array, as in cusum.py.
        self._size = channels * (channels + 1) // 2
        self._held = np.zeros(4 * self._size + channels * (channels - 1) // 2)
        self._power[:] = 1.0
        self._windows = 0

    @property
    def _sums(self) -> Floats:
        """Products and numbers: before, then now (2 × 2 × pairs of the triangle)."""
        return self._held[: 4 * self._size].reshape(2, 2, self._size)

    @property
    def _power(self) -> Floats:
        power: Floats = self._held[4 * self._size :]
        return power

    def add(self, x: Floats, known: NDArray[np.bool_] | None) -> None:
        """Take in innovations (channels × rows, whole numbers; 0 where unknown)."""
        now, upper = self._sums[1], _flat(self._channels)
        now[0] += (x @ x.T).take(upper)
        if known is None:
            now[1] += x.shape[1]
        else:
            both = known.astype(np.float64)
            now[1] += (both @ both.T).take(upper)

    def close(self, calm: NDArray[np.bool_], window: tuple[int, int, int]) -> None:
        """End the window (its first and last time, and rows): judge the pairs of calm features, and learn."""
        limit = self._limits.correlation(self._channels)
        pairs = self._changed(calm, self._limits.policy.floor_rows, limit)
        found = [self._level(pair, window) for pair in pairs if pair.score > limit]
        beyond = [level for level in found if level.material]
        held = {h.level.key for h in self._levels.state()}
        # One pair stands for all: where many change, one more name says no more.
        self._levels.judge([level for level in beyond if level.key in held] or beyond[:1])
        away = {name for level in beyond for name in level.subject.split(", ")}
        if away:
            calm = calm & np.array([name not in away for name in self._names], dtype=bool)
        self._learn(calm)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def _changed(self, calm: NDArray[np.bool_], least: int, limit: float) -> list[Pair]:
        """Return the pairs that changed most, none where none is near the limit."""
        rows, columns = _pairs(self._channels)
        sums = np.zeros((2, 2, self._channels, self._channels))
        sums.reshape(2, 2, -1)[..., _flat(self._channels)] = self._sums
        now, before = epochs.related(sums[1, 0]), epochs.related(sums[0, 0])
        self._windows += 1
        share = 1 / min(self._windows + _PRIOR, _REMEMBERED)
        z = epochs.changed((now, before), (sums[1, 1], sums[0, 1]), calm, least, (self._power, share))
        if not len(z) or _score(z.max()) < limit - 1:
            return []
        most = np.argsort(-z, kind="stable")[:MOST_CHANGED]
        told = (rows[most], columns[most], np.tanh(now[most]), np.tanh(before[most]), _score(z[most]))
        return [Pair(*pair) for pair in zip(*(part.tolist() for part in told), strict=True)]

    def _level(self, pair: Pair, window: tuple[int, int, int]) -> Level:
        change = pair.now - pair.before
        least = self._limits.policy.drift.correlation
        return Level(
            detector="cusum",
            subject=f"{self._names[pair.first]}, {self._names[pair.second]}",
            statistic="correlation",
            baseline="rolling",
            category=Category.DATA_DRIFT,
            value=pair.now,
            threshold=pair.before + math.copysign(least, change),
            score=pair.score,
            first_bad_at=window[0],
            window_from=window[0],
            window_to=max(window[:2]),
            rows=window[2],
            symptom=False,
            material=abs(change) >= least,
        )

    def _learn(self, calm: NDArray[np.bool_]) -> None:
        before, now = self._sums
        rows, columns = _triangle(self._channels)
        before += now if calm.all() else np.where(calm[rows] & calm[columns], now, 0.0)
        before *= np.minimum(self._cap / np.maximum(before[1], 1.0), 1.0)
        now[:] = 0

    def state(self) -> CorrelationState:
        """Return all that is remembered, exactly."""
        sums, power = pack(self._sums), pack(self._power)
        return CorrelationState(sums=sums, power=power, windows=self._windows, held=self._levels.state())

    def restore(self, state: CorrelationState) -> None:
        """Remember exactly that; SchemaError where the bytes are none."""
        self._power[:] = unpack(state.power, self._power.shape)
        self._windows = state.windows
        self._levels.restore(state.held)
        self._sums[:] = unpack(state.sums, (2, 2, self._size))


@lru_cache(maxsize=MOST + 1)
def _pairs(channels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the two features of each pair: the same for all monitors of so many features."""
    rows, columns = np.triu_indices(channels, 1)
    return rows, columns


@lru_cache(maxsize=MOST + 1)
def _triangle(channels: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of the upper triangle, the diagonal included."""
    rows, columns = np.triu_indices(channels)
    return rows, columns


@lru_cache(maxsize=MOST + 1)
def _flat(channels: int) -> NDArray[np.int64]:
    """Return the same places as numbers of the square's cells, row by row."""
    rows, columns = _triangle(channels)
    return rows * channels + columns


def _score(z: Floats) -> Floats:
    """Return −log10 of both tails of a normal value."""
    found: Floats = np.minimum(-(log_ndtr(-z) + math.log(2)) / math.log(10), CAP)
    return found
