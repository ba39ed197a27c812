"""`headgate incidents contained | remedied | recovered`: what people did by hand, where nothing can be moved."""

from collections.abc import Callable
from typing import Any

import click

from schemas.case import by_hand as b
from streams.settings import Settings
from streams.view.on_case import ask_on_case
from streams.view.signing_in import signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_STATEMENT = click.option("--statement", required=True, help="What was done, for the ledger.")
_EVIDENCE = click.option("--evidence", required=True, help="What shows it: a ticket, a dashboard, a digest.")


def _ask(
    make: Callable[..., object], settings: Settings, incident: str, statement: str, evidence: str, signer: Any
) -> None:
    ask_on_case(
        settings,
        incident,
        lambda case: make(incident=case.incident, statement=statement, evidence=evidence),
        **signer,
    )


@click.command()
@_INCIDENT
@_STATEMENT
@_EVIDENCE
@_JSON
@signed()
@click.pass_obj
def contained(settings: Settings, /, incident: str, statement: str, evidence: str, **signer: Any) -> None:
    """Say that the harm of INCIDENT was stopped by hand: no system declares a target that Headgate could move.

    Example: headgate incidents contained 3f8a2c --statement "switched to manual" --evidence "ticket 4711" --as ana
    """
    _ask(b.StateContained, settings, incident, statement, evidence, signer)


@click.command()
@_INCIDENT
@_STATEMENT
@_EVIDENCE
@_JSON
@signed()
@click.pass_obj
def remedied(settings: Settings, /, incident: str, statement: str, evidence: str, **signer: Any) -> None:
    """Say that the cause of INCIDENT was put right by hand; from now on its rows, or another person, judge recovery.

    Example: headgate incidents remedied 3f8a2c --statement "the vendor fixed it" --evidence "release 9.1" --as ana
    """
    _ask(b.StateRemedied, settings, incident, statement, evidence, signer)


@click.command()
@_INCIDENT
@_STATEMENT
@_EVIDENCE
@_JSON
@signed()
@click.pass_obj
def recovered(settings: Settings, /, incident: str, statement: str, evidence: str, **signer: Any) -> None:
    """Judge that what was put right by hand on INCIDENT has recovered; whoever did it by hand cannot.

    Example: headgate incidents recovered 3f8a2c --statement "a week's answers are right" --evidence "audit 12" --as val
    """
    _ask(b.JudgeRecovered, settings, incident, statement, evidence, signer)


COMMANDS: tuple[click.Command, ...] = (contained, remedied, recovered)
