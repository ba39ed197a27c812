"""From judged signals to settings that would have kept the false ones quiet and lost none of the true ones.

What nobody saw cannot be judged, so feedback never speaks for a lower setting; and what policy promises of false alarms
(rows_between_false_alarms) is left as it is: only how large a change must be to matter is proposed.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.feedback.knobs import Path, measured, rule_of, setting
from agents.metrics.history import History
from schemas.case.learning import Finding
from schemas.case.response import Dismissal
from schemas.policy import Policy
from schemas.signals import Evidence

LEAST = 3
"""Incidents with a false or benign signal that a setting needs at least before it is changed, by default."""

MOST_FACTOR = 2.0
"""How many times its present value a setting becomes at most in one proposal: what is larger is not called noise."""

_MARGIN = 1.05
_DISMISSED: Mapping[str, Finding] = {
    Dismissal.FALSE_POSITIVE: Finding.FALSE,
    Dismissal.BENIGN: Finding.BENIGN,
    Dismissal.PLANNED_CHANGE: Finding.BENIGN,
    Dismissal.DUPLICATE: Finding.DUPLICATE,
}
"""What a reason to dismiss says of the signals; the other reasons say nothing of a threshold."""

_FALSE = frozenset({Finding.FALSE, Finding.BENIGN})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A signal and what a person said of it; `policy` is the digest of the one that it was raised under."""

    incident: str
    evidence: Evidence
    finding: Finding
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One setting of [detection], or of one of its rules, and what speaks for another value.

    quiet
        Incidents whose false or benign signals the new value would have kept quiet.
    kept, nearest
        True signals measured against it, none of which would be lost, and the smallest of them; None if there is none.
    """

    rule: str
    path: Path
    before: float
    after: float
    quiet: tuple[str, ...]
    kept: int
    nearest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The changes that verdicts support.

    judged
        How many verdicts there are, but for duplicates, which say nothing of a threshold.
    unmeasured
        How many of the false and benign ones no setting speaks of alone.
    """

    changes: tuple[Change, ...]
    judged: int
    unmeasured: int


def judged(found: Iterable[History]) -> list[Judged]:
    """Return the signals that people judged, without those of drills.

    Who dismisses a candidate judges each of its signals by the reason, but for those that were judged by themselves.
    """
    every = []
    for one in found:
        dismissed = _DISMISSED.get(one.dismissal)
        said = {} if dismissed is None else dict.fromkeys(one.evidence, dismissed)
        for signal, finding in {**said, **one.case.learning.verdicts}.items():
            if signal in one.evidence and not one.drill:
                every.append(
                    Judged(
                        incident=one.incident, evidence=one.evidence[signal], finding=finding, policy=one.case.policy
                    )
                )
    return every


def propose(
    verdicts: Sequence[Judged], policies: Mapping[str, Policy], current: Policy, least: int = LEAST
) -> Proposal:
    """Return what verdicts support changing; `policies` has, by digest, each that a signal was raised under."""
    pools: dict[tuple[str, Path], list[tuple[float, Judged]]] = {}
    unmeasured = 0
    for one in verdicts:
        known = measured(one.evidence, policies[one.policy]) if one.policy in policies else None
        if known is None or not math.isfinite(known[1]):
            unmeasured += one.finding in _FALSE
            continue
        path, size = known
        pools.setdefault((rule_of(current, one.evidence.rule, path), path), []).append((size, one))
    changes = [_change(current, rule, path, sizes, least) for (rule, path), sizes in sorted(pools.items(), key=_place)]
    said = sum(one.finding is not Finding.DUPLICATE for one in verdicts)
    return Proposal(changes=tuple(one for one in changes if one), judged=said, unmeasured=unmeasured)


def _place(pool: tuple[tuple[str, Path], object]) -> tuple[str, Path]:
    return pool[0]


def _change(current: Policy, rule: str, path: Path, sizes: Sequence[tuple[float, Judged]], least: int) -> Change | None:
    before = setting(current, rule, path)
    true = [size for size, one in sizes if one.finding is Finding.TRUE]
    nearest = min(true, default=None)
    most = before * MOST_FACTOR if nearest is None else min(nearest, before * MOST_FACTOR)
    false = [(size, one) for size, one in sizes if one.finding in _FALSE and before <= size < most]
    quiet = dict.fromkeys(one.incident for _, one in false)
    if len(quiet) < least:
        return None
    after = _between(max(size for size, _ in false), most)
    if after is None:
        return None
    return Change(rule=rule, path=path, before=before, after=after, quiet=tuple(quiet), kept=len(true), nearest=nearest)


def _between(low: float, high: float) -> float | None:
    """Return a short number above `low` and below `high`, a little above `low`; None where no short one lies there."""
    wanted = min(low * _MARGIN, (low + high) / 2)
    for digits in range(2, 9):
        short = float(f"{wanted:.{digits}g}")
        if low < short < high:
            return short
    return None
