"""A scenario on a terminal: situation, people, steps and what is expected."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click

from agents.drills.questions import Told, told
from agents.reports.words import called, listed, plain
from schemas.drills import Expect, Scenario, Step
from schemas.spans import written
from streams.view.drill_words import fault, paragraphs, spaced
from streams.view.rendering import clean, jsonable, table

MOMENTS = {
    "start": "the beginning",
    "opened": "an incident opened",
    "declared": "it was declared",
    "planned": "people are asked about a plan",
    "approved": "enough people agreed",
    "contained": "the harm stopped",
    "recovering": "every step was done",
    "resolved": "it is over",
    "review": "the review began",
    "closed": "it was closed",
    "exhausted": "nobody answered the page",
}
"""What a step may wait for, in words."""


def show(scenario: Scenario, name: str) -> None:
    """Print a scenario."""
    click.echo(f"{clean(name)}: {clean(scenario.title)}\n")
    click.echo("\n\n".join(clean(one) for one in paragraphs(scenario.situation)))
    click.echo("\nSystems")
    table(("system", "tier", "regulations", "models"), _systems(scenario))
    click.echo("\nPeople")
    table(("person", "roles", "on call", "reachable"), _people(scenario))
    click.echo("\nSteps")
    table(("when", "step", "who", "what"), [_row(one) for one in told(scenario)])
    click.echo("\nExpected")
    table(("what", "expected"), list(expectations(scenario.expect)))
    if scenario.questions:
        count = f"{len(scenario.questions)} question{'' if len(scenario.questions) == 1 else 's'}"
        click.echo(f"\n{count} for a table: headgate drill run {clean(name)} --tabletop")


def document(scenario: Scenario) -> dict[str, Any]:
    """Return a scenario for programs, as it was read: lengths of time as people write them."""
    found: dict[str, Any] = jsonable(_spelt(scenario.model_dump(mode="python")))
    return found


def _spelt(value: Any) -> Any:
    match value:
        case timedelta():
            return written(value)
        case dict():
            return {key: _spelt(one) for key, one in value.items()}
        case list() | tuple():
            return [_spelt(one) for one in value]
    return value


def moment(one: Told) -> str:
    """Return when a step is taken in words."""
    since = MOMENTS[one.moment]
    return f"{written(one.wait)} after {since}" if one.wait else f"as {since}" if one.moment != "start" else since


def what(step: Step) -> str:
    """Return what happens in a step, in words."""
    parts = [step.tells.rstrip(".")] if step.tells else []
    parts += [f"a fault begins: {fault(one)}" for one in step.faults]
    if step.mends:
        parts.append(f"the faults of {listed(step.mends)} end")
    if step.says:
        parts.append(_said(step))
    if step.refused:
        parts.append(f"and is refused: {plain(step.refused)}")
    return "; ".join(parts) or "time passes"


def _said(step: Step) -> str:
    if len(step.fields) == 1 and not step.fields.keys().isdisjoint({"note", "reason"}):
        return f"{spaced(step.says)}: {next(iter(step.fields.values()))}"
    fields = ", ".join(f"{name}: {value}" for name, value in step.fields.items())
    return f"{spaced(step.says)} ({fields})" if fields else spaced(step.says)


def expectations(expect: Expect) -> Iterator[tuple[str, str]]:
    """Yield each expectation that the file has, in words."""
    yield "incidents", str(expect.incidents)
    for name in ("category", "severity", "phase", "origin", "technique", "escalation"):
        if (value := getattr(expect, name)) is not None:
            yield name, plain(str(value)) if name == "category" else str(value)
    for name in ("affected", "paged", "approvals", "effects", "clocks"):
        if (values := getattr(expect, name)) is not None:
            yield name, ", ".join(values) or "none"
    for clock, gives in expect.due.items():
        yield f"{clock} gives", written(gives)
    for name in ("detect", "declare", "acknowledge", "contain", "resolve"):
        if (longest := getattr(expect.within, name)) is not None:
            yield name, f"within {written(longest)}"


def _systems(scenario: Scenario) -> list[list[str]]:
    return [
        [name, one.tier, ", ".join(one.regulations) or "none", ", ".join(one.models)]
        for name, one in scenario.systems.items()
    ]


def _people(scenario: Scenario) -> list[list[str]]:
    return [
        [
            name,
            ", ".join(called(role) for role in one.roles),
            "yes" if one.on_call else "no",
            "yes" if one.reachable else "no",
        ]
        for name, one in scenario.people.items()
    ]


def _row(one: Told) -> list[str]:
    return [moment(one), one.step.name, one.step.by or "", what(one.step)]
