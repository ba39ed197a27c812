"""What one guarded batch offers the detectors: mergeable counts, and the clean values of each stream."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats

BAD = ("null", "nan", "inf", "wrong_type", "unseen", "range")
"""Ways in which a cell cannot be used, in the order of a sample's `bad`; `range` is still counted in histograms."""

Counts = NDArray[np.int64]

_NONE: MappingProxyType[str, Floats] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One batch, or a part of it, judged against a profile.

    counts, bad, longest
        Per facet of the profile: histogram (facets × bins), unusable cells (facets × BAD), longest run of equal
        values; None where the sample holds only streams.
    streams
        Clean values by subject: confidence, latency, vector (forest scores), error, residual, score of a judge.
    """

    rows: int
    at_from: int
    at_to: int
    counts: Counts | None = None
    bad: Counts | None = None
    longest: Counts | None = None
    streams: MappingProxyType[str, Floats] = field(default_factory=lambda: _NONE)
    requests: int = 0
    failures: int = 0


def streams(**values: Any) -> MappingProxyType[str, Floats]:
    """Return streams by subject, as float64 arrays."""
    return MappingProxyType({name: np.asarray(column, dtype=np.float64) for name, column in values.items()})
