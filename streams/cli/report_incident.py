"""`headgate report incident` and `headgate report forms`: drafts of reports from the record of an incident."""

from pathlib import Path

import click

from agents.reports.reports import NAMES
from schemas.errors import HeadgateError
from streams.reports.made import FORMATS, made, written
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.rendering import emit, table
from streams.view.signing_in import names_of


@click.command(name="incident")
@click.argument("incident")
@click.option("--form", type=click.Choice(list(NAMES)), default="summary", show_default=True, help="Which report.")
@click.option("--format", "form_at", type=click.Choice(FORMATS), default="md", show_default=True, help="As what.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to FILE; a PDF needs one.")
@click.pass_obj
def command(settings: Settings, incident: str, form: str, form_at: str, out: Path | None) -> None:
    """Write a report of INCIDENT, filled as far as its record goes; what is missing is said to be unknown.

    Every report is a draft: a named person checks it, completes it and files it. `headgate report forms` lists them.

    Example: headgate report incident 3f8a2c --form art73 --format pdf --out art73.pdf
    """
    if form_at == "pdf" and out is None:
        raise HeadgateError("a PDF cannot be shown on a terminal; name its file with --out FILE")
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        found = made(ledger, resolve(ledger, incident), form, names)
    text = written(found, form_at)
    if out is None:
        click.echo(text.decode(), nl=False)
        return
    out.write_bytes(text)
    unknown = sum(answer.status == "unknown" for answer in found.report.answers)
    missing = f"; {unknown} of {len(found.report.answers)} fields are unknown" if found.report.answers else ""
    click.echo(f"written to {out}{missing}", err=True)


@click.command(name="forms")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def forms(*, as_json: bool) -> None:
    """Print every form that `headgate report incident --form` takes.

    Example: headgate report forms
    """
    if as_json:
        emit(NAMES)
    else:
        table(("form", "what"), [[name, what] for name, what in NAMES.items()])
