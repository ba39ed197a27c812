"""An incident as a person or a program reads it: what was found, what is planned, who decided, what is waited for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from agents.ledger.case import Case, Phase
from agents.ledger.fold import Verified
from agents.triage.reports import reporter_named
from schemas import events as e
from schemas.atlas import TECHNIQUES
from schemas.errors import HeadgateError
from streams.clock import now_ms
from streams.view import message_lines, work_lines
from streams.view.asking import OpenLedger
from streams.view.left_to_do import left_to_do
from streams.view.lineage import say_lineage
from streams.view.next_step import next_step
from streams.view.output_audit import say
from streams.view.plan_view import plan_document, proposal, reviews, show_decisions, show_plan, show_reviews
from streams.view.rendering import clean, jsonable, table, when
from streams.view.sentences import sentence

_SHORTEST = 8
EXERCISE = "DRILL: this is an exercise; nothing real went wrong, and nothing is reported to anybody outside"


def resolve(ledger: OpenLedger, prefix: str) -> Case:
    """Return the incident whose id begins so; HeadgateError where there is none, or more than one."""
    cases = ledger.state.cases
    if prefix in cases:
        return cases[prefix]
    matching = [incident for incident in cases if prefix and incident.startswith(prefix)]
    if len(matching) != 1:
        what = f"{len(matching)} incidents begin" if matching else "no incident begins"
        raise HeadgateError(f"{what} with {clean(prefix[:80])}; `headgate incidents --all` lists them")
    return cases[matching[0]]


def short(ledger: OpenLedger, incident: str) -> str:
    """Return the beginning of an id that no other incident shares."""
    others = [other for other in ledger.state.cases if other != incident]
    length = _SHORTEST
    while any(other.startswith(incident[:length]) for other in others) and length < len(incident):
        length += 1
    return incident[:length]


def row(ledger: OpenLedger, case: Case, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an incident in one row."""
    step = next_step(case, ledger.state.control, now_ms(), short(ledger, case.incident), names)
    return {
        "incident": case.incident,
        "severity": case.severity.value,
        "category": case.category.value,
        "phase": case.phase.value,
        "acknowledged": case.acknowledged,
        "system": case.system,
        "title": named(case.title, names),
        "drill": case.drill,
        "opened_at": case.opened_at,
        "waits_for": step.sentence,
        "command": step.command,
    }


def _left(ledger: OpenLedger, case: Case) -> list[dict[str, str]]:
    """Return what keeps a case from being closed once its response is over, each with the command that settles it."""
    if case.phase not in {Phase.RESOLVED, Phase.REVIEW}:
        return []
    left = left_to_do(case, ledger.state.control, short(ledger, case.incident))
    return [{"what": sentence, "command": command} for sentence, command in left]


