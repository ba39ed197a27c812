"""Inputs that probe a model: near-equal rows whose predictions flip, systematic steps, one caller near the boundary.

Evasion by queries (Chen et al., HopSkipJump, 2020) and extraction (Tramèr et al., 2016; Juuti et al., PRADA, 2019)
both show as sequences of inputs that nobody sends by chance. Where rows name their caller (role ``caller``, such as a
principal's hash), one caller's share and behaviour are judged as well.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Callers, Lattice, Span, Usual, UsualState
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.atlas import EVADE, EXTRACT
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

FLIPS, STEPS, MARGIN, TOP, ALIKE = range(5)
_FEWEST = 3  # features: with fewer, rows are near each other by chance, and a step in one is no news
_ENOUGH = 50
_NO_FLAGS = np.zeros((3, 0), dtype=np.bool_)
_NO_CONFIDENCES = np.zeros(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbingState:
    """What probing remembers; version 1. `rows` holds cell, class and caller, `flags` step and low confidence."""

    usual: UsualState
    windows: int
    passed: int
    doubt: float
    at_from: int
    at_to: int
    last: bytes
    last_caller: str
    names: tuple[str, ...]
    rows: bytes
    flags: bytes
    confidences: bytes
    held: tuple[Held, ...]


class Probing:
    """Windows of rows, judged against what callers usually send.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "probing"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.attacks
        self._score = score
        self._window = thresholds.window_rows
        self._lattice = Lattice(profile, thresholds.quality.reach)
        roles = {facet.role: i for i, facet in enumerate(profile.facets) if facet.role != "feature"}
        self._confidence, self._prediction = roles.get("confidence"), roles.get("prediction")
        if self._prediction is not None:
            i = self._prediction
            self._bounds = (float(profile.low[i]), float(profile.high[i]), thresholds.quality.reach)
        numbers = [not profile.facets[i].text for i in self._lattice.columns.tolist()]
        self._numbers = common(self._lattice.columns[numbers])
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._usual = Usual(5, self._policy.learn_windows)
        self._doubt = -np.inf
        self._windows = self._passed = 0
        self._from = self._to = 0
        self._last = np.full(len(self._numbers), np.nan)
        self._last_caller = ""
        self._rows: attack.Integers = attack.no_rows(3)
        self._flags: attack.Mask = _NO_FLAGS
        self._confidences: Floats = _NO_CONFIDENCES
        self._callers = Callers()

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows; a full window is judged."""
        if sample.values is None or not sample.rows or len(self._lattice.columns) < _FEWEST:
            return
        if self._passes(sample):
            return
        values = sample.values
        callers = self._callers.numbers(attack.cells_of(sample, "caller"), attack.part_of(sample))
        cells, usable = self._lattice.cells(values)
        classes = np.zeros(sample.rows, dtype=np.int64)
        if self._prediction is not None:
            classes = attack.outcomes(values[self._prediction], *self._bounds)
            usable &= np.isfinite(values[self._prediction])
        doubts = np.full(sample.rows, np.inf) if self._confidence is None else values[self._confidence]
        flags = np.stack([usable, self._steps(values, callers), doubts < self._doubt])
        self._from = sample.at_from if not self._seen else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._seen else max(self._to, sample.at_to)
        self._rows = np.concatenate([self._rows, np.stack([cells, classes, callers])], axis=1)
        self._flags = np.concatenate([self._flags, flags], axis=1)
        if not np.isfinite(self._doubt):
            self._confidences = np.concatenate([self._confidences, doubts])
        if self._seen >= self._window:
            self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it: an attack is one caller's, not one instance's."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            ProbingState(
                usual=self._usual.state(),
                windows=self._windows,
                passed=self._passed,
                doubt=float(self._doubt),
                at_from=self._from,
                at_to=self._to,
                last=pack(self._last),
                last_caller=self._last_caller,
                names=self._callers.names,
                rows=pack(self._rows, "<i8"),
                flags=pack(self._flags, "|b1"),
                confidences=pack(self._confidences),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(ProbingState, state)
        rows = len(saved.flags) // 3
        self._usual.restore(saved.usual)
        self._windows, self._passed = saved.windows, saved.passed
        self._doubt, self._from, self._to = saved.doubt, saved.at_from, saved.at_to
        self._last, self._last_caller = unpack(saved.last, self._last.shape), saved.last_caller
        self._callers.restore(saved.names)
        self._rows = unpack(saved.rows, (3, rows), "<i8")
        self._flags = unpack(saved.flags, (3, rows), "|b1")
        if rows and int(self._rows[2].max()) >= len(saved.names):
            raise SchemaError("a saved window has a caller that it does not name")
        self._confidences = unpack(saved.confidences, (len(saved.confidences) // 8,))
        self._levels.restore(saved.held)

    @property
    def _seen(self) -> int:
        return int(self._flags.shape[1])

    def _passes(self, sample: Sample) -> bool:
        """Whether the sample's window is passed over: without callers, a part of the windows tells as much."""
        if self._seen or (not self._passed and not self._may_pass(sample)):
            return False
        self._passed += sample.rows
        if self._passed >= self._window:
            self._windows, self._passed = self._windows + 1, 0
        return True

    def _may_pass(self, sample: Sample) -> bool:
        due = self._windows % self._policy.every == 0
        return not due and self._usual.learnt and not self._levels.state() and attack.cells_of(sample, "caller") is None

    def _clear(self) -> None:
        self._windows += 1
        self._callers = Callers()
        self._rows = attack.no_rows(3)
        self._flags = _NO_FLAGS
        self._confidences = _NO_CONFIDENCES

    def _steps(self, values: Floats, callers: attack.Integers) -> attack.Mask:
        """Return which rows differ from the one before, of the same caller, in one numeric feature alone."""
        numbers = values[self._numbers]
        name = self._callers.names[callers[0]] if callers[0] >= 0 else ""
        before = np.concatenate([self._last[:, None], numbers[:, :-1]], axis=1)
        changed = np.count_nonzero(numbers != before, axis=0)  # NaN differs from everything, itself included
        same = np.concatenate([[name == self._last_caller], callers[1:] == callers[:-1]])
        self._last = numbers[:, -1].copy()
        self._last_caller = self._callers.names[callers[-1]] if callers[-1] >= 0 else ""
        enough = len(self._numbers) >= _FEWEST
        steps: attack.Mask = (changed == 1) & same & enough
        return steps

    def _close(self) -> None:
        if not np.isfinite(self._doubt):
            self._learn_doubt()
        usable, steps, unsure = self._flags
        alike, flipped = attack.shared(self._rows[0], self._rows[1])
        flips = flipped & usable
        top, most = self._busiest()
        counts = [int(np.count_nonzero(mask)) for mask in (flips, steps, unsure, most, alike & usable)]
        findings: list[Level] = []
        span = Span(rows=self._seen, at_from=self._from, at_to=self._to)
        if self._usual.learnt:
            marks = np.stack([flips, steps, unsure])[:, most]
            named = self._of_caller(top, marks, counts[TOP], span) if top else []
            findings = [*self._overall(counts, span, named=bool(named)), *named]
        self._levels.judge(findings)
        if not findings:
            self._usual.take(counts, [span.rows] * 5)
        self._clear()

    def _learn_doubt(self) -> None:
        known = self._confidences[np.isfinite(self._confidences)]
        if len(known) < _ENOUGH:
            return
        self._doubt = float(np.quantile(known, 0.1, method="inverted_cdf"))
        with np.errstate(invalid="ignore"):
            self._flags[2] = self._confidences < self._doubt

    def _busiest(self) -> tuple[str, attack.Mask]:
        """Return the caller with the most rows, the first of equals, and which rows are its; empty without callers."""
        callers = self._rows[2]
        known = callers[callers >= 0]
        if not len(known):
            return "", np.zeros(len(callers), dtype=np.bool_)
        top = int(np.argmax(np.bincount(known)))
        return self._callers.names[top], callers == top

    def _overall(self, counts: list[int], span: Span, *, named: bool) -> list[Level]:
        """Judge all rows; `named` says that one caller stands out among them.

        Where no more rows than usual are near another, it is the model that answers otherwise, not what it is asked.
        """
        policy, found = self._policy, []
        asked = named or counts[ALIKE] / span.rows >= self._usual.base(ALIKE) + policy.duplicate_share
        for statistic, name, technique, confidence, rise in (
            (FLIPS, "flips", EVADE, 0.6, policy.duplicate_share),
            (STEPS, "steps", EXTRACT, 0.5, policy.step_share),
        ):
            share, limit = counts[statistic] / span.rows, self._usual.base(statistic) + rise
            score = attack.binomial(counts[statistic], span.rows, self._usual.base(statistic))
            if share >= limit and score > self._score:
                measured = (share, limit, score)
                own = ("queries", name)
                material = asked or statistic != FLIPS
                found.append(attack.level(self.name, own, measured, span, technique, confidence, material=material))
        return found

    def _of_caller(self, caller: str, marks: attack.Mask, rows: int, span: Span) -> list[Level]:
        """Judge the volume of one caller, and whether its rows probe: then volume is no coincidence."""
        policy, usual = self._policy, self._usual
        share, base = rows / span.rows, usual.base(TOP)
        limit = max(policy.caller_share, 2 * base)
        score = attack.binomial(rows, span.rows, min(base, 1.0))
        if share < limit or score <= self._score:
            return []
        named = ("flipped predictions", "single steps", "low confidence")
        rises = (policy.duplicate_share, policy.step_share, policy.margin_share)
        own = np.count_nonzero(marks, axis=1) / rows
        signs = [
            f"{named[i]} in {own[i]:.0%} of them" for i in (FLIPS, STEPS, MARGIN) if own[i] >= usual.base(i) + rises[i]
        ]
        confidence = (0.3, 0.6, 0.8, 0.9)[len(signs)]
        found = (f"caller {caller}", "caller_share")
        more, material = "; ".join(signs), bool(signs)
        return [
            attack.level(
                self.name, found, (share, limit, score), span, EXTRACT, confidence, more=more, material=material
            )
        ]
