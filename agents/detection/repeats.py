"""How often a column repeats itself, says something new or says nothing, learnt from its reference."""

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.sample import Counts

CODES = 10
"""A column of so few different values holds codes, not readings."""

CERTAIN = 0.9999
"""The probability of a repeat in a column that may stand still for any time."""

_BLOCKS = 10
_BY_CHANCE = 2.4
"""Of the variance of so many shares over what is expected: chi-square over its degrees of freedom, one in a hundred."""


def unseen(codes: Floats) -> int:
    """Return how many of as many further texts will be new: those seen once (Turing's estimate; Good, 1953)."""
    return int(np.count_nonzero(np.bincount(codes[np.isfinite(codes)].astype(np.int64)) == 1))


def repeat_bound(repeats: Counts, matrix: Floats) -> Floats:
    """Return the probability that a cell repeats the one before; where runs are longer than that explains, by them.

    Of n rows the longest run has the length L where n·pᴸ is about 1. A column of a few codes may stand still for any
    time without being stuck: its distribution tells.

    Parameters
    ----------
    repeats
        Cells equal to the one before, and cells that had one: facets × 2.
    matrix
        The reference's cells, facets × rows.
    """
    pairs = np.maximum(repeats[:, 1], 1)
    share = repeats[:, 0] / pairs
    bound = share + 3 * np.sqrt(share * (1 - share) / pairs) + 3 / pairs
    for i, row in enumerate(matrix):
        usable = row[np.isfinite(row)]
        if not len(usable):
            continue
        breaks = np.flatnonzero(np.diff(usable))
        longest = int(np.diff(breaks, prepend=-1, append=len(usable) - 1).max())
        if longest > 2:
            bound[i] = max(bound[i], float(len(usable)) ** (-1 / longest))
        if len(np.unique(usable)) <= CODES:
            bound[i] = 1.0
    usual: Floats = np.minimum(bound, CERTAIN)
    return usual


def bunched(unusable: NDArray[np.bool_]) -> float:
    """Return the share of unusable cells that a bunch of gaps reaches: of the worst block of rows.

    0 where the shares of blocks vary by no more than chance: then their mean says all.
    """
    block = len(unusable) // _BLOCKS
    share = float(unusable.mean()) if block else 0.0
    if not 0 < share < 1:
        return 0.0
    shares = unusable[: block * _BLOCKS].reshape(_BLOCKS, block).mean(axis=1)
    varies = float(shares.var(ddof=1)) * block > _BY_CHANCE * share * (1 - share)
    return float(shares.max()) if varies else 0.0
