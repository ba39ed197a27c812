"""How much likelier rows are with two columns in each other's place: a likelihood ratio whose law is known if they are.

Rows are taken as normal in their values, or in their values and squares, which no table is; but for any weighing g of
the one against the other, g of an exchanged row is minus g of the row. So the columns' own rows give the law without an
exchange and, mirrored at 0, the law with one (a permutation test whose group has two elements).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.compiled import compiled

GRAIN = 16
"""Parts of a deviation that are told apart: sums of whole numbers do not depend on how rows were batched."""

BLOCKS = 40
"""At least so many blocks of the reference: half of them teach, half say what the ratio is by itself."""

_BLOCK = 50  # rows, at most

REACH = 4
"""Deviations beyond which a value counts as this far."""


@dataclass(frozen=True, slots=True)
class Scales:
    """Middle and deviation of each column."""

    middle: Floats
    deviation: Floats

    @classmethod
    def of(cls, values: Floats) -> "Scales":
        """Return those of the middle 99 % of some columns' values; a deviation of 0 where a column tells nothing."""
        middle, deviation = np.zeros(len(values)), np.zeros(len(values))
        for i, row in enumerate(values):
            usable = row[np.isfinite(row)]
            if 2 * len(usable) < len(row) or len(np.unique(usable)) < 3:
                continue
            low, high = np.quantile(usable, [0.005, 0.995], method="inverted_cdf")
            kept = np.clip(np.clip(usable, low, high), -1e150, 1e150)
            middle[i], spread = float(kept.mean()), float(kept.std())
            if spread > 1e-9 * max(abs(middle[i]), 1e-150):
                deviation[i] = spread
        return cls(middle, deviation)

    def moments(self, values: Floats, *, squares: bool) -> Floats:
        """Return the sums of products of 1, the columns and their squares over rows, in whole grains."""
        with np.errstate(over="ignore", invalid="ignore"):
            grains = np.rint((values - self.middle[:, None]) * (GRAIN / self.deviation)[:, None])
        grains[np.isnan(grains)] = 0.0  # what is missing says nothing for or against
        np.clip(grains, -REACH * GRAIN, REACH * GRAIN, out=grains)
        parts = [np.ones((1, values.shape[1])), grains]
        stacked = np.concatenate([*parts, grains * grains] if squares else parts)
        found: Floats = stacked @ stacked.T
        return found

    def pairs(self, shift: float, factor: float) -> NDArray[np.int64]:
        """Return the pairs of columns (pairs × 2) whose exchange moves neither by such a shift or factor of deviations.

        What moves further shows column by column.
        """
        middle, deviation = self.middle, self.deviation
        found = [
            (i, j)
            for i in range(len(middle))
            for j in range(i + 1, len(middle))
            if abs(middle[i] - middle[j]) <= shift * min(deviation[i], deviation[j])
            and max(deviation[i], deviation[j]) <= factor * min(deviation[i], deviation[j])
        ]
        return np.array(found, dtype=np.int64).reshape(-1, 2)


def relations(moments: Floats, columns: int, by: Floats | None = None) -> Floats:
    """Return the mean products of 1, the columns and their squares, each column in its own deviations of these rows.

    What a column does by itself, to its mean or its scale, does not show in them. `by` are the sums of more rows
    whose deviations are taken where these are few.
    """
    mean = moments / max(moments[0, 0], 1.0)
    more = mean if by is None else by / max(by[0, 0], 1.0)
    middle = more[0, 1 : 1 + columns]
    spread = np.diag(more)[1 : 1 + columns] - middle * middle
    scale = 1 / np.sqrt(np.maximum(spread, 1.0))
    turn, own = np.zeros_like(mean), np.arange(1, 1 + columns)
    turn[0, 0] = 1.0
    turn[own, 0], turn[own, own] = -middle * scale, scale
    if len(mean) > 1 + columns:
        squares = own + columns
        turn[squares, 0], turn[squares, own] = (middle * scale) ** 2, -2 * middle * scale**2
        turn[squares, squares] = scale**2
    found: Floats = turn @ mean @ turn.T
    return found


