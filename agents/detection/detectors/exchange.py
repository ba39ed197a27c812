"""Two columns that arrive in each other's place although each looks as ever: their rows are likelier exchanged back.

Each window's likelihood ratio (mirror.py) is compared with that of the windows before, and with its mirror image.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri_exp

from agents.detection.arrays import common, finite, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.detectors.mirror import BLOCKS, Scales, learn, ratios, relations
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category

MOST = 16
"""Features that are looked at, the first by name."""

MOST_PAIRS = 32
"""Pairs that are watched: those whose exchange would show best."""

ROWS = 250
"""At least so many rows of a window are looked at, evenly spaced, where it has them."""

_ENOUGH = 0.75  # of what a window must show: what is learnt of few rows says little of how much that is
_MEMORY = 20  # windows without a finding that say how far the ratio wanders
_STANDS = 0.0  # a pair that was found exchanged is so until its rows are likelier as they are

# What all have in common that watch nothing.
_NO_PAIRS = np.zeros((0, 2), dtype=np.int64)
_NOTHING = np.zeros((0, 0))
_NO_SCALES = Scales(np.zeros(0), np.zeros(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeState:
    """What is watched, and what the windows have shown; version 1. Nothing where no exchange would show."""

    numbers: bytes
    scales: bytes
    plain: bytes
    squared: bytes
    pairs: bytes
    kinds: bytes
    usual: bytes
    windows: int
    sums: bytes
    rows: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Exchange:
    """All pairs of numeric features whose marginals are alike.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "exchange"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float) -> None:
        self._facets = profile.facets
        watched = [i for i, facet in enumerate(profile.facets) if facet.role == "feature" and not facet.text]
        self._numbers = common(np.array(watched[:MOST], dtype=np.int64))
        self._policy, self._score = thresholds, score
        self._window = thresholds.window_rows
        self._stride = max(self._window // ROWS, 1)
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._rows = self._from = self._to = 0
        self._watch(_NO_SCALES, _NO_PAIRS, _NO_PAIRS[:, 0])

    @property
    def _needed(self) -> float:
        """The score that each of the windows which confirm a finding needs."""
        return self._score / self._policy.confirm_windows

    def _watch(self, scales: Scales, pairs: NDArray[np.int64], kinds: NDArray[np.int64]) -> None:
        """Watch pairs; kinds says of each whether squares are needed."""
        self._scales, self._pairs, self._kinds = scales, pairs, kinds
        size = 1 + len(scales.middle) * (2 if kinds.any() else 1) if len(pairs) else 0
        self._precisions: tuple[Floats, ...] = (_NOTHING, _NOTHING)
        self._sums = np.zeros((size, size)) if size else _NOTHING
        # Mean and variance of each pair's ratio, of how far its rows are from the reference, and the least variance
        # of the ratio that a window of the reference's rows has.
        self._usual = np.zeros((5, len(pairs))) if size else _NOTHING
        self._windows = 0

    def begin(self, sample: Sample) -> None:
        """Learn from the reference's own rows which exchanges would show, and how."""
        if sample.values is None or not len(self._numbers):
            return
        values = sample.values[self._numbers]
        scales = Scales.of(values)
        told = scales.deviation > 0
        values, scales = values[told], Scales(scales.middle[told], scales.deviation[told])
        # A normal column whose mean moves by d deviations has a stability index of d².
        pairs = scales.pairs(math.sqrt(self._policy.psi), self._policy.drift.scale)
        if not len(pairs) or values.shape[1] < BLOCKS:
            return
        learnt = [learn(values, scales, pairs, squares=squares, rows=self._looked) for squares in (False, True)]
        clear = np.stack([-usual[0] / np.sqrt(usual[1]) for _, usual in learnt])
        kinds = np.argmax(clear, axis=0)
        clear, usual = clear.max(axis=0), np.where(kinds, learnt[1][1], learnt[0][1])
        # An exchange moves the ratio by twice its mean: what is less than a window can show is not watched.
        best = np.argsort(-clear, kind="stable")[:MOST_PAIRS]
        best = np.sort(best[2 * clear[best] > _ENOUGH * _deviations(self._needed)])
        if not len(best):
            return
        self._numbers = self._numbers[told]
        self._watch(scales, pairs[best], kinds[best])
        self._usual[:4], self._usual[4] = usual[:, best], usual[1, best]
        self._windows = max(values.shape[1] // self._window, 1)
        used = (True, bool(kinds[best].any()))
        self._precisions = tuple(inverse if use else _NOTHING for (inverse, _), use in zip(learnt, used, strict=True))

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows; a full window is judged."""
        if sample.values is None or sample.times is None or not len(self._pairs):
            return
        first = 0
        while first < sample.rows:
            end = min(first + self._window - self._rows, sample.rows)
            if not self._rows:
                self._from = int(sample.times[first])
            picked = slice(first + -self._rows % self._stride, end, self._stride)
            values = sample.values[:, picked][self._numbers]
            self._sums += self._scales.moments(values, squares=bool(self._kinds.any()))
            self._rows += end - first
            self._to = int(sample.times[end - 1])
            first = end
            if self._rows >= self._window:
                self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            ExchangeState(
                numbers=pack(self._numbers, "<i8"),
                scales=pack(np.stack([self._scales.middle, self._scales.deviation])),
                plain=pack(self._precisions[0]),
                squared=pack(self._precisions[1]),
                pairs=pack(self._pairs, "<i8"),
                kinds=pack(self._kinds, "<i8"),
                usual=pack(self._usual),
                windows=self._windows,
                sums=pack(self._sums),
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that; SchemaError where its arrays do not fit one another."""
        saved = decode(ExchangeState, state)
        columns, pairs = len(saved.scales) // 16, len(saved.kinds) // 8
        numbers = unpack(saved.numbers, (len(saved.numbers) // 8,), "<i8")
        middle, deviation = finite(saved.scales, (2, columns))
        found, kinds = unpack(saved.pairs, (pairs, 2), "<i8"), unpack(saved.kinds, (pairs,), "<i8")
        if max(columns, len(numbers)) > MOST or pairs > MOST_PAIRS or (pairs and columns != len(numbers)):
            raise SchemaError("a saved watch for exchanged columns is larger than any")
        if saved.windows < 0:
            raise SchemaError("a saved watch for exchanged columns has seen fewer than no windows")
        if not (_within(numbers, len(self._facets)) and _within(found, columns) and _within(kinds, 2)):
            raise SchemaError("a saved watch for exchanged columns names some that there are not")
        self._numbers = numbers
        self._watch(Scales(middle, deviation), found, kinds)
        plain = 1 + columns if pairs else 0
        squared = 1 + 2 * columns if kinds.any() else 0
        self._precisions = (finite(saved.plain, (plain, plain)), finite(saved.squared, (squared, squared)))
        usual = finite(saved.usual, (5, pairs))
        self._usual = usual if pairs else _NOTHING
        self._sums = finite(saved.sums, self._sums.shape)
        self._windows, self._from, self._to = saved.windows, saved.at_from, saved.at_to
        self._rows = min(max(saved.rows, 0), self._window - 1)
        self._levels.restore(saved.held)

    @property
    def _looked(self) -> int:
        return -(-self._window // self._stride)

    def _close(self) -> None:
        columns = len(self._scales.middle)
        mean = relations(self._sums, columns)
        given = (self._pairs, columns)
        plain = np.ascontiguousarray(mean[: 1 + columns, : 1 + columns])
        now, far = np.zeros(len(self._pairs)), np.zeros(len(self._pairs))
        for kind, (part, inverse) in enumerate(zip((plain, mean), self._precisions, strict=True)):
            if len(inverse):
                own = self._kinds == kind
                now[own], far[own] = ratios(part, inverse, *given)[own], float((part * inverse).sum())
        found = self._judge(now, far)
        self._levels.judge(found)
        if not found:
            self._learn(now, far)
        self._rows = 0
        self._sums[:] = 0

    def _judge(self, now: Floats, far: Floats) -> list[Level]:
        """Return the pairs found exchanged: those that were, or else the surest of them."""
        usual, spread = self._usual[0], self._spread
        reach = _deviations(self._needed)
        value = now / np.maximum(-usual, 1e-12)
        names = {h.level.subject: h.raised for h in self._levels.state()}
        share = self._policy.drift.exchanged
        if not names and not (value >= share).any():
            return []
        moved = (now - usual) / spread
        scores = np.minimum(-log_ndtr(-moved) / math.log(10), CAP)
        # The mirror image of what it was, neither short of it nor beyond; and the two are far enough apart to tell.
        like = (value >= share) & ((value <= 1 / share) | (now + usual <= reach * spread))
        apart = -2 * usual > _ENOUGH * reach * spread
        # Exchanged back, rows are as ordinary as those before: else they moved in another way.
        like &= far - 2 * now <= self._usual[2] + reach * np.sqrt(self._usual[3])
        found = like & apart & (scores > self._needed)
        chosen: list[int] = []
        if names:
            known = [names.get(self._subject(p)) for p in range(len(now))]
            stands = np.array([raised is True for raised in known]) & (value > _STANDS)
            again = np.array([raised is not None for raised in known]) & found
            chosen = np.flatnonzero(stands | again).tolist()
        if not chosen and found.any():
            chosen = [int(np.argmax(np.where(found, scores, -1.0)))]
        return [self._level(p, float(value[p]), float(max(scores[p], 0.0))) for p in chosen]

    def _subject(self, pair: int) -> str:
        one, two = self._numbers[self._pairs[pair]].tolist()
        return f"{self._facets[one].name}, {self._facets[two].name}"

    def _level(self, pair: int, value: float, score: float) -> Level:
        return Level(
            detector=self.name,
            subject=self._subject(pair),
            statistic="exchanged",
            baseline="rolling",
            category=Category.DATA_QUALITY,
            value=value,
            threshold=self._policy.drift.exchanged,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=max(self._from, self._to),
            rows=self._window,
            symptom=score <= self._score,
            note="the two columns seem to arrive in each other's place: -1 is as before, 1 its mirror image",
        )

    @property
    def _spread(self) -> Floats:
        """The deviation of each pair's ratio from window to window."""
        found: Floats = np.sqrt(np.maximum(self._usual[1], self._usual[4]))
        return found

    def _learn(self, now: Floats, far: Floats) -> None:
        self._windows = min(self._windows + 1, _MEMORY)
        share = 1 / self._windows
        reach = _deviations(self._needed)
        for place, value, spread in ((0, now, self._spread), (2, far, np.sqrt(self._usual[3]))):
            # One window of values that cannot be used must not hide what comes after it.
            step = np.clip(value - self._usual[place], -reach * spread, reach * spread)
            self._usual[place] += share * step
            self._usual[place + 1] = (1 - share) * (self._usual[place + 1] + share * step * step)


def _deviations(score: float) -> float:
    """Return the deviations of a normal value whose tail has a score."""
    return float(-ndtri_exp(-math.log(10) * score))


def _within(places: NDArray[np.int64], size: int) -> bool:
    return bool(((places >= 0) & (places < size)).all())