def document(ledger: OpenLedger, case: Case, names: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the ledger says of an incident."""
    entries = list(ledger.of(case.incident))
    opened = next(event for found in entries for event in found.events if isinstance(event, e.CaseOpened))
    ranked = sorted(case.course.signals, key=lambda evidence: -evidence.score)
    return {
        **row(ledger, case, names),
        "left_to_do": _left(ledger, case),
        "rule": opened.rule,
        "policy": case.policy,
        "owner_role": opened.owner_role,
        "declared_system": opened.declared_system,
        "recommended": opened.recommended,
        "technique": case.technique or None,
        "first_bad_at": opened.first_bad_at,
        "recurrence_of": case.recurrence_of,
        "assessment": jsonable(case.assessment),
        "course": _course(case),
        "hold": jsonable(case.hold),
        "clocks": jsonable(case.clocks.counted),
        "people": jsonable(case.people),
        "decision_reviews": jsonable(list(case.reviews.queued.values())),
        "messages": jsonable(case.messages),
        "learning": jsonable(case.learning),
        "quiet": case.quiet,
        "affected": jsonable(case.affected),
        "blast_radius": jsonable(case.blast_radius),
        "evidence": jsonable([replace(one, summary=reporter_named(one.summary, names)) for one in ranked]),
        "plan": plan_document(ledger, case, entries),
        "reviews": reviews(case, now_ms()),
        "actions": jsonable(list(case.actions.values())),
        "history": [
            {"entry": found.index, "at": found.entry.at if found.entry else 0, "events": _told(found)}
            for found in entries
        ],
    }


_UNTOLD = frozenset({"signals", "parted", "followed"})
"""Of a case's course: evidence that stands beside it, and what decides to which case a split-off fault is told."""


def _course(case: Case) -> dict[str, Any]:
    told: dict[str, Any] = jsonable(case.course)
    return {name: value for name, value in told.items() if name not in _UNTOLD}


def _suspected(technique: str) -> str:
    known = TECHNIQUES.get(technique)
    return f"{known.name} ({technique})" if known else clean(technique)


def _judged(case: Case) -> Iterator[str]:
    """Return lines on what people judged beside the rules."""
    judged = case.assessment
    said = [f"judged {judged.judged.value}"] if judged.judged else []
    said += [f"{dimension.value} {level.value}" for dimension, level in judged.harm.items()]
    said += sorted(modifier.value for modifier in judged.modifiers)
    if said:
        yield f"assessed     {', '.join(said)}"
    if judged.priority:
        yield f"priority     {judged.priority.value}"
    for regime, answer in judged.reportability.items():
        yield f"reportable   {regime}: {answer.value.replace('_', ' ')}"


def _went(case: Case) -> Iterator[str]:
    """Return lines on where the case went, what is held of it, and which statutory clocks run."""
    course = case.course
    if course.merged_into:
        yield f"merged into {course.merged_into}"
    if course.absorbed:
        yield f"goes on here: {', '.join(course.absorbed)}"
    if course.splits:
        yield f"split off:    {', '.join(course.splits)}"
    if course.reopened or course.regressed:
        yield f"reopened {course.reopened} times, fell back {course.regressed} times"
    if case.hold.stands:
        held = ", ".join(f"{each.model} {each.version}" for each in case.hold.held)
        yield f"held         {held} since {when(case.hold.since)}"
    for clock in sorted(case.clocks.running, key=lambda one: one.due):
        yield f"clock        {clock.clock}, due {when(clock.due)}"


def _told(found: Verified) -> list[str]:
    return [sentence(event) for event in found.events]


def show(
    ledger: OpenLedger,
    case: Case,
    names: Mapping[str, str],
    reports: Sequence[Mapping[str, Any]] = (),
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Print an incident for a person, with the audits of its outputs and the lineage of its versions."""
    told = document(ledger, case, names)
    click.echo(f"incident {case.incident}: {case.severity.value.upper()} {case.category.value}, {case.phase.value}")
    if case.drill:
        click.echo(f"  {EXERCISE}")
    for line in (
        clean(told["title"]),
        f"system       {clean(case.system)}" + ("" if told["declared_system"] else "  (UNDECLARED: strictest tier)"),
        f"severity     {case.severity.value}; rule {told['rule']} of policy {case.policy[:16]} began it",
        *_judged(case),
        f"owner        {clean(told['owner_role'])}" + (", acknowledged" if case.acknowledged else ""),
        f"opened       {when(case.opened_at)}, first bad {when(told['first_bad_at'])}",
        f"recommended  {clean(told['recommended'])}",
    ):
        click.echo(f"  {line}")
    for line in (*_went(case), *message_lines.lines(ledger.state.control, case)):
        click.echo(f"  {clean(line)}")
    if case.technique:
        click.echo(f"  suspected    {_suspected(case.technique)}")
    if case.recurrence_of:
        click.echo(f"  recurrence of {clean(case.recurrence_of)}")
    _show_findings(told)
    say_lineage(origin)
    say(reports)
    proposed = proposal(ledger, case)
    if case.plan is not None and proposed is not None:
        click.echo()
        show_plan(case.plan, proposed)
        show_decisions(told["plan"], names)
    show_reviews(case, now_ms(), names)
    if done := list(work_lines.lines(case, ledger.state.control, names)):
        click.echo("\npeople")
        click.echo("\n".join(f"  {clean(line)}" for line in done))
    _show_history(told, names)
    _show_wait(told)


def _show_wait(told: Mapping[str, Any]) -> None:
    """Print what an incident waits for, and the command for it; under review each thing that is left, by itself."""
    if told["phase"] != Phase.REVIEW or not told["left_to_do"]:
        click.echo(f"\nwaits for: {clean(told['waits_for'])}")
    else:
        click.echo("\nbefore it can be closed")
        for one in told["left_to_do"]:
            click.echo(f"  {clean(one['what'])}\n    {one['command']}")
    if told["command"]:
        click.echo(f"  {told['command']}")


def _show_findings(told: dict[str, Any]) -> None:
    click.echo("\naffected")
    for one in told["affected"]:
        on = ", ".join(one["instances"]) or "all instances"
        click.echo(clean(f"  {one['model']} version {one['version']}, {on}"))
    _show_reach(told["blast_radius"])
    click.echo("\nevidence, the strongest first")
    rows = [
        [
            str(number),
            f"{one['score']:.1f}",
            one["version"],
            one["subject"],
            one["detector"],
            f"{one['value']:.3g}",
            one["rule"],
            one["summary"],
        ]
        for number, one in enumerate(told["evidence"], 1)
    ]
    table(("signal", "score", "version", "subject", "detector", "value", "rule", "what"), rows, "  none")


def _show_reach(reached: Sequence[Mapping[str, Any]]) -> None:
    """Print how far a fault goes, where it could go further than its origin."""
    if len(reached) < 2:
        return
    click.echo("\nblast radius, by steps downstream of the origin")
    for one in reached:
        shows = "shows signals" if one["seen"] else "could be reached; shows nothing"
        click.echo(clean(f"  {one['depth']}  {one['model']}: {shows}"))


def _show_history(told: dict[str, Any], names: Mapping[str, str]) -> None:
    click.echo("\nhistory")
    for entry in told["history"]:
        for said in entry["events"]:
            click.echo(f"  {entry['entry']:>5}  {when(entry['at'])}  {clean(named(said, names))}")


def named(said: str, names: Mapping[str, str]) -> str:
    """Return a sentence with the names that this machine knows for principals."""
    said = reporter_named(said, names)
    for principal, name in names.items():
        said = said.replace(principal, name)
    return said
