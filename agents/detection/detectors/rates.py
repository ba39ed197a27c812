"""Rates that are compared between groups, and what is said of two of them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.detectors.intervals import newcombe, stated
from agents.detection.joined import Codes
from schemas.label_thresholds import Fairness

SELECTION, ERROR, OPPORTUNITY = "selection_rate", "error_rate", "true_positive_rate"

DIRECTION = {SELECTION: -1, ERROR: 1, OPPORTUNITY: -1}
"""Whether a lower (−1) or a higher rate of a group is to its disadvantage."""

Bits = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to divide rows into groups: each row's code into `names`, −1 where it is in none."""

    name: str
    codes: Codes
    names: tuple[str, ...]


def difference(statistic: str) -> str:
    """Return what the difference of a rate between a group and all others is called."""
    return f"{statistic}_difference"


def pairs(counts: Floats | NDArray[np.int64]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return hits and rows of a group, and of all others."""
    rows, hits, others, other_hits = counts.tolist()
    return (hits, rows), (other_hits, others)


def variance(hits: int, rows: int) -> float:
    """Return the variance of a share of so many rows."""
    # Laplace's rule: a share of 0 among so few is not a share of 0.
    share = (hits + 1) / (rows + 2)
    return share * (1 - share) / rows


def told(own: tuple[int, int], rest: tuple[int, int]) -> str:
    """Return both rates, their ratio and their difference with its interval, in words."""
    p, q = own[0] / own[1], rest[0] / rest[1]
    ratio = min(p, q) / max(p, q) if max(p, q) > 0 else 1.0
    return (
        f"is {p:.3g} of {own[1]} rows against {q:.3g} of {rest[1]} others, ratio {ratio:.2g}, "
        f"difference {p - q:.3g} with a {stated(newcombe(own, rest))}"
    )


def standing(what: str, counts: NDArray[np.int64], direction: int, policy: Fairness) -> tuple[float, str] | None:
    """Return a gap of a reference and the sentence that says it; None where it is none, or may be chance."""
    own, rest = pairs(counts)
    if min(own[1], rest[1]) < policy.least:
        return None
    low, _ = newcombe(own, rest) if direction > 0 else newcombe(rest, own)
    gap = (own[0] / own[1] - rest[0] / rest[1]) * direction
    return (gap, f"{what} {told(own, rest)}") if gap >= policy.gap and low > 0 else None
