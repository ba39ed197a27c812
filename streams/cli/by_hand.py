"""`headgate incidents contained | remedied | recovered`: what people did by hand, where nothing can be moved."""

from collections.abc import Callable
from typing import Any

import click

from schemas.case import by_hand as b
from streams.settings import Settings
from streams.view.on_case import ask_on_case
from streams.view.signing_in import signed


def _stating(name: str, make: Callable[..., object], says: str) -> click.Command:
    """Return the command by which a person states something with what shows it; `says` is its help."""

    @click.command(name=name, help=says)
    @click.argument("incident")
    @click.option("--statement", required=True, help="What was done, for the ledger.")
    @click.option("--evidence", required=True, help="What shows it: a ticket, a dashboard, a digest.")
    @click.option("--json", "as_json", is_flag=True, help="As JSON.")
    @signed()
    @click.pass_obj
    def stating(settings: Settings, /, incident: str, statement: str, evidence: str, **signer: Any) -> None:
        ask_on_case(
            settings,
            incident,
            lambda case: make(incident=case.incident, statement=statement, evidence=evidence),
            **signer,
        )

    return stating


COMMANDS: tuple[click.Command, ...] = (
    _stating(
        "contained",
        b.StateContained,
        """Say that the harm of INCIDENT was stopped by hand: no system declares a target that Headgate could move.

        Example: headgate incidents contained 3f8a2c --statement "switched to manual" --evidence "ticket 4711" --as ana
        """,
    ),
    _stating(
        "remedied",
        b.StateRemedied,
        """Say that the cause of INCIDENT was put right by hand; its rows, or another person, judge recovery.

        Example: headgate incidents remedied 3f8a2c --statement "the vendor fixed it" --evidence "release 9" --as ana
        """,
    ),
    _stating(
        "recovered",
        b.JudgeRecovered,
        """Judge that what was put right by hand on INCIDENT has recovered; whoever did it by hand cannot.

        Example: headgate incidents recovered 3f8a2c --statement "a week went well" --evidence "audit 12" --as val
        """,
    ),
)
