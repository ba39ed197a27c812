"""The vendor of a bought model owes by contract: its times begin with the declaration, and end with what it did."""

from dataclasses import replace

from schemas import commands as c
from schemas.case import contracts as k
from schemas.events import SystemsAdopted
from schemas.signals import Affected
from tests.ledgers import Ledger
from tests.play import incident_opened

BOUGHT = "incident-bought"
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


def opened() -> object:
    """Return an incident of the bought model."""
    return replace(incident_opened(id=BOUGHT, affected=(Affected(model="rain", version="7"),)), system=SYSTEM)


def delivered(what: str, **changes: object) -> k.RecordDelivery:
    """Say that the vendor did something."""
    body = k.RecordDelivery(incident=BOUGHT, system=SYSTEM, what=what, happened_at=0, basis="ticket 4711")
    return replace(body, **changes)  # type: ignore[arg-type]


def tell(ledger: Ledger) -> None:
    """Declare an incident of the bought model; its vendor acknowledges, hands over evidence, and fixes nothing."""
    found = [event for each in ledger.verified for event in each.events if isinstance(event, SystemsAdopted)]
    ledger.ask(c.AdoptSystems(document=SYSTEMS), "ada")
    ledger.ask(opened(), "triage")
    ledger.ask(c.Declare(incident=BOUGHT, reason="fields are flooded"), "max-2")
    ledger.later(60).ask(delivered("acknowledge"), "mia")
    ledger.ask(delivered("a written apology"), "mia")
    ledger.ask(delivered(OWED), "mia")
    ledger.ask(c.AdoptSystems(document=found[-1].document, repeat=1), "ada")
