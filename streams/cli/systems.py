"""`headgate systems`: what is watched, with tier, targets and the version to fall back on."""

from pathlib import Path
from typing import Any

import click

from agents.ledger.state import LedgerState
from schemas.systems import STRICTEST_TIER
from streams.settings import Settings
from streams.view import adoption
from streams.view.asking import OpenLedger
from streams.view.rendering import emit, table
from streams.view.signing_in import sign_in, signed

_FILE = click.argument("file", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(name="systems")
def command() -> None:
    r"""Check, adopt, list and show the systems that are watched.

    A model that no system declares is judged by the strictest tier, and flagged in `headgate systems list`.

    \b
    Examples:
      headgate systems check deploy/systems.toml
      headgate systems adopt deploy/systems.toml --as admin
      headgate systems list
    """


@command.command()
@_FILE
@_JSON
def check(file: Path, *, as_json: bool) -> None:
    """Say whether FILE declares systems validly, and its digest; exit 1 with one sentence where it does not.

    Example: headgate systems check deploy/systems.toml
    """
    adoption.say_checked("systems", file, as_json=as_json)


@command.command()
@_FILE
@_JSON
@signed(default="admin")
@click.pass_obj
def adopt(settings: Settings, file: Path, who: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Have the ledger adopt the systems in FILE, signed by an administrator.

    Example: headgate systems adopt systems.toml --as admin
    """
    adoption.checked("systems", file)
    adoption.say_adopted("systems", file, settings, sign_in(settings, who, passphrase_file), as_json=as_json)


@command.command(name="list")
@click.option("--history", is_flag=True, help="The documents that were adopted, instead of the systems in force.")
@_JSON
@click.pass_obj
def listing(settings: Settings, *, history: bool, as_json: bool) -> None:
    """Print the systems in force by model, and the models of open incidents that no system declares."""
    if history:
        adoption.say_history("systems", settings, as_json=as_json)
        return
    with OpenLedger(settings) as ledger:
        rows = declared(ledger.state) + undeclared(ledger.state)
    if as_json:
        emit(rows)
        return
    cells = [
        [
            row["system"] or "UNDECLARED",
            row["tier"],
            row["model"],
            ", ".join(row["versions"]) or "-",
            row["known_good"] or "-",
            ", ".join(row["targets"]) or "-",
        ]
        for row in rows
    ]
    none = "no system is declared; `headgate systems adopt FILE` declares some"
    table(("system", "tier", "model", "versions", "known good", "targets"), cells, none)


@command.command()
@click.argument("digest", default="")
@_JSON
@click.pass_obj
def show(settings: Settings, digest: str, *, as_json: bool) -> None:
    """Print the systems document in force as it was adopted, or the one whose DIGEST begins so.

    Example: headgate systems show > systems.toml
    """
    adoption.say_document("systems", settings, digest, as_json=as_json)


def declared(state: LedgerState) -> list[dict[str, Any]]:
    """Return a row for each declared model."""
    return [
        {
            "system": name,
            "tier": system.tier,
            "owner": system.owner.value,
            "model": model,
            "versions": list(one.versions),
            "known_good": one.known_good,
            "targets": [target for target in (one.traffic, one.registry) if target],
            "depends_on": list(one.depends_on),
            "declared": True,
        }
        for name, system in sorted(state.control.systems.systems.items())
        for model, one in sorted(system.models.items())
    ]


def undeclared(state: LedgerState) -> list[dict[str, Any]]:
    """Return a row for each model that an open incident touches and no system declares."""
    seen: dict[str, set[str]] = {}
    for incident in state.active:
        for affected in state.cases[incident].affected:
            if state.control.systems.find(affected.model) is None:
                seen.setdefault(affected.model, set()).add(affected.version)
    return [
        {
            "system": "",
            "tier": STRICTEST_TIER,
            "owner": "",
            "model": model,
            "versions": sorted(versions),
            "known_good": None,
            "targets": [],
            "depends_on": [],
            "declared": False,
        }
        for model, versions in sorted(seen.items())
    ]
