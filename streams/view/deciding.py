"""A person's decision on a plan: shown first, confirmed at a terminal, signed over exactly the plan in the ledger."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click

from agents.ledger.case import Case
from agents.ledger.decisions.approve import CONFIRMED_DIGITS
from agents.ledger.regions.plan import Plan, PlanState
from schemas.commands import Approve, Deny, RevokeApproval
from schemas.errors import HeadgateError
from schemas.events import PlanAuthorised
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger, Verdict
from streams.view.incident_view import named, resolve
from streams.view.plan_view import proposal, show_plan
from streams.view.rendering import clean, tell
from streams.view.signing_in import names_of, sign_in

Decision = Approve | Deny | RevokeApproval


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a person asked of the command line.

    plan
        The beginning of the digest that the person has seen; empty for the plan that is shown now.
    step_up
        Whether the decision is one that the plan may want confirmed anew.
    """

    incident: str
    who: str
    plan: str
    reason: str
    step_up: bool
    passphrase_file: Path | None
    yes: bool
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the person said about the plan that was shown; `confirmed` is empty where nothing was asked."""

    reason: str
    confirmed: str = ""
    confirmed_at: int = 0


def decide(settings: Settings, wish: Wish, verb: str, body: Callable[[str, str, Said], Decision]) -> None:
    """Show the plan, have it confirmed, ask the registrar, and say what was decided.

    Parameters
    ----------
    verb
        What the person does, for the question.
    body
        Makes the command from incident, plan digest and what the person said.
    """
    identity = sign_in(settings, wish.who, wish.passphrase_file)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, wish.incident)
        plan = _plan_of(case, wish.plan)
        proposed = proposal(ledger, case)
        if proposed is not None and not wish.as_json:
            click.echo(clean(named(case.title, names_of(settings))))
            show_plan(plan, proposed)
        if not wish.yes and sys.stdin.isatty():
            click.confirm(f"{verb} exactly this plan as {wish.who}?", abort=True, err=True)
        verdict = ledger.ask(identity, body(case.incident, plan.digest, _said(wish, plan)))
    tell(verdict, _outcome(verdict), as_json=wish.as_json)


def _said(wish: Wish, plan: Plan) -> Said:
    """Return reason and confirmation as the person gave them, asking at a terminal for what is missing."""
    reason = wish.reason
    if not reason.strip():
        if not sys.stdin.isatty():
            raise HeadgateError('say why, with --reason "…": the ledger keeps it')
        reason = str(click.prompt("why", err=True))
    if not (wish.step_up and plan.step_up):
        return Said(reason=reason)
    typed = wish.plan.lower()
    if len(typed) < CONFIRMED_DIGITS:
        if not sys.stdin.isatty():
            raise HeadgateError(
                f"this plan wants a step-up: give the first {CONFIRMED_DIGITS} digits of its digest with --plan"
            )
        typed = str(click.prompt(f"type the first {CONFIRMED_DIGITS} digits of the plan's digest", err=True)).strip()
    if typed[:CONFIRMED_DIGITS].lower() != plan.digest[:CONFIRMED_DIGITS]:
        raise HeadgateError("that is not this plan's digest; nothing was signed")
    return Said(reason=reason, confirmed=typed[:CONFIRMED_DIGITS].lower(), confirmed_at=now_ms())


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
        case Deny() if case.plan.state is not PlanState.ENDED:
            return f"{len(case.plan.denied_by)} of {case.plan.denials} refusals that end the plan"
        case Deny():
            return "denied: the plan has ended"
        case RevokeApproval():
            return f"the approval is taken back: {count}, the plan is {case.plan.state.value}"
    return None
