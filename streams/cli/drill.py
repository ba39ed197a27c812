"""`headgate drill`: scenarios that are played end to end with real machines, and people who are waited for."""

import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from schemas.drills import Scenario
from schemas.errors import HeadgateError
from schemas.spans import span
from streams.cli import drill_from
from streams.drills import files
from streams.settings import Settings
from streams.view.rendering import emit, table

if TYPE_CHECKING:
    from agents.drills.score import Scorecard
    from streams.demo.timeline import Timeline

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_FILES = click.argument("names", metavar="FILE...", nargs=-1, required=True)
_OUT = click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Directory of the reports.")


@click.group(name="drill")
def command() -> None:
    r"""Play scenarios end to end: real models, faults and requests; what follows is Headgate's own doing.

    A drill has a Kafka, a ledger and a clock of its own, so that it touches no real incident, unless --here says
    otherwise. FILE is a scenario, or the name of one that Headgate comes with.

    \b
    Examples:
      headgate drill list
      headgate drill show healthcare
      headgate drill run healthcare finance-bias
      headgate drill run healthcare --tabletop
      headgate drill from 3f8a2c --out again.toml
    """


@command.command(name="list")
@_JSON
def listing(*, as_json: bool) -> None:
    """Print the drills that Headgate comes with."""
    read = {path.stem: files.read(path) for path in files.known()}
    if as_json:
        emit([{"name": name, "title": one.title, "situation": one.situation} for name, one in read.items()])
        return
    rows = [[name, one.title, str(len(one.people)), str(len(one.steps))] for name, one in read.items()]
    table(("drill", "what happens", "people", "steps"), rows, "there is none")


@command.command(name="show")
@click.argument("name", metavar="FILE")
@_JSON
def showing(name: str, *, as_json: bool) -> None:
    """Print what FILE plays: systems, people, steps, questions and what is expected.

    Example: headgate drill show finance-bias
    """
    from streams.view.drill_view import document, show

    path = files.find(name)
    scenario = files.read(path)
    if as_json:
        emit(document(scenario))
    else:
        show(scenario, path.stem)


@command.command()
@_FILES
@_JSON
def check(names: tuple[str, ...], *, as_json: bool) -> None:
    """Say whether each FILE is a valid scenario; exit 2 with one sentence where one is not.

    Example: headgate drill check deploy/drills/*.toml
    """
    for name in names:
        files.read(files.find(name))
    if as_json:
        emit([{"file": name, "valid": True} for name in names])
    else:
        for name in names:
            click.echo(f"{name} is valid")


