"""A person's decision on a plan: shown first, confirmed at a terminal, signed over exactly the plan in the ledger."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from agents.ledger.case import Case, Plan
from schemas.commands import Approve, Deny, RevokeApproval
from schemas.errors import HeadgateError
from schemas.events import PlanAuthorised
from streams.settings import Settings
from streams.view.asking import OpenLedger, Verdict
from streams.view.incident_view import proposal, resolve, show_plan
from streams.view.rendering import clean, tell
from streams.view.signing_in import sign_in

Decision = Approve | Deny | RevokeApproval


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked of the command line.

    plan
        The beginning of the digest that the person has seen; empty for the plan that is shown now.
    """

    incident: str
    who: str
    plan: str
    passphrase_file: Path | None
    yes: bool
    as_json: bool


def decide(settings: Settings, wish: Wish, verb: str, body: Callable[[str, str], Decision]) -> None:
    """Show the plan, have it confirmed, ask the registrar, and say what was decided.

    Parameters
    ----------
    verb
        What the person does, for the question.
    body
        Makes the command from incident and plan digest.
    """
    identity = sign_in(settings, wish.who, wish.passphrase_file)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, wish.incident)
        plan = _plan_of(case, wish.plan)
        proposed = proposal(ledger, case)
        if proposed is not None and not wish.as_json:
            click.echo(clean(case.title))
            show_plan(plan, proposed)
        if not wish.yes and sys.stdin.isatty():
            click.confirm(f"{verb} exactly this plan as {wish.who}?", abort=True, err=True)
        verdict = ledger.ask(identity, body(case.incident, plan.digest))
    tell(verdict, _outcome(verdict), as_json=wish.as_json)


def _plan_of(case: Case, prefix: str) -> Plan:
    if case.plan is None:
        raise HeadgateError(
            f"{case.incident} has no plan to decide on yet; `headgate incidents show {case.incident}` says what it "
            "waits for"
        )
    if not case.plan.digest.startswith(prefix.lower()):
        raise HeadgateError(f"the plan is now {case.plan.digest}, not {clean(prefix[:64])}; look at it, then decide")
    return case.plan


def _outcome(verdict: Verdict) -> str | None:
    case = verdict.found.case
    if verdict.refusal is not None or case is None or case.plan is None:
        return None
    body = verdict.found.asked.body if verdict.found.asked else None
    count = f"{len(case.plan.approvals)} of {case.plan.quorum} approvals"
    match body:
        case Approve() if any(isinstance(event, PlanAuthorised) for event in verdict.found.events):
            return f"authorised: {count}; the plan may be executed"
        case Approve():
            return f"{count}; another person with the role {case.plan.role} is needed"
        case Deny():
            return "denied: the plan has ended"
        case RevokeApproval():
            return f"the approval is taken back: {count}, the plan is {case.plan.state.value}"
    return None
