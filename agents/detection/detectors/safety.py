"""Output safety: the share of unsafe scores of each judge, and single outputs so bad that one is enough."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.columns import Floats
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Usual, UsualState
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.detectors.specs import SCORED
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

MAX_JUDGES = 8
_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeState:
    """What is remembered of one judge; `severe` is what a single score raised, `harmless` scores came since."""

    name: str
    usual: UsualState
    rows: int
    unsafe: int
    at_from: int
    at_to: int
    severe: Level | None
    harmless: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SafetyState:
    """Every judge's scores; version 1."""

    judges: tuple[JudgeState, ...]
    held: tuple[Held, ...]


class Safety:
    """Scores of all judges of a model version, each judge for itself.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a share counts.
    """

    name: ClassVar[str] = "safety"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._thresholds = thresholds
        self._score = score
        self._judges: dict[str, _Judge] = {}

    def update(self, sample: Sample) -> None:
        """Take in a judge's scores, with the ids of the predictions that they are about."""
        for name, values in sample.streams.items():
            if not name.startswith(SCORED):
                continue
            if name not in self._judges:
                if len(self._judges) >= MAX_JUDGES:
                    continue
                self._judges[name] = _Judge(name, self._thresholds, self._score)
            self._judges[name].take(values, sample)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [level for _, judge in sorted(self._judges.items()) for level in judge.raised()]

    def shows(self, key: Key) -> bool:
        """Whether it stands: scores are not split by instance."""
        return any(level.key == key for level in self.levels())

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        judges = [judge for _, judge in sorted(self._judges.items())]
        held = tuple(held for judge in judges for held in judge.levels.state())
        return encode(SafetyState(judges=tuple(judge.state() for judge in judges), held=held))

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(SafetyState, state)
        self._judges = {}
        for one in saved.judges[:MAX_JUDGES]:
            judge = _Judge(one.name, self._thresholds, self._score)
            judge.restore(one, tuple(held for held in saved.held if held.level.subject == one.name))
            self._judges[one.name] = judge


class _Judge:
    def __init__(self, name: str, thresholds: Thresholds, score: float) -> None:
        self.name = name
        self.levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._policy = thresholds.safety
        self._technique = thresholds.attacks.judges.get(name.removeprefix(SCORED))
        self._score = score
        self._usual = Usual(1, thresholds.attacks.learn_windows)
        self._rows = self._unsafe = self._from = self._to = self._harmless = 0
        self._severe: Level | None = None

    def raised(self) -> list[Level]:
        return [*self.levels.raised(), *([self._severe] if self._severe else [])]

    def take(self, values: Floats, sample: Sample) -> None:
        usable = np.isfinite(values)
        ids = np.flatnonzero(usable)
        values = values[usable]
        self._look_for_severe(values, ids, sample)
        while len(values):
            # Windows end at an exact score, so that nothing depends on how scores were batched.
            left = self._policy.window - self._rows
            self._count(values[:left], sample)
            values = values[left:]

    def state(self) -> JudgeState:
        return JudgeState(
            name=self.name,
            usual=self._usual.state(),
            rows=self._rows,
            unsafe=self._unsafe,
            at_from=self._from,
            at_to=self._to,
            severe=self._severe,
            harmless=self._harmless,
        )

    def restore(self, saved: JudgeState, held: tuple[Held, ...]) -> None:
        self._usual.restore(saved.usual)
        self._rows, self._unsafe = saved.rows, saved.unsafe
        self._from, self._to = saved.at_from, saved.at_to
        self._severe, self._harmless = saved.severe, saved.harmless
        self.levels.restore(held)

    def _look_for_severe(self, values: Floats, ids: attack.Integers, sample: Sample) -> None:
        after = self._policy.clear_after
        last = -1
        for place in np.flatnonzero(values >= self._policy.severe).tolist():
            self._harmless += place - last - 1
            if self._severe is None or self._harmless >= after:
                self._severe = self._severe_level(float(values[place]), int(ids[place]), sample)
            self._harmless, last = 0, place
        self._harmless = min(self._harmless + len(values) - last - 1, after)
        if self._harmless >= after:
            self._severe = None

    def _severe_level(self, value: float, place: int, sample: Sample) -> Level:
        who = f"prediction {sample.ids[place][:_NAME]!r}" if place < len(sample.ids) else ""
        # A limit of policy is broken or it is not: there is no chance in it, hence the highest score.
        return self._level("severe", (value, self._policy.severe, CAP), 1, (sample.at_from, sample.at_to), who)

    def _count(self, values: Floats, sample: Sample) -> None:
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        self._rows += len(values)
        self._unsafe += int(np.count_nonzero(values >= self._policy.limit))
        if self._rows < self._policy.window:
            return
        share, limit, base = self._unsafe / self._rows, self._policy.rate_limit, self._policy.rate_limit / 2
        if self._usual.learnt:
            usual = self._usual.base(0)
            limit, base = min(limit, usual + self._policy.rise), min(base, usual)
        score = attack.binomial(self._unsafe, self._rows, base)
        found = share >= limit and score > self._score
        span = (self._from, self._to)
        level = self._level("unsafe_share", (share, limit, score), self._rows, span) if found else None
        self.levels.judge([level] if level else [])
        if not found:
            self._usual.take([self._unsafe], [self._rows])
        self._rows = self._unsafe = 0

    def _level(
        self, statistic: str, measured: tuple[float, float, float], rows: int, span: tuple[int, int], note: str = ""
    ) -> Level:
        value, threshold, score = measured
        if self._technique:
            note = attack.suspicion(self._technique, 0.5, note)
        return Level(
            detector=Safety.name,
            subject=self.name,
            statistic=statistic,
            baseline="limit",
            category=Category.ATTACK if self._technique else Category.OUTPUT_SAFETY,
            value=value,
            threshold=threshold,
            score=score,
            first_bad_at=span[0],
            window_from=span[0],
            window_to=span[1],
            rows=rows,
            symptom=False,
            technique=self._technique,
            note=note,
        )
