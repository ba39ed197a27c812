"""How well a drill was answered: each expectation of its file against what the ledger says."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from agents.drills.milestones import Took, own, spoken, times
from agents.drills.played import Done, Happened, Played
from agents.ledger.case import Case
from schemas import events as e
from schemas.case.action import ActionFinished
from schemas.case.approval import ApprovalsRecounted, DenialGiven
from schemas.case.paging import EscalationExhausted, PageSent, PagingStarted
from schemas.drills import Expect, Step
from schemas.spans import written

NO_INCIDENT = "no incident"
NOTHING = "nothing"
NOBODY = "nobody said it"
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One expectation: `subject` is the field of the file, ``step:<name>`` or ``false_alarms``."""

    subject: str
    wanted: str
    found: str
    kept: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockBegan:
    """A statutory clock that began, and how long it gives from its trigger on (ms, by the strictest reading)."""

    clock: str
    trigger: str
    gives: int
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """How a drill went.

    incident
        The one that is judged: the first that the faults explain; empty where none opened.
    escalation
        The policy that people were paged by about the incident itself; empty where none was.
    paged, approvals, effects
        People in the order of their first page, people whose approvals counted, and changed targets in order.
    false_alarms
        Titles of cases that no fault and no person explains.
    dropped
        What could not be played on a running pipeline, and is not judged.
    """

    name: str
    title: str
    faulty: bool
    incident: str
    rows: int
    lasted: int
    lines: tuple[Line, ...]
    times: tuple[Took, ...]
    clocks: tuple[ClockBegan, ...]
    escalation: str
    paged: tuple[str, ...]
    approvals: tuple[str, ...]
    effects: tuple[str, ...]
    false_alarms: tuple[str, ...]
    dropped: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[Line, ...]:
        """The expectations that were not met."""
        return tuple(line for line in self.lines if not line.kept)

    @property
    def passed(self) -> bool:
        """Whether every expectation was met."""
        return not self.missed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the ledger says of a drill."""

    main: Case | None
    clocks: tuple[ClockBegan, ...]
    escalation: str
    paged: tuple[str, ...]
    approvals: tuple[str, ...]
    effects: tuple[str, ...]


def score(played: Played) -> Scorecard:
    """Judge a drill by its file; without its faults nothing is judged but that nothing opened.

    Pages about incidents themselves, approvals, effects and clocks are those of every case that the faults explain.
    An approval counts if it stands when its plan is authorised, or still stands in the end where the plan is undecided.
    A due span in whole days is kept by a clock that gives one hour less: a local day may lose one to daylight saving.
    """
    cases = own(played) or played.cases
    explained = {case.incident for case in own(played)}
    false = tuple(case.title for case in played.cases if case.incident not in explained)
    found = _found(played, cases)
    took = times(played, found.main)
    lines = list(_judged(played, found, took, false) if played.faulty else _quiet(played))
    return Scorecard(
        name=played.name,
        title=played.scenario.title,
        faulty=played.faulty,
        incident=found.main.incident if found.main else "",
        rows=played.rows,
        lasted=max(0, played.ended_at - played.begun_at),
        lines=tuple(lines),
        times=took,
        clocks=found.clocks,
        escalation=found.escalation,
        paged=found.paged,
        approvals=found.approvals,
        effects=found.effects,
        false_alarms=false,
        dropped=played.dropped,
    )


def _found(played: Played, cases: tuple[Case, ...]) -> _Found:
    named = {case.incident for case in cases}
    told = [one for one in played.happened if one.incident in named]
    main = cases[0] if cases else None
    of_main = [one.event for one in told if main is not None and one.incident == main.incident]
    policies = [one.policy for one in of_main if isinstance(one, PagingStarted) and not one.subject]
    ended = [one.event for one in told if isinstance(one.event, ActionFinished)]
    return _Found(
        main=main,
        clocks=tuple(
            ClockBegan(clock=one.clock, trigger=one.trigger, gives=one.strict_due - one.trigger_at, due=one.due)
            for case in cases
            for one in case.clocks.counted
        ),
        escalation=policies[-1] if policies else "",
        paged=_unique(_paged(told, played.names)),
        approvals=_unique(played.names.get(who, who) for who in _approvals(told)),
        effects=_unique(one.target for one in ended if one.outcome == "done"),
    )


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _paged(told: Iterable[Happened], names: Mapping[str, str]) -> Iterator[str]:
    """Yield the people of each page about an incident itself, those told last included; machines are no people."""
    for one in told:
        if isinstance(one.event, PageSent | EscalationExhausted) and not one.event.subject:
            yield from (names.get(who, who) for who in one.event.persons if not who.startswith("webhook:"))


def _approvals(told: Iterable[Happened]) -> Iterator[str]:
    standing: dict[str, list[str]] = {}
    for one in told:
        match one.event:
            case e.ApprovalGiven(plan=plan, principal=who):
                standing[plan] = [*(each for each in standing.get(plan, []) if each != who), who]
            case e.ApprovalRevoked(plan=plan, principal=who) | DenialGiven(plan=plan, principal=who):
                standing[plan] = [each for each in standing.get(plan, []) if each != who]
            case ApprovalsRecounted(plan=plan, counted=counted):
                standing[plan] = [each for each in standing.get(plan, []) if each in counted]
            case e.PlanAuthorised(plan=plan):
                yield from standing.get(plan, [])
            case e.PlanEnded(plan=plan):
                standing.pop(plan, None)
    for left in standing.values():
        yield from left


def _quiet(played: Played) -> Iterator[Line]:
    found = len(played.cases)
    yield Line(subject="incidents", wanted="0", found=str(found), kept=found == 0)


def _judged(played: Played, found: _Found, took: tuple[Took, ...], false: tuple[str, ...]) -> Iterator[Line]:
    expect, count = played.scenario.expect, len(played.cases)
    yield Line(subject="incidents", wanted=str(expect.incidents), found=str(count), kept=count == expect.incidents)
    if false:
        yield Line(subject="false_alarms", wanted="none", found="; ".join(false), kept=False)
    yield from _of_case(expect, found)
    yield from _of_people(expect, found)
    yield from _of_clocks(expect, found)
    for one in took:
        if one.limit is not None:
            yield Line(
                subject=f"time:{one.name}",
                wanted=f"at most {spoken(one.limit)}",
                found="never" if one.took is None else spoken(one.took),
                kept=one.kept,
            )
    yield from _of_steps(played)


def _of_case(expect: Expect, found: _Found) -> Iterator[Line]:
    main = found.main
    wanted = {
        "category": expect.category.value if expect.category else None,
        "severity": expect.severity.value if expect.severity else None,
        "phase": expect.phase,
        "origin": expect.origin,
        "technique": expect.technique,
    }
    shown = (
        {
            "category": main.category.value,
            "severity": main.severity.value,
            "phase": main.phase.value,
            "origin": _origin(main),
            "technique": main.technique or NOTHING,
        }
        if main
        else {}
    )
    for subject, want in wanted.items():
        if want is not None:
            have = shown.get(subject, NO_INCIDENT)
            yield Line(subject=subject, wanted=want, found=have, kept=main is not None and want == have)
    if expect.affected is not None:
        touched = {f"{one.model}:{one.version}" for one in main.affected} if main else set[str]()
        yield _all("affected", expect.affected, touched)


def _origin(main: Case) -> str:
    first = [one.model for one in main.blast_radius if one.depth == 0] + [one.model for one in main.affected]
    return first[0] if first else NOTHING


def _of_people(expect: Expect, found: _Found) -> Iterator[Line]:
    if expect.escalation is not None:
        have = found.escalation or NOTHING
        yield Line(subject="escalation", wanted=expect.escalation, found=have, kept=expect.escalation == have)
    if expect.paged is not None:
        yield _ordered("paged", expect.paged, found.paged)
    if expect.approvals is not None:
        yield _all("approvals", expect.approvals, found.approvals)
    if expect.effects is not None:
        yield _ordered("effects", expect.effects, found.effects)


def _ordered(subject: str, wanted: Iterable[str], found: Iterable[str]) -> Line:
    want, have = tuple(wanted), tuple(found)
    return Line(subject=subject, wanted=_list(want, ", then "), found=_list(have, ", then "), kept=want == have)


def _all(subject: str, wanted: Iterable[str], found: Iterable[str]) -> Line:
    want, have = sorted(set(wanted)), sorted(set(found))
    return Line(subject=subject, wanted=_list(want), found=_list(have), kept=want == have)


def _list(names: Iterable[str], between: str = ", ") -> str:
    return between.join(names) or NOTHING


def _of_clocks(expect: Expect, found: _Found) -> Iterator[Line]:
    if expect.clocks is not None:
        yield _all("clocks", expect.clocks, (one.clock for one in found.clocks))
    gives = {one.clock: timedelta(milliseconds=one.gives) for one in found.clocks}
    for clock, wanted in expect.due.items():
        have = gives.get(clock)
        allowed = {wanted, wanted - _HOUR} if wanted % _DAY == timedelta(0) else {wanted}
        said = "it did not begin" if have is None else written(have)
        yield Line(subject=f"due:{clock}", wanted=written(wanted), found=said, kept=have in allowed)


def _of_steps(played: Played) -> Iterator[Line]:
    """Yield what was expected to be refused, and whatever did not go as the file has it."""
    done = {one.step: one for one in played.done}
    for step in played.scenario.steps:
        taken = done.get(step.name)
        if taken is None:
            if step.name in played.left:
                why = NOBODY if played.pipeline and step.by else f"{step.after} never came"
                yield Line(subject=f"step:{step.name}", wanted="taken", found=why, kept=False)
        elif step.refused or taken.refused:
            yield _refused(step, taken)


def _refused(step: Step, taken: Done) -> Line:
    wanted = f"refused: {step.refused}" if step.refused else "followed"
    found = f"refused: {taken.refused}" if taken.refused else "followed"
    return Line(subject=f"step:{step.name}", wanted=wanted, found=found, kept=step.refused == taken.refused)
