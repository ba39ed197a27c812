"""The vendor of a bought model owes by contract: its times begin with the declaration, and end with what it did."""

from dataclasses import replace

from schemas import commands as c
from schemas.case import by_hand as b
from schemas.case import contracts as k
from schemas.case.approval import KeepNothing
from schemas.case.response import Dismissal
from schemas.events import SystemsAdopted
from schemas.signals import Affected
from tests.ledgers import Ledger
from tests.play import incident_opened

BOUGHT = "incident-bought"
FALSE = "incident-false"
SYSTEM = "weather"
OWED = "release notes of the change"
SYSTEMS = b"""version = 1
[systems.weather]
scope = "whether a field is watered"
tier = "medium"
third_party = true
[systems.weather.vendor]
name = "Acme Models"
contact = "noc@acme.example"
sla_hours = { acknowledge = 1.5, fix = 72 }
evidence_owed = ["release notes of the change"]
[systems.weather.models.rain]
"""


def opened(**changes: object) -> object:
    """Return an incident of the bought model."""
    said = {"id": BOUGHT, "affected": (Affected(model="rain", version="7"),), "system": SYSTEM}
    return incident_opened(**said | changes)


def delivered(what: str, **changes: object) -> k.RecordDelivery:
    """Say that the vendor did something."""
    body = k.RecordDelivery(incident=BOUGHT, system=SYSTEM, what=what, happened_at=0, basis="ticket 4711")
    return replace(body, **changes)  # type: ignore[arg-type]


def _by_hand(ledger: Ledger) -> None:
    """Stop the harm and put it right by hand, as there is nothing to move; another person judges it."""
    said = {"incident": BOUGHT, "statement": "the pumps are driven by hand", "evidence": "ticket 4712"}
    ledger.ask(b.StateContained(**said), "mia")
    ledger.ask(KeepNothing(incident=BOUGHT, reason="the vendor keeps the predictions"), "mia")
    ledger.ask(b.StateRemedied(**said), "mia")
    ledger.ask(b.JudgeRecovered(**said), "mia")
    ledger.ask(b.JudgeRecovered(**said), "vic")
    ledger.ask(opened(id=FALSE), "triage")
    ledger.ask(c.Declare(incident=FALSE, reason="fields are dry"), "max-2")
    dismissal = c.Dismiss(incident=FALSE, reason=Dismissal.FALSE_POSITIVE, note="a gauge was broken")
    ledger.ask(dismissal, "mia")


def tell(ledger: Ledger) -> None:
    """Declare an incident of the bought model; its vendor acknowledges, hands over evidence, and fixes nothing."""
    found = [event for each in ledger.verified for event in each.events if isinstance(event, SystemsAdopted)]
    ledger.ask(c.AdoptSystems(document=SYSTEMS), "ada")
    ledger.ask(opened(), "triage")
    ledger.ask(c.Declare(incident=BOUGHT, reason="fields are flooded"), "max-2")
    ledger.later(60).ask(delivered("acknowledge"), "mia")
    ledger.ask(delivered("a written apology"), "mia")
    ledger.ask(delivered(OWED), "mia")
    _by_hand(ledger)
    ledger.ask(c.AdoptSystems(document=found[-1].document, repeat=1), "ada")