def _span(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else span(value).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@command.command()
@_FILES
@click.option(
    "--speed", type=click.FloatRange(1, 1_000_000), help="Times faster than life while people are waited for."
)
@click.option("--no-fault", is_flag=True, help="The same requests with nothing wrong: nothing must open.")
@click.option(
    "--here", is_flag=True, help="On the pipeline that runs for these settings, in real time, with its people."
)
@click.option("--patience", metavar="SPAN", callback=_span, help="With --here: how long a person is waited for; 10m.")
@click.option("--tabletop", is_flag=True, help="Start nothing: tell the scenario, and ask its questions.")
@click.option(
    "--answers", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="With --tabletop: prepared answers."
)
@_OUT
@_JSON
@click.pass_context
def run(
    ctx: click.Context, /, names: tuple[str, ...], answers: Path | None, *, tabletop: bool, as_json: bool, **how: Any
) -> None:
    r"""Play each FILE to its end, and score it against what it expects.

    All files share one stack and one warm-up, and are played one after another. Machines work as fast as they do in
    life; the clock of the drill runs faster only while people are waited for. The reports (md, html, pdf, json) are
    written to --out, by default below var/drills. Exit status 1: something that is expected was not so.

    With --here, nothing but the drill's models is started. An administrator's key of this machine declares them beside
    yours, as a drill's; their incidents page whoever is on call, and are answered by people with the commands that they
    would use in life. No plan is made, for your gateway does not lead to them; what cannot be judged is named.

    \b
    Examples:
      headgate drill run healthcare
      headgate drill run healthcare --no-fault
      headgate drill run healthcare finance-bias --speed 600 --out reports
      headgate drill run healthcare --tabletop --answers answers.toml
      headgate drill run extraction --here
    """
    scenarios = files.chosen(names)
    if how["here"] and (tabletop or how["speed"] is not None):
        raise click.UsageError(
            "--here plays in real time with real people: neither --speed nor --tabletop goes with it"
        )
    if how["patience"] is not None and not how["here"]:
        raise click.UsageError("--patience goes with --here")
    if tabletop:
        if as_json:
            raise click.UsageError("--tabletop talks to people, so it has no --json; its reports are in --out")
        if how["no_fault"] or how["speed"] is not None:
            raise click.UsageError("--tabletop starts nothing: neither --no-fault nor --speed goes with it")
        ctx.exit(0 if _at_a_table(ctx.obj, scenarios, how["out"], answers) else 1)
    if answers is not None:
        raise click.UsageError("--answers goes with --tabletop")
    ctx.exit(0 if _play(ctx.obj, scenarios, as_json=as_json, **how) else 1)


def _at_a_table(settings: Settings, scenarios: Mapping[str, Scenario], out: Path | None, answers: Path | None) -> bool:
    from streams.drills.tabletop import play

    directory = out or settings.var / "drills" / "tabletop"
    right = [play(name, one, directory / name, answers) for name, one in scenarios.items()]
    return all(right)


def _play(
    settings: Settings,
    scenarios: Mapping[str, Scenario],
    out: Path | None,
    *,
    no_fault: bool,
    as_json: bool,
    **how: Any,
) -> bool:
    """Play the scenarios, print what came of them, and return whether all that is expected was so."""
    from rich.console import Console

    from streams.demo.timeline import Timeline
    from streams.drills.report import score_document

    signal.signal(signal.SIGTERM, _interrupt)
    timeline = Timeline(Console(stderr=True, highlight=False, soft_wrap=True))
    plays = _here if how.pop("here") else _apart
    cards, directory = plays(settings, scenarios, out, timeline, faulty=not no_fault, **how)
    if as_json:
        emit([score_document(card) for card in cards])
        return all(card.passed for card in cards)
    rows = [
        [card.name, "kept" if line.kept else "NOT KEPT", line.subject, line.wanted, line.found]
        for card in cards
        for line in card.lines
    ]
    table(("drill", "", "expected", "wanted", "found"), rows)
    for card in cards:
        if card.dropped:
            click.echo(f"\n{card.name}: not played here, and not judged: {', '.join(card.dropped)}")
    click.echo(f"\nreports: {directory}")
    return all(card.passed for card in cards)


def _apart(
    settings: Settings,
    scenarios: Mapping[str, Scenario],
    out: Path | None,
    timeline: "Timeline",
    *,
    faulty: bool,
    speed: float | None,
    **_: Any,
) -> tuple[list["Scorecard"], Path]:
    from streams.drills.cluster import own
    from streams.drills.here import runs
    from streams.drills.run import play

    if runs(settings):
        timeline.say(f"the pipeline of the ledger {settings.ledger} is left alone; --here plays a drill on it")
    drills = own(settings)
    directory = out or drills.var / "reports"
    try:
        return play(drills, scenarios, timeline, directory, speed=speed, faulty=faulty), directory
    except KeyboardInterrupt:
        raise HeadgateError(f"interrupted; the logs are in {drills.var / 'log'}") from None


def _here(
    settings: Settings,
    scenarios: Mapping[str, Scenario],
    out: Path | None,
    timeline: "Timeline",
    *,
    faulty: bool,
    patience: float | None,
    **_: Any,
) -> tuple[list["Scorecard"], Path]:
    from streams.drills.here import PATIENCE, Here, administrator, directory_of
    from streams.drills.run import play_here

    directory = directory_of(settings)
    place = Here(settings, scenarios, directory, administrator(settings), timeline.say, patience=patience or PATIENCE)
    reports = out or directory / "reports"
    try:
        return play_here(place, timeline, reports, faulty=faulty), reports
    except KeyboardInterrupt:
        raise HeadgateError(f"interrupted; the logs are in {settings.var / 'log'}") from None


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


command.add_command(drill_from.command)
