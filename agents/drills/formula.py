"""How a drill's model is asked, what it answers and what is true: a logistic formula of its inputs, and chance.

Numbers are arrays of doubles, NaN where one is missing; texts are lists, None where one is missing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from schemas.drill_models import Feature, Served

Numbers = NDArray[np.float64]
Texts = list[str | None]
Cells = Numbers | Texts
Columns = dict[str, Cells]
Mask = NDArray[np.bool_]

_STEEPEST = 30.0
_WORK_MS = (8.0, 0.25)
"""How long a row takes a model of this size: the median in milliseconds, and the deviation of its logarithm."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a model says of each row: the index of the outcome, how sure it is (0.5 to 1), and the second's chance."""

    outcome: NDArray[np.intp]
    confidence: Numbers
    chance: Numbers


def draw(served: Served, rows: int, reads: Mapping[str, Numbers], rng: np.random.Generator) -> Columns:
    """Draw inputs; `reads` holds, by feature, what the other model said."""
    return {
        name: reads[name] if feature.reads else _drawn(feature, rows, rng) for name, feature in served.features.items()
    }


def draw_groups(served: Served, rows: int, rng: np.random.Generator) -> dict[str, list[str]]:
    """Draw which value of each group column every row has."""
    return {name: _texts(values, rows, rng) for name, values in served.groups.items()}


def draw_callers(served: Served, rows: int, rng: np.random.Generator) -> list[str]:
    """Draw the pseudonym of every row's caller; empty texts where callers are unknown."""
    if not served.callers:
        return [""] * rows
    return [f"caller-{number}" for number in rng.integers(1, served.callers + 1, rows).tolist()]


def chance(served: Served, columns: Mapping[str, Cells]) -> Numbers:
    """Return each row's probability of the second outcome, an unusable input counting as its mean."""
    rows = len(next(iter(columns.values())))
    odds = np.full(rows, served.intercept)
    for name, feature in served.features.items():
        if feature.weight:
            odds += feature.weight * standing(feature, columns[name])
    odds = np.clip(odds, -_STEEPEST, _STEEPEST)
    likely: Numbers = 1.0 / (1.0 + np.exp(-odds))
    return likely


def answered(likely: Numbers) -> Answered:
    """Return what a model says that gives the second outcome these chances."""
    return Answered((likely > 0.5).astype(np.intp), np.maximum(likely, 1.0 - likely), likely)


def truth(likely: Numbers, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw the index of the outcome that turns out to be true."""
    return (rng.random(len(likely)) < likely).astype(np.intp)


def work_ms(rows: int, rng: np.random.Generator) -> Numbers:
    """Draw how many milliseconds a model works on each row: the formula takes none, a model would."""
    median, spread = _WORK_MS
    return rng.lognormal(np.log(median), spread, rows)


def standing(feature: Feature, cells: Cells) -> Numbers:
    """Return how far each value stands from the mean: in standard deviations, or of a category in steps from the first.

    What is missing, or no value of the feature, stands where the feature does on average.
    """
    if feature.values:
        steps = {value: float(step) for step, value in enumerate(feature.values)}
        average = sum(step * feature.values[value] for value, step in steps.items())
        texts = cells if isinstance(cells, list) else [None] * len(cells)
        return np.array([average if text is None else steps.get(text, average) for text in texts])
    if isinstance(cells, list):
        return np.zeros(len(cells))
    stands: Numbers = np.nan_to_num((cells - feature.mean) / feature.sd, nan=0.0)
    return stands


def beyond(feature: Feature, cells: Cells, share: float) -> Mask:
    """Return which values lie above this quantile of the feature, of a category among its last values."""
    if feature.values:
        values = list(feature.values)
        before = np.cumsum([0.0, *feature.values.values()])[:-1]
        last = {value for value, low in zip(values, before, strict=True) if low >= share - 1e-9}
        return np.array([text in last for text in cells], dtype=np.bool_)
    if isinstance(cells, list):
        return np.zeros(len(cells), dtype=np.bool_)
    if share <= 0:
        return np.isfinite(cells)
    point = NormalDist().inv_cdf(share)
    if feature.skewed:
        centre, spread = _lognormal(feature)
        return np.asarray(cells > np.exp(centre + spread * point))
    return np.asarray(cells > feature.mean + feature.sd * point)


def _drawn(feature: Feature, rows: int, rng: np.random.Generator) -> Cells:
    if feature.values:
        return list(_texts(feature.values, rows, rng))
    if feature.skewed:
        centre, spread = _lognormal(feature)
        return rng.lognormal(centre, spread, rows)
    return rng.normal(feature.mean, feature.sd, rows)


def _lognormal(feature: Feature) -> tuple[float, float]:
    variance = np.log1p((feature.sd / feature.mean) ** 2)
    return float(np.log(feature.mean) - variance / 2), float(np.sqrt(variance))


def _texts(values: Mapping[str, float], rows: int, rng: np.random.Generator) -> list[str]:
    edges = np.cumsum(list(values.values()))[:-1]
    names = list(values)
    return [names[place] for place in np.searchsorted(edges, rng.random(rows), side="right").tolist()]
