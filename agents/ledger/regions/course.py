"""The course of a case: what it was made of, what left it and came to it, and how often it was taken up again."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas import events as e
from schemas.case import response as r
from schemas.case.action import ActionStarted
from schemas.case.by_hand import ContainedByHand, RemediedByHand
from schemas.signals import Affected, Evidence

ENDINGS = (e.CaseDismissed, e.CaseResolved, r.CaseMerged)
"""Events after which the response has nothing more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What became of a case so far.

    signals
        The newest reasons to believe in it, without those that left it.
    first_bad_at
        When the harm began (ms), as far as is known.
    split_off
        The signals that left it, which later growth does not bring back, with the incident that each left for.
    parted
        Which incident the faults left for whose signals alone left it, by `fault_of`.
    followed
        The signals that were sent after them, the newest of each.
    over_at
        When the response was over (ms); 0 while it goes on.
    reopened_at
        When it was last taken up again (ms): targets need no longer show what was done before.
    turned_at
        When it was last taken up again, fell back or was put right by hand (ms): what was seen before proves nothing.
    contained_by, remedied_by
        Who answers for it that the harm was stopped, or the cause put right, by hand; empty where a plan did it.
    by_hand
        Everybody who said of themselves that they did something by hand since the case last began anew.
    """

    signals: tuple[Evidence, ...] = ()
    first_bad_at: int = 0
    split_off: Mapping[str, str] = field(default_factory=dict)
    parted: Mapping[tuple[str, str], str] = field(default_factory=dict)
    followed: Mapping[str, Evidence] = field(default_factory=dict)
    splits: tuple[str, ...] = ()
    merged_into: str = ""
    absorbed: tuple[str, ...] = ()
    reopened: int = 0
    regressed: int = 0
    over_at: int = 0
    reopened_at: int = 0
    turned_at: int = 0
    contained_by: str = ""
    remedied_by: str = ""
    by_hand: frozenset[str] = frozenset()


def earliest(first_bad_at: int, signals: tuple[Evidence, ...]) -> int:
    """Return when the harm began (ms), by what is known so far."""
    return min((first_bad_at, *(signal.first_bad_at for signal in signals)))


def touched(
    affected: tuple[Affected, ...], leaving: tuple[Evidence, ...], staying: tuple[Evidence, ...]
) -> tuple[tuple[Affected, ...], tuple[Affected, ...]]:
    """Return the versions that the leaving evidence speaks of, and those that remain without it."""
    gone = {(each.model, each.version) for each in leaving}
    kept = {(each.model, each.version) for each in staying}
    taken = tuple(each for each in affected if (each.model, each.version) in gone)
    known = {(each.model, each.version) for each in taken}
    taken += tuple(Affected(model=model, version=version) for model, version in sorted(gone - known))
    remaining = tuple(
        each for each in affected if (each.model, each.version) in kept or (each.model, each.version) not in gone
    )
    return taken, remaining


def fault_of(signal: Evidence) -> tuple[str, str]:
    """Return the fault that a signal is taken to be of: what its model shows of one subject, whatever version shows it.

    A detector that names no subject is one itself.
    """
    return signal.model, signal.subject or signal.detector


def _split(course: Course, event: r.CaseSplit) -> Course:
    gone = {signal.signal for signal in event.evidence}
    staying = tuple(signal for signal in course.signals if signal.signal not in gone)
    faults = {fault_of(signal) for signal in event.evidence} - {fault_of(signal) for signal in staying}
    return replace(
        course,
        signals=staying,
        split_off={**course.split_off, **dict.fromkeys(sorted(gone), event.into)},
        parted={**course.parted, **dict.fromkeys(sorted(faults), event.into)},
        followed={**course.followed, **{signal.signal: signal for signal in event.evidence}},
        splits=(*course.splits, event.into),
    )


def _turned(course: Course, event: object, at: int) -> Course:
    match event:
        case r.CaseRegressed():
            fresh = replace(course, contained_by="", remedied_by="", by_hand=frozenset())
            return replace(fresh, regressed=course.regressed + 1, turned_at=at)
        case r.CaseReopened():
            fresh = replace(course, contained_by="", remedied_by="", by_hand=frozenset())
            return replace(fresh, reopened=event.number, reopened_at=at, turned_at=at, over_at=0)
        case ContainedByHand(principal=who):
            return replace(course, contained_by=who, by_hand=course.by_hand | {who})
        case RemediedByHand(principal=who):
            return replace(course, remedied_by=who, by_hand=course.by_hand | {who}, turned_at=at)
        case ActionStarted():
            return replace(course, contained_by="", remedied_by="")
    return replace(course, over_at=at) if isinstance(event, ENDINGS) else course


def evolve(course: Course, event: object, at: int) -> Course:
    """Return the course after an event of the entry decided at `at` (ms); others leave it as it is."""
    match event:
        case e.CaseOpened():
            return replace(course, signals=event.evidence, first_bad_at=event.first_bad_at)
        case e.CaseGrew():
            known = earliest(course.first_bad_at, event.evidence)
            return replace(course, signals=event.evidence, first_bad_at=known)
        case r.CaseSplit():
            return _split(course, event)
        case r.SignalsFollowed():
            newest = {signal.signal: signal for signal in event.evidence}
            return replace(course, followed={**course.followed, **newest})
        case r.CaseMerged():
            return replace(course, merged_into=event.into, over_at=at)
        case r.CaseAbsorbed():
            return replace(course, absorbed=(*course.absorbed, event.merged))
    return _turned(course, event, at)


def end_of(merged: Mapping[str, str], incident: str) -> str:
    """Return the incident in which this one goes on: itself, or the end of its mergers."""
    while incident in merged:  # a case is merged into an open one only, so this ends
        incident = merged[incident]
    return incident
