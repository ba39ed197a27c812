"""A monitor's first rows, held until there are enough of them to learn a profile and a forest from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats, Rows
from agents.detection.detectors.half_space import Forest
from agents.detection.guard import Runs, count_bad, matrix
from agents.detection.halves import compare
from agents.detection.profile import NULL, Facet, Profile, facets_of, learn, with_categories
from agents.detection.sample import BAD, Sample, streams
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

MAX_FINDINGS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningState:
    """The rows held so far; version 1."""

    facets: tuple[Facet, ...]
    rows: int
    cells: bytes
    times: bytes
    bad: bytes
    dropped: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Learnt:
    """What the rows taught: the profile, the forest, and the reference's own streams to begin with."""

    profile: Profile
    forest: Forest | None
    sample: Sample


class Learning:
    """Holds rows until the reference is full.

    Parameters
    ----------
    thresholds
        How many rows, and how many cells at most.
    """

    def __init__(self, thresholds: Thresholds) -> None:
        self._policy = thresholds
        self._facets: tuple[Facet, ...] = ()
        self._cells: Floats = np.empty((0, 0))
        self._times = np.empty(0, dtype=np.int64)
        self._bad = np.zeros((0, len(BAD)), dtype=np.int64)
        self._dropped = 0
        self.findings: tuple[str, ...] = ()

    def take(self, rows: Rows, at: NDArray[np.int64]) -> int:
        """Take in as many leading rows (and their times in ms) as are still needed, and return how many."""
        self._grow(rows)
        if not self._facets:
            return rows.rows
        part = rows.between(0, self._left(at))
        self._facets = with_categories(self._facets, part)
        values, why = matrix(part, self._facets)
        self._bad += count_bad(why, len(self._facets))
        self._cells = np.concatenate([self._cells, values], axis=1)
        self._times = np.concatenate([self._times, at[: part.rows]])
        return part.rows

    def learn(self, at: int) -> Learnt | None:
        """Return what the rows taught once there are enough, and they are like one another."""
        if not self._facets or self._left(self._times[:0]) > 0:
            return None
        _, repeats = Runs(len(self._facets)).longest(self._cells)
        profile, cells = learn(self._facets, self._cells, self._bad, repeats, self._policy, self._times)
        numbers = [i for i, f in enumerate(profile.facets) if f.role == "feature" and profile.used[i].sum() > 1]
        columns = np.array(numbers[: self._policy.forest.features], dtype=np.int64)
        # The trees learn from every other row and their scores from the rest: a row that was learnt scores too well.
        forest = Forest.learn(columns, cells[:, ::2], self._policy.forest)
        found = {f.role: cells[i] for i, f in enumerate(profile.facets) if f.role in ("confidence", "latency")}
        if forest is not None:
            found["vector"] = forest.score(cells[:, 1::2])
        usable = {name: values[np.isfinite(values)] for name, values in found.items()}
        steady = profile.season.adjust(cells, self._times)
        halves = compare(profile.facets, steady, self._policy.reference_shift)
        if halves.bad_start and self._dropped < self._policy.reference_tries:
            self._drop_older_half(halves.told)
            return None
        self.findings = (*self.findings, *halves.told)[:MAX_FINDINGS]
        sample = Sample(
            rows=0, at_from=at, at_to=at, values=cells, steady=steady, times=self._times, streams=streams(**usable)
        )
        return Learnt(profile, forest, sample)

    def state(self) -> LearningState:
        """Return all that is held, exactly."""
        return LearningState(
            facets=self._facets,
            rows=self._cells.shape[1],
            cells=pack(self._cells),
            times=pack(self._times, "<i8"),
            bad=pack(self._bad, "<i8"),
            dropped=self._dropped,
            findings=self.findings,
        )

    def restore(self, state: LearningState) -> None:
        """Hold exactly that."""
        facets = len(state.facets)
        if state.rows < 0:
            raise SchemaError("a saved reference has fewer than no rows")
        self._facets = state.facets
        self._cells = unpack(state.cells, (facets, state.rows))
        self._times = unpack(state.times, (state.rows,), "<i8")
        self._bad = unpack(state.bad, (facets, len(BAD)), "<i8")
        self._dropped, self.findings = state.dropped, state.findings

    def _drop_older_half(self, told: tuple[str, ...]) -> None:
        half = self._cells.shape[1] // 2
        before = np.isnan(self._cells).sum(axis=1)
        self._cells, self._times = self._cells[:, half:].copy(), self._times[half:].copy()
        # Kinds of bad cells are counted and not kept cell by cell: each keeps its part of those that are left.
        left = np.isnan(self._cells).sum(axis=1) / np.maximum(before, 1)
        self._bad = np.rint(self._bad * left[:, None]).astype(np.int64)
        self._dropped += 1
        self.findings = (*self.findings, *(f"{text}; the older half is dropped" for text in told))[:MAX_FINDINGS]

    def _grow(self, rows: Rows) -> None:
        # A column may be absent, or all null and so of no known kind, in the first batches.
        given = {facet.name: facet for facet in facets_of(rows, self._policy.max_features)}
        empty = [not np.isfinite(row).any() for row in self._cells]
        known = zip(self._facets, empty, strict=True)
        self._facets = tuple(given.get(f.name, f) if blank and not f.categories else f for f, blank in known)
        names = {facet.name for facet in self._facets}
        new = [facet for facet in given.values() if facet.name not in names and self._fits(facet)]
        if not new:
            return
        self._facets = (*self._facets, *new)
        blank = np.full((len(new), self._cells.shape[1]), np.nan)
        bad = np.zeros((len(new), len(BAD)), dtype=np.int64)
        bad[:, NULL] = self._cells.shape[1]
        self._cells = np.concatenate([self._cells, blank])
        self._bad = np.concatenate([self._bad, bad])

    def _fits(self, facet: Facet) -> bool:
        if facet.role == "feature":
            return sum(known.role == "feature" for known in self._facets) < self._policy.max_features
        return all(known.role != facet.role for known in self._facets)

    def _left(self, at: NDArray[np.int64]) -> int:
        """Return how many rows are still needed, of those that came at these times at most."""
        policy, held = self._policy, int(self._cells.shape[1])
        most = max(200, policy.reference_cells // len(self._facets))
        enough = min(policy.reference_rows, most)
        wanted = max(enough - held, 0)
        if not policy.reference_seconds or (not held and not len(at)):
            return wanted
        times = np.concatenate([self._times, at])
        reached = np.flatnonzero(times - times[0] >= policy.reference_seconds * 1000)
        long_enough = int(reached[0]) + 1 if len(reached) else len(times) + 1
        return max(min(max(enough, long_enough), most) - held, 0)
