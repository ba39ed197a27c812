"""Inputs far from everything known that are predicted with confidence: what an evasion that succeeds looks like.

A model is unsure of ordinary rarities; a crafted input is rare *and* confidently predicted (Hendrycks and Gimpel,
2017, compare both on inputs out of distribution). Ordinary drift looks alike, so drift, where it is found, explains
this (standing.py), unless one caller sends most of it.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.compiled import compiled
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Callers, Span, Usual, UsualState
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.atlas import EVADE
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds

WINDOW = 128
"""Scored rows that are judged together."""

_NOTHING = np.zeros((2, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutliersState:
    """What confident outliers are counted against; version 1."""

    usual: UsualState
    learnt: bytes
    limits: bytes
    rows: int
    count: int
    names: tuple[str, ...]
    counts: bytes
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Outliers:
    """Rows that the forest scored, and how sure the model was of each.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "outliers"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.attacks
        self._score = score
        self._confidence = next((i for i, facet in enumerate(profile.facets) if facet.role == "confidence"), None)
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._usual = Usual(1, 1)
        self._learnt = _NOTHING
        self._limits = np.full(2, np.nan)
        self._rows = self._count = self._from = self._to = 0
        self._callers = Callers()
        self._counts = attack.NOTHING  # confident outliers of nobody, then of each caller

    def update(self, sample: Sample) -> None:
        """Take in the rows that the forest scored."""
        scores = sample.streams.get("vector")
        if scores is None or sample.picked is None or sample.values is None or self._confidence is None:
            return
        sure = np.ascontiguousarray(sample.values[self._confidence][sample.picked])
        begin = 0
        if not self._learnt_all:
            both = np.stack([scores, sure])
            begin = self._learn(both[:, np.isfinite(both).all(axis=0)])
        count, far, rows = _far_of(scores, sure, self._limits)
        rows = attack.part_of(sample)[sample.picked][rows] if len(far) else far
        while begin < count:
            end = min(begin + WINDOW - self._rows, count)
            inside = (far >= begin) & (far < end)
            self._take(end - begin, rows[inside], sample)
            begin = end

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            OutliersState(
                usual=self._usual.state(),
                learnt=pack(self._learnt),
                limits=pack(self._limits),
                rows=self._rows,
                count=self._count,
                names=self._callers.names,
                counts=pack(self._counts, "<i8"),
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(OutliersState, state)
        self._usual.restore(saved.usual)
        self._learnt = unpack(saved.learnt, (2, len(saved.learnt) // 16))
        self._limits = unpack(saved.limits, (2,))
        self._rows, self._count, self._from, self._to = saved.rows, saved.count, saved.at_from, saved.at_to
        self._callers.restore(saved.names)
        self._counts = unpack(saved.counts, (len(saved.names) + 1,), "<i8")
        self._levels.restore(saved.held)

    @property
    def _learnt_all(self) -> bool:
        return bool(self._limits[0] == self._limits[0])

    def _learn(self, both: Floats) -> int:
        """Learn what is far and what is sure from the first rows, and return how many were taken for it."""
        taken = int(min(2 * WINDOW - self._learnt.shape[1], both.shape[1]))
        self._learnt = np.concatenate([self._learnt, both[:, :taken]], axis=1)
        if self._learnt.shape[1] < 2 * WINDOW:
            return taken
        scores, sure = self._learnt
        middle, high = np.quantile(scores, [0.5, 0.99], method="inverted_cdf").tolist()
        self._limits = np.array([high + 0.25 * (high - middle), float(np.quantile(sure, 0.5, method="inverted_cdf"))])
        self._usual.take([int(np.count_nonzero(self._far(self._learnt)))], [self._learnt.shape[1]])
        self._learnt = _NOTHING
        return taken

    def _far(self, both: Floats) -> attack.Mask:
        far: attack.Mask = (both[0] > self._limits[0]) & (both[1] >= self._limits[1])
        return far

    def _take(self, scored: int, far: attack.Integers, sample: Sample) -> None:
        """Take in so many scored rows, no more than the window needs; `far` are the confident outliers among them."""
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        self._rows += scored
        self._count += len(far)
        if len(far):
            callers = self._callers.numbers(attack.cells_of(sample, "caller"), far)
            size = len(self._callers.names) + 1
            counts = np.pad(self._counts, (0, size - len(self._counts)))
            self._counts = counts + np.bincount(callers + 1, minlength=size)
        if self._rows < WINDOW:
            return
        base = self._usual.base(0)
        limit, share = base + self._policy.outlier_share, self._count / self._rows
        score = attack.binomial(self._count, self._rows, base)
        found = share >= limit and score > self._score and math.isfinite(limit)
        span = Span(rows=self._rows, at_from=self._from, at_to=self._to)
        measured = (share, limit, score)
        top = int(np.argmax(self._counts))
        one = top > 0 and 2 * int(self._counts[top]) > self._count
        subject = (f"caller {self._callers.names[top - 1]}" if one else "queries", "confident_outliers")
        confidence = 0.6 if one else 0.4
        self._levels.judge([attack.level(self.name, subject, measured, span, EVADE, confidence)] if found else [])
        if not found:
            self._usual.take([self._count], [self._rows])
        self._rows = self._count = 0
        self._callers, self._counts = Callers(), attack.NOTHING


@compiled
def _far_of(scores: Floats, sure: Floats, limits: Floats) -> tuple[int, attack.Integers, attack.Integers]:
    """Return how many rows have both values; which of those are far and sure; and where those are among all rows."""
    chosen, places = np.empty(len(scores), dtype=np.int64), np.empty(len(scores), dtype=np.int64)
    count = number = 0
    for t in range(len(scores)):
        if np.isfinite(scores[t]) and np.isfinite(sure[t]):
            if scores[t] > limits[0] and sure[t] >= limits[1]:
                chosen[number], places[number] = count, t
                number += 1
            count += 1
    return count, chosen[:number].copy(), places[:number].copy()
