"""A drill as a report that a manager reads: verdict, what happened and was expected, times, people, what to improve."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agents.drills.advice import advice
from agents.drills.milestones import spoken
from agents.drills.played import Happened, Played
from agents.drills.score import Line, Scorecard
from agents.reports.document import Part, Report
from agents.reports.words import called, listed, plain, when
from schemas.drills import Scenario, Step
from schemas.values import Role
from streams.view.drill_words import PASSIVE, fault, paragraphs, said

HEADGATE = "Headgate"
_MOST = 150
_SUBJECTS = {
    "incidents": "Incidents that open",
    "false_alarms": "False alarms",
    "category": "Kind of incident",
    "severity": "Severity",
    "phase": "Where the response ends",
    "affected": "Model versions that it names",
    "origin": "Where it began",
    "technique": "Suspected technique (MITRE ATLAS)",
    "escalation": "Escalation policy",
    "paged": "People who are called",
    "approvals": "Approvals that count",
    "effects": "What is changed",
    "clocks": "Statutory clocks that begin",
    "time:opened": "Detection",
    "time:acknowledged": "First answer of a person",
    "time:declared": "Declaration",
    "time:contained": "Harm stopped",
    "time:resolved": "All over",
}
_TIMES = {
    "opened": "noticed",
    "acknowledged": "answered by a person",
    "declared": "declared an incident",
    "planned": "planned, and people asked",
    "approved": "agreed",
    "contained": "stopped",
    "resolved": "over",
}


_APART = (
    "An exercise: nothing in it happened to anybody. Models, requests, faults and people's words were played; all that "
    "followed was done by the real pipeline."
)
_HERE = (
    "An exercise on the running pipeline: nothing in it happened to anybody. Models, requests and faults were played; "
    "people were called and answered as in life."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """A line of what happened."""

    at: int
    who: str
    what: str


def report(played: Played, card: Scorecard) -> Report:
    """Return the report of one drill."""
    scenario = played.scenario
    return Report(
        form="drill",
        title=f"Drill: {scenario.title}",
        basis=_HERE if played.pipeline else _APART,
        facts=_facts(played, card),
        notices=(verdict(card), *_not_played(card)),
        parts=tuple(_parts(played, card)),
    )


def verdict(card: Scorecard) -> str:
    """Return how the drill went in one sentence."""
    kept, every = len(card.lines) - len(card.missed), len(card.lines)
    if not card.faulty:
        quiet = "Passed: no fault was let in, and no incident opened."
        return quiet if card.passed else "Not passed: an incident opened although no fault was let in."
    counted = f"{kept} of {every} expectations {'was' if every == 1 else 'were'} met"
    if card.passed:
        return f"Passed: {counted}."
    missed = listed(subject(line).lower() for line in card.missed[:3])
    more = f", and {len(card.missed) - 3} more" if len(card.missed) > 3 else ""
    return f"Not passed: {counted}; missed: {missed}{more}."


def _not_played(card: Scorecard) -> Iterator[str]:
    """Yield what a running pipeline cannot play, and why."""
    if card.dropped:
        what = listed(_subject(one).lower() if one in _SUBJECTS else _subject(one) for one in card.dropped)
        yield (
            f"Not played, and not judged: {what}. On a running pipeline no plan is made for the drill's models, which "
            "its gateway does not lead to, and people are the real ones."
        )


def subject(line: Line) -> str:
    """Return what an expectation is about in words."""
    return _subject(line.subject)


def _subject(of: str) -> str:
    kind, _, name = of.partition(":")
    if kind == "step":
        return f"Step “{name}”"
    if kind == "due":
        return f"Time that {name} gives"
    return _SUBJECTS.get(of, of)


def overview(every: Sequence[tuple[Played, Scorecard]]) -> Report:
    """Return several drills of one run on one page."""
    passed = sum(card.passed for _, card in every)
    sure = f"All {passed} drills were passed." if passed == len(every) else f"{passed} of {len(every)} drills passed."
    rows = [
        (
            card.title,
            "passed" if card.passed else "not passed",
            f"{len(card.lines) - len(card.missed)} of {len(card.lines)}",
            *(_took(card, name) for name in ("opened", "acknowledged", "contained", "resolved")),
        )
        for _, card in every
    ]
    missed = [(card.title, text) for _, card in every for text in advice(card)]
    columns = ("Drill", "Verdict", "Met", "Noticed", "Answered", "Stopped", "Over")
    parts = [Part(title="The drills", columns=columns, rows=tuple(rows))]
    if missed:
        parts.append(Part(title="What to improve", columns=("Drill", "What"), rows=tuple(missed)))
    parts.append(Part(title="How to repeat them", text=(_again(*(played for played, _ in every)),)))
    rows_judged = sum(played.rows for played, _ in every)
    return Report(
        form="drills",
        title="Drills: overview",
        basis="Exercises: nothing in them happened to anybody. Times are by the drills' clock; “noticed” counts from "
        "the first fault, all else from the opening of the incident.",
        facts=(("Drills", str(len(every))), ("Predictions", str(rows_judged))),
        notices=(sure,),
        parts=tuple(parts),
    )


def _took(card: Scorecard, name: str) -> str:
    return next((spoken(one.took) for one in card.times if one.name == name and one.took is not None), "–")


def _facts(played: Played, card: Scorecard) -> tuple[tuple[str, str], ...]:
    scenario = played.scenario
    faults = [fault(one) for step in scenario.steps for one in step.faults]
    people = [f"{name} ({', '.join(called(role) for role in one.roles)})" for name, one in scenario.people.items()]
    if played.pipeline:
        people = ["those who are there"]
    clock = "machine" if played.pipeline else "drill"
    return (
        ("File", played.name),
        ("Systems", listed(scenario.systems)),
        ("Fault", "; ".join(faults) or "none" if played.faulty else "none was let in"),
        ("People", listed(people)),
        ("Begun", f"{when(played.begun_at)} by the {clock}'s clock, lasted {spoken(card.lasted)}"),
        ("Predictions", str(played.rows)),
        ("Incident", card.incident or "none opened"),
    )


def _parts(played: Played, card: Scorecard) -> Iterator[Part]:
    yield situation(played.scenario)
    yield _happened(played)
    yield Part(
        title="What was expected",
        columns=("Expectation", "Expected", "Found", "Met"),
        rows=tuple(_expected(one) for one in card.lines),
    )
    if card.faulty:
        yield _times(card)
    if card.clocks:
        rows = [(one.clock, plain(one.trigger), spoken(one.gives), when(one.due)) for one in card.clocks]
        columns = ("Clock", "Counts from", "Gives", "Due")
        yield Part(title="Statutory clocks that began", columns=columns, rows=tuple(rows))
    yield _people(played, card)
    improve = advice(card)
    yield Part(title="What to improve", text=improve or ("Nothing: everything that was expected came about.",))
    yield Part(title="How to repeat it", text=(_again(played),))


def _happened(played: Played) -> Part:
    moments = sorted((*_steps(played), *_events(played)), key=lambda one: one.at)
    rows = [(_since(played, one.at), one.who, one.what) for one in moments[:_MOST]]
    text = ["The time is that of the drill's clock, from the beginning of the drill on."]
    if len(moments) > _MOST:
        text.append(f"{len(moments) - _MOST} later events are in the ledger.")
    return Part(title="What happened", text=tuple(text), columns=("Time", "Who", "What"), rows=tuple(rows))


def _steps(played: Played) -> Iterator[_Moment]:
    """Yield what the file let happen, except what people said: the ledger tells that."""
    steps = {step.name: step for step in played.scenario.steps}
    for done in played.done:
        step = steps.get(done.step)
        for what in _told(step) if step is not None else ():
            yield _Moment(at=done.at, who="The drill", what=what)


def _told(step: Step) -> Iterator[str]:
    if step.tells:
        yield step.tells
    yield from (f"a fault began: {fault(one)}" for one in step.faults)
    if step.mends:
        yield f"mended: {listed(step.mends)}"


def _events(played: Played) -> Iterator[_Moment]:
    for one in played.happened:
        if what := said(one, played.happened, played.names):
            who = HEADGATE if isinstance(one.event, PASSIVE) else played.names.get(one.by, HEADGATE)
            yield _Moment(at=one.at, who=who, what=what)


def _expected(line: Line) -> tuple[str, ...]:
    worded = line.subject in {"category", "phase"}
    wanted, found = (plain(one) if worded else one for one in (line.wanted, line.found))
    return subject(line), wanted, found, "yes" if line.kept else "NO"


def _since(played: Played, at: int) -> str:
    return spoken(max(0, at - played.begun_at) // 1000 * 1000)


def _times(card: Scorecard) -> Part:
    rows = tuple(
        (
            _TIMES[one.name],
            "not reached" if one.took is None else spoken(one.took),
            "–" if one.limit is None else spoken(one.limit),
            "–" if one.limit is None else "yes" if one.kept else "NO",
        )
        for one in card.times
    )
    counted = "Noticing counts from the first fault on, all else from the opening of the incident."
    columns = ("Until it was", "Took", "Target", "Met")
    return Part(title="Times against targets", text=(counted,), columns=columns, rows=rows)


def _people(played: Played, card: Scorecard) -> Part:
    rows = []
    for name, held in _people_of(played).items():
        did = [_deed(played, one) for one in played.happened if played.names.get(one.by) == name]
        idle = "was called, and did nothing" if name in card.paged else "did nothing"
        roles = listed(called(role) for role in held)
        rows.append((name, roles or "–", "; ".join(text for text in did if text) or idle))
    return Part(title="Who did what", columns=("Person", "Roles", "What"), rows=tuple(rows))


def _people_of(played: Played) -> dict[str, tuple[Role, ...]]:
    """Return people and the roles that the file gives them; on a running pipeline, those who did something."""
    if not played.pipeline:
        return {name: player.roles for name, player in played.scenario.people.items()}
    return {played.names[one.by]: () for one in played.happened if one.by in played.names}


def _deed(played: Played, one: Happened) -> str:
    if isinstance(one.event, PASSIVE):
        return ""
    what = said(one, played.happened, played.names)
    return f"{_since(played, one.at)}: {what}" if what else ""


def _again(*every: Played) -> str:
    commands = []
    here = " --here" if any(one.pipeline for one in every) else ""
    for faulty, option in ((True, here), (False, f" --no-fault{here}")):
        if names := dict.fromkeys(one.name for one in every if one.faulty is faulty):
            commands.append(f"headgate drill run{option} {' '.join(names)}")
    return "; ".join(commands)


def situation(scenario: Scenario) -> Part:
    """Return what people are told before it begins."""
    return Part(title="Situation", text=paragraphs(scenario.situation))
