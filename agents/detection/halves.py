"""Whether the older half of a reference differs from the newer one: then it is no picture of what is normal."""

from dataclasses import dataclass

import numpy as np

from agents.detection.columns import Floats
from agents.detection.profile import Facet, histogram

_CUTS = np.linspace(0, 1, 11)[1:-1]
_LEAST = 100


@dataclass(frozen=True, slots=True)
class Halves:
    """What was found.

    told
        A sentence for each feature whose halves differ.
    bad_start
        Whether one of them is steady in its newer half: what came first was not normal, and later rows are.
    """

    told: tuple[str, ...] = ()
    bad_start: bool = False


def compare(facets: tuple[Facet, ...], cells: Floats, limit: float) -> Halves:
    """Compare the halves of each feature by their population stability index.

    Parameters
    ----------
    cells
        Facets × rows in their order, seasons taken out, NaN where a cell could not be used.
    limit
        Index above which two halves differ.
    """
    half = cells.shape[1] // 2
    told, bad_start = [], False
    for facet, row in zip(facets, cells, strict=True):
        if facet.role != "feature":
            continue
        index = stability(row[:half], row[half:])
        if index > limit:
            told.append(f"{facet.name[:80]}: the two halves of the reference differ (stability index {index:.2f})")
            # Of a trend, and of what wanders, later rows are no better.
            bad_start |= stability(row[half : half + half // 2], row[half + half // 2 :]) < limit / 4
    return Halves(tuple(told), bad_start)


def stability(before: Floats, after: Floats) -> float:
    """Return the population stability index over the deciles of `before`; 0 where either has few values."""
    usable, others = before[np.isfinite(before)], after[np.isfinite(after)]
    if min(len(usable), len(others)) < min(_LEAST, len(before)):
        return 0.0
    cuts = np.unique(np.quantile(usable, _CUTS, method="inverted_cdf"))[None, :]
    counts = [histogram(part[None, :], cuts)[0] for part in (usable, others)]
    shares = [(count + 0.5) / (count.sum() + 0.5 * len(count)) for count in counts]
    return float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
