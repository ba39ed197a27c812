"""The reference of a monitor: what its columns looked like in its first clean rows, as small fixed arrays."""

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats, Rows
from agents.detection.compiled import compiled
from agents.detection.repeats import bunched, repeat_bound, unseen
from agents.detection.sample import BAD, Counts
from agents.detection.season import NONE, Season, SeasonState, fit, inflation
from schemas.errors import SchemaError
from schemas.telemetry import MAX_CATEGORIES
from schemas.thresholds import Thresholds
from schemas.values import Flag

NULL, NAN, INF, WRONG_TYPE, UNSEEN, RANGE = range(len(BAD))

STREAMS = ("confidence", "latency")
"""Roles whose values are judged as a stream, not as a histogram."""

_BOUNDS = {"confidence": (0.0, 1.0), "latency": (0.0, np.inf)}
"""What a stream's values can be at all, whatever they were in the reference."""

WATCHED = ("feature", "prediction", "confidence", "latency")
"""Roles of the columns that a monitor judges; each column of them is a facet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One watched column; `categories` are the strings of a text column, in the order of their codes."""

    name: str
    role: str
    text: bool
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileState:
    """A profile's arrays, facet by facet."""

    facets: tuple[Facet, ...]
    rows: int
    edges: bytes
    counts: bytes
    bad: bytes
    low: bytes
    high: bytes
    repeats: bytes
    season: SeasonState
    inflation: bytes
    bunched: bytes


@dataclass(frozen=True, slots=True)
class Profile:
    """What the facets looked like.

    edges, counts
        Right-closed histogram of each facet (facets × bins − 1, padded with +inf; facets × bins), open at both ends.
    bad, rows
        Cells that could not be used, by kind, of so many rows.
    low, high
        The range of each facet, widened by the policy's reach.
    repeats
        Probability that a cell equals the one before it.
    season
        What is taken from the values before their histogram is made.
    inflation
        How many rows of a facet say as much as one would if each did not depend on the row before.
    bunched
        The share of unusable cells where they come in bunches, 0 where they do not.
    """

    facets: tuple[Facet, ...]
    rows: int
    edges: Floats
    counts: Counts
    bad: Counts
    low: Floats
    high: Floats
    repeats: Floats
    season: Season
    inflation: Floats
    bunched: Floats

    @property
    def used(self) -> NDArray[np.bool_]:
        """Which bins of the padded histogram a facet has."""
        own = np.isfinite(self.edges).sum(axis=1)
        return cast("NDArray[np.bool_]", np.arange(self.counts.shape[1])[None, :] <= own[:, None])

    def histogram(self, matrix: Floats) -> Counts:
        """Return how many values of each facet fall in each of its bins."""
        return histogram(matrix, self.edges)

    def state(self) -> ProfileState:
        """Return the arrays as bytes."""
        return ProfileState(
            facets=self.facets,
            rows=self.rows,
            edges=pack(self.edges),
            counts=pack(self.counts, "<i8"),
            bad=pack(self.bad, "<i8"),
            low=pack(self.low),
            high=pack(self.high),
            repeats=pack(self.repeats),
            season=self.season.state(),
            inflation=pack(self.inflation),
            bunched=pack(self.bunched),
        )

    @classmethod
    def of_state(cls, state: ProfileState) -> "Profile":
        """Return the profile that the bytes hold; SchemaError where their lengths disagree."""
        facets = len(state.facets)
        if not facets or len(state.counts) % (8 * facets):
            raise SchemaError("a profile's histogram does not fit its facets")
        bins = len(state.counts) // (8 * facets)
        return cls(
            facets=state.facets,
            rows=state.rows,
            edges=unpack(state.edges, (facets, bins - 1)),
            counts=unpack(state.counts, (facets, bins), "<i8"),
            bad=unpack(state.bad, (facets, len(BAD)), "<i8"),
            low=unpack(state.low, (facets,)),
            high=unpack(state.high, (facets,)),
            repeats=unpack(state.repeats, (facets,)),
            season=Season.of_state(state.season, facets),
            inflation=unpack(state.inflation, (facets,)),
            bunched=unpack(state.bunched, (facets,)),
        )


def facets_of(rows: Rows, limit: int) -> tuple[Facet, ...]:
    """Return the facets of a batch: all streams, and features in the order of their names up to a limit."""
    watched = sorted((c for c in rows.columns if c.role in WATCHED), key=lambda cells: (cells.role, cells.name))
    features = [cells for cells in watched if cells.role == "feature"][:limit]
    others = [next(c for c in watched if c.role == role) for role in WATCHED[1:] if rows.with_role(role)]
    return tuple(Facet(name=c.name, role=c.role, text=c.text) for c in (*features, *others))


def with_categories(facets: tuple[Facet, ...], rows: Rows) -> tuple[Facet, ...]:
    """Return the facets with the batch's new strings added to their categories, up to MAX_CATEGORIES."""
    columns = rows.named()
    return tuple(
        _with_categories(facet, columns[facet.name].dictionary) if facet.text and facet.name in columns else facet
        for facet in facets
    )


@compiled
def histogram(matrix: Floats, edges: Floats) -> Counts:
    """Return how many values of each row of the matrix fall in each right-closed bin; NaN falls in none."""
    (facets, rows), bins = matrix.shape, edges.shape[1] + 1
    counts = np.zeros((facets, bins), dtype=np.int64)
    for i in range(facets):
        known = 0
        for t in range(rows):
            known += matrix[i, t] == matrix[i, t]
        above = known
        for j in range(bins - 1):
            edge, beyond = edges[i, j], 0
            if edge < np.inf:
                for t in range(rows):
                    beyond += matrix[i, t] > edge
            counts[i, j] = above - beyond
            above = beyond
        counts[i, bins - 1] = above
    return counts


