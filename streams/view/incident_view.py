"""An incident as a person or a program reads it: what was found, what is planned, who decided, what is waited for."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agents.ledger.case import Case, Plan
from agents.ledger.fold import Verified
from schemas import events as e
from schemas.errors import HeadgateError
from streams.view.asking import OpenLedger
from streams.view.next_step import next_step
from streams.view.output_audit import say
from streams.view.rendering import clean, jsonable, table, when
from streams.view.sentences import sentence
from streams.view.signing_in import called

_SHORTEST = 8


def resolve(ledger: OpenLedger, prefix: str) -> Case:
    """Return the incident whose id begins so; HeadgateError where there is none, or more than one."""
    cases = ledger.state.cases
    if prefix in cases:
        return cases[prefix]
    matching = [incident for incident in cases if prefix and incident.startswith(prefix)]
    if len(matching) != 1:
        what = f"{len(matching)} incidents begin" if matching else "no incident begins"
        raise HeadgateError(f"{what} with {clean(prefix[:80])}; `headgate incidents --all` lists them")
    return cases[matching[0]]


def short(ledger: OpenLedger, incident: str) -> str:
    """Return the beginning of an id that no other incident shares."""
    others = [other for other in ledger.state.cases if other != incident]
    length = _SHORTEST
    while any(other.startswith(incident[:length]) for other in others) and length < len(incident):
        length += 1
    return incident[:length]


def proposal(ledger: OpenLedger, case: Case) -> e.PlanProposed | None:
    """Return the case's current plan exactly as its digest names it."""
    if case.plan is None:
        return None
    for found in ledger.of(case.incident):
        for event, body in zip(found.events, found.entry.events if found.entry else (), strict=False):
            if isinstance(event, e.PlanProposed) and hashlib.sha256(body.body).hexdigest() == case.plan.digest:
                return event
    return None


def row(ledger: OpenLedger, case: Case, names: Mapping[str, str]) -> dict[str, Any]:
    """Return an incident in one row."""
    step = next_step(case, ledger.state.control, _now(), short(ledger, case.incident), names)
    return {
        "incident": case.incident,
        "severity": case.severity.value,
        "category": case.category.value,
        "phase": case.phase.value,
        "acknowledged": case.acknowledged,
        "system": case.system,
        "title": case.title,
        "opened_at": case.opened_at,
        "waits_for": step.sentence,
        "command": step.command,
    }


def document(ledger: OpenLedger, case: Case, names: Mapping[str, str]) -> dict[str, Any]:
    """Return everything that the ledger says of an incident."""
    entries = list(ledger.of(case.incident))
    opened = next(event for found in entries for event in found.events if isinstance(event, e.CaseOpened))
    newest: e.CaseOpened | e.CaseGrew = opened
    for found in entries:
        for event in found.events:
            if isinstance(event, e.CaseGrew):
                newest = event
    ranked = sorted(newest.evidence, key=lambda evidence: -evidence.score)
    return {
        **row(ledger, case, names),
        "rule": opened.rule,
        "policy": case.policy,
        "owner_role": opened.owner_role,
        "declared_system": opened.declared_system,
        "recommended": opened.recommended,
        "technique": opened.technique,
        "first_bad_at": opened.first_bad_at,
        "recurrence_of": case.recurrence_of,
        "quiet": case.quiet,
        "affected": jsonable(case.affected),
        "blast_radius": jsonable(case.blast_radius),
        "evidence": jsonable(ranked),
        "plan": _plan(ledger, case, entries),
        "actions": jsonable(list(case.actions.values())),
        "history": [
            {"entry": found.index, "at": found.entry.at if found.entry else 0, "events": _told(found)}
            for found in entries
        ],
    }


def _plan(ledger: OpenLedger, case: Case, entries: Sequence[Verified]) -> dict[str, Any] | None:
    plan, proposed = case.plan, proposal(ledger, case)
    if plan is None or proposed is None:
        return None
    given = [
        {"principal": event.principal, "key": event.key, "reason": event.reason, "entry": found.index}
        for found in entries
        for event in found.events
        if isinstance(event, e.ApprovalGiven) and event.plan == plan.digest and event.principal in plan.approvals
    ]
    ended = [event for found in entries for event in found.events if isinstance(event, e.PlanEnded)]
    end = next((event for event in ended if event.plan == plan.digest), None)
    return {
        "digest": plan.digest,
        "number": plan.number,
        "state": plan.state.value,
        "proposer": plan.proposer,
        "role": plan.role,
        "quorum": plan.quorum,
        "approvals": given,
        "decide_by": plan.decide_by,
        "execute_by": plan.execute_by,
        "steps": jsonable(proposed.steps),
        "dry_run": proposed.dry_run,
        "ended": jsonable(end) if end is not None else None,
    }


