"""Errors and residuals of predictions whose labels came, against what their own windows have shown before.

The share of wrong predictions of a sound model wanders by itself, often by far more than its number of labels would
explain. So a window is judged against the level that nine in ten of the windows before stayed under by themselves (or
the upper end of their spread while there are few), by a binomial tail, and several windows in a row must show it. A
smaller rise is sure once several windows together have left how these windows wander. A rise that one group of rows
explains alone is left to fairness for a while.
"""

import math
from dataclasses import replace
from typing import ClassVar

import numpy as np

from agents.detection.arrays import finite, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.intervals import binomial_score, normal_score, stated, wilson
from agents.detection.detectors.level import Key, Level, Levels
from agents.detection.detectors.performance_state import PerformanceState
from agents.detection.detectors.rises import Rise, Rises, natural
from agents.detection.joined import ALL, Codes, Joined, members
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category

MAX_WINDOW = 4096
"""Most labels of a window, whatever policy asks."""

MAX_NAMES = 64
"""Groups that may explain a rise; later ones are not looked at."""

RECENT = 4
"""Windows whose mean is compared with the first ones, for what comes slowly."""

LEAST_OTHERS = 30
"""Rows outside a group that tell whether they are as bad."""

_WILD = 10.0
_STANDS = 0.5


class Performance:
    """Errors (bits) or residuals of one model version, window by window of labels.

    Parameters
    ----------
    subject
        ``error`` or ``residual``.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "performance"

    def __init__(self, subject: str, thresholds: Thresholds, score: float) -> None:
        self._subject = subject
        self._bits = subject == "error"
        self._policy = thresholds.performance
        self._window = min(thresholds.labels.window, MAX_WINDOW)
        # Several windows in a row must show it; but windows of one stream share what makes them wander.
        self._score = 0.75 * score
        self._alone = self._score / thresholds.confirm_windows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._cap = 1.0 if self._bits else 0.0
        self._learnt = np.empty(0)
        self._first = self._variance = 0.0
        self._now = np.zeros(3)
        self._memory: list[float] = []
        self._pending: list[float] = []
        self._began: list[int] = []
        # Number and sum before, number and sum now, of each group; the empty name is all rows.
        self._groups: dict[str, Floats] = {}
        self._rises = Rises(self._policy.together, self._policy.wander)
        fitted = self._policy.fitted_rows
        self._fitted = fitted + self._policy.learn_windows * self._window if fitted else 0
        self._seen = self._waited = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in joined labels; a full window is judged."""
        if sample.joined is None:
            return
        joined = sample.joined
        values = joined.errors if self._bits else joined.residuals
        usable = np.flatnonzero(np.isfinite(values))
        if not self._cap:
            usable = usable[self._learn(values[usable]) :]
        while len(usable):
            left = max(self._window - int(self._now[0]), 1)  # another policy may have shorter windows
            self._take(joined, values, usable[:left])
            usable = usable[left:]

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return key[3] == self._subject and self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        numbers = np.concatenate([[self._cap, self._first, self._variance], self._now])
        return encode(
            PerformanceState(
                learnt=pack(self._learnt),
                numbers=pack(numbers),
                memory=pack(np.array(self._memory)),
                pending=pack(np.array(self._pending)),
                began=pack(np.array(self._began), "<i8"),
                rises=self._rises.state(),
                names=tuple(self._groups),
                groups=pack(np.array(list(self._groups.values()))),
                seen=self._seen,
                waited=self._waited,
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(PerformanceState, state)
        if len(saved.names) > MAX_NAMES:
            raise SchemaError(f"the saved performance names {len(saved.names)} groups; at most {MAX_NAMES} are kept")
        numbers = finite(saved.numbers, (6,), least=0.0)
        self._cap, self._first, self._variance = numbers[:3].tolist()
        self._now = numbers[3:].copy()
        self._learnt = unpack(saved.learnt, (len(saved.learnt) // 8,))
        means = (finite(body, (len(body) // 8,), least=0.0) for body in (saved.memory, saved.pending))
        self._memory, self._pending = (found.tolist() for found in means)
        self._began = unpack(saved.began, (len(saved.began) // 8,), "<i8").tolist()
        self._rises.restore(saved.rises)
        groups = finite(saved.groups, (len(saved.names), 4), least=0.0)
        self._groups = dict(zip(saved.names, groups, strict=True))
        self._seen, self._waited, self._from, self._to = saved.seen, saved.waited, saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _learn(self, values: Floats) -> int:
        # One wild label must not be the mean of its window: the first residuals say how large one may be.
        taken = min(max(self._window - len(self._learnt), 0), len(values))
        self._learnt = np.concatenate([self._learnt, values[:taken]])
        if len(self._learnt) >= self._window:
            usual = float(np.quantile(self._learnt, 0.9, method="inverted_cdf"))
            self._cap = min(max(_WILD * usual, 1e-9), 1e150)
            self._learnt = np.empty(0)
        return taken

    def _take(self, joined: Joined, values: Floats, rows: Codes) -> None:
        at = joined.at[rows]
        self._from = int(at.min()) if not self._now[0] else min(self._from, int(at.min()))
        self._to = int(at.max()) if not self._now[0] else max(self._to, int(at.max()))
        part = np.minimum(values[rows], self._cap)
        self._now[0] += len(rows)
        self._now[1:] = _added(self._now[1:], np.stack([part, part * part]))
        for name, own in members(joined, joined.groups[rows]).items():
            if name in self._groups or len(self._groups) < MAX_NAMES:
                kept = self._groups.setdefault(name, np.zeros(4))
                kept[2:] = _added(kept[2:], np.stack([own.astype(np.float64), part * own]))
        if self._now[0] >= self._window:
            self._close()

    def _close(self) -> None:
        rows, total, squares = self._now.tolist()
        mean = total / rows
        self._seen += int(rows)
        self._variance = self._variance or max(squares / rows - mean * mean, 0.0)
        self._began = [*self._began, self._from][-self._rises.longest :]
        found: list[Level] = []
        if not self._learning():
            sudden = self._risen(mean, rows, total, squares)
            self._waited = self._waited + 1 if sudden and self._one_group(mean) else 0
            held_back = 0 < self._waited <= self._policy.group_windows
            if sudden and self._waited:
                began = self._began[-min(self._waited, len(self._began))]
                sudden = replace(sudden, first_bad_at=min(sudden.first_bad_at, began))
            found = ([sudden] if sudden and not held_back else []) + self._slow(mean, rows)
            self._remember(mean, calm=sudden is None)
        else:
            self._remember(mean, calm=True)
            if self._seen <= self._policy.fitted_rows:
                self._memory = []  # what the model knows by heart says nothing of how its errors wander
            self._first = float(np.mean(self._memory[-self._policy.learn_windows :] or [mean]))
        self._levels.judge(found)
        if self._levels.raised():
            self._rises.forget()
        self._now[:] = 0
        for kept in self._groups.values():
            kept[2:] = 0

    def _learning(self) -> bool:
        """Whether windows still teach what is usual: the first, and as many after rows that the model was fitted to."""
        return len(self._memory) < self._policy.learn_windows or self._seen < self._fitted

    def _remember(self, mean: float, *, calm: bool) -> None:
        if not calm:
            self._pending = [*self._pending, mean][-self._rises.longest :]
            return
        # A lone window that came and went is how this stream wanders; one that was raised is not.
        usual = [] if self._levels.raised() else self._pending
        self._memory = [*self._memory, *usual, mean][-self._policy.memory_windows :]
        self._pending = []
        much = ALL in self._groups and self._groups[ALL][0] > 1e6
        for kept in self._groups.values():
            kept[:2] = (kept[:2] + kept[2:]) / (2 if much else 1)

    def _sudden(self, mean: float, rows: float, total: float, squares: float) -> Level | None:
        usual = natural(self._memory)
        share = self._share("rolling")
        limit = self._limit(usual)
        if self._bits:
            score = binomial_score(total, int(rows), min(max(usual, 1 / (rows + 2)), 1.0))
        else:
            variance = max(squares / rows - mean * mean, self._variance, 1e-300)
            score = normal_score((mean - usual) / math.sqrt(variance / rows))
        if mean <= limit or score <= self._score * share:
            return None
        return self._level("rolling", mean, limit, score)

    def _risen(self, mean: float, rows: float, total: float, squares: float) -> Level | None:
        noise = None if self._bits else max(squares / rows - mean * mean, self._variance)
        alone, *spans = self._rises.judge(self._memory, [*self._pending, mean], noise, rows)
        # As many windows in a row as confirm it must each be further from the others than they wander.
        far = alone.score > self._alone * self._share("rolling")
        return (self._sudden(mean, rows, total, squares) if far else None) or self._sure(spans)

    def _sure(self, spans: list[Rise]) -> Level | None:
        """Return the rise of several windows together; they are no longer how this stream wanders."""
        share = self._share("rolling")
        for rise in spans:
            limit = self._limit(rise.natural)
            if rise.mean <= limit or rise.score <= self._score * share:
                continue
            taken = max(rise.windows - 1 - len(self._pending), 0)
            kept = len(self._memory) - taken
            self._memory, self._pending = self._memory[:kept], [*self._memory[kept:], *self._pending]
            return self._level("rolling", rise.mean, limit, rise.score, windows=rise.windows)
        return None

    def _limit(self, usual: float) -> float:
        share = self._share("rolling")
        factor = 1 + (self._policy.residual_factor - 1) * share
        return usual + self._policy.error_rise * share if self._bits else usual * factor

    def _share(self, baseline: str) -> float:
        """Return how much of a rise is still one: what is raised is over when half of it is gone."""
        return _STANDS if any(level.baseline == baseline for level in self._levels.raised()) else 1.0

    def _slow(self, mean: float, rows: float) -> list[Level]:
        recent = [*self._memory, *self._pending, mean][-RECENT:]
        now, limit = float(np.mean(recent)), self._first + self._policy.slow_rise * self._share("reference")
        if not self._bits or now < limit:
            return []
        count = int(rows) * len(recent)
        score = binomial_score(round(now * count), count, max(self._first, 1 / (rows + 2)))
        return [self._level("reference", now, limit, score)]

    def _one_group(self, mean: float) -> bool:
        """Whether the rows outside one group are no worse than they were, so that the group explains the rise."""
        if ALL not in self._groups:
            return False
        usual = float(np.mean(self._memory))
        before, before_sum, rows, total = self._groups[ALL].tolist()
        for name, kept in self._groups.items():
            had, had_sum, has, has_sum = kept.tolist()
            if name == ALL or has < 1 or rows - has < LEAST_OTHERS:
                continue
            was = (before_sum - had_sum) / (before - had) if had < before else usual
            if (total - has_sum) / (rows - has) - was < (mean - usual) / 2:
                return True
        return False

    def _level(self, baseline: str, value: float, limit: float, score: float, *, windows: int = 1) -> Level:
        rows, began = int(self._now[0]) * windows, self._began[-min(windows, len(self._began))]
        note = stated(wilson(value * rows, rows)) if self._bits else ""
        return Level(
            detector=self.name,
            subject=self._subject,
            statistic="share" if self._bits else "mean",
            baseline=baseline,
            category=Category.PERFORMANCE,
            value=value,
            threshold=limit,
            score=score,
            first_bad_at=began,
            window_from=began,
            window_to=self._to,
            rows=rows,
            symptom=True,
            note=note,
        )


def _added(sums: Floats, parts: Floats) -> Floats:
    # A running sum adds in order; a plain one would add in another order for another batch.
    added: Floats = np.cumsum(np.concatenate([sums[:, None], parts], axis=1), axis=1)[:, -1]
    return added
