"""Durations as a distribution: means alone mislead where a few incidents last a thousand times longer than most.

Source: Davidovič, Incident Metrics in SRE (2021): the mean of times to mitigate is unfit for trend decisions.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

EDGES = (1, 10, 60, 300, 900, 3600, 14_400, 43_200, 86_400, 259_200, 604_800, 2_592_000)
"""Upper edges of the histogram's bins in seconds; a last bin takes what is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Durations in seconds; `histogram` counts those of each bin of EDGES, and the longer ones at its end."""

    count: int
    mean: float
    median: float
    p90: float
    minimum: float
    maximum: float
    histogram: tuple[int, ...]


def distribution(seconds: Sequence[float]) -> Distribution | None:
    """Return the distribution of durations, or None where there is none; p90 is the nearest rank."""
    if not seconds:
        return None
    ordered = sorted(seconds)
    bins = [0] * (len(EDGES) + 1)
    for value in ordered:
        bins[sum(value > edge for edge in EDGES)] += 1
    return Distribution(
        count=len(ordered),
        mean=fmean(ordered),
        median=median(ordered),
        p90=ordered[math.ceil(0.9 * len(ordered)) - 1],
        minimum=ordered[0],
        maximum=ordered[-1],
        histogram=tuple(bins),
    )
