"""`headgate incidents exclude | ask-plan | keep-nothing | sign-off | break-glass | review-…`: beside approvals."""

from typing import Any

import click

from agents.ledger.case import Case
from schemas.case import approval as a
from schemas.case import glass as g
from schemas.case.glass import Justified
from schemas.errors import HeadgateError
from streams.settings import Settings
from streams.view.on_case import ask_on_case, principal_of
from streams.view.signing_in import signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_REASON = click.option("--reason", required=True, help="Why, for the ledger.")
_NUMBER = click.option("--number", default=1, show_default=True, help="Which one of the incident; the first is 1.")
_VERDICT = click.option(
    "--verdict", required=True, type=click.Choice([verdict.value for verdict in Justified]), help="Your judgement."
)
_NOTE = click.option("--note", required=True, help="What it rests on, for the ledger.")


def _plan_of(case: Case) -> str:
    if case.plan is None:
        raise HeadgateError(f"{case.incident} has no plan yet")
    return case.plan.digest


@click.command()
@_INCIDENT
@click.option("--person", required=True, metavar="NAME", help="A key on this machine, or a principal.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def exclude(settings: Settings, /, incident: str, person: str, reason: str, **signer: Any) -> None:
    """Keep a person who triggered the change from deciding on INCIDENT; what they agreed to counts no more.

    Example: headgate incidents exclude 3f8a2c --person eva --reason "released version 2" --as ana
    """
    who = principal_of(settings, person)
    ask_on_case(
        settings,
        incident,
        lambda case: a.ExcludePerson(incident=case.incident, principal=who, reason=reason),
        **signer,
    )


@click.command(name="ask-plan")
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def ask_plan(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Ask for another plan for INCIDENT, after the last one was denied, expired or revoked.

    Example: headgate incidents ask-plan 3f8a2c --reason "version 1 was checked meanwhile" --as ana
    """
    ask_on_case(settings, incident, lambda case: a.AskForPlan(incident=case.incident, reason=reason), **signer)


@click.command(name="keep-nothing")
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def keep_nothing(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Answer for it that INCIDENT has no evidence to freeze, so that remediation need not wait for it.

    Example: headgate incidents keep-nothing 3f8a2c --reason "the model made no predictions" --as ana
    """
    ask_on_case(settings, incident, lambda case: a.KeepNothing(incident=case.incident, reason=reason), **signer)


@click.command(name="sign-off")
@_INCIDENT
@_NOTE
@_JSON
@signed()
@click.pass_obj
def sign_off(settings: Settings, /, incident: str, note: str, **signer: Any) -> None:
    """Confirm, as validator or compliance, that what the plan of INCIDENT did is right, before recovery is watched.

    Example: headgate incidents sign-off 3f8a2c --note "version 1 validated on last week's data" --as vera
    """
    ask_on_case(
        settings,
        incident,
        lambda case: a.SignOff(incident=case.incident, plan=_plan_of(case), note=note),
        **signer,
    )


@click.command(name="break-glass")
@_INCIDENT
@click.option("--step", required=True, type=click.IntRange(1), help="The containing step, as `incidents show` counts.")
@click.option("--minutes", default=15, show_default=True, type=click.IntRange(1, 60), help="How long it lasts.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def break_glass(settings: Settings, /, incident: str, step: int, minutes: int, reason: str, **signer: Any) -> None:
    r"""Let one reversible containing step of INCIDENT start now, without the quorum.

    It is recorded for ever, the commander and compliance are told at once, and somebody who had no part in the
    response has to review it within the time of the policy: before that the incident cannot be closed.

    \b
    Example:
      headgate incidents break-glass 3f8a2c --step 1 --minutes 15 --reason "patients are harmed now" --as ana
    """

    def made(case: Case) -> g.BreakGlass:
        return g.BreakGlass(incident=case.incident, plan=_plan_of(case), step=step - 1, reason=reason, minutes=minutes)

    ask_on_case(settings, incident, made, **signer)


@click.command(name="review-break-glass")
@_INCIDENT
@_NUMBER
@_VERDICT
@_NOTE
@_JSON
@signed()
@click.pass_obj
def review_break_glass(
    settings: Settings, /, incident: str, number: int, verdict: str, note: str, **signer: Any
) -> None:
    """Judge a broken glass of INCIDENT, as somebody who had no part in the response.

    Example: headgate incidents review-break-glass 3f8a2c --verdict justified --note "harm was under way" --as cleo
    """
    judged = Justified(verdict)
    ask_on_case(
        settings,
        incident,
        lambda case: g.ReviewBreakGlass(incident=case.incident, number=number, verdict=judged, note=note),
        **signer,
    )


@click.command(name="review-standing")
@_INCIDENT
@_NUMBER
@_VERDICT
@_NOTE
@_JSON
@signed()
@click.pass_obj
def review_standing(settings: Settings, /, incident: str, number: int, verdict: str, note: str, **signer: Any) -> None:
    """Judge a use of a standing approval on INCIDENT.

    Example: headgate incidents review-standing 3f8a2c --verdict justified --note "as meant" --as ana
    """
    judged = Justified(verdict)
    ask_on_case(
        settings,
        incident,
        lambda case: g.ReviewStanding(incident=case.incident, number=number, verdict=judged, note=note),
        **signer,
    )


COMMANDS = (exclude, ask_plan, keep_nothing, sign_off, break_glass, review_break_glass, review_standing)
