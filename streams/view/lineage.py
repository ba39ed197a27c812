"""Where the versions of an incident come from, as a person or a program reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agents.ledger.case import Case
from schemas.evidence import LINEAGE
from streams.documents import fetch
from streams.kafka import Clients
from streams.settings import Settings
from streams.view.rendering import clean, when

_MAX_SHOWN = 8


def lineage(settings: Settings, case: Case) -> dict[str, Any] | None:
    """Return the newest lineage that the ledger names for a case, with its digest; None where there is none yet."""
    digests = [kept.digest for kept in case.evidence if kept.kind == LINEAGE]
    if not digests:
        return None
    document = fetch(Clients(settings), settings.ledger, digests[-1:]).get(digests[-1])
    if document is None:
        return {"digest": digests[-1], "lost": "it is not among the documents any more", "versions": []}
    found: dict[str, Any] = json.loads(document)  # its digest is in the ledger, by the role's key
    return {"digest": digests[-1], **found}


def say_lineage(found: Mapping[str, Any] | None) -> None:
    """Print run, data, signature and card of each version; what is unknown is said to be."""
    click.echo("\nlineage")
    if found is None or "lost" in found:
        click.echo(f"  {found['lost'] if found else 'not read yet'}")
        return
    for one in found["versions"]:
        good = ", known good" if one["known_good"] else ""
        click.echo(clean(f"  {one['model']} version {one['version']}{good}"))
        if one.get("unknown"):
            click.echo(clean(f"    unknown: {one['unknown']}"))
            continue
        for name, value in _lines(one):
            first, *more = [line for line in value.splitlines() if line.strip()] or ["unknown"]
            click.echo(clean(f"    {name:<10} {first}"))
            for line in more:
                click.echo(clean(f"    {'':<10} {line}"))


def _lines(one: Mapping[str, Any]) -> Sequence[tuple[str, str]]:
    run, card = one["run"], one["card"]
    began = f", {run['status'].lower()}, begun {when(run['started_at'])}" if run.get("started_at") else ""
    gone = f" ({run['unknown']})" if run.get("unknown") else ""
    data = [f"{item['name']} {item['digest']} {item['context']}".strip() for item in one["data"][:_MAX_SHOWN]]
    tags = [f"{name}={value}" for name, value in list(card["tags"].items())[:_MAX_SHOWN]]
    return (
        ("run", f"{run['id']}{began}{gone}" if run["id"] else ""),
        ("data", "; ".join(data)),
        ("signature", one["signature"]),
        ("card", " / ".join(text for text in (card["model"], card["version"]) if text)),
        ("tags", ", ".join(tags)),
        ("source", one["source"]),
    )
