"""The clocks region of a case: what is known, which clocks run, and how each of the others ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.regulation.progress import crossed
from agents.regulation.select import Moment, Submission
from schemas.case import clocks as c
from schemas.case.clocks import Known
from schemas.case.contracts import REGIME as CONTRACT
from schemas.case.response import CaseReopened
from schemas.events import CaseResolved
from schemas.regulation.clocks import Trigger

TRIGGERS = frozenset(trigger.value for trigger in Trigger) - {Trigger.PRIOR_SUBMISSION, Trigger.YEAR_END}
"""The triggers of which a person says when they happened; the others follow of submissions and the calendar."""


class ClockState(StrEnum):
    """Where a clock stands; all but the first are terminal."""

    RUNNING = "running"
    SUBMITTED = "submitted"
    NOT_APPLICABLE = "not_applicable"
    SUPERSEDED = "superseded"
    MET = "met"
    """A vendor did in time, or late, what its contract asks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One clock of the case.

    Attributes
    ----------
    tolled_until
        When a delay that an authority asked for ends; 0 without one.
    reached
        The highest share (per cent) of its time that was told as used; 0 before the first.
    ended_by, why, ended_at
        Who, or which other clock, ended it; with the reason and the time.
    decided
        The name in the decision that it does not apply.
    """

    number: int
    clock: str
    trigger: str
    trigger_at: int
    assumed: bool
    strict_due: int
    catalogue: str
    state: ClockState = ClockState.RUNNING
    tolled_until: int = 0
    reached: int = 0
    receipt: str = ""
    submitted_at: int = 0
    late: bool = False
    ended_by: tuple[str, ...] = ()
    why: str = ""
    ended_at: int = 0
    decided: str = ""

    @property
    def due(self) -> int:
        """When it is due (ms): strictly, or when the delay ends."""
        return max(self.strict_due, self.tolled_until)

    @property
    def regime(self) -> str:
        """Whose clock it is."""
        return self.clock.split(".", 1)[0]

    @property
    def report(self) -> str:
        """The report that it is about, regime.report: the same for all its tiers; of a contract, each time alone."""
        if self.regime == CONTRACT:
            return self.clock
        return ".".join(self.clock.split(".")[:2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What one person says of a report that a second one has not confirmed."""

    receipt: str
    submitted_at: int
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Who decided that something does not apply, and why."""

    principal: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """Regimes in the order in which they came, facts, clocks by number, proposals by report, and what does not apply.

    asked
        Who answered each fact last, with basis and time.
    """

    regimes: tuple[str, ...] = ()
    moments: Mapping[Trigger, Moment] = field(default_factory=dict)
    known: Mapping[str, bool | None] = field(default_factory=dict)
    asked: Mapping[str, Moment] = field(default_factory=dict)
    counted: tuple[Counted, ...] = ()
    proposed: Mapping[str, Proposed] = field(default_factory=dict)
    excluded: Mapping[str, Decided] = field(default_factory=dict)

    @property
    def running(self) -> tuple[Counted, ...]:
        """The clocks that run."""
        return tuple(one for one in self.counted if one.state is ClockState.RUNNING)

    @property
    def statutory(self) -> tuple[Counted, ...]:
        """The running clocks that a law sets: without those of vendors' contracts."""
        return tuple(one for one in self.running if one.regime != CONTRACT)

    @property
    def submissions(self) -> tuple[Submission, ...]:
        """The reports that were sent."""
        return tuple(
            Submission(regime=one.regime, name=one.report.partition(".")[2], at=one.submitted_at)
            for one in self.counted
            if one.state is ClockState.SUBMITTED
        )

    def named(self, name: str) -> Counted | None:
        """Return the running clock of this key or report, or None."""
        return next((one for one in self.running if name in {one.clock, one.report}), None)


def covers(name: str, clock: str) -> bool:
    """Whether the name of a regime, a report or a clock speaks of the clock with this key."""
    return clock == name or clock.startswith(f"{name}.")


def _with(clocks: Clocks, changed: Counted) -> Clocks:
    """Return the region with one clock as it is now."""
    return replace(clocks, counted=tuple(changed if one.number == changed.number else one for one in clocks.counted))


def _recorded(clocks: Clocks, event: c.FactRecorded, at: int) -> Clocks:
    said = replace(clocks, asked={**clocks.asked, event.fact: Moment(at=at, who=event.principal, basis=event.basis)})
    if event.fact not in TRIGGERS:
        answer = {Known.YES: True, Known.NO: False, Known.UNKNOWN: None}[event.known]
        return replace(said, known={**clocks.known, event.fact: answer})
    trigger = Trigger(event.fact)
    moments = {one: moment for one, moment in clocks.moments.items() if one is not trigger}
    if event.known is Known.YES:
        moments[trigger] = Moment(at=event.happened_at, who=event.principal, basis=event.basis)
    return replace(said, moments=moments)


