"""Drafts, their approval, what was sent, and an update that was missed."""

from schemas.case import messages as m
from schemas.case.messages import Audience
from tests.ledgers import INCIDENT, Ledger


def draft(**changes: object) -> m.DraftMessage:
    """Write a message to the executive that promises another within an hour."""
    said = {"incident": INCIDENT, "audience": Audience.EXECUTIVE, "text": "It is contained.", "next_update_by": 0}
    return m.DraftMessage(**(said | changes))  # type: ignore[arg-type]


def newest(ledger: Ledger) -> str:
    """Return the digest that names the newest message of the incident."""
    return list(ledger.case.messages.by_digest)[-1]


def send(ledger: Ledger, author: str, approver: str, **changes: object) -> str:
    """Draft, approve and send a message; return its digest."""
    ledger.ask(draft(**changes), author)
    digest = newest(ledger)
    ledger.ask(m.ApproveMessage(incident=INCIDENT, message=digest), approver)
    ledger.ask(m.RecordSent(incident=INCIDENT, message=digest, channel="mail", receipt="<1@mail>"), author)
    return digest


def tell(ledger: Ledger) -> None:
    """Tell the executive, miss the promised update, and send it; a draft to the users is drafted anew."""
    ledger.ask(draft(), "max-2")
    ledger.ask(draft(text="It is contained. We look for the cause."), "max-2")
    first = newest(ledger)
    ledger.ask(m.ApproveMessage(incident=INCIDENT, message=first), "max-2")
    promised = ledger.at + 60_000
    send(ledger, "max-2", "mia", next_update_by=promised, text="More within a minute.")
    ledger.ask(m.ReportUpdateMissed(incident=INCIDENT, audience=Audience.EXECUTIVE, due=promised), "paging")
    ledger.later(60)
    ledger.ask(m.ReportUpdateMissed(incident=INCIDENT, audience=Audience.EXECUTIVE, due=promised, repeat=1), "paging")
    send(ledger, "max-2", "mia", text="The cause is found.")
    send(ledger, "mia", "lea", audience=Audience.AFFECTED_USERS, text="Some answers of our service were wrong.")
