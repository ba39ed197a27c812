"""A monitor: the detectors over one model version in one mode, split by instance, in bounded memory."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats, Rows
from agents.detection.detectors.half_space import Forest, ForestState
from agents.detection.guard import count_bad, matrix, times
from agents.detection.learning import Learning, LearningState
from agents.detection.profile import RANGE, Profile, ProfileState, beyond
from agents.detection.sample import Sample, streams
from agents.detection.scope import STREAMS, Scope, ScopeState
from agents.detection.standing import Change, Open, Standing, StandingState
from schemas.thresholds import Thresholds
from schemas.values import Mode

Why = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """All that a monitor remembers; version 1."""

    version: str
    mode: Mode
    rows: int
    clear_rows: int
    unobserved: int
    window: int
    learning: LearningState | None
    profile: ProfileState | None
    forest: ForestState | None
    whole: ScopeState
    instances: tuple[ScopeState, ...]
    backfill: ScopeState | None
    standing: StandingState


class Monitor:
    """Judges rows, joined labels, health and scores of one model version in one mode.

    Parameters
    ----------
    version, mode
        What is watched.
    thresholds
        How to judge.
    """

    def __init__(self, version: str, mode: Mode, thresholds: Thresholds) -> None:
        self.version = version
        self.mode = mode
        self.rows = 0
        self.clear_rows = 0
        self._policy = thresholds
        self._unobserved = 0
        self._window = 0
        self._learning: Learning | None = Learning(thresholds)
        self._profile: Profile | None = None
        self._forest: Forest | None = None
        self._whole = Scope("", thresholds, whole=True)
        self._instances: OrderedDict[str, Scope] = OrderedDict()
        self._backfill: Scope | None = None
        self._standing = Standing(thresholds.attribution_rows)

    @property
    def standing(self) -> list[Open]:
        """The signals that stand."""
        return self._standing.signals

    @property
    def instances(self) -> tuple[str, ...]:
        """The instances known, by name."""
        return tuple(sorted(self._instances))

    def update(self, rows: Rows, timestamp: int) -> list[Change]:
        """Judge rows that were not seen before, and return what changed; `timestamp` is the broker's, in ms."""
        self.rows += rows.rows
        self._unobserved += rows.rows
        at = times(rows, timestamp)
        late = at < timestamp - self._policy.late_seconds * 1000
        if late.all():
            self._judge_late(rows, at)
            return self._settle()
        if self._learning is not None:
            taken = self._learning.take(rows)
            self._learnt(int(at.min()))
            if taken >= rows.rows:
                return []
            rows, at, late = rows.between(taken, rows.rows), at[taken:], late[taken:]
        self._judge(rows, at, late)
        return self._settle()

    def accepts(self, name: str) -> bool:
        """Whether a stream that comes apart from the rows can be watched."""
        return self._whole.detector(name) is not None

    def feed(self, name: str, values: Floats, at: int) -> list[Change]:
        """Judge values of a stream that comes apart from the rows: errors, residuals, scores of a judge."""
        if self.accepts(name):
            self._whole.update(Sample(rows=0, at_from=at, at_to=at, streams=streams(**{name: values})))
        return self._settle()

    def health(self, instance: str, requests: int, failures: int, at: int) -> list[Change]:
        """Judge what an instance says of its requests."""
        sample = Sample(rows=0, at_from=at, at_to=at, requests=requests, failures=failures)
        for scope in (self._whole, self._instance(instance)):
            detector = scope.detector("health")
            if detector is not None:
                detector.update(sample)
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
            rows=self.rows,
            clear_rows=self.clear_rows,
            unobserved=self._unobserved,
            window=self._window,
            learning=self._learning.state() if self._learning else None,
            profile=self._profile.state() if self._profile else None,
            forest=self._forest.state() if self._forest else None,
            whole=self._whole.state(),
            instances=tuple(scope.state() for scope in self._instances.values()),
            backfill=self._backfill.state() if self._backfill else None,
            standing=self._standing.state(),
        )

    @classmethod
    def of_state(cls, state: MonitorState, thresholds: Thresholds) -> "Monitor":
        """Return the monitor that goes on exactly where that one stood."""
        monitor = cls(state.version, state.mode, thresholds)
        monitor.rows, monitor.clear_rows = state.rows, state.clear_rows
        monitor._unobserved, monitor._window = state.unobserved, state.window
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
        return monitor

    def _learnt(self, at: int) -> None:
        learnt = self._learning.learn(at) if self._learning else None
        if learnt is None:
            return
        self._learning, self._profile, self._forest = None, learnt.profile, learnt.forest
        self._whole.equip(learnt.profile, {})
        self._whole.update(learnt.sample)
        for scope in self._instances.values():
            scope.equip(learnt.profile, self._bases())

    def _bases(self) -> dict[str, tuple[float, float] | None]:
        return {name: self._whole.base(name) for name in STREAMS}

    def _instance(self, name: str) -> Scope:
        scope = self._instances.get(name)
        if scope is None:
            scope = Scope(name, self._policy, whole=False)
            if self._profile is not None:
                scope.equip(self._profile, self._bases())
            self._instances[name] = scope
            if len(self._instances) > self._policy.max_instances:
                self._instances.popitem(last=False)
        self._instances.move_to_end(name)
        return scope

    def _judge(self, rows: Rows, at: NDArray[np.int64], late: NDArray[np.bool_]) -> None:
        if self._profile is None:
            return
        values, why = matrix(rows, self._profile.facets)
        if late.any():
            self._late(values[:, late], None if why is None else why[:, late], at[late])
            values, why, at = values[:, ~late], None if why is None else why[:, ~late], at[~late]
        if not len(at):
            return
        scope = self._instance(rows.instance)
        sample = self._sample(values, why, at, scope)
        self._whole.update(sample)
        # One instance alone is the whole: its own windows would only say the same again.
        if len(self._instances) > 1:
            scope.update(sample)
        scope.total += sample.rows
        scope.seen = self.rows
        self._window += sample.rows
        self.clear_rows += sample.rows

    def _judge_late(self, rows: Rows, at: NDArray[np.int64]) -> None:
        if self._profile is not None:
            self._late(*matrix(rows, self._profile.facets), at)

    def _late(self, values: Floats, why: Why | None, at: NDArray[np.int64]) -> None:
        if self._profile is None:
            return
        if self._backfill is None:
            self._backfill = Scope("", self._policy, whole=False)
            self._backfill.equip(self._profile, self._bases())
        self._backfill.update(self._sample(values, why, at, self._backfill))

    def _sample(self, values: Floats, why: Why | None, at: NDArray[np.int64], scope: Scope) -> Sample:
        assert self._profile is not None
        profile = self._profile
        bad = count_bad(why, len(profile.facets))
        bad[:, RANGE] = beyond(values, profile.low, profile.high)
        longest, _ = scope.runs.longest(values)
        found = {f.role: values[i] for i, f in enumerate(profile.facets) if f.role in ("confidence", "latency")}
        if why is not None:
            found = {role: column[np.isfinite(column)] for role, column in found.items()}
        if self._forest is not None:
            found["vector"] = self._forest.score(values, self._policy.forest.sample, self._policy.forest.every)
        return Sample(
            rows=values.shape[1],
            at_from=int(at.min()),
            at_to=int(at.max()),
            counts=profile.histogram(values),
            bad=bad,
            longest=longest,
            streams=streams(**found),
        )

    def _settle(self) -> list[Change]:
        changes = self._standing.settle(self._whole, self._instances, self._backfill, self.rows)
        if self._window >= self._policy.window_rows:
            self._window = 0
            self._standing.begin(self._instances)
        if self._standing.signals:
            self.clear_rows = 0
        return changes
