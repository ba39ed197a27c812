"""Innovations: what a facet's scores say beyond its season, its own past and its running mean and variance.

Each value is judged against a baseline of the rows before it, which then takes it in: such recursive residuals
(Brown, Durbin and Evans 1975) are independent and standard normal without a fault even where the reference is
short, so that its estimation error makes no false alarms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import epochs, steps
from agents.detection.detectors.sequential.scores import Scores, ScoresState
from agents.detection.detectors.sequential.steps import UNIT, Integers, Mask
from agents.detection.season import DAILY, TERMS, Season, terms

_LAGS = 2
_ROWS = 16
_NO_TERMS = np.zeros((0, TERMS + 1))
_NO_GRAM = np.zeros((0, 0))


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
        self._seasonal, self._weekly = common(season.seasonal), season.weekly
        seasonal = len(self._seasonal)
        self._coefficients = np.zeros((seasonal, TERMS + 1)) if seasonal else _NO_TERMS
        self._gram = np.eye(TERMS + 1) if seasonal else _NO_GRAM
        self._begin(len(values))
        self.learnt = _NO_TERMS
        if values.size:
            self._learn(values, times)

    def _begin(self, facets: int) -> None:
        # One array, because an array's own header is larger than a row of it; the properties below name its rows.
        self._numbers = np.zeros((_ROWS + _LAGS, facets))
        self._numbers[3] = UNIT
        self._known = np.zeros((facets, _LAGS), dtype=bool)
        self._fitted = np.zeros_like(self._coefficients) if len(self._seasonal) else _NO_TERMS
        self._regressed = np.zeros_like(self._gram) if len(self._seasonal) else _NO_GRAM
        self._rows = 0

    @property
    def phi(self) -> Floats:
        """Coefficients of the two scores before, by lag."""
        return self._numbers[:2]

    @property
    def centre(self) -> Floats:
        """Mean of the innovations, in units."""
        centre: Floats = self._numbers[2]
        return centre

    @property
    def spread(self) -> Floats:
        """Deviation of the innovations, in units."""
        spread: Floats = self._numbers[3]
        return spread

    @property
    def weight(self) -> Floats:
        """Rows that the baseline is made of."""
        weight: Floats = self._numbers[4]
        return weight

    @property
    def _moments(self) -> Floats:
        """Sums of r·r, r·r₁, r·r₂ and their number, of which φ is solved."""
        return self._numbers[5:9]

    @property
    def _taken(self) -> Floats:
        """Sums of the innovations and their squares, and their number, since the baseline last took rows in."""
        return self._numbers[9:12]

    @property
    def _lagged(self) -> Floats:
        """The same sums as the moments, since then."""
        return self._numbers[12:_ROWS]

    @property
    def _before(self) -> Floats:
        """The two scores before the next row, by facet."""
        return self._numbers[_ROWS:].reshape(-1, _LAGS)

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
        whole = steps.innovated(found, known, self._numbers[:4], self._before, self._known, self._lagged)
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
        taken = self._taken
        taken += sums

    def settle(self, calm: NDArray[np.bool_]) -> None:
        """Let the baseline of the calm facets take in what came since the last call, and forget it of the others."""
        model = (self.phi, self.centre, self.spread, self.weight)
        epochs.settled(calm, model, (self._taken, self._lagged, self._moments), self._cap)
        self._settle_season(calm)
        self._rows = 0

    def state(self) -> WhiteningState:
        """Return all that is remembered, exactly."""
        before = np.where(self._known, self._before, np.nan)
        season = (self._coefficients, self._fitted)
        return WhiteningState(
            scores=self.scores.state(),
            season=b"".join(pack(part) for part in season),
            gram=pack(self._gram) + pack(self._regressed) if len(self._seasonal) else b"",
            seasonal=pack(self._seasonal, "<i8"),
            weekly=self._weekly,
            numbers=pack(self._numbers[:_ROWS]) + pack(np.array([float(self._rows)])),
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
        terms_of = unpack(state.season, (2, len(seasonal), TERMS + 1))
        if len(seasonal):
            made._coefficients, made._fitted = terms_of
            made._gram, made._regressed = unpack(state.gram, (2, TERMS + 1, TERMS + 1))
        numbers = unpack(state.numbers, (_ROWS * facets + 1,))
        made._rows = int(numbers[-1])
        made._numbers[:_ROWS] = numbers[:-1].reshape(_ROWS, facets)
        before = unpack(state.lags, (facets, _LAGS))
        made._known = np.isfinite(before)
        made._before[:] = np.where(made._known, before, 0.0)
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
