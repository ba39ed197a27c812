"""`headgate drill from`: an incident as a drill, to be played again by other people."""

from collections.abc import Iterable
from pathlib import Path

import click
import tomlkit

from agents.drills.from_case import Drawn, from_case
from agents.ledger.fold import Verified
from schemas import oncall
from schemas.errors import HeadgateError
from schemas.events import SystemsAdopted
from schemas.systems import Systems, read
from streams.archive.observed import observed
from streams.kafka import Clients
from streams.settings import DEPLOY, Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.rendering import emit


@click.command(name="from")
@click.argument("incident")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write, which is not there yet.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(settings: Settings, incident: str, out: Path | None, *, as_json: bool) -> None:
    r"""Make a scenario of what happened in INCIDENT: its systems, fault, people, delays and outcome.

    Models and systems get names of their own, people are named by their roles, and what they wrote is left out. Inputs
    are shapes of rows: of telemetry that Kafka still has, of the archive's, or of those frozen with the incident; where
    too few can be read here, they are made up. Read the file before you hand it on: categories of inputs and what a
    system is for stand in it.

    \b
    Examples:
      headgate drill from 3f8a2c --out again.toml
      headgate drill check again.toml
      headgate drill run again.toml
    """
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        rows = observed(settings, case, Clients(settings))
        entries = list(ledger.of(case.incident))
        systems = systems_at(ledger.entries, entries[0].index)
        drawn = from_case(case, entries, ledger.state.control, systems, rows, _escalations())
    if as_json:
        emit({"scenario": drawn.document, "left_out": drawn.left})
        return
    text = written(drawn, case.incident, sorted(rows))
    if out is None:
        click.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise HeadgateError(f"{out} is there already; name another file, or move it away") from None
    click.echo(f"{out}: {len(drawn.document['steps'])} steps, {len(drawn.document['people'])} people", err=True)
    click.echo(f"headgate drill check {out}")


def systems_at(entries: Iterable[Verified], index: int) -> Systems:
    """Return the systems document that was in force at an entry."""
    found = Systems(version=1)
    for one in entries:
        if one.index >= index:
            break
        for event in one.events:
            if isinstance(event, SystemsAdopted):
                found = read(event.document)
    return found


def written(drawn: Drawn, incident: str, kept: list[str]) -> str:
    """Return the scenario as a file, with comments on what it rests on and what is not in it."""
    document = tomlkit.document()
    known = f"the rows of {', '.join(kept)}" if kept else "signals alone: too few rows can be read here"
    document.add(tomlkit.comment(_line(f"Made of the incident {incident}; inputs follow {known}.")))
    if drawn.left:
        said = ", ".join(f"{kind} {number}" for kind, number in sorted(drawn.left.items()))
        document.add(tomlkit.comment(_line(f"People also said what a drill cannot take over: {said}.")))
    for name, value in drawn.document.items():
        document.add(name, tomlkit.item(value))
    return tomlkit.dumps(document)


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:500])


def _escalations() -> list[str]:
    document = oncall.read((DEPLOY / "oncall.toml").read_bytes(), "deploy/oncall.toml")
    return [policy.name for policy in document.policies]
