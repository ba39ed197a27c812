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
from agents.detection.detectors.sequential import epochs, steps
from agents.detection.detectors.sequential.scores import Scores, ScoresState
from agents.detection.detectors.sequential.steps import UNIT, Integers, Mask
from agents.detection.season import DAILY, TERMS, Season, terms

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

    def innovations(self, values: Floats, facets: Integers, times: Integers) -> tuple[Floats, Mask, bool]:
        """Return innovations in whole units of 1/UNIT (facets × rows), which are known, and whether all are.

        `facets` are the rows of `values` that are this whitening's.
        """
        found = self.scores(values, facets)
        regressors = self._regressors(times) if len(self._seasonal) else None
        if regressors is not None:
            found[self._seasonal] -= self._coefficients[:, 1:] @ regressors[1:]
        known = np.empty(found.shape, dtype=np.bool_)
        model = np.stack([*self.phi, self.centre, self.spread])
        whole = steps.innovated(found, known, model, self._before, self._known, self._lagged)
        if regressors is not None:
            self._regress(found, regressors, None if whole else known)
        return found, known, whole

    def lately(self, channel: int) -> tuple[float, float, float]:
        """Return mean and deviation of a channel's innovations that the baseline has not taken in, and their number."""
        total, squares, number = self._taken[:, channel].tolist()
        mean = total / max(number, 1.0) / UNIT
        return mean, max(squares / max(number, 1.0) / UNIT**2 - mean**2, 0.0) ** 0.5, number

    def take(self, sums: Floats) -> None:
        """Add innovations' sums, squares (in UNIT) and number to those that the baseline takes in next."""
        self._taken += sums

    def settle(self, calm: NDArray[np.bool_]) -> None:
        """Let the baseline of the calm facets take in what came since the last call, and forget it of the others."""
        model = (self.phi, self.centre, self.spread, self.weight)
        epochs.settled(calm, model, (self._taken, self._lagged, self._moments), self._cap)
        self._settle_season(calm)
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
            found, known, _ = self.innovations(values, np.arange(len(values)), times)
            power = np.einsum("ij,ij->i", found, found)
            self.take(np.stack([found.sum(axis=1), power, np.count_nonzero(known, axis=1)]))
            self.settle(np.ones(len(values), dtype=bool))
            self.learnt = found
        self._seasonal = seasonal