def precision(mean: Floats, rows: int) -> Floats:
    """Return the precision of 1, columns and squares whose mean products these are, shrunk towards independence."""
    size = len(mean)
    middle = mean[1:, 0]
    spread = mean[1:, 1:] - np.outer(middle, middle)
    own, share = np.diag(np.diag(spread)), size / (rows + size)
    inverse = np.linalg.inv((1 - share) * spread + (share + 1e-3) * own + 1e-9 * np.eye(size - 1))
    found = np.empty((size, size))
    found[1:, 1:] = (inverse + inverse.T) / 2
    found[0, 1:] = found[1:, 0] = -found[1:, 1:] @ middle
    found[0, 0] = middle @ found[1:, 1:] @ middle
    return found


@compiled
def ratios(mean: Floats, inverse: Floats, pairs: NDArray[np.int64], columns: int) -> Floats:
    """Return for each pair the mean log-likelihood ratio of rows with it exchanged over the rows as they are, in nats.

    Parameters
    ----------
    mean, inverse
        Mean products of the rows, and the precision they are judged by: of 1 and the columns, or of squares as well.
    pairs
        Columns that may be exchanged.
    columns
        How many there are.
    """
    size = len(mean)
    found, other = np.empty(len(pairs)), np.arange(size)
    for p in range(len(pairs)):
        one, two = pairs[p]
        for first in range(1, size, columns):
            other[first + one], other[first + two] = first + two, first + one
        total = 0.0
        for a in range(size):
            if other[a] != a:
                for b in range(size):
                    # A product of two columns that are both moved is met twice.
                    weight = 1.0 if other[b] == b else 0.5
                    total += weight * inverse[a, b] * (mean[a, b] - mean[other[a], other[b]])
        found[p] = total
        for first in range(1, size, columns):
            other[first + one], other[first + two] = first + one, first + two
    return found


def learn(
    values: Floats, scales: Scales, pairs: NDArray[np.int64], *, squares: bool, rows: int
) -> tuple[Floats, Floats]:
    """Return the precision of all rows, and mean and variance of each pair's ratio and of how far rows are from them.

    The variances are those of a window in which so many rows are looked at.

    Every other block of rows teaches and the others are judged: rows that taught look too much like themselves.
    """
    columns, size = len(values), min(_BLOCK, values.shape[1] // BLOCKS)
    blocks = np.stack(
        [
            scales.moments(values[:, first : first + size], squares=squares)
            for first in range(0, values.shape[1] - size + 1, size)
        ]
    )
    half = relations(blocks[::2].sum(axis=0), columns)
    taught = precision(half, len(blocks[::2]) * size)
    given = (pairs, columns)
    judged = [relations(block, columns, blocks[1::2].sum(axis=0)) for block in blocks[1::2]]
    told = np.stack([ratios(mean, taught, *given) for mean in judged])
    far = np.repeat([[float((mean * taught).sum())] for mean in judged], len(pairs), axis=1)
    usual = np.stack([part for found in (told, far) for part in _spread_of(found, size / rows)])
    whole = relations(blocks.sum(axis=0), columns)
    return precision(whole, len(blocks) * size), usual


def _spread_of(told: Floats, share: float) -> tuple[Floats, Floats]:
    """Return the mean of what blocks of rows told, and its variance over 1 / share of them together."""
    wide = max(len(told) // 5, 1)
    variance = np.maximum(told.var(axis=0, ddof=1), 1e-12)
    # Rows that hang together make the mean of many of them wander more than that of few would say.
    longer = told[: len(told) // wide * wide].reshape(-1, wide, told.shape[1]).mean(axis=1).var(axis=0, ddof=1) * wide
    return told.mean(axis=0), np.maximum(variance, longer) * share
