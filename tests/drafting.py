"""Messages as tests write, approve, send and miss them, on a ledger whose executive must hear every two hours."""

from typing import Any

from schemas.case import messages as m
from schemas.case.messages import Audience
from schemas.commands import EnrolKey
from schemas.values import Role
from tests import play
from tests.chapters.messages import draft, newest
from tests.ledgers import INCIDENT, Ledger, enrolment, genesis
from tests.story import POLICY

HOUR = 3_600_000
EVERY = POLICY + b"[communication.audiences.sev2]\nexecutive = { every_seconds = 7200 }\n"


def opened(document: bytes = EVERY) -> Ledger:
    """Return a ledger with a declared SEV2 case, whose executive must hear every two hours, and a lawyer."""
    ledger = genesis(document)
    ledger.ask(EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    ledger.ask(play.incident_opened(), "triage")
    return ledger


def drafted(**changes: Any) -> tuple[Ledger, str]:
    """Return such a ledger with a draft by max, and its digest."""
    ledger = opened()
    ledger.ask(draft(**changes), "max")
    return ledger, newest(ledger)


def approve(message: str, **changes: Any) -> m.ApproveMessage:
    """Agree to a message."""
    return m.ApproveMessage(**({"incident": INCIDENT, "message": message} | changes))


def sent(message: str, **changes: Any) -> m.RecordSent:
    """Say that a message was sent by mail."""
    said = {"incident": INCIDENT, "message": message, "channel": "mail", "receipt": "<1@mail>"}
    return m.RecordSent(**(said | changes))


def missed(due: int, **changes: Any) -> m.ReportUpdateMissed:
    """Say that the executive waits since `due`."""
    return m.ReportUpdateMissed(**({"incident": INCIDENT, "audience": Audience.EXECUTIVE, "due": due} | changes))
