"""A plan as a person or a program reads it: its steps, its impact, who decided, and what began without the quorum."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import click

from agents.ledger.case import Case
from agents.ledger.fold import Verified
from agents.ledger.regions.glass import Broken, Used
from agents.ledger.regions.plan import Plan
from schemas import events as e
from schemas.case.approval import Impact
from streams.view.asking import OpenLedger
from streams.view.rendering import clean, jsonable, when
from streams.view.signing_in import called


def proposal(ledger: OpenLedger, case: Case) -> e.PlanProposed | None:
    """Return the case's current plan exactly as its digest names it."""
    if case.plan is None:
        return None
    for found in ledger.of(case.incident):
        for event, body in zip(found.events, found.entry.events if found.entry else (), strict=False):
            if isinstance(event, e.PlanProposed) and hashlib.sha256(body.body).hexdigest() == case.plan.digest:
                return event
    return None


def plan_document(ledger: OpenLedger, case: Case, entries: Sequence[Verified]) -> dict[str, Any] | None:
    """Return the case's current plan with its decisions, or None where there is none."""
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
        "approval": plan.standing,
        "proposer": plan.proposer,
        "role": plan.role,
        "quorum": plan.quorum,
        "needs": jsonable(plan.needs),
        "step_up": plan.step_up,
        "excluded": sorted({*plan.excluded, *case.deciding.excluded}),
        "denied_by": list(plan.denied_by),
        "approvals": given,
        "decide_by": plan.decide_by,
        "execute_by": plan.execute_by,
        "steps": jsonable(proposed.steps),
        "dry_run": proposed.dry_run,
        "impact": jsonable(proposed.impact),
        "ended": jsonable(end) if end is not None else None,
    }


def show_plan(plan: Plan, proposed: e.PlanProposed) -> None:
    """Print a plan: its steps with the state before and after, its dry run and its digest."""
    state = plan.state.value if plan.standing == plan.state.value else f"{plan.state.value} ({plan.standing})"
    click.echo(f"plan {plan.number}, {state}, digest {plan.digest}")
    for number, step in enumerate(proposed.steps, 1):
        click.echo(f"  {number}. {step.purpose} {clean(step.target)}: {clean(step.summary)}")
        click.echo(f"     before {clean(step.observed)}")
        click.echo(f"     after  {clean(step.desired)}")
    if proposed.impact is not None:
        _show_impact(proposed.impact)
    if proposed.dry_run:
        click.echo(f"  dry run: {clean(proposed.dry_run)}")
    if plan.step_up:
        click.echo(f"  step-up: approving asks for the digest's first digits, {plan.digest[:8]}, once more")


def _show_impact(impact: Impact) -> None:
    click.echo(f"  impact: {clean(impact.expected)}")
    click.echo(f"     depend on it: {clean(', '.join(impact.dependents)) or 'no declared model'}")
    click.echo(f"     {'can be undone' if impact.reversible else 'CANNOT BE UNDONE'}")
    for check in impact.checks:
        click.echo(f"     {clean(check)}")


def show_decisions(plan: dict[str, Any], names: Mapping[str, str]) -> None:
    """Print who has decided on a plan, and how it ended."""
    if plan["quorum"]:
        click.echo(f"  {len(plan['approvals'])} of {plan['quorum']} approvals by the role {plan['role']}")
    for one in plan["approvals"]:
        said = f": {one['reason']}" if one["reason"] else ""
        click.echo(clean(f"  approved by {called(names, one['principal'])} in entry {one['entry']}{said}"))
    if plan["ended"]:
        by = called(names, plan["ended"]["principal"]) or "the clock"
        click.echo(clean(f"  ended, {plan['ended']['why']} by {by}: {plan['ended']['reason']}"))


def reviews(case: Case, now: int) -> list[dict[str, Any]]:
    """Return what began without the quorum, and whether its review is overdue at `now` (ms)."""
    found: list[tuple[str, str, Broken | Used]] = [("break_glass", one.reason, one) for one in case.glass.broken]
    found += [("standing", one.rule, one) for one in case.glass.used]
    return [
        {
            "kind": kind,
            "number": one.number,
            "why": why,
            "review_by": one.review_by,
            "reviewed_by": one.reviewed_by,
            "verdict": one.verdict.value if one.verdict else "",
            "overdue": one.verdict is None and now > one.review_by,
        }
        for kind, why, one in found
    ]


def show_reviews(case: Case, now: int, names: Mapping[str, str]) -> None:
    """Print what began without the quorum; it stays on the incident for ever."""
    for one in reviews(case, now):
        what = "GLASS BROKEN" if one["kind"] == "break_glass" else "standing approval used"
        state = f"{one['verdict']}, says {called(names, one['reviewed_by'])}" if one["verdict"] else "not reviewed"
        late = ", REVIEW OVERDUE" if one["overdue"] else ""
        due = "" if one["verdict"] else f", to be reviewed by {when(one['review_by'])}"
        click.echo(clean(f"  {what} {one['number']} ({one['why']}): {state}{due}{late}"))
