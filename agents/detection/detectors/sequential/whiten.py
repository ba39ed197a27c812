"""Innovations: what a facet's scores say beyond its season, its own past and its running mean and variance.

Each value is judged against a baseline of the rows before it, which then takes it in: such recursive residuals
(Brown, Durbin and Evans 1975) are independent and standard normal without a fault even where the reference is
short, so that its estimation error makes no false alarms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential.scores import REACH, UNIT, Scores, ScoresState
from agents.detection.season import DAILY, TERMS, Season, terms

_STILL = 0.97  # the most that a facet may depend on its own past
_LAGS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WhiteningState:
    """All that whitening remembers; version 1."""

    scores: ScoresState
    season: bytes
    gram: bytes
    seasonal: bytes
    weekly: bool
    numbers: bytes
    lags: bytes


class Whitening:
    """Innovations of the numeric facets of one monitor.

    Parameters
    ----------
    values, times
        The reference, less its season: facets × rows.
    season
        The season that was taken out, by row of `values`.
    cap
        Rows after which the baseline forgets the oldest.

    Attributes
    ----------
    learnt
        The reference's own innovations; empty where it goes on from saved state.
    """

    def __init__(self, values: Floats, times: NDArray[np.int64], season: Season, cap: int) -> None:
        self._cap = cap
        self.scores = Scores.learn(values)
        self._seasonal, self._weekly = season.seasonal, season.weekly
        self._coefficients = np.zeros((len(self._seasonal), TERMS + 1))
        self._gram = np.eye(TERMS + 1 if len(self._seasonal) else 0)
        self._begin(len(values))
        self.learnt = np.empty((len(values), 0))
        if values.size:
            self._learn(values, times)

    def _begin(self, facets: int) -> None:
        self.phi = np.zeros((_LAGS, facets))
        self.centre = np.zeros(facets)
        self.spread = np.full(facets, UNIT)
        self.weight = np.zeros(facets)
        # Sums of r·r, r·r₁, r·r₂ and their number, of which φ is solved; the two scores before the next row.
        self._moments = np.zeros((4, facets))
        self._before = np.zeros((facets, _LAGS))
        self._known = np.zeros((facets, _LAGS), dtype=bool)
        # Sums of the innovations and their squares, and their number, since the baseline last took rows in.
        self._taken = np.zeros((3, facets))
        self._lagged = np.zeros((4, facets))
        self._fitted = np.zeros((len(self._seasonal), TERMS + 1))
        self._regressed = np.zeros_like(self._gram)
        self._rows = 0

    @property
    def gain(self) -> Floats:
        """Deviations of a facet's scores that one deviation of its innovations is, where it lasts."""
        found: Floats = self.spread / UNIT / np.maximum(1 - self.phi.sum(axis=0), 0.1)
        return found

    def innovations(self, values: Floats, times: NDArray[np.int64]) -> tuple[Floats, NDArray[np.bool_] | None]:
        """Return innovations in whole units of 1/UNIT (facets × rows), and which are known; None where all are."""
        rows = values.shape[1]
        scores = self.scores(values)
        regressors = self._regressors(times) if len(self._seasonal) else None
        if regressors is not None:
            scores[self._seasonal] -= self._coefficients[:, 1:] @ regressors[1:]
        missing = np.isnan(scores)
        known = None if not (missing.any() or not self._known.all()) else ~missing
        if known is not None:
            scores[missing] = 0.0
        np.rint(scores, out=scores)
        lagged = np.concatenate([self._before, scores], axis=1)
        r, r1, r2 = lagged[:, 2:], lagged[:, 1:-1], lagged[:, :-2]
        found = r - self.phi[0][:, None] * r1
        found -= self.phi[1][:, None] * r2
        self._lagged[0] += np.vecdot(r, r)
        self._lagged[1] += np.vecdot(r, r1)
        self._lagged[2] += np.vecdot(r, r2)
        found -= self.centre[:, None]
        found *= (UNIT / self.spread)[:, None]
        if known is None:
            self._lagged[3] += rows
        else:
            found *= self._doubt(known)
        np.minimum(found, REACH * UNIT, out=found)
        np.maximum(found, -REACH * UNIT, out=found)
        np.rint(found, out=found)
        self._before = lagged[:, rows:].copy()
        if regressors is not None:
            self._regress(found, regressors, known)
        return found, known

    def lately(self, channel: int) -> tuple[float, float, float]:
        """Return mean and deviation of a channel's innovations that the baseline has not taken in, and their number."""
        total, squares, number = self._taken[:, channel].tolist()
        mean = total / max(number, 1.0) / UNIT
        return mean, max(squares / max(number, 1.0) / UNIT**2 - mean**2, 0.0) ** 0.5, number

    def take(self, sums: Floats, squares: Floats, known: Floats) -> None:
        """Add innovations' sums, squares (in UNIT) and number to those that the baseline takes in next."""
        self._taken[0] += sums
        self._taken[1] += squares
        self._taken[2] += known

    def settle(self, calm: NDArray[np.bool_]) -> None:
        """Let the baseline of the calm facets take in what came since the last call, and forget it of the others."""
        number = self._taken[2]
        use = calm & (number > 0)
        safe = np.where(use, number, 1.0)
        share = np.where(use, number / np.maximum(self.weight + number, 1), 0.0)
        mean, square = self._taken[0] / safe / UNIT, self._taken[1] / safe / UNIT**2
        self.centre += share * mean * self.spread
        self.spread *= np.sqrt(np.maximum(1 + share * (square - 1), 1e-12))
        np.maximum(self.spread, 1.0, out=self.spread)
        self.weight += np.where(use, number, 0.0)
        np.minimum(self.weight, self._cap, out=self.weight)
        self._settle_lags(use)
        self._settle_season(calm)
        self._taken[:] = 0
        self._rows = 0

    def state(self) -> WhiteningState:
        """Return all that is remembered, exactly."""
        numbers = (self.phi, self.centre, self.spread, self.weight, self._moments, self._taken, self._lagged)
        before = np.where(self._known, self._before, np.nan)
        season = (self._coefficients, self._fitted)
        return WhiteningState(
            scores=self.scores.state(),
            season=b"".join(pack(part) for part in season),
            gram=pack(self._gram) + pack(self._regressed) if len(self._seasonal) else b"",
            seasonal=pack(self._seasonal, "<i8"),
            weekly=self._weekly,
            numbers=b"".join(pack(np.atleast_2d(part)) for part in numbers) + pack(np.array([float(self._rows)])),
            lags=pack(before),
        )

    @classmethod
    def of_state(cls, state: WhiteningState, facets: int, cap: int) -> "Whitening":
        """Return the whitening that goes on exactly there; SchemaError where the bytes are none."""
        seasonal = unpack(state.seasonal, (len(state.seasonal) // 8,), "<i8")
        season = Season(np.zeros((len(seasonal), TERMS)), seasonal, state.weekly)
        made = cls(np.empty((0, 0)), np.empty(0, dtype=np.int64), season, cap)
        made._begin(facets)
        made.scores = Scores.of_state(state.scores, facets)
        made._coefficients, made._fitted = unpack(state.season, (2, len(seasonal), TERMS + 1))
        if len(seasonal):
            made._gram, made._regressed = unpack(state.gram, (2, TERMS + 1, TERMS + 1))
        numbers = unpack(state.numbers, (16 * facets + 1,))
        made._rows = int(numbers[-1])
        parts = np.split(numbers[:-1].reshape(16, facets), np.cumsum([2, 1, 1, 1, 4, 3]))
        made.phi, (made.centre,), (made.spread,), (made.weight,) = parts[:4]
        made._moments, made._taken, made._lagged = parts[4:]
        before = unpack(state.lags, (facets, _LAGS))
        made._known = np.isfinite(before)
        made._before = np.where(made._known, before, 0.0)
        return made

    def _doubt(self, known: NDArray[np.bool_]) -> Floats:
        """Return the factor of each innovation: 0 where unknown, smaller where the value before it is unknown."""
        whole = np.concatenate([self._known, known], axis=1)
        before = whole[:, 1:-1]
        self._lagged[3] += np.count_nonzero(known & before, axis=1)
        self._known = whole[:, known.shape[1] :].copy()
        rest = np.sqrt(np.maximum(1 - self.phi.sum(axis=0) ** 2, 0.01))
        factor: Floats = np.where(known, np.where(before, 1.0, rest[:, None]), 0.0)
        return factor

    def _regressors(self, times: NDArray[np.int64]) -> Floats:
        return np.concatenate([np.ones((1, len(times))), terms(times)])

    def _regress(self, found: Floats, regressors: Floats, known: NDArray[np.bool_] | None) -> None:
        # Rounded, so that the sums are exact however the rows were cut.
        x = np.rint(regressors * UNIT) / UNIT
        part = found[self._seasonal]
        if known is not None:
            part = part * known[self._seasonal]
        self._fitted += part @ x.T
        self._regressed += x @ x.T
        self._rows += found.shape[1]

    def _settle_lags(self, use: NDArray[np.bool_]) -> None:
        self._moments += np.where(use, self._lagged, 0.0)
        self._lagged[:] = 0
        full = self._moments[3] > self._cap
        self._moments[:, full] *= self._cap / self._moments[3, full]
        usual = self._moments[3] > 100
        power = np.where(usual, np.maximum(self._moments[0], 1e-300), 1.0)
        first = np.where(usual, self._moments[1] / power, 0.0)
        second = np.where(usual, self._moments[2] / power, 0.0)
        rest = np.maximum(1 - first**2, 1e-3)
        one, two = first * (1 - second) / rest, (second - first**2) / rest
        two = np.minimum(np.maximum(two, -0.9), 0.9)
        one = np.minimum(np.maximum(one, two - _STILL), _STILL - two)
        before = 1 - self.phi.sum(axis=0)
        self.phi = np.stack([one, two])
        self.centre *= (1 - self.phi.sum(axis=0)) / before

    def _settle_season(self, calm: NDArray[np.bool_]) -> None:
        if not len(self._seasonal) or not self._rows:
            return
        total = self._gram[0, 0]
        if total + self._rows > self._cap:
            self._gram *= self._cap / (total + self._rows)
        self._gram += self._regressed
        used = slice(0, TERMS + 1 if self._weekly else 1 + 2 * DAILY)
        step = np.linalg.solve(self._gram[used, used], self._fitted[:, used].T).T
        factor = self.gain[self._seasonal]
        moved = calm[self._seasonal]
        self._coefficients[moved, used] += (step * factor[:, None])[moved]
        self._fitted[:] = 0
        self._regressed[:] = 0

    def _learn(self, values: Floats, times: NDArray[np.int64]) -> None:
        if len(self._seasonal):
            x = np.rint(self._regressors(times) * UNIT) / UNIT
            self._gram += x @ x.T
        seasonal, self._seasonal = self._seasonal, np.empty(0, dtype=np.int64)
        for _ in range(3):  # deviations need φ, clipping needs deviations, and both need the centre
            self._rows = 0
            self.weight[:] = 0
            self._moments[:] = 0
            self._before[:] = 0
            self._known[:] = False
            found, known = self.innovations(values, times)
            number = np.full(len(values), values.shape[1]) if known is None else np.count_nonzero(known, axis=1)
            self.take(found.sum(axis=1), np.einsum("ij,ij->i", found, found), number)
            self.settle(np.ones(len(values), dtype=bool))
            self.learnt = found
        self._seasonal = seasonal
