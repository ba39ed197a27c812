"""From the levels of all scopes to signals: one a statistic, with the one instance that shows it, if it is one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from agents.detection.detectors.level import Key, Level
from agents.detection.scope import Scope
from schemas.values import Category

WORSE = 4.0
"""A level that stands, and is so many times what it was when it was raised, is raised anew."""

ENOUGH = 50
"""Rows of an instance, since the trouble began, that tell whether it shows it."""

APART = frozenset({"health", "serving", "safety", "canary"})
"""Detectors that are fed apart from the rows: no rows of other instances are waited for."""

Found = Mapping[str, dict[Key, Level]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A level that is raised, or cleared (`raised` is false)."""

    raised: bool
    level: Level
    instance: str
    backfill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """A signal that stands."""

    level: Level
    instance: str
    backfill: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """Rows of an instance so far."""

    instance: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A level that is raised but not yet told, until each instance has shown whether it has it too."""

    level: Level
    marks: tuple[Total, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingState:
    """What stands, waits and is muted; version 1."""

    open: tuple[Open, ...]
    waiting: tuple[Waiting, ...]
    muted: tuple[Level, ...]
    starts: tuple[Total, ...]


class Standing:
    """Keeps what stands, and says what changes.

    Parameters
    ----------
    patience
        Rows of the monitor after which a silent instance is no longer waited for.
    most
        Share of values out of range beyond which they are no tail of a column that wanders.
    """

    def __init__(self, patience: int, most: float) -> None:
        self._patience = patience
        self._most = most
        self._open: dict[Key, Open] = {}
        self._late: dict[Key, Open] = {}
        self._waiting: dict[Key, Waiting] = {}
        self._muted: dict[Key, Level] = {}
        self._starts: dict[str, int] = {}

    @property
    def signals(self) -> list[Open]:
        """What stands, in a fixed order."""
        return [*(o for _, o in sorted(self._open.items())), *(o for _, o in sorted(self._late.items()))]

    def begin(self, instances: Mapping[str, Scope]) -> None:
        """Note where each instance stands as a window begins."""
        self._starts = {name: scope.total for name, scope in instances.items()}

    def settle(self, whole: Scope, instances: Mapping[str, Scope], backfill: Scope | None, rows: int) -> list[Change]:
        """Return what changed since the last call; `rows` is how many the monitor has seen."""
        by_instance = {name: found for name, scope in instances.items() if (found := scope.raised())}
        merged = {key: level for found in by_instance.values() for key, level in found.items()} | whole.raised()
        changes = self._settle_late(backfill)
        if not (merged or self._open or self._muted or self._waiting):
            return changes
        changes += self._forget(merged)
        changes += self._widen(merged, by_instance)
        changes += self._worsen(merged)
        self._mute(merged)
        active = {name: s for name, s in instances.items() if rows - s.seen <= self._patience}
        # What broke away from the windows before is told first: it says that the change was sudden.
        fresh = merged.keys() - self._open.keys() - self._muted.keys()
        for key in sorted(fresh, key=lambda key: (key[2] != "rolling", key)):
            changes += self._raise(key, merged[key], active, by_instance)
        return changes

    def state(self) -> StandingState:
        """Return all that is remembered, exactly."""
        return StandingState(
            open=tuple(self.signals),
            waiting=tuple(w for _, w in sorted(self._waiting.items())),
            muted=tuple(level for _, level in sorted(self._muted.items())),
            starts=_totals(self._starts),
        )

    def restore(self, state: StandingState) -> None:
        """Remember exactly that."""
        self._open = {o.level.key: o for o in state.open if not o.backfill}
        self._late = {o.level.key: o for o in state.open if o.backfill}
        self._waiting = {w.level.key: w for w in state.waiting}
        self._muted = {level.key: level for level in state.muted}
        self._starts = {total.instance: total.rows for total in state.starts}

    def _forget(self, merged: dict[Key, Level]) -> list[Change]:
        for key in self._waiting.keys() - merged.keys():
            del self._waiting[key]
        for key in self._muted.keys() - merged.keys():
            del self._muted[key]
        gone = [self._open.pop(key) for key in sorted(self._open.keys() - merged.keys())]
        return [Change(raised=False, level=o.level, instance=o.instance) for o in gone]

    def _widen(self, merged: dict[Key, Level], by_instance: Found) -> list[Change]:
        changes = []
        for key, was in sorted(self._open.items()):
            others = [name for name, found in by_instance.items() if key in found and name != was.instance]
            if was.instance and others:
                self._open[key] = Open(level=merged[key], instance="", backfill=False)
                changes.append(Change(raised=False, level=was.level, instance=was.instance))
                changes.append(Change(raised=True, level=merged[key], instance=""))
        return changes

    def _worsen(self, merged: dict[Key, Level]) -> list[Change]:
        """Raise anew what has become so much worse that another fault may be behind it."""
        changes = []
        for key, was in sorted(self._open.items()):
            level = merged[key]
            least = WORSE * max(abs(level.threshold), abs(was.level.value))
            worse = abs(level.value) >= least or (level.material and not was.level.material)
            if worse and level.window_from > was.level.window_from:
                fresh = replace(level, first_bad_at=level.window_from)
                self._open[key] = Open(level=fresh, instance=was.instance, backfill=False)
                changes.append(Change(raised=False, level=was.level, instance=was.instance))
                changes.append(Change(raised=True, level=fresh, instance=was.instance))
        return changes

    def _mute(self, merged: dict[Key, Level]) -> None:
        # A stuck sensor or a flood of nulls also moves its distribution; a changed unit also leaves the range.
        broken = {
            level.subject
            for level in merged.values()
            if level.category == Category.DATA_QUALITY and level.statistic != "range"
        }
        most = {level.subject for level in merged.values() if level.statistic == "range" and level.value >= self._most}
        drifted: dict[str, int] = {}
        for level in merged.values():
            if level.detector == "psi":
                # What is far from the reference alone may have wandered there: most values out of range are news.
                sudden = level.first_bad_at if level.baseline == "rolling" or level.subject not in most else 0
                drifted[level.subject] = max(sudden, drifted.get(level.subject, 0))
        # What had drifted windows before does not say why values leave the range now.
        ranged = {
            level.subject
            for level in merged.values()
            if level.statistic == "range"
            and (
                level.subject not in drifted
                or level.first_bad_at > drifted[level.subject] + 2 * (level.window_to - level.window_from)
            )
        }
        # The wrong predictions of one group are errors of the whole as well.
        unfair = any(level.category == Category.FAIRNESS for level in merged.values())
        # Wrong predictions leave confidence without its promise; an estimate from confidence says what confidence says.
        worse = any(level.detector == "performance" for level in merged.values())
        unsure = any(level.category == Category.CONFIDENCE for level in merged.values())
        suspect = any(
            level.category == Category.ATTACK and level.subject.startswith("caller ") for level in merged.values()
        )
        wrong = unfair or any(level.category == Category.PERFORMANCE for level in merged.values())
        for key, level in merged.items():
            drift = level.category == Category.DATA_DRIFT
            explained = drift and (level.subject in broken or (level.symptom and bool(broken)))
            explained |= level.statistic == "range" and level.subject not in ranged
            explained |= level.detector in ("cusum", "jump") and level.subject in ranged
            explained |= level.category == Category.PERFORMANCE and unfair
            # A column that is stuck or missing goes with others as no column does.
            explained |= level.detector == "exchange" and not broken.isdisjoint(level.subject.split(", "))
            explained |= level.detector == "calibration" and (worse or unfair)
            explained |= level.detector == "estimate" and (worse or unsure)
            # Inputs that broke or moved are far from the reference, too: nobody crafted them.
            explained |= level.detector == "outliers" and (
                bool(broken) or (bool(drifted) and level.subject == "queries")
            )
            # Wrong predictions flip for everybody, and frozen inputs step: no attack, unless one caller stands out.
            flipped = level.statistic == "flips" and wrong
            stepped = level.statistic == "steps" and bool(broken)
            explained |= level.detector == "probing" and (flipped or stepped) and not suspect
            if explained and key not in self._open:
                self._muted[key] = level
                self._waiting.pop(key, None)

    def _raise(self, key: Key, level: Level, active: Mapping[str, Scope], by_instance: Found) -> list[Change]:
        showing = [name for name, s in active.items() if key in by_instance.get(name, {}) or s.shows(key)]
        waiting = self._waiting.setdefault(key, Waiting(level=level, marks=_totals(self._starts)))
        marks = {total.instance: total.rows for total in waiting.marks}
        unseen = any(s.total - marks.get(name, 0) < ENOUGH for name, s in active.items() if name not in showing)
        if unseen and len(showing) < 2 and len(active) > 1 and level.detector not in APART:
            return []
        instance = showing[0] if len(showing) == 1 and len(active) > 1 else ""
        level = by_instance.get(instance, {}).get(key, level)
        del self._waiting[key]
        self._open[key] = Open(level=level, instance=instance, backfill=False)
        return [Change(raised=True, level=level, instance=instance)]

    def _settle_late(self, backfill: Scope | None) -> list[Change]:
        if backfill is None:
            return []
        raised = backfill.raised()
        changes = []
        for key in sorted(self._late.keys() - raised.keys()):
            was = self._late.pop(key)
            changes.append(Change(raised=False, level=was.level, instance="", backfill=True))
        for key in sorted(raised.keys() - self._late.keys()):
            self._late[key] = Open(level=raised[key], instance="", backfill=True)
            changes.append(Change(raised=True, level=raised[key], instance="", backfill=True))
        return changes


def _lasted(level: Level) -> int:
    """Return two windows of a level, in ms."""
    return 2 * (level.window_to - level.window_from)


def _totals(rows: Mapping[str, int]) -> tuple[Total, ...]:
    return tuple(Total(instance=name, rows=count) for name, count in sorted(rows.items()))