def _told(found: Verified) -> list[str]:
    return [sentence(event) for event in found.events]


def show_plan(plan: Plan, proposed: e.PlanProposed) -> None:
    """Print a plan: its steps with the state before and after, its dry run and its digest."""
    click.echo(f"plan {plan.number}, {plan.state.value}, digest {plan.digest}")
    for number, step in enumerate(proposed.steps, 1):
        click.echo(f"  {number}. {step.purpose} {clean(step.target)}: {clean(step.summary)}")
        click.echo(f"     before {clean(step.observed)}")
        click.echo(f"     after  {clean(step.desired)}")
    if proposed.dry_run:
        click.echo(f"  dry run: {clean(proposed.dry_run)}")


def show(ledger: OpenLedger, case: Case, names: Mapping[str, str], reports: Sequence[Mapping[str, Any]] = ()) -> None:
    """Print an incident for a person, with the audits of its outputs."""
    told = document(ledger, case, names)
    click.echo(f"incident {case.incident}: {case.severity.value.upper()} {case.category.value}, {case.phase.value}")
    for line in (
        clean(case.title),
        f"system       {clean(case.system)}" + ("" if told["declared_system"] else "  (UNDECLARED: strictest tier)"),
        f"severity     {case.severity.value} by rule {told['rule']} of policy {case.policy[:16]}",
        f"owner        {clean(told['owner_role'])}" + (", acknowledged" if case.acknowledged else ""),
        f"opened       {when(case.opened_at)}, first bad {when(told['first_bad_at'])}",
        f"recommended  {clean(told['recommended'])}",
    ):
        click.echo(f"  {line}")
    if case.recurrence_of:
        click.echo(f"  recurrence of {clean(case.recurrence_of)}")
    _show_findings(told)
    say(reports)
    proposed = proposal(ledger, case)
    if case.plan is not None and proposed is not None:
        click.echo()
        show_plan(case.plan, proposed)
        _show_decisions(told["plan"], names)
    _show_history(told, names)
    click.echo(f"\nwaits for: {clean(told['waits_for'])}")
    if told["command"]:
        click.echo(f"  {told['command']}")


def _show_findings(told: dict[str, Any]) -> None:
    click.echo("\naffected")
    for one in told["affected"]:
        on = ", ".join(one["instances"]) or "all instances"
        click.echo(clean(f"  {one['model']} version {one['version']}, {on}"))
    _show_reach(told["blast_radius"])
    click.echo("\nevidence, the strongest first")
    rows = [
        [
            f"{one['score']:.1f}",
            one["version"],
            one["subject"],
            one["detector"],
            f"{one['value']:.3g}",
            one["rule"],
            one["summary"],
        ]
        for one in told["evidence"]
    ]
    table(("score", "version", "subject", "detector", "value", "rule", "what"), rows, "  none")


def _show_reach(reached: Sequence[Mapping[str, Any]]) -> None:
    """Print how far a fault goes, where it could go further than its origin."""
    if len(reached) < 2:
        return
    click.echo("\nblast radius, by steps downstream of the origin")
    for one in reached:
        shows = "shows signals" if one["seen"] else "could be reached; shows nothing"
        click.echo(clean(f"  {one['depth']}  {one['model']}: {shows}"))


def _show_decisions(plan: dict[str, Any], names: Mapping[str, str]) -> None:
    if plan["quorum"]:
        click.echo(f"  {len(plan['approvals'])} of {plan['quorum']} approvals by the role {plan['role']}")
    for one in plan["approvals"]:
        said = f": {one['reason']}" if one["reason"] else ""
        click.echo(clean(f"  approved by {called(names, one['principal'])} in entry {one['entry']}{said}"))
    if plan["ended"]:
        by = called(names, plan["ended"]["principal"]) or "the clock"
        click.echo(clean(f"  ended, {plan['ended']['why']} by {by}: {plan['ended']['reason']}"))


def _show_history(told: dict[str, Any], names: Mapping[str, str]) -> None:
    click.echo("\nhistory")
    for entry in told["history"]:
        for said in entry["events"]:
            click.echo(f"  {entry['entry']:>5}  {when(entry['at'])}  {clean(named(said, names))}")


def named(said: str, names: Mapping[str, str]) -> str:
    """Return a sentence with the names that this machine knows for principals."""
    for principal, name in names.items():
        said = said.replace(principal, name)
    return said


def _now() -> int:
    return int(time.time() * 1000)
