"""The serving itself: saturated instances, instances that fell silent, and requests whose predictions never came.

Nothing here needs a clock: an instance is silent when the others go on without it, and a prediction is missing when
as many requests were answered and fewer predictions arrived.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from agents.detection.detectors import attack
from agents.detection.detectors.attack import Usual, UsualState
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

_REGULAR = 300
"""Rows after which an instance is known to send regularly."""

_USUAL = 4
"""Silence counts only beyond so many times what was usual of the instance."""

_GONE = 5
"""An instance silent for so many times as long as counts was taken out of service: it is no longer missed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How many rows an instance sent, and how many all had sent when its last came (at `at`).

    gap
        Most rows of the others between two of its own.
    """

    instance: str
    rows: int
    last: int
    at: int
    gap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingState:
    """What serving remembers; version 1."""

    hot: int
    cool: int
    saturated: Level | None
    total: int
    seen: tuple[Seen, ...]
    usual: UsualState
    answered: int
    arrived: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]


class Serving:
    """What instances say of themselves, held against the rows that arrive.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    whole
        Whether it sees all instances (silence, missing predictions) or is of one (saturation).
    """

    name: ClassVar[str] = "serving"

    def __init__(self, thresholds: Thresholds, score: float, *, whole: bool) -> None:
        self._policy = thresholds.serving
        self._most = thresholds.max_instances
        self._clear = thresholds.clear_windows
        self._score = score
        self._whole = whole
        self._hot = self._cool = self._total = 0
        self._saturated: Level | None = None
        self._seen: OrderedDict[str, Seen] = OrderedDict()
        self._usual = Usual(1, thresholds.attacks.learn_windows)
        self._answered = self._arrived = self._from = self._to = 0
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)

    def update(self, sample: Sample) -> None:
        """Take in rows, or what an instance said of itself."""
        if self._whole and sample.rows and sample.source is not None:
            self._note(sample.source.instance, sample)
        elif self._whole and sample.requests and self._total:
            self._compare(sample)
        if not self._whole and sample.saturation is not None:
            self._feel(sample.saturation, sample)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        own = [self._saturated] if self._saturated else []
        return [*self._levels.raised(), *own, *self._silent()]

    def shows(self, key: Key) -> bool:
        """Whether it stands here."""
        return any(level.key == key for level in self.levels())

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            ServingState(
                hot=self._hot,
                cool=self._cool,
                saturated=self._saturated,
                total=self._total,
                seen=tuple(self._seen.values()),
                usual=self._usual.state(),
                answered=self._answered,
                arrived=self._arrived,
                at_from=self._from,
                at_to=self._to,
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(ServingState, state)
        self._hot, self._cool, self._saturated = saved.hot, saved.cool, saved.saturated
        self._total = saved.total
        self._seen = OrderedDict((one.instance, one) for one in saved.seen)
        self._usual.restore(saved.usual)
        self._answered, self._arrived = saved.answered, saved.arrived
        self._from, self._to = saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _feel(self, saturation: float, sample: Sample) -> None:
        wanted = self._policy.saturation_samples
        if saturation >= self._policy.saturation:
            self._hot, self._cool = min(self._hot + 1, wanted), 0
            if self._hot >= wanted and self._saturated is None:
                found = ("saturation", "saturation")
                self._saturated = self._level(found, (saturation, self._policy.saturation, CAP), sample.at_to, wanted)
            return
        self._hot, self._cool = 0, min(self._cool + 1, wanted * self._clear)
        if self._cool >= wanted * self._clear:
            self._saturated = None

    def _note(self, instance: str, sample: Sample) -> None:
        self._total += sample.rows
        self._arrived += sample.rows
        known = self._seen.get(instance)
        rows = sample.rows + (known.rows if known else 0)
        gap = max(known.gap, self._total - sample.rows - known.last) if known else 0
        self._seen[instance] = Seen(instance=instance, rows=rows, last=self._total, at=sample.at_to, gap=gap)
        self._seen.move_to_end(instance)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def _silent(self) -> list[Level]:
        found = []
        for name, one in sorted(self._seen.items()):
            missed, limit = self._total - one.last, max(self._policy.silent_rows, _USUAL * one.gap)
            if one.gap and one.rows >= _REGULAR and limit <= missed <= limit * _GONE:
                # It may as well have been taken out of service on purpose, so by itself it opens nothing.
                where = f"instance {name[:64]}"
                found.append(
                    self._level((where, "silence"), (float(limit), float(limit), CAP), one.at, limit, material=False)
                )
        return found

    def _compare(self, sample: Sample) -> None:
        self._from = sample.at_from if not self._answered else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._answered else max(self._to, sample.at_to)
        self._answered += sample.requests - sample.failures
        if self._answered < self._policy.orphan_requests:
            return
        missing = max(self._answered - self._arrived, 0)
        share, base = missing / self._answered, self._usual.base(0)
        limit, score = base + self._policy.orphan_share, attack.binomial(missing, self._answered, base)
        found = self._usual.learnt and share >= limit and score > self._score
        level = self._level(("requests", "orphans"), (share, limit, score), self._from, self._answered)
        self._levels.judge([level] if found else [])
        if not found:
            self._usual.take([missing], [self._answered])
        # Rows that came early answer for the next requests, but not for ever.
        self._arrived = min(max(self._arrived - self._answered, 0), self._policy.orphan_requests)
        self._answered = 0

    def _level(
        self,
        found: tuple[str, str],
        measured: tuple[float, float, float],
        at: int,
        rows: int,
        *,
        material: bool = True,
    ) -> Level:
        return Level(
            detector=self.name,
            subject=found[0],
            statistic=found[1],
            baseline="limit",
            category=Category.INFRASTRUCTURE,
            value=measured[0],
            threshold=measured[1],
            score=measured[2],
            first_bad_at=at,
            window_from=at,
            window_to=max(at, self._to),
            rows=rows,
            symptom=False,
            material=material,
        )
