"""What some guarded rows offer the detectors: mergeable counts, clean values, and the streams among them."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats, Rows
from agents.detection.joined import Joined
from schemas.telemetry import ProbeResult

BAD = ("null", "nan", "inf", "wrong_type", "unseen", "range")
"""Ways in which a cell cannot be used, in the order of a sample's `bad`; `range` is still counted in histograms."""

Counts = NDArray[np.int64]

_NONE: MappingProxyType[str, Floats] = MappingProxyType({})
_NO_TIMES: MappingProxyType[str, NDArray[np.int64]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of one batch, judged against a profile; never across the end of a window.

    values, times
        The facets' clean values (facets × rows, NaN where a cell cannot be used) and each row's time in ms.
    steady
        The values less their season, where any facet has one; else the same as `values`.
    source, first
        The decoded rows that these are a part of, all columns included, and where they begin among them.
    counts, bad, longest
        Per facet of the profile: histogram (facets × bins), unusable cells (facets × BAD), longest run of equal
        values; None where the sample holds only streams.
    streams
        Values by subject: confidence, latency, vector (forest scores), score of a judge.
    stream_times
        Each stream value's time, where they are not all `at_from`.
    joined
        Predictions with the labels that came for them.
    picked
        Which rows the forest scored, in the order of the stream ``vector``.
    ids
        The predictions that the values of a stream which comes apart from the rows are about, where they are named.
    probed
        How the model answered canary probes, where the sample is of that.
    saturation
        What an instance said of itself, where it did.
    """

    rows: int
    at_from: int
    at_to: int
    counts: Counts | None = None
    bad: Counts | None = None
    longest: Counts | None = None
    values: Floats | None = None
    steady: Floats | None = None
    times: NDArray[np.int64] | None = None
    source: Rows | None = None
    first: int = 0
    streams: MappingProxyType[str, Floats] = field(default_factory=lambda: _NONE)
    stream_times: MappingProxyType[str, NDArray[np.int64]] = field(default_factory=lambda: _NO_TIMES)
    joined: Joined | None = None
    requests: int = 0
    failures: int = 0
    picked: slice | None = None
    ids: tuple[str, ...] = ()
    saturation: float | None = None
    probed: ProbeResult | None = None

    @property
    def batch(self) -> Rows | None:
        """The decoded rows with all their columns, or None where the sample is not of rows."""
        return None if self.source is None else self.source.between(self.first, self.first + self.rows)


def streams(**values: Any) -> MappingProxyType[str, Floats]:
    """Return streams by subject, as float64 arrays."""
    return MappingProxyType({name: np.asarray(column, dtype=np.float64) for name, column in values.items()})
