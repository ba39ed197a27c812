"""A person's word on one case: whose it is, whom it names, when it speaks of, and what the registrar said to it."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from agents.ledger.case import Case
from schemas.errors import HeadgateError
from schemas.ids import sound
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import named, resolve
from streams.view.rendering import clean, tell
from streams.view.sentences import sentence
from streams.view.signing_in import names_of, sign_in

Make = Callable[[Case], object]
"""Returns the command on a case."""


def ask_on_case(
    settings: Settings, incident: str, make: Make, who: str, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Sign the command that `make` returns for the incident, and print what was decided."""
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        verdict = ledger.ask(identity, make(resolve(ledger, incident)))
    names = names_of(settings)
    said = "; ".join(named(sentence(event), names) for event in verdict.found.events)
    tell(verdict, said, as_json=as_json)


def principal_of(settings: Settings, name: str) -> str:
    """Return the principal whose key is called so on this machine; another text is a principal's id as it stands."""
    for principal, known in names_of(settings).items():
        if known == name:
            return principal
    if not sound(name):
        raise HeadgateError(f"{clean(name[:80])} is neither a key in {settings.keys_directory} nor a principal's id")
    return name


class Moment(click.ParamType):
    """A point in time as ISO 8601, UTC where it names no offset; milliseconds since 1970."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds; a usage error where the text is no point in time."""
        if isinstance(value, int):
            return value
        try:
            found = datetime.fromisoformat(str(value).strip())
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found
            return int(found.timestamp() * 1000)
        except (ValueError, OverflowError, OSError):
            said = f"{str(value)[:80]!r} is no point in time; write 2026-01-31T12:00 or 2026-01-31T12:00+01:00"
            self.fail(said, param, ctx)


MOMENT = Moment()
