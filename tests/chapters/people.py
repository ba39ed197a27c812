"""Duties, the checklist, tasks and notes."""

from schemas.case import people as p
from schemas.case.people import Duty
from tests.ledgers import INCIDENT, Ledger


def tell(ledger: Ledger) -> None:
    """Let two people share the work on the incident."""
    ledger.ask(p.AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "max-2")
    ledger.ask(p.HandOver(incident=INCIDENT, duty=Duty.COMMANDER, to="p-mia", note="it grows"), "max-2")
    ledger.ask(p.CheckItem(incident=INCIDENT, item="which-version", note="2, since noon"), "mia")
    ledger.ask(p.AddTask(incident=INCIDENT, task="t-1", title="Find who changed it", owner="p-max", due_at=1), "mia")
    ledger.ask(p.FinishTask(incident=INCIDENT, task="t-1", note="the pipeline's owner"), "max-2")
    ledger.ask(p.AddNote(incident=INCIDENT, text="customers began to call", happened_at=ledger.at - 60_000), "mia")
