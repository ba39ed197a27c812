"""Guarded rows of one batch, and the samples that they are cut into."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats, Rows
from agents.detection.detectors.half_space import Forest
from agents.detection.guard import Runs, count_bad, matrix
from agents.detection.profile import RANGE, STREAMS, Facet, Profile, outside
from agents.detection.sample import Sample, streams


@dataclass(frozen=True, slots=True)
class Known:
    """What rows are judged against: the profile, and the forest, which scores one row of `every`."""

    profile: Profile
    forest: Forest | None
    every: int


class Given:
    """One batch; what can be computed for all of it at once is, because a call costs more than a window's rows.

    Parameters
    ----------
    rows, at
        The decoded rows with all columns, and each row's time in ms.
    known
        What they are judged against.
    total
        Rows of the same scope before these: which rows the forest scores does not depend on how rows were batched.
    """

    def __init__(self, rows: Rows, at: NDArray[np.int64], known: Known, total: int) -> None:
        self._rows, self._at, self._known = rows, at, known
        self._values, self._why = matrix(rows, known.profile.facets)
        wild = outside(self._values, known.profile.low, known.profile.high)
        self._outside = wild if wild.any() else None
        self._apart = _apart(rows, known.profile)
        self._first = -total % known.every
        self._scores = None if known.forest is None else known.forest.score(self._values[:, self._first :: known.every])

    @property
    def apart(self) -> tuple[str, ...]:
        """The streams of which the reference knows nothing: what is usual of them is learnt from live rows."""
        return tuple(self._apart)

    def sample(self, first: int, end: int, runs: Runs) -> Sample:
        """Return the rows from one on to another as a sample; `runs` goes on from the rows before."""
        profile, part = self._known.profile, slice(first, end)
        values, times = self._values[:, part], self._at[part]
        steady = profile.season.adjust(values, times)
        bad = count_bad(None if self._why is None else self._why[:, part], len(profile.facets))
        if self._outside is not None:
            bad[:, RANGE] = np.count_nonzero(self._outside[:, part], axis=1)
        longest, _ = runs.longest(values)
        found = {f.role: values[i] for i, f in enumerate(profile.facets) if f.role in ("confidence", "latency")}
        found |= {role: values[part] for role, values in self._apart.items()}
        at = dict.fromkeys(found, times)
        picked = None
        if self._scores is not None:
            every = self._known.every
            past, until = (-(-max(row - self._first, 0) // every) for row in (first, end))
            picked = slice(self._first + past * every - first if past < until else len(times), None, every)
            found["vector"], at["vector"] = self._scores[past:until], times[picked]
        return Sample(
            rows=end - first,
            at_from=int(times.min()),
            at_to=int(times.max()),
            values=values,
            steady=steady,
            times=times,
            source=self._rows,
            first=first,
            counts=profile.histogram(steady),
            bad=bad,
            longest=longest,
            streams=streams(**found),
            stream_times=MappingProxyType(at),
            picked=picked,
        )


def _apart(rows: Rows, profile: Profile) -> dict[str, Floats]:
    """Return the streams that a reference, say the rows of a training, lacks: a model's latency is no part of those."""
    facets = []
    for role in STREAMS:
        cells = rows.with_role(role)
        if cells is not None and not cells.text and all(facet.role != role for facet in profile.facets):
            facets.append(Facet(name=cells.name, role=role, text=False))
    values = matrix(rows, tuple(facets))[0] if facets else ()
    return {facet.role: own for facet, own in zip(facets, values, strict=True)}
