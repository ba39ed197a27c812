"""`headgate systems`: what is watched, with tier, targets and the version to fall back on."""

from pathlib import Path
from typing import Any

import click

from agents.ledger.state import LedgerState
from schemas import systems
from schemas.systems import STRICTEST_TIER, Model, System
from streams.cli import systems_import
from streams.settings import Settings
from streams.view import adoption
from streams.view.asking import OpenLedger
from streams.view.gaps import gaps
from streams.view.rendering import clean, emit, table
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
      headgate systems import mlflow > systems.toml
    """


command.add_command(systems_import.command)


@command.command()
@_FILE
@_JSON
def check(file: Path, *, as_json: bool) -> None:
    """Say whether FILE declares systems validly, and its digest; exit 1 with one sentence where it does not.

    What a valid inventory leaves open, and an incident will ask for, is named as a gap.

    Example: headgate systems check deploy/systems.toml
    """
    adoption.say_checked("systems", file, as_json=as_json)
    for gap in () if as_json else gaps(systems.read(adoption.checked("systems", file), str(file))):
        click.echo(f"gap: {clean(gap)}", err=True)


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
    """Print the systems in force by model, and the models that are known of and that no system declares."""
    if history:
        adoption.say_history("systems", settings, as_json=as_json)
        return
    with OpenLedger(settings) as ledger:
        rows = declared(ledger.state) + undeclared(ledger.state)
    if as_json:
        emit(rows)
        return
    table(_HEAD, [_cells(row) for row in rows], "no system is declared; `headgate systems adopt FILE` declares some")


@command.command()
@click.argument("digest", default="")
@_JSON
@click.pass_obj
def show(settings: Settings, digest: str, *, as_json: bool) -> None:
    """Print the systems document in force as it was adopted, or the one whose DIGEST begins so.

    Example: headgate systems show > systems.toml
    """
    adoption.say_document("systems", settings, digest, as_json=as_json)


_HEAD = ("system", "tier", "owner", "model", "versions", "known good", "fallback", "vendor", "regulations", "targets")


def _cells(row: dict[str, Any]) -> list[str]:
    vendor = row["vendor"]["name"] if row["vendor"] else "unknown" if row["third_party"] else "-"
    return [
        row["system"] or "UNDECLARED",
        row["tier"],
        row["owner"] or "-",
        row["model"],
        ", ".join(row["versions"]) or "-",
        row["known_good"] or "-",
        row["fallback"] or "-",
        vendor,
        ", ".join(row["regulations"]) or "-",
        ", ".join(row["targets"]) or "-",
    ]


def declared(state: LedgerState) -> list[dict[str, Any]]:
    """Return a row for each declared model."""
    return [
        _row(name, system, model, one)
        for name, system in sorted(state.control.systems.systems.items())
        for model, one in sorted(system.models.items())
    ]


def _row(name: str, system: System, model: str, one: Model) -> dict[str, Any]:
    return {
        "system": name,
        "scope": system.scope,
        "tier": system.tier,
        "owner": system.owner.value,
        "sensitivity": system.sensitivity,
        "third_party": system.third_party,
        "vendor": system.vendor.model_dump(mode="json") if system.vendor else None,
        "jurisdictions": list(system.jurisdictions),
        "regulations": list(system.regulations),
        "operator_role": system.operator_role,
        "model": model,
        "versions": list(one.versions),
        "known_good": one.known_good,
        "fallback": one.fallback or (system.vendor.fallback if system.vendor else ""),
        "targets": [target for target in (one.traffic, one.registry) if target],
        "depends_on": list(one.depends_on),
        "declared": True,
    }


def undeclared(state: LedgerState) -> list[dict[str, Any]]:
    """Return a row for each model that no system declares, and that an open incident touches or a profile describes."""
    control = state.control
    named = [(one.model, one.version) for incident in state.active for one in state.cases[incident].affected]
    seen: dict[str, set[str]] = {}
    for model, version in (*named, *control.profiles):
        if control.systems.find(model) is None:
            seen.setdefault(model, set()).add(version)
    nothing = System.model_construct(scope="", tier=STRICTEST_TIER, models={})
    return [
        _row("", nothing, model, Model(versions=tuple(sorted(versions))))
        | {"owner": "", "operator_role": "", "sensitivity": "", "declared": False}
        for model, versions in sorted(seen.items())
    ]
