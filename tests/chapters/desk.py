"""Reports of suspected failures, and silences."""

from schemas.case import reports as r
from schemas.case import silences as s
from schemas.case.silences import Aspect, Matcher
from tests.ledgers import Ledger

HOUR = 3_600_000


def tell(ledger: Ledger) -> None:
    """Let a person report a failure, and others silence what is known to be noisy."""
    report = r.ReportFailure(model="shuttle", version="2", what="it says 4 all day", prediction="", happened_at=0)
    ledger.ask(report, "max-2")
    quiet = s.AddSilence(
        matchers=(Matcher(aspect=Aspect.MODEL, value="shuttle"), Matcher(aspect=Aspect.SUBJECT, value="f7")),
        starts_at=ledger.at,
        until=ledger.at + HOUR,
        rule="",
        zone="",
        window_seconds=0,
        reason="the sensor is exchanged",
    )
    (added, *_) = ledger.ask(quiet, "mia")
    assert isinstance(added, s.SilenceAdded)
    ledger.ask(s.EndSilence(silence=added.silence, reason="done"), "max-2")
    weekly = s.AddSilence(
        matchers=(Matcher(aspect=Aspect.SYSTEM, value="radiator"),),
        starts_at=ledger.at,
        until=ledger.at + 120_000,
        rule="FREQ=WEEKLY;BYDAY=SU",
        zone="Europe/Berlin",
        window_seconds=60,
        reason="the weekly maintenance",
    )
    (again, *_) = ledger.ask(weekly, "max-2")
    assert isinstance(again, s.SilenceAdded)
    over = s.ExpireSilence(silence=again.silence, until=again.until)
    ledger.ask(over, "approval")
    ledger.later(120).ask(s.ExpireSilence(silence=again.silence, until=again.until, repeat=1), "approval")
