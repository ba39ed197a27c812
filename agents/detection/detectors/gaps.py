"""Rates of each group against those of all other rows: learnt first, then judged window by window.

A group is judged once it has enough rows of its own, however many windows that takes. What is raised is a gap that the
reference did not have: larger than the reference's own (or than none) by what policy asks, and by more than chance and
the wandering of this gap from window to window explain.
"""

import math

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.detectors.gaps_state import GapsState
from agents.detection.detectors.intervals import student_score
from agents.detection.detectors.level import Key, Level, Levels
from agents.detection.detectors.rates import (
    DIRECTION,
    SELECTION,
    Bits,
    Dimension,
    difference,
    pairs,
    standing,
    told,
    variance,
)
from agents.detection.joined import Codes
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category

_WANDER = 0.05  # how far a gap is believed to wander before its windows have shown it, as if they were so many:
_BELIEF = 4
_DECAY = 64
_FREEDOM = 12.0
_ALIKE = 0.8
_LAG = 3  # windows of a fault must not teach how far its gap wanders by itself before they can be judged


class Gaps:
    """Rates of groups, counted over rows or over labels.

    Parameters
    ----------
    statistics
        Which rates; their bits are given row by row.
    window, learn
        Rows that are judged together, and rows that come before the first that is judged.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which one statistic of one group counts.
    both
        Whether a higher rate than the others' is looked for as well: it is not known which outcome is favourable.
    """

    def __init__(
        self,
        statistics: tuple[str, ...],
        size: tuple[int, int],
        thresholds: Thresholds,
        score: float,
        *,
        both: bool = False,
    ) -> None:
        self._statistics = statistics
        self._window, self._learn = size
        self._policy = thresholds.fairness
        self._confirm, self._clear = thresholds.confirm_windows, thresholds.clear_windows
        self._score = score
        self._both = both
        self._groups: dict[str, int] = {}
        self._of: list[str] = []
        # Of each group and statistic: rows and hits of its own, rows and hits of all others.
        self._before = np.zeros((0, len(statistics), 4), dtype=np.int64)
        self._now = self._before.copy()
        # Of each group and statistic: windows, sum and sum of squares of the gap.
        self._wander = np.zeros((0, len(statistics), 3))
        self._recent = np.zeros((0, len(statistics), _LAG))
        self._levels: dict[int, list[Levels]] = {}
        self._rows = self._filled = self._from = self._to = 0

    def take(self, dimensions: list[Dimension], counted: Bits, hits: Bits, at: Codes) -> None:
        """Take in rows in order; `counted` and `hits` are statistics × rows."""
        first = 0
        while first < len(at):
            part = slice(first, first + self._window - self._filled)
            first += len(at[part])
            times = at[part]
            self._from = int(times.min()) if not self._filled else min(self._from, int(times.min()))
            self._to = int(times.max()) if not self._filled else max(self._to, int(times.max()))
            for dimension in dimensions:
                self._add(dimension, dimension.codes[part], counted[:, part], hits[:, part])
            self._filled += len(times)
            self._rows += len(times)
            if self._filled == self._window:
                self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [level for _, group in sorted(self._groups.items()) for level in self._raised(group)]

    def holds(self, key: Key) -> bool:
        """Whether the newest rows of the group showed it."""
        return any(levels.holds(key) for group in self._levels.values() for levels in group)

    def standing(self) -> list[tuple[float, str]]:
        """Return the gaps that the reference already has, each with its sentence: findings, not incidents."""
        each = [
            (name, group, i, kind) for name, group in self._groups.items() for i, kind in enumerate(self._statistics)
        ]
        told_of = (standing(f"{k} of {n}", self._before[g, i], DIRECTION[k], self._policy) for n, g, i, k in each)
        return [told for told in told_of if told is not None]

    def state(self) -> GapsState:
        """Return all that is remembered, exactly."""
        # Which dimension a group of another came before depends on how rows were batched; this order does not.
        order = sorted(range(len(self._of)), key=lambda group: (self._of[group], group))
        names = list(self._groups)
        return GapsState(
            names=tuple(names[group] for group in order),
            dimensions=tuple(self._of[group] for group in order),
            before=pack(self._before[order], "<i8"),
            now=pack(self._now[order], "<i8"),
            wander=pack(self._wander[order]),
            recent=pack(self._recent[order]),
            rows=self._rows,
            window=self._filled,
            at_from=self._from,
            at_to=self._to,
            held=tuple(held for group in order for levels in self._levels_of(group) for held in levels.state()),
        )

    def restore(self, state: GapsState) -> None:
        """Remember exactly that."""
        count, kinds = len(state.names), len(self._statistics)
        if len(state.dimensions) != count or len(set(state.names)) != count or state.window < 0:
            raise SchemaError("the saved rates do not fit their groups")
        self._groups = {name: i for i, name in enumerate(state.names)}
        self._of = list(state.dimensions)
        self._before = unpack(state.before, (count, kinds, 4), "<i8")
        self._now = unpack(state.now, (count, kinds, 4), "<i8")
        self._wander = unpack(state.wander, (count, kinds, 3))
        self._recent = unpack(state.recent, (count, kinds, _LAG))
        self._rows, self._filled = state.rows, min(state.window, self._window - 1)
        self._from, self._to = state.at_from, state.at_to
        self._levels = {}
        for name, group in self._groups.items():
            own = [held for held in state.held if held.level.subject == name]
            for levels, kind in zip(self._levels_of(group), self._statistics, strict=True):
                levels.restore(tuple(held for held in own if held.level.statistic == difference(kind)))

    def _levels_of(self, group: int) -> list[Levels]:
        return self._levels.setdefault(group, [Levels(self._confirm, self._clear) for _ in self._statistics])

    def _raised(self, group: int) -> list[Level]:
        return [level for levels in self._levels_of(group) for level in levels.raised()]

    def _add(self, dimension: Dimension, codes: Codes, counted: Bits, hits: Bits) -> None:
        size, kinds = len(dimension.names), len(self._statistics)
        own = np.empty((size, kinds, 2), dtype=np.int64)
        # Four cells a group: not counted or counted, no hit or hit; rows of no group come first.
        cells = 4 * (codes + 1)
        for i in range(kinds):
            table = np.bincount(cells + 2 * counted[i] + hits[i], minlength=4 * size + 4).reshape(-1, 4)[1:]
            own[:, i, 0] = table[:, 2] + table[:, 3]
            own[:, i, 1] = table[:, 3]
        if any(name not in self._groups for name in dimension.names):
            present, first = np.unique(codes, return_index=True)
            for code in present[np.argsort(first)].tolist():
                if code >= 0:
                    self._admit(dimension, dimension.names[code])
        total = own.sum(axis=0)
        known = [(code, self._groups[name]) for code, name in enumerate(dimension.names) if name in self._groups]
        groups = [i for i, name in enumerate(self._of) if name == dimension.name]
        self._now[groups, :, 2:] += total
        if known:
            taken, places = (list(part) for part in zip(*known, strict=True))
            self._now[places, :, :2] += own[taken]
            self._now[places, :, 2:] -= own[taken]

    def _admit(self, dimension: Dimension, name: str) -> None:
        if name in self._groups or self._of.count(dimension.name) >= self._policy.max_groups:
            return
        self._groups[name] = len(self._groups)
        self._of.append(dimension.name)
        kinds = len(self._statistics)
        self._before = np.concatenate([self._before, np.zeros((1, kinds, 4), dtype=np.int64)])
        self._now = np.concatenate([self._now, np.zeros((1, kinds, 4), dtype=np.int64)])
        self._wander = np.concatenate([self._wander, np.zeros((1, kinds, 3))])
        self._recent = np.concatenate([self._recent, np.full((1, kinds, _LAG), np.nan)])

    def _close(self) -> None:
        self._filled = 0
        found: dict[tuple[int, int], Level | None] = {}
        for name, group in self._groups.items():
            before, now = self._before[group], self._now[group]
            enough = np.minimum(now[:, 0], now[:, 2]) >= self._policy.least
            learning = (before[:, 0] < self._policy.least) | (before[0, 0] < 2 * self._policy.least)
            learning |= self._rows <= self._learn
            # Rows that a rate counts may be rare: each is judged when there are enough of its own.
            judged = np.flatnonzero(enough & ~learning).tolist()
            own = {(group, i): self._judge(name, group, i) for i in judged}
            if not any(own.values()):
                self._note(group, now, learning)
            found |= own
            before[learning] += now[learning]
            now[learning | enough] = 0
        for (group, i), level in found.items():
            own_gap = level is not None and not self._derived(group, level, found)
            self._levels_of(group)[i].judge([level] if level and own_gap else [])

    def _derived(self, group: int, level: Level, found: dict[tuple[int, int], Level | None]) -> bool:
        """Whether another group of the same dimension explains the gap: others' rates contain its rows."""
        others = [g for g, name in enumerate(self._of) if name == self._of[group] and g != group]
        for other in others:
            known = [*(level for (g, _), level in found.items() if g == other and level), *self._raised(other)]
            gaps = [one.value for one in known if one.statistic == level.statistic]
            smaller = (self._before[other, 0, 0], other) < (self._before[group, 0, 0], group)
            if gaps and (smaller if len(others) == 1 else level.value < _ALIKE * max(gaps)):
                return True
        return False

    def _note(self, group: int, now: NDArray[np.int64], learning: Bits) -> None:
        for i in range(len(self._statistics)):
            own, rest = pairs(now[i])
            if min(own[1], rest[1]) >= self._policy.least:
                gap = own[0] / own[1] - rest[0] / rest[1]
                recent, kept = self._recent[group, i], self._wander[group, i]
                if not learning[i]:
                    gap, recent[:] = float(recent[0]), (*recent[1:].tolist(), gap)
                if not math.isfinite(gap):
                    continue
                kept += (1.0, gap, gap * gap)
                if kept[0] > _DECAY:
                    kept /= 2

    def _judge(self, name: str, group: int, i: int) -> Level | None:
        statistic = self._statistics[i]
        own, rest = pairs(self._now[group, i])
        had, others = pairs(self._before[group, i])
        if min(own[1], rest[1], had[1], others[1]) < self._policy.least:
            return None
        found = None
        for sign in (-1, 1) if self._both else (DIRECTION[statistic],):
            gap = sign * (own[0] / own[1] - rest[0] / rest[1])
            usual = max(sign * (had[0] / had[1] - others[0] / others[1]), 0.0)
            excess = gap - usual
            if excess < self._policy.gap or (statistic == SELECTION and not self._below_ratio(own, rest)):
                continue
            noise = sum(variance(*pair) for pair in (own, rest, had, others)) + self._natural(group, i)
            # Student's tail: how far a gap wanders is itself only known from so many windows.
            score = student_score(excess / math.sqrt(noise), float(self._wander[group, i, 0]) + _FREEDOM)
            if score > self._needed:
                found = self._level(name, statistic, (gap, usual + self._policy.gap), score, (own, rest))
        return found

    def _below_ratio(self, own: tuple[int, int], rest: tuple[int, int]) -> bool:
        low, high = sorted((own[0] / own[1], rest[0] / rest[1]))
        return low < self._policy.ratio * high

    @property
    def _needed(self) -> float:
        # Shared over all groups that there are; as many windows in a row must show it: their probabilities multiply.
        statistics = len(self._groups) * len(self._statistics) * (2 if self._both else 1)
        return (self._score + math.log10(statistics / 8)) / self._confirm

    def _natural(self, group: int, i: int) -> float:
        windows, total, squares = self._wander[group, i].tolist()
        spread = squares - total * total / windows if windows else 0.0
        return float((max(spread, 0.0) + _BELIEF * _WANDER**2) / (windows + _BELIEF))

    def _level(
        self,
        name: str,
        statistic: str,
        gap: tuple[float, float],
        score: float,
        counted: tuple[tuple[int, int], tuple[int, int]],
    ) -> Level:
        own, rest = counted
        return Level(
            detector="fairness",
            subject=name,
            statistic=difference(statistic),
            baseline="reference",
            category=Category.FAIRNESS,
            value=gap[0],
            threshold=gap[1],
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=own[1],
            symptom=True,
            note=told(own, rest),
        )