def _of_response(clocks: Clocks, event: object, at: int) -> Clocks:
    """Return the region as the response is over, unless a person has said when: and as it is taken up again."""
    known = clocks.moments.get(Trigger.RESOLVED)
    if known is not None and known.who:
        return clocks
    if isinstance(event, CaseResolved):
        moment = Moment(at=at, who="", basis="the case was resolved")
        return replace(clocks, moments={**clocks.moments, Trigger.RESOLVED: moment})
    left: Mapping[Trigger, Moment] = {
        one: moment for one, moment in clocks.moments.items() if one is not Trigger.RESOLVED
    }
    return replace(clocks, moments=left)


def _retold(changed: Counted, at: int) -> Counted:
    """Return a clock whose times have changed: shares that are not used any more count as not told."""
    used = max(crossed(changed.trigger_at, changed.due, at), default=0)
    return replace(changed, reached=min(changed.reached, used))


def _running_again(one: Counted) -> Counted:
    return replace(one, state=ClockState.RUNNING, ended_by=(), why="", ended_at=0, decided="")


def _moved(clocks: Clocks, event: c.ClockMoved, at: int) -> Clocks:
    moved = replace(
        clocks.counted[event.number - 1],
        trigger=event.trigger,
        trigger_at=event.trigger_at,
        assumed=event.assumed,
        strict_due=event.strict_due,
        catalogue=event.catalogue,
    )
    return _with(clocks, _retold(moved, at))


def _submitted(clocks: Clocks, event: c.ReportSubmitted, at: int) -> Clocks:
    one = replace(
        clocks.counted[event.number - 1],
        state=ClockState.SUBMITTED,
        receipt=event.receipt,
        submitted_at=event.submitted_at,
        late=event.late,
        ended_by=event.principals,
        ended_at=at,
    )
    left = {name: said for name, said in clocks.proposed.items() if name != one.report}
    return replace(_with(clocks, one), proposed=left)


def _not_applicable(clocks: Clocks, event: c.ClockNotApplicable, at: int) -> Clocks:
    ended = tuple(
        replace(
            one,
            state=ClockState.NOT_APPLICABLE,
            ended_by=(event.principal,),
            why=event.reason,
            ended_at=at,
            decided=event.clock,
        )
        if one.state is ClockState.RUNNING and covers(event.clock, one.clock)
        else one
        for one in clocks.counted
    )
    decided = Decided(principal=event.principal, reason=event.reason, at=at)
    return replace(clocks, counted=ended, excluded={**clocks.excluded, event.clock: decided})


def _reopened(clocks: Clocks, event: c.ClockReopened) -> Clocks:
    if event.number:
        unsent = replace(clocks.counted[event.number - 1], receipt="", submitted_at=0, late=False)
        return _with(clocks, _running_again(unsent))
    again = tuple(
        _running_again(one) if one.state is ClockState.NOT_APPLICABLE and one.decided == event.clock else one
        for one in clocks.counted
    )
    left = {name: decided for name, decided in clocks.excluded.items() if name != event.clock}
    return replace(clocks, counted=again, excluded=left)


def _started(clocks: Clocks, event: c.ClockStarted) -> Clocks:
    started = Counted(
        number=event.number,
        clock=event.clock,
        trigger=event.trigger,
        trigger_at=event.trigger_at,
        assumed=event.assumed,
        strict_due=event.strict_due,
        catalogue=event.catalogue,
    )
    return replace(clocks, counted=(*clocks.counted, started))


def evolve(clocks: Clocks, event: object, at: int) -> Clocks:
    """Return the region after an event of the entry decided at `at` (ms); others leave it as it is."""
    match event:
        case c.CaseRegulated():
            return replace(clocks, regimes=(*clocks.regimes, event.regime))
        case c.FactRecorded():
            return _recorded(clocks, event, at)
        case CaseResolved() | CaseReopened():
            return _of_response(clocks, event, at)
        case c.ClockStarted():
            return _started(clocks, event)
        case c.ClockMoved():
            return _moved(clocks, event, at)
        case c.ClockSuperseded():
            one, by = clocks.counted[event.number - 1], (event.by,)
            ended = replace(one, state=ClockState.SUPERSEDED, ended_by=by, why=event.why, ended_at=at)
            return _with(clocks, ended)
        case c.ClockTolled():
            tolled = replace(clocks.counted[event.number - 1], tolled_until=event.until)
            return _with(clocks, _retold(tolled, at))
        case c.ClockShareReached():
            return _with(clocks, replace(clocks.counted[event.number - 1], reached=event.share))
        case _:
            return _by_people(clocks, event, at)


def _by_people(clocks: Clocks, event: object, at: int) -> Clocks:
    """Return the region after what people decided of a report or a clock."""
    match event:
        case c.ReportProposed():
            said = Proposed(receipt=event.receipt, submitted_at=event.submitted_at, principal=event.principal)
            report = clocks.counted[event.number - 1].report
            return replace(clocks, proposed={**clocks.proposed, report: said})
        case c.ReportSubmitted():
            return _submitted(clocks, event, at)
        case c.ClockNotApplicable():
            return _not_applicable(clocks, event, at)
        case c.ClockReopened():
            return _reopened(clocks, event)
    return clocks
