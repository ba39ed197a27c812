"""The statutory clocks of a case on a terminal."""

from collections.abc import Mapping
from typing import Any

import click

from streams.view.counting import question, span
from streams.view.rendering import clean, when


def say(one: Mapping[str, Any]) -> None:
    """Print a running clock from its document."""
    over = "overdue by" if one["left_ms"] < 0 else "left:"
    click.echo(
        f"\n{one['clock']}: due {when(one['due'])}, {over} {span(abs(one['left_ms']))}, {one['used_percent']} % used"
    )
    who = f"{one['trigger_who']}: " if one["trigger_who"] else ""
    stands = " (unknown: awareness stands in)" if one["assumed"] else ""
    lines = [
        ("from", f"{one['trigger']}{stands} {when(one['trigger_at'])}; {who}{one['trigger_basis']}"),
        (
            "by",
            f"{', '.join(one.get('by', ()))}; the operator is declared as {', '.join(one['operator']) or 'nothing'}",
        ),
        ("to", one.get("recipient", "")),
        ("strict", f"{when(one['strict_due'])}, the earliest reading anywhere"),
        ("held", f"until {when(one['tolled_until'])}" if one["tolled_until"] else ""),
        ("legal", when(one["legal"]["due"]) if one["legal"]["due"] else "unknown"),
        *(("", step) for step in one["legal"]["counted"]),
        ("law", f"{one.get('citation', '')}; {one.get('article', '')}"),
        ("", f"“{one['quote']}”" if one.get("verbatim") else _reworded(one)),
        ("since", f"applies from {one['applies_from']}" if one.get("applies_from") else ""),
        *(("unknown", f"{fact}: {question(fact)}") for fact in one["unknown"]),
        *(("against", f"{fact}: {question(fact)}") for fact in one["against"]),
        ("sent", f"{one['proposed']['by']} says so, receipt {one['proposed']['receipt']}: a second person confirms it")
        if one["proposed"]
        else ("", ""),
        ("note", one.get("note", "")),
    ]
    for head, text in lines:
        if text:
            click.echo(f"  {head:<8}{clean(text)}")


def _reworded(one: Mapping[str, Any]) -> str:
    return f"in other words: {one['quote']}" if one.get("quote") else ""


def say_ended(one: Mapping[str, Any]) -> None:
    """Print how a clock ended from its document."""
    by = " and ".join(one["ended_by"])
    late = ", late" if one["late"] else ""
    how = {
        "submitted": f"submitted {when(one['submitted_at'])}{late}, receipt {one['receipt']}, says {by}",
        "not_applicable": f"not applicable, decided {by}: {one['why']}",
        "met": f"met {when(one['submitted_at'])}{late}, says {by}: {one['why']}",
        "superseded": f"gave way to {by}: {one['why']}",
    }[one["state"]]
    click.echo(f"\n{one['clock']}: {clean(how)}")
