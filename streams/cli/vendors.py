"""`headgate vendors`: who provides the systems of third parties, and what they owe on open incidents."""

from typing import Any

import click

from agents.communication.vendors import owing
from agents.ledger.state import LedgerState
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.rendering import clean, emit, when

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_NOTE = (
    "Times by contract begin with the declaration of an incident; `headgate clocks show` counts them, people are paged "
    "about them as about statutory clocks, and `headgate clocks delivered` ends them."
)


@click.command(name="vendors")
@_JSON
@click.pass_obj
def command(settings: Settings, *, as_json: bool) -> None:
    r"""List the vendors of the systems in force: contact, contract clocks, evidence owed, and what is due when.

    \b
    Examples:
      headgate vendors
      headgate vendors --json
    """
    now = now_ms()
    with OpenLedger(settings) as ledger:
        found = records(ledger.state, now)
    if as_json:
        emit(found)
        return
    if not found:
        click.echo("no system in force is a third party's")
        return
    for one in found:
        _say(one)
    click.echo(f"\n{_NOTE}")


def records(state: LedgerState, now: int) -> list[dict[str, Any]]:
    """Return a record for each system of a third party; what was not said of its vendor is "unknown"."""
    found = []
    for name, system in sorted(state.control.systems.systems.items()):
        if not system.third_party:
            continue
        vendor = system.vendor
        rollback = {True: "yes", False: "no", None: "unknown"}[vendor.rollback if vendor else None]
        fallbacks = {model: one.fallback for model, one in sorted(system.models.items()) if one.fallback}
        found.append(
            {
                "system": name,
                "vendor": vendor.name if vendor else "unknown",
                "contact": vendor.contact if vendor else "unknown",
                "sla_hours": dict(vendor.sla_hours) if vendor else {},
                "evidence_owed": list(vendor.evidence_owed) if vendor else [],
                "rollback": rollback,
                "fallback": (vendor.fallback if vendor else "") or "; ".join(fallbacks.values()) or "unknown",
                "incidents": _incidents(state, name, now),
            }
        )
    return found


def _incidents(state: LedgerState, system: str, now: int) -> list[dict[str, Any]]:
    cases = [state.cases[incident] for incident in sorted(state.active)]
    return [
        {
            "incident": one.incident,
            "drill": state.cases[one.incident].drill,
            "declared_at": one.declared_at,
            "evidence_owed": list(one.evidence),
            "sla": [
                {
                    "name": sla.name,
                    "hours": sla.hours,
                    "due": sla.due,
                    "met_at": sla.met_at or None,
                    "state": sla.state,
                    "overdue": sla.state == "running" and sla.due is not None and sla.due < now,
                }
                for sla in one.slas
            ],
            "statutory": False,
        }
        for one in owing(cases, state.control.systems, system)
    ]


def _say(one: dict[str, Any]) -> None:
    hours = ", ".join(f"{name} {count:g} h" for name, count in one["sla_hours"].items())
    lines = [
        f"{one['vendor']}, system {one['system']}",
        f"  contact    {one['contact']}",
        f"  contract   {hours or 'unknown'}",
        f"  owes       {'; '.join(one['evidence_owed']) or 'unknown'}",
        f"  rollback   {one['rollback']}",
        f"  fallback   {one['fallback']}",
    ]
    for incident in one["incidents"]:
        exercise = " DRILL: ask nothing of them" if incident["drill"] else ""
        lines.append(f"  incident   {incident['incident'][:12]}{exercise}")
        lines += [f"    {_due(sla)}" for sla in incident["sla"]]
        lines += [f"    still to hand over: {one}" for one in incident["evidence_owed"]]
    for line in lines:
        click.echo(clean(line))


def _due(sla: dict[str, Any]) -> str:
    if sla["due"] is None:
        return f"{sla['name']}: {sla['hours']:g} h from the declaration, which is still to come"
    if sla["met_at"]:
        return f"{sla['name']}: met {when(sla['met_at'])}" + (", late" if sla["met_at"] > sla["due"] else "")
    if sla["state"] == "not_applicable":
        return f"{sla['name']}: decided not to be applicable"
    late = ", the time has passed" if sla["overdue"] else ""
    return f"{sla['name']}: by {when(sla['due'])}{late}"
