"""`headgate report risk-register`: risks that came true, for the register of the organisation."""

import csv
import io
from dataclasses import fields

import click

from agents.metrics.history import histories
from agents.metrics.register import Risk, register
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.rendering import clean, emit, when

_FORMULA = ("=", "+", "-", "@")
_TIMES = frozenset({"first_at", "last_at"})


@click.command(name="risk-register")
@click.option("--csv", "form", flag_value="csv", default=True, help="As CSV with a header line (the default).")
@click.option("--json", "form", flag_value="json", help="As JSON.")
@click.pass_obj
def command(settings: Settings, form: str) -> None:
    """Print the risk register: each system, category and missed control that led to incidents, the worst first.

    Example: headgate report risk-register --csv > risks.csv
    """
    with OpenLedger(settings) as ledger:
        risks = register(histories(ledger.entries))
    if form == "json":
        emit(risks)
    else:
        click.echo(as_csv(risks), nl=False)


def as_csv(risks: list[Risk]) -> str:
    """Return the register as CSV (RFC 4180); no cell can be taken for a formula by a spreadsheet."""
    names = [field.name for field in fields(Risk)]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for risk in risks:
        writer.writerow([_cell(name, getattr(risk, name)) for name in names])
    return out.getvalue()


def _cell(name: str, value: object) -> str:
    if name in _TIMES and isinstance(value, int):
        return when(value)
    text = clean(" ".join(value) if isinstance(value, tuple) else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
