"""A monitor: the detectors over one model version in one mode, split by instance, in bounded memory."""

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats, Rows
from agents.detection.detectors.half_space import Forest
from agents.detection.detectors.specs import SCORED
from agents.detection.given import Given, Known
from agents.detection.guard import times
from agents.detection.joined import Joined
from agents.detection.learning import Learning
from agents.detection.monitor_state import MonitorState
from agents.detection.profile import Profile
from agents.detection.sample import Sample, streams
from agents.detection.scope import STREAMS, Scope
from agents.detection.series.watch import METRICS, Watch
from agents.detection.standing import Change, Open, Standing
from schemas.selection import NO_RULE
from schemas.telemetry import ProbeResult
from schemas.thresholds import Thresholds
from schemas.values import Category, Mode

LABELLED = ("error", "residual", "calibration", "estimate", "fairness")
"""The detectors that labels are for."""


class Monitor:
    """Judges rows, joined labels, health and scores of one model version in one mode.

    Parameters
    ----------
    version, mode
        What is watched.
    thresholds, rule
        How to judge, and which rules of policy say so.
    """

    def __init__(self, version: str, mode: Mode, thresholds: Thresholds, rule: str = NO_RULE) -> None:
        self.version = version
        self.mode = mode
        self.rule = rule
        self.reference = ""
        self.findings: tuple[str, ...] = ()
        self.rows = 0
        self.clear_rows = 0
        self._policy = thresholds
        self._unobserved = 0
        self._learning: Learning | None = Learning(thresholds)
        self._profile: Profile | None = None
        self._forest: Forest | None = None
        self._whole = Scope("", thresholds, whole=True)
        self._instances: dict[str, Scope] = {}
        self._backfill: Scope | None = None
        self._standing = Standing(thresholds.attribution_rows, thresholds.quality.most)
        self.series = Watch(thresholds.series, thresholds.late_seconds * 1000)

    @property
    def standing(self) -> list[Open]:
        """The signals that stand."""
        return [*self._standing.signals, *self.series.standing]

    @property
    def instances(self) -> tuple[str, ...]:
        """The instances known, by name."""
        return tuple(sorted(self._instances))

    def raised_by(self, categories: frozenset[Category]) -> frozenset[str]:
        """Return the detectors of the whole that have raised anything of these categories."""
        found = self._whole.detectors.items()
        return frozenset(name for name, d in found if any(level.category in categories for level in d.levels()))

    def update(self, rows: Rows, timestamp: int) -> list[Change]:
        """Judge rows that were not seen before, and return what changed; `timestamp` is the broker's, in ms."""
        self._unobserved += rows.rows
        if rows.only(METRICS):
            return []
        at = times(rows, timestamp)
        late = at < timestamp - self._policy.late_seconds * 1000
        if late.any():
            self._judge_late(rows.where(late), at[late])
            self.rows += int(np.count_nonzero(late))
            rows, at = rows.where(~late), at[~late]
            if not rows.rows:
                return self._settle()
        grouped = rows.with_role("group") is not None
        fairness = self._whole.detector("fairness") if grouped else None
        while self._learning is not None:
            taken = self._learning.take(rows, at)
            if fairness is not None and taken:
                first = Sample(rows=taken, at_from=int(at[0]), at_to=int(at[taken - 1]), source=rows, times=at[:taken])
                fairness.update(first)
            self.rows += taken
            self._learnt(int(at[0]))
            if taken >= rows.rows:
                return []
            rows, at = rows.between(taken, rows.rows), at[taken:]
        return self._judge(rows, at)

    def accepts(self, name: str) -> bool:
        """Whether a stream that comes apart from the rows can be watched."""
        return self._whole.detector(name) is not None

    def feed(self, name: str, values: Floats, at: int, ids: tuple[str, ...] = ()) -> list[Change]:
        """Judge values of a stream that comes apart from the rows: errors, residuals, scores of a judge."""
        if self.accepts(name):
            if name.startswith(SCORED):
                self._whole.detector("safety")
            self._whole.update(Sample(rows=0, at_from=at, at_to=at, streams=streams(**{name: values}), ids=ids))
        return self._settle()

    def labelled(self, joined: Joined, at: int) -> list[Change]:
        """Judge predictions whose labels came; `at` is the broker's time, in ms."""
        sample = Sample(rows=0, at_from=at, at_to=at, joined=joined)
        useless = set() if joined.combinations else {"fairness"}
        useless |= set() if np.isfinite(joined.confidence).any() else {"calibration", "estimate"}
        for name in LABELLED:
            detector = self._whole.detector(name) if name not in useless else None
            if detector is not None:
                detector.update(sample)
        return self._settle()

    def health(
        self, instance: str, requests: int, failures: int, at: int, saturation: float | None = None
    ) -> list[Change]:
        """Judge what an instance says of its requests, and of how full it is."""
        sample = Sample(rows=0, at_from=at, at_to=at, requests=requests, failures=failures, saturation=saturation)
        for scope in (self._whole, self._instance(instance)):
            for name in ("health", "serving"):
                detector = scope.detector(name)
                if detector is not None:
                    detector.update(sample)
        return self._settle()

    def probed(self, run: ProbeResult) -> list[Change]:
        """Judge how the model answered canary probes."""
        detector = self._whole.detector("canary")
        if detector is not None:
            detector.update(Sample(rows=0, at_from=run.at, at_to=run.at, probed=run))
        return self._settle()

    def observed(self) -> bool:
        """Whether the monitor's regular word is due; asking begins the next interval."""
        due = self._unobserved >= self._policy.observe_every_rows
        if due:
            self._unobserved = 0
        return due

    def state(self) -> MonitorState:
        """Return all that is remembered, exactly."""
        return MonitorState(
            version=self.version,
            mode=self.mode,
            reference=self.reference,
            rows=self.rows,
            clear_rows=self.clear_rows,
            unobserved=self._unobserved,
            learning=self._learning.state() if self._learning else None,
            profile=self._profile.state() if self._profile else None,
            forest=self._forest.state() if self._forest else None,
            whole=self._whole.state(),
            instances=tuple(scope.state() for scope in self._instances.values()),
            backfill=self._backfill.state() if self._backfill else None,
            standing=self._standing.state(),
            findings=self.findings,
            series=self.series.state(),
        )

    @classmethod
    def of_state(cls, state: MonitorState, thresholds: Thresholds, rule: str = NO_RULE) -> "Monitor":
        """Return the monitor that goes on exactly where that one stood."""
        monitor = cls(state.version, state.mode, thresholds, rule)
        monitor.reference, monitor.rows, monitor.clear_rows = state.reference, state.rows, state.clear_rows
        monitor._unobserved, monitor.findings = state.unobserved, state.findings
        if state.learning is None:
            monitor._learning = None
        elif monitor._learning is not None:
            monitor._learning.restore(state.learning)
        monitor._profile = profile = Profile.of_state(state.profile) if state.profile else None
        monitor._forest = Forest.of_state(state.forest) if state.forest else None
        monitor._whole.restore(state.whole, profile)
        for saved in state.instances:
            scope = Scope(saved.name, thresholds, whole=False)
            scope.restore(saved, profile)
            monitor._instances[saved.name] = scope
        if state.backfill is not None:
            monitor._backfill = Scope("", thresholds, whole=False)
            monitor._backfill.restore(state.backfill, profile)
        monitor._standing.restore(state.standing)
        monitor.series.restore(state.series)
        return monitor

    def _learnt(self, at: int) -> None:
        if self._learning is None:
            return
        learnt, self.findings = self._learning.learn(at), self._learning.findings
        if learnt is None:
            return
        self._learning, self._profile, self._forest = None, learnt.profile, learnt.forest
        self._whole.expect(learnt.profile)
        self._whole.equip(learnt.profile, {})
        self._whole.begin(learnt.sample)
        for scope in self._instances.values():
            scope.expect(learnt.profile)
        self._equip()

    def _equip(self) -> None:
        """Give each instance detectors of its own, once there are two: one alone is the whole."""
        if self._profile is None or len(self._instances) < 2:
            return
        for scope in self._instances.values():
            if not scope.equipped:
                scope.equip(self._profile, self._bases())

    def _bases(self) -> dict[str, tuple[float, float] | None]:
        return {name: self._whole.base(name) for name in STREAMS}

    def _instance(self, name: str) -> Scope:
        scope = self._instances.get(name)
        if scope is None:
            scope = Scope(name, self._policy, whole=False)
            if self._profile is not None:
                scope.expect(self._profile)
            self._instances[name] = scope
            self._equip()
            if len(self._instances) > 1:
                self._whole.detector("serving")
            if len(self._instances) > self._policy.max_instances:
                del self._instances[next(iter(self._instances))]
        self._instances[name] = self._instances.pop(name)
        return scope

    def _judge(self, rows: Rows, at: NDArray[np.int64]) -> list[Change]:
        if self._profile is None:
            return []
        scope = self._instance(rows.instance)
        given = Given(rows, at, Known(self._profile, self._forest, self._policy.forest.every), scope.total)
        for name in given.apart:
            for own in (self._whole, scope) if len(self._instances) > 1 else (self._whole,):
                own.detector(name)
        changes: list[Change] = []
        first = 0
        while first < rows.rows:
            # A sample never reaches over the end of a window, so that nothing depends on how rows were batched.
            left = self._whole.left if len(self._instances) == 1 else min(self._whole.left, scope.left)
            end = min(first + left, rows.rows)
            changes += self._judge_part(given.sample(first, end, scope.runs), scope)
            first = end
        return changes

    def _judge_part(self, sample: Sample, scope: Scope) -> list[Change]:
        early = self._settle() if self._whole.hear(sample) else []
        self._whole.update(sample)
        # One instance alone is the whole: its own windows would only say the same again.
        if len(self._instances) > 1:
            scope.update(sample)
        self.rows += sample.rows
        self.clear_rows += sample.rows
        scope.total += sample.rows
        scope.seen = self.rows
        changes = early + self._settle()
        if not self._whole.filled:
            self._standing.begin(self._instances)
        return changes

    def _judge_late(self, rows: Rows, at: NDArray[np.int64]) -> None:
        if self._profile is None:
            return
        if self._backfill is None:
            self._backfill = Scope("", self._policy, whole=False)
            self._backfill.expect(self._profile)
            self._backfill.equip(self._profile, self._bases())
        scope, first = self._backfill, 0
        given = Given(rows, at, Known(self._profile, self._forest, self._policy.forest.every), scope.total)
        while first < rows.rows:
            end = min(first + scope.left, rows.rows)
            sample = given.sample(first, end, scope.runs)
            scope.update(sample)
            scope.total += sample.rows
            first = end

    def _settle(self) -> list[Change]:
        changes = self._standing.settle(self._whole, self._instances, self._backfill, self.rows)
        if self.standing:
            self.clear_rows = 0
        return changes
