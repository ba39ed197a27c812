"""People are paged, do not answer, answer, forget, and are told at last."""

from schemas.case import paging as p
from schemas.oncall import AdoptOnCall
from tests.ledgers import INCIDENT, Ledger

PEOPLE = b"""version = 1
receivers = ["terminal"]
[people.max]
name = "Max"
principal = "p-max"
contacts = ["terminal"]
[people.mia]
name = "Mia"
principal = "p-mia"
contacts = ["terminal"]
"""
ONCALL = (
    PEOPLE
    + b"""[roles]
ml_manager = ["user:mia"]
nobody = ["schedule:empty"]
[schedules.empty]
zone = "UTC"
[[schedules.empty.layers]]
name = "week"
rotation = "weekly"
hand_over_day = "mon"
members = ["max"]
start = 2020-01-06
until = 2020-01-13
[[policies]]
name = "all"
wait_seconds = 10
final = "ml_manager"
acknowledge_timeout_seconds = 60
steps = [
  { targets = ["user:max"] },
  { after_seconds = 60, targets = ["schedule:empty"], only_if = { signals = 1000, within_seconds = 1 } },
  { after_seconds = 60, targets = ["schedule:empty"] },
]
"""
)


def tell(ledger: Ledger) -> None:
    """Page by a policy of three steps, of which the second does not count and the third reaches nobody."""
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    ledger.ask(p.HoldPaging(incident=INCIDENT, why="a silence covers it", by=""), "paging")
    ledger.ask(p.StartPaging(incident=INCIDENT), "paging")
    _page(ledger)
    ledger.ask(p.AcknowledgePage(incident=INCIDENT, note="mine"), "max-2")
    ledger.later(60)
    ledger.ask(p.ReportAcknowledgeExpired(incident=INCIDENT, step=0, round=0, at=ledger.at), "paging")
    _page(ledger)
    ledger.later(60)
    skipped = p.ReportPageSkipped(
        incident=INCIDENT, step=1, round=0, target="", persons=(), why="too few signals", at=ledger.at
    )
    ledger.ask(skipped, "paging")
    ledger.later(60)
    nobody = p.ReportNobodyReached(
        incident=INCIDENT, step=2, round=0, target="schedule:empty", why="nobody is on call", at=ledger.at
    )
    ledger.ask(nobody, "paging")
    ledger.later(10)
    told = p.ReportExhausted(
        incident=INCIDENT, role="ml_manager", persons=("mia",), why="nobody acknowledged in time", at=ledger.at
    )
    ledger.ask(told, "paging")


def end(ledger: Ledger) -> None:
    """Stop paging once the case is over."""
    ledger.ask(p.EndPaging(incident=INCIDENT, reason="it is resolved"), "paging")


def _page(ledger: Ledger) -> None:
    page = p.ReportPage(
        incident=INCIDENT, step=0, round=0, target="user:max", persons=("max",), important=True, at=ledger.at
    )
    ledger.ask(page, "paging")
