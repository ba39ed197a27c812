"""What is known of a model's inputs from the rows that an incident kept: their shape before the fault, and during it.

Shapes are all that leaves the rows. A value that few rows share is never one: it could be somebody's.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

LEAST = 20
"""Rows below which a shape is not told."""
SHARED = 5
"""Rows that a text must stand in to be told."""
MAX_VALUES = 12
_OTHER = "other"
_LONGEST = 64
_SKEWED = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """How a number lies; `skewed` where most lie below the mean, and none below 0."""

    mean: float
    sd: float
    skewed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Which values a text has, by their shares, which sum to 1."""

    shares: Mapping[str, float]


Shape = Numbers | Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One input before the fault and during it; None where too few rows say so."""

    before: Shape | None = None
    during: Shape | None = None

    @property
    def usual(self) -> Shape | None:
        """How it is without the fault, as far as is known."""
        return self.before or self.during


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What the kept rows of one model say.

    features
        Its inputs, by their columns.
    groups
        Its group columns, by the shares of their values.
    outcomes
        What it said, the most frequent first.
    """

    features: Mapping[str, Seen] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    outcomes: tuple[str, ...] = ()


def numbers(values: NDArray[np.float64]) -> Numbers | None:
    """Return the shape of numbers, without the farthest hundredth on either side; None of too few."""
    known = values[np.isfinite(values)]
    if len(known) < LEAST:
        return None
    low, high = np.quantile(known, (0.01, 0.99))
    inner = known[(known >= low) & (known <= high)]
    mean, sd = float(np.mean(inner)), float(np.std(inner))
    skew = (mean - float(np.median(inner))) / sd if sd > 0 else 0.0
    return Numbers(mean=rounded(mean), sd=rounded(sd), skewed=bool(mean > 0 and low >= 0 and skew > _SKEWED))


def texts(values: Sequence[str | None]) -> Texts | None:
    """Return the shares of texts that several rows have, the rest as one; None of too few, or where most are unique."""
    known = [value for value in values if value]
    if len(known) < LEAST:
        return None
    counted = Counter(value[:_LONGEST] for value in known)
    often = [(value, count) for value, count in counted.most_common(MAX_VALUES) if count >= SHARED]
    rest = len(known) - sum(count for _, count in often)
    if not often or rest > len(known) / 2:
        return None
    counts = dict(often)
    if rest:
        counts[_OTHER] = counts.get(_OTHER, 0) + rest
    return Texts(shares=whole({value: count / len(known) for value, count in counts.items()}))


def whole(shares: Mapping[str, float]) -> dict[str, float]:
    """Return shares of four digits that sum to 1; what is rounded off belongs to the largest."""
    made = {value: max(round(share, 4), 0.0001) for value, share in shares.items()}
    largest = max(made, key=lambda value: (made[value], value))
    made[largest] = round(made[largest] + 1.0 - sum(made.values()), 6)
    return made


def rounded(number: float) -> float:
    """Return a number to four digits, so that it is nobody's own."""
    return float(f"{number:.4g}")
