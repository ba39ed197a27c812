"""The daily and weekly season of each facet: what is taken from its values before they are judged."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray
from scipy.special import fdtrc

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from schemas.errors import SchemaError

DAY = 86_400_000
WEEK = 7 * DAY

DAILY, WEEKLY = 4, 3
"""Harmonics of the day and of the week."""

TERMS = 2 * (DAILY + WEEKLY)

_SURE = 1e-5  # tail of the F-test below which a season is believed
_PERIODS = 1.3  # periods that a reference must span before it can show a season
_EXPLAINED = 0.02  # share of the innovations' variance that is worth a season


@dataclass(frozen=True, slots=True, kw_only=True)
class SeasonState:
    """A season's coefficients; empty where no facet has one; version 1."""

    coefficients: bytes
    seasonal: bytes
    weekly: bool


@dataclass(frozen=True, slots=True)
class Season:
    """Fourier terms of the day (and the week) in each facet's own unit, on event time.

    coefficients
        Seasonal facets × TERMS; those of the week are 0 where the reference was too short to show one.
    seasonal
        Indices of the facets that have a season.
    weekly
        Whether the week's terms are in use.
    """

    coefficients: Floats
    seasonal: NDArray[np.int64]
    weekly: bool

    def adjust(self, values: Floats, times: NDArray[np.int64]) -> Floats:
        """Return the values (facets × rows) less their season."""
        if not len(self.seasonal):
            return values
        steady = values.copy()
        steady[self.seasonal] -= self.coefficients @ terms(times)
        return steady

    def of(self, facets: NDArray[np.int64]) -> "Season":
        """Return the season of some facets, by their place among those."""
        place = {int(facet): i for i, facet in enumerate(facets.tolist())}
        kept = np.array([int(f) in place for f in self.seasonal.tolist()], dtype=bool)
        seasonal = np.array([place[f] for f in self.seasonal[kept].tolist()], dtype=np.int64)
        return Season(self.coefficients[kept], seasonal, self.weekly)

    def state(self) -> SeasonState:
        """Return the arrays as bytes."""
        return SeasonState(
            coefficients=pack(self.coefficients), seasonal=pack(self.seasonal, "<i8"), weekly=self.weekly
        )

    @classmethod
    def of_state(cls, state: SeasonState, facets: int) -> "Season":
        """Return the season that the bytes hold; SchemaError where it does not fit so many facets."""
        count = len(state.seasonal) // 8
        seasonal = unpack(state.seasonal, (count,), "<i8")
        if count and not (seasonal.min() >= 0 and seasonal.max() < facets):
            raise SchemaError("a saved season is of a facet that there is not")
        return cls(unpack(state.coefficients, (count, TERMS)), seasonal, state.weekly)


NONE = Season(np.empty((0, TERMS)), np.empty(0, dtype=np.int64), weekly=False)
"""No facet has a season."""


def terms(times: NDArray[np.int64]) -> Floats:
    """Return the Fourier terms of the day, then of the week, at each time (TERMS × rows)."""
    found = np.empty((TERMS, len(times)))
    for first, period, count in ((0, DAY, DAILY), (2 * DAILY, WEEK, WEEKLY)):
        angle = (times % period) * (2 * math.pi / period)
        for k in range(count):
            np.sin((k + 1) * angle, out=found[first + 2 * k])
            np.cos((k + 1) * angle, out=found[first + 2 * k + 1])
    return found


def fit(values: Floats, times: NDArray[np.int64], facets: NDArray[np.int64]) -> Season:
    """Return the season of those facets of a reference that show one.

    The F-test is made on innovations (values and terms less their first-order prediction), since an
    autocorrelated facet without a season has much of its variance at low frequencies (Cochrane and Orcutt 1949).
    """
    span = int(times.max() - times.min()) if len(times) else 0
    weekly = span >= _PERIODS * WEEK
    used = TERMS if weekly else 2 * DAILY
    if span < _PERIODS * DAY or len(times) < 8 * used:
        return NONE
    regressors = np.concatenate([np.ones((1, len(times))), terms(times)[:used]])
    found = {int(i): c for i in facets.tolist() if (c := _fit_one(values[i], regressors)) is not None}
    if not found:
        return NONE
    coefficients = np.zeros((len(found), TERMS))
    coefficients[:, :used] = np.array(list(found.values()))
    return Season(coefficients, np.array(list(found), dtype=np.int64), weekly)


def _fit_one(values: Floats, regressors: Floats) -> Floats | None:
    usable = np.isfinite(values)
    if np.count_nonzero(usable) < 8 * len(regressors):
        return None
    low, high = np.quantile(values[usable], [0.005, 0.995], method="inverted_cdf")
    if not high / 2 > low / 2:
        return None
    scale = 2 * (high / 2 - low / 2)
    y, x = np.clip(values[usable], low, high) / scale, regressors[:, usable]
    y = y - y.mean()
    solution = _solved(x, y)
    left = y - solution @ x
    power = float(left[:-1] @ left[:-1])
    phi = min(max(float(left[1:] @ left[:-1]) / power, 0.0), 0.95) if power > 0 else 0.0
    y, x = y[1:] - phi * y[:-1], x[:, 1:] - phi * x[:, :-1]
    solution = _solved(x, y)
    residual = float(((y - solution @ x) ** 2).sum())
    total = float(((y - y.mean()) ** 2).sum())
    terms_used, freedom = len(x) - 1, len(y) - len(x)
    if total <= 0 or total - residual < _EXPLAINED * total * (1 - phi) ** 2:
        return None
    ratio = (total - residual) / terms_used / max(residual / freedom, 1e-300)
    if fdtrc(terms_used, freedom, ratio) > _SURE:
        return None
    return cast("Floats", solution[1:] * scale)


def _solved(x: Floats, y: Floats) -> Floats:
    # Least squares with a trifle of a ridge: harmonics of much less than a period would be all but the same.
    found: Floats = np.linalg.solve(x @ x.T + 1e-9 * x.shape[1] * np.eye(len(x)), x @ y)
    return found


def inflation(values: Floats) -> float:
    """Return how many autocorrelated values say as much as one independent one, by their first-order dependence."""
    usable = values[np.isfinite(values)]
    if len(usable) < 50:
        return 1.0
    low, high = np.quantile(usable, [0.02, 0.98], method="inverted_cdf")
    if not high / 2 > low / 2:
        return 1.0
    unit = (np.clip(usable, low, high) / 2 - low / 2) / (high / 2 - low / 2)
    unit = unit - unit.mean()
    power = float(unit @ unit)
    phi = float(unit[1:] @ unit[:-1]) / power if power > 0 else 0.0
    return 1.0 if phi < 3 / math.sqrt(len(usable)) else min((1 + phi) / (1 - phi), 100.0) if phi < 1 else 100.0
