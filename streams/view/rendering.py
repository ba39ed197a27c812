"""What commands print: tables on a terminal, plain lines elsewhere, JSON where it is asked for."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import click

from agents.triage.narrative import clip
from schemas.errors import HeadgateError
from streams.view.asking import Verdict
from streams.view.sentences import sentence

_LONGEST = 4000


def jsonable(value: Any) -> Any:
    """Return records as JSON's values: enumerations by value, bytes as hexadecimal, a whole document left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = [field.name for field in dataclasses.fields(value) if field.name != "document"]
        return {name: jsonable(getattr(value, name)) for name in fields}
    match value:
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case Mapping():
            return {str(key): jsonable(item) for key, item in value.items()}
        case list() | tuple():
            return [jsonable(item) for item in value]
        case set() | frozenset():
            return sorted(jsonable(item) for item in value)
    return value


def emit(document: Any) -> None:
    """Print a document as JSON."""
    click.echo(json.dumps(jsonable(document), indent=2))


def emit_line(document: Any) -> None:
    """Print a document as one line of JSON, at once."""
    click.echo(json.dumps(jsonable(document), separators=(",", ":")))
    sys.stdout.flush()


def clean(text: str) -> str:
    """Return text from elsewhere without the control characters that could rule a terminal."""
    return clip(text, _LONGEST)


def when(at: int) -> str:
    """Return a point in time (ms) in UTC, to the second."""
    try:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return f"{at} ms"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], empty: str = "") -> None:
    """Print rows under their headings; the last column may be long."""
    if not rows:
        click.echo(empty)
        return
    cleaned = [[clean(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _pretty(columns, cleaned)
        return
    widths = [max(len(row[at]) for row in [columns, *cleaned]) for at in range(len(columns))]
    for row in [[column.upper() for column in columns], *cleaned]:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _pretty(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(shown)


def verdict_document(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict for JSON."""
    found = verdict.found
    return {
        "entry": found.index,
        "at": found.entry.at if found.entry else 0,
        "outcome": found.entry.outcome if found.entry else "",
        "decided_before": verdict.earlier,
        "events": [{"type": type(event).__name__, **jsonable(event)} for event in found.events],
    }


def tell(verdict: Verdict, said: str | None = None, *, as_json: bool) -> None:
    """Print what was decided; HeadgateError with the registrar's sentence where it was refused.

    Parameters
    ----------
    said
        What an acceptance means; by default its events in words.
    """
    before = "decided before, " if verdict.earlier else ""
    where = f"({before}entry {verdict.found.index})"
    if as_json:
        emit(verdict_document(verdict))
    if (refusal := verdict.refusal) is not None:
        raise HeadgateError(f"{refusal.kind} is refused: {clean(refusal.detail)} {where}")
    if not as_json:
        text = said if said is not None else "; ".join(sentence(event) for event in verdict.found.events)
        click.echo(f"{clean(text)} {where}")