def outside(matrix: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Return which values are outside the range of their facet."""
    with np.errstate(invalid="ignore"):
        found: NDArray[np.bool_] = (matrix < low[:, None]) | (matrix > high[:, None])
    return found


def beyond(matrix: Floats, low: Floats, high: Floats) -> Counts:
    """Return how many values of each facet are outside its range."""
    counts: Counts = np.count_nonzero(outside(matrix, low, high), axis=1)
    return counts


def learn(
    facets: tuple[Facet, ...],
    matrix: Floats,
    bad: Counts,
    repeats: Counts,
    thresholds: Thresholds,
    times: NDArray[np.int64] | None = None,
) -> tuple[Profile, Floats]:
    """Return the profile of the rows, and the matrix with text recoded by how common each category is.

    Parameters
    ----------
    matrix
        Facets × rows, NaN where a cell could not be used.
    bad
        Unusable cells, facets × BAD.
    repeats
        Cells equal to the one before, and cells that had one: facets × 2.
    times
        Each row's time in ms; without them no season is looked for.
    """
    recoded = matrix.copy()
    ordered = tuple(_by_frequency(facet, recoded[i]) for i, facet in enumerate(facets))
    numbers = np.array([i for i, f in enumerate(ordered) if not f.text and f.role not in STREAMS], dtype=np.int64)
    season = NONE if times is None else fit(recoded, times, numbers)
    steady = recoded if times is None else season.adjust(recoded, times)
    cuts = [_cuts(facet, row[np.isfinite(row)], thresholds) for facet, row in zip(ordered, steady, strict=True)]
    edges = np.full((len(facets), max(1, *(len(cut) for cut in cuts), 0)), np.inf)
    for row, cut in zip(edges, cuts, strict=True):
        row[: len(cut)] = cut
    low, high = _ranges(ordered, recoded, thresholds.quality.reach)
    counts = histogram(steady, edges)
    bad = bad.copy()
    bad[:, RANGE] = beyond(recoded, low, high)
    bad[:, UNSEEN] = [unseen(row) if facet.text else 0 for facet, row in zip(ordered, recoded, strict=True)]
    profile = Profile(
        facets=ordered,
        rows=matrix.shape[1],
        edges=edges,
        counts=counts,
        bad=bad,
        low=low,
        high=high,
        repeats=repeat_bound(repeats, recoded),
        season=season,
        inflation=np.array([inflation(row) for row in steady]),
        bunched=np.array([bunched(np.isnan(row)) for row in recoded]),
    )
    return profile, recoded


def _with_categories(facet: Facet, dictionary: tuple[str, ...]) -> Facet:
    known = set(facet.categories)
    new = [text for text in dict.fromkeys(dictionary) if text not in known]
    if not new:
        return facet
    categories = (*facet.categories, *new)[:MAX_CATEGORIES]
    return Facet(name=facet.name, role=facet.role, text=True, categories=categories)


def _by_frequency(facet: Facet, codes: Floats) -> Facet:
    if not facet.text:
        return facet
    usable = np.isfinite(codes)
    seen = np.bincount(codes[usable].astype(np.int64), minlength=len(facet.categories))
    order = sorted((i for i in range(len(seen)) if seen[i]), key=lambda i: (-seen[i], facet.categories[i]))
    rank = np.full(len(seen), np.nan)
    rank[order] = np.arange(len(order))
    codes[usable] = rank[codes[usable].astype(np.int64)]
    categories = tuple(facet.categories[i] for i in order)
    return Facet(name=facet.name, role=facet.role, text=True, categories=categories)


def _cuts(facet: Facet, values: Floats, thresholds: Thresholds) -> Floats:
    if facet.role in STREAMS or len(values) < min(thresholds.floor_rows, thresholds.reference_rows):
        return np.empty(0)
    if facet.text:
        return np.arange(0.5, min(len(facet.categories), thresholds.bins) - 0.5)
    bins = thresholds.bins
    quantiles = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1], method="inverted_cdf")
    single, times = np.unique(values, return_counts=True)
    atoms = single[times * bins >= len(values)]
    # A value that is common by itself gets a bin of its own, so that a move to either side of it shows.
    return np.unique(np.concatenate([quantiles, atoms, np.nextafter(atoms, -np.inf)]))


def _ranges(facets: tuple[Facet, ...], matrix: Floats, reach: float) -> tuple[Floats, Floats]:
    low = np.full(len(facets), -np.inf)
    high = np.full(len(facets), np.inf)
    for i, facet in enumerate(facets):
        values = matrix[i][np.isfinite(matrix[i])]
        if facet.role in _BOUNDS and not facet.text:
            low[i], high[i] = _BOUNDS[facet.role]
        if facet.text or facet.role in STREAMS or not len(values):
            continue
        # Quantiles, halved against overflow: one 1e300 in the reference must not make everything be in range.
        least, most = (np.quantile(values, [0.005, 0.995], method="inverted_cdf") / 2).tolist()
        span = max(most - least, 0.05 * max(abs(most), abs(least)), 1e-9)
        low[i] = max(2 * (least - min(reach * span, 1e307)), -1.7e308)
        high[i] = min(2 * (most + min(reach * span, 1e307)), 1.7e308)
    return low, high


def flagged(flags: NDArray[np.uint8], kind: Flag) -> NDArray[np.bool_]:
    """Return which cells carry a flag."""
    return cast("NDArray[np.bool_]", flags == kind)
