"""The audit of an incident's outputs, as a person or a program reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agents.ledger.case import Case
from schemas.errors import SchemaError
from schemas.evidence import OUTPUT_AUDIT
from streams.documents import fetch
from streams.kafka import Clients
from streams.settings import Settings
from streams.view.rendering import clean, table, when


def audits(settings: Settings, case: Case) -> list[dict[str, Any]]:
    """Return the reports that the ledger names for a case, each with its digest; one that is lost is told as such."""
    digests = [kept.digest for kept in case.evidence if kept.kind == OUTPUT_AUDIT]
    documents = fetch(Clients(settings), settings.ledger, digests)
    return [{"digest": digest, **_read(documents.get(digest))} for digest in digests]


def say(reports: Sequence[Mapping[str, Any]]) -> None:
    """Print each rule's result with its counts."""
    for report in reports:
        click.echo(f"\noutput audit {report['digest']}")
        if "lost" in report:
            click.echo(f"  {report['lost']}")
            continue
        for one in report["models"]:
            span = f"{when(one['window']['from'])} to {when(one['window']['to'])}"
            click.echo(clean(f"  {one['model']} version {one['version']}: {one['outputs']} outputs from {span}"))
            rows = [
                [
                    rule["result"],
                    clean(rule["rule"]),
                    rule["kind"],
                    f"{rule['against']} of {rule['outputs']}",
                    "" if rule["value"] is None else f"{rule['value']:.4g}",
                    clean(_limit(rule["limit"])),
                ]
                for rule in one["rules"]
            ]
            table(("result", "rule", "kind", "against", "value", "limit"), rows, "  no rule is declared")


def _read(document: bytes | None) -> dict[str, Any]:
    if document is None:
        return {"lost": "its report is not among the documents any more"}
    try:
        found = json.loads(document)
    except ValueError as error:
        raise SchemaError(f"the report of an output audit cannot be read: {error}") from None
    assert isinstance(found, dict)  # its digest is in the ledger, by the role's key
    return found


def _limit(limit: dict[str, Any]) -> str:
    told = {name: value for name, value in limit.items() if value is not None}
    return ", ".join(f"{name} {', '.join(value) if isinstance(value, list) else value}" for name, value in told.items())
