"""Poisoned feedback of models that learn online: contradicting copies, one row over and over, labels turned in a place.

It watches rows that carry their own label (role ``label``): what such a model is taught. Label flipping and copies
are the plain forms of poisoning (Biggio et al., 2012; Paudice et al., 2018, find flips by their neighbours). Where the
rows name a source (role ``caller``), labels are also judged source by source.
"""

from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Cells, Floats
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Callers, Lattice, Span, Usual, UsualState
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.atlas import ERODE_DATASET, POISON
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

CONTRADICTIONS, REPEATS, FLIPS, SOURCE = range(4)
REGIONS = 8
"""Parts into which each feature is cut, by the reference's quantiles."""
_FEWEST = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackState:
    """What feedback is judged against; version 1. `rows` holds cell, label, turned, source; `regions` of each."""

    usual: UsualState
    turned: UsualState
    at_from: int
    at_to: int
    names: tuple[str, ...]
    rows: bytes
    regions: bytes
    held: tuple[Held, ...]


class Feedback:
    """Windows of rows that carry a label.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "feedback"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.attacks
        self._profile = profile
        self._window = thresholds.window_rows
        self._reach = thresholds.quality.reach
        self._lattice: Lattice | None = None
        self._features = attack.features_of(profile)
        self._places = max(len(self._features) * REGIONS, 1)
        self._score = score + float(np.log10(self._places))
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._usual = Usual(4, self._policy.learn_windows)
        self._turned = Usual(self._places, self._policy.learn_windows)
        self._from = self._to = 0
        self._callers = Callers()
        self._rows: attack.Integers = attack.no_rows(4)
        self._regions: NDArray[Any] = attack.no_rows(len(self._features))

    def update(self, sample: Sample) -> None:
        """Take in the rows that carry a label; a full window is judged."""
        labels = attack.cells_of(sample, "label")
        if labels is None or sample.values is None or not sample.rows or not len(self._features):
            return
        if self._lattice is None:  # made when a label comes: few models are taught while they serve
            self._lattice = Lattice(self._profile, self._reach)
        cells, usable = self._lattice.cells(sample.values)
        if labels.flags is not None:
            usable &= labels.flags[attack.part_of(sample)] == 0
        rows = np.flatnonzero(usable)
        while len(rows):
            # Windows end at an exact row, so that nothing depends on how rows were batched.
            left = self._window - self._rows.shape[1]
            self._take(sample, labels, cells, rows[:left])
            rows = rows[left:]

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            FeedbackState(
                usual=self._usual.state(),
                turned=self._turned.state(),
                at_from=self._from,
                at_to=self._to,
                names=self._callers.names,
                rows=pack(self._rows, "<i8"),
                regions=pack(self._regions, "<i8"),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(FeedbackState, state)
        self._usual.restore(saved.usual)
        self._turned.restore(saved.turned)
        self._from, self._to = saved.at_from, saved.at_to
        self._callers.restore(saved.names)
        rows = len(saved.rows) // 32
        self._rows = unpack(saved.rows, (4, rows), "<i8")
        self._regions = unpack(saved.regions, (len(self._features), rows), "<i8").astype(np.uint8)
        if rows and int(self._rows[3].max()) >= len(saved.names):
            raise SchemaError("a saved window has a source that it does not name")
        self._levels.restore(saved.held)

    def _take(self, sample: Sample, labels: Cells, cells: attack.Integers, chosen: attack.Integers) -> None:
        """Take in the rows of a sample that are chosen; they end no later than the window."""
        assert sample.values is not None
        at = np.full(sample.rows, sample.at_from) if sample.times is None else sample.times
        first, last = int(at[chosen].min()), int(at[chosen].max())
        self._from = first if not self._rows.shape[1] else min(self._from, first)
        self._to = last if not self._rows.shape[1] else max(self._to, last)
        part = sample.first + chosen
        codes = _codes(labels, part)
        callers = self._callers.numbers(attack.cells_of(sample, "caller"), part)
        rows = np.stack([cells[chosen], codes, _turned(attack.cells_of(sample, "prediction"), part, codes), callers])
        self._rows = np.concatenate([self._rows, rows], axis=1)
        regions = self._places_of(sample.values[:, chosen])
        self._regions = np.concatenate([self._regions.astype(np.uint8), regions], axis=1)
        if self._rows.shape[1] >= self._window:
            self._close()
            self._rows, self._regions = attack.no_rows(4), attack.no_rows(len(self._features))
            self._callers = Callers()

    def _places_of(self, values: Floats) -> NDArray[np.uint8]:
        """Return each row's region in each feature."""
        found = np.empty((len(self._features), values.shape[1]), dtype=np.uint8)
        for place, i in enumerate(self._features.tolist()):
            edges = self._profile.edges[i][np.isfinite(self._profile.edges[i])]
            found[place] = np.searchsorted(edges, values[i]) * REGIONS // (len(edges) + 1)
        return found

    def _close(self) -> None:
        (cells, labels, turned, callers), regions = self._rows, self._regions
        count = len(cells)
        _, against = attack.shared(cells, labels)
        repeats = int(np.unique(cells, return_counts=True)[1].max())
        offsets = regions + np.arange(len(regions))[:, None] * REGIONS
        within = np.bincount(offsets.ravel(), minlength=self._places)
        wrong = np.bincount(offsets[:, turned == 1].ravel(), minlength=self._places)
        counts = [int(np.count_nonzero(against)), repeats, int(turned.sum()), 0]
        span = Span(rows=count, at_from=self._from, at_to=self._to)
        findings: list[Level] = []
        if self._usual.learnt:
            findings = self._copies(counts, span)
            findings += self._in_region(wrong, within, counts[FLIPS], span)
            findings += self._of_source(turned, callers, span)
        self._levels.judge(findings)
        if not findings:
            self._usual.take(counts, [count] * 4)
            self._turned.take(wrong.tolist(), within.tolist())

    def _copies(self, counts: list[int], span: Span) -> list[Level]:
        policy, found = self._policy, []
        for statistic, name, technique, rise in (
            (CONTRADICTIONS, "contradictions", POISON, policy.contradiction_share),
            (REPEATS, "repeats", ERODE_DATASET, policy.repeat_share),
        ):
            base, share = self._usual.base(statistic), counts[statistic] / span.rows
            score = attack.binomial(counts[statistic], span.rows, base)
            if share >= base + rise and score > self._score:
                measured = (share, base + rise, score)
                found.append(attack.level(self.name, ("feedback", name), measured, span, technique, 0.6))
        return found

    def _in_region(self, wrong: attack.Integers, within: attack.Integers, all_wrong: int, span: Span) -> list[Level]:
        """Find the region where most labels were turned while those outside stayed as they were."""
        best: Level | None = None
        for place in np.flatnonzero(within >= _FEWEST).tolist():
            base, rows, count = self._turned.base(place), int(within[place]), int(wrong[place])
            outside = (all_wrong - count) / max(span.rows - rows, 1)
            score = attack.binomial(count, rows, base)
            limit = base + self._policy.flip_share
            quiet = outside < self._usual.base(FLIPS) + self._policy.flip_share / 2
            if count / rows >= limit and quiet and score > max(self._score, best.score if best else 0.0):
                facet = self._profile.facets[int(self._features[place // REGIONS])].name
                more = f"part {place % REGIONS + 1} of {REGIONS} of {facet[:64]}"
                found, measured = ("feedback", "label_flips"), (count / rows, limit, score)
                best = attack.level(self.name, found, measured, span, POISON, 0.7, more=more)
        return [best] if best else []

    def _of_source(self, turned: attack.Integers, callers: attack.Integers, span: Span) -> list[Level]:
        known = callers >= 0
        if not known.any():
            return []
        rows = np.bincount(callers[known])
        wrong = np.bincount(callers[known], weights=turned[known]).astype(np.int64)
        base = self._usual.base(FLIPS)
        limit = base + self._policy.flip_share
        worst: Level | None = None
        for number in np.flatnonzero(rows >= _FEWEST).tolist():
            share, score = (
                int(wrong[number]) / int(rows[number]),
                attack.binomial(int(wrong[number]), int(rows[number]), base),
            )
            others = (int(wrong.sum()) - int(wrong[number])) / max(int(rows.sum()) - int(rows[number]), 1)
            if share >= limit and others < limit and score > max(self._score, worst.score if worst else 0.0):
                found = (f"source {self._callers.names[number]}", "label_flips")
                worst = attack.level(self.name, found, (share, limit, score), span, POISON, 0.8)
        return [worst] if worst else []


def _turned(made: Cells | None, part: attack.Integers, codes: attack.Integers) -> attack.Integers:
    """Return 1 where a label is another than the prediction of its row."""
    if made is None:
        return np.zeros(len(codes), dtype=np.int64)
    turned: attack.Integers = (_codes(made, part) != codes).astype(np.int64)
    if made.flags is not None:
        turned[made.flags[part] != 0] = 0
    return turned


def _codes(cells: Cells, part: attack.Integers) -> attack.Integers:
    """Return a column's cells as whole numbers that are equal where the cells are; texts and numbers do not meet."""
    values = cells.values[part]
    if cells.text:
        table = np.array([crc32(text.encode("utf-8", "surrogatepass")) for text in cells.dictionary] or [0], np.int64)
        codes: attack.Integers = table[values]
        return codes
    doubles: Floats = values.astype(np.float64) + 0.0
    bits: attack.Integers = doubles.view(np.int64)
    return bits
