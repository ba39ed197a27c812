"""A facet's values as normal scores: linear where the reference looks normal, by its quantiles where not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import steps
from agents.detection.detectors.sequential.steps import UNIT, Integers
from schemas.errors import SchemaError

_KNOTS = 33
_TOLERANCE = 0.2  # how far a quantile of a normal facet may be from the normal one, in deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoresState:
    """A map's arrays; version 1."""

    centre: bytes
    scale: bytes
    curved: bytes
    knots: bytes
    heights: bytes


@dataclass(frozen=True, slots=True)
class Scores:
    """Monotone maps, one a facet.

    maps
        Centre and scale of each facet's linear map; a scale of 0 is a facet without any spread.
    curved
        Indices of the facets that are mapped by quantiles instead.
    curves
        Their quantiles (increasing), and the scores there: 2 × curved × knots.
    """

    maps: Floats
    curved: Integers
    curves: Floats

    @classmethod
    def learn(cls, values: Floats) -> "Scores":
        """Return the maps of a reference (facets × rows, NaN where a cell cannot be used)."""
        facets = len(values)
        centre, scale = np.zeros(facets), np.zeros(facets)
        curved, knots, heights = [], [], []
        for i, row in enumerate(values):
            usable = row[np.isfinite(row)]
            if len(usable) < 2:
                continue
            centre[i], scale[i], normal = _linear(usable)
            if not normal:
                curved.append(i)
                x, z = _curve(usable)
                knots.append(x)
                heights.append(z)
        curves = np.empty((2, len(curved), _KNOTS))
        for i, (x, z) in enumerate(zip(knots, heights, strict=True)):
            curves[:, i] = x, z
        return cls(np.stack([centre, scale]), common(np.array(curved, dtype=np.int64)), curves)

    def __call__(self, values: Floats, facets: Integers) -> Floats:
        """Return the scores of the facets that this was learnt from, which are these rows of the values.

        They are in units of 1/UNIT (facets × rows), not yet rounded; NaN stays NaN.
        """
        return steps.scored(values, facets, self.maps, self.curved, self.curves)

    def state(self) -> ScoresState:
        """Return the arrays as bytes."""
        return ScoresState(
            centre=pack(self.maps[0]),
            scale=pack(self.maps[1]),
            curved=pack(self.curved, "<i8"),
            knots=pack(self.curves[0]),
            heights=pack(self.curves[1]),
        )

    @classmethod
    def of_state(cls, state: ScoresState, facets: int) -> "Scores":
        """Return the maps that the bytes hold; SchemaError where their lengths disagree."""
        shape = (len(state.curved) // 8, _KNOTS)
        maps = np.stack([unpack(part, (facets,)) for part in (state.centre, state.scale)])
        curved = unpack(state.curved, shape[:1], "<i8")
        if len(curved) and not (curved.min() >= 0 and curved.max() < facets):
            raise SchemaError("a saved map by quantiles is of a facet that there is not")
        return cls(maps, common(curved), np.stack([unpack(part, shape) for part in (state.knots, state.heights)]))


def _linear(usable: Floats) -> tuple[float, float, bool]:
    shares = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98])
    cuts = np.quantile(usable / 4, shares, method="inverted_cdf")
    centre, spread = 4 * float(cuts[3]), 4 * float(cuts[-2] - cuts[1]) / (2 * 1.2815515655446004)
    if not 0 < spread < 1e300:
        return centre, 0.0, len(np.unique(usable)) < 2  # most are equal: quantiles tell nothing apart
    off = np.abs((4 * cuts - centre) / spread - ndtri(shares))
    return centre, 1 / max(spread, 1e-300), bool(off.max() < _TOLERANCE)


def _curve(usable: Floats) -> tuple[Floats, Floats]:
    ordered = np.sort(usable)
    count = len(ordered)
    tail = min(2.0 / count, 0.01)
    shares = np.concatenate([[tail, 3 * tail], np.linspace(0.02, 0.98, _KNOTS - 4), [1 - 3 * tail, 1 - tail]])
    x = np.unique(np.quantile(ordered, shares, method="inverted_cdf"))
    # The middle rank of what equals the knot, so that a common value has the score of its own middle.
    below = np.searchsorted(ordered, x, "left") + np.searchsorted(ordered, x, "right")
    z = ndtri(np.clip(below / (2 * count), 0.5 / count, 1 - 0.5 / count)) * UNIT
    fill = _KNOTS - len(x)
    return np.concatenate([x, np.full(fill, x[-1])]), np.concatenate([z, np.full(fill, z[-1])])
