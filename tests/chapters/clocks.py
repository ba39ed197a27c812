"""Statutory clocks: facts that start and move them, tiers, reports by two persons, a delay, and what does not apply."""

from schemas.case import clocks as c
from schemas.case.clocks import Known
from tests.ledgers import INCIDENT, Ledger

HOUR = 3_600_000
WARNING, NOTICE = "nis2_23.early_warning", "hipaa_hhs.notice"


def fact(name: str, known: Known = Known.NO, at: int = 0) -> c.RecordFact:
    """Say what is known of a fact."""
    return c.RecordFact(incident=INCIDENT, fact=name, known=known, happened_at=at, basis="the operator's log")


def not_applicable(name: str, repeat: int = 0) -> c.DeclareNotApplicable:
    """Decide that something does not apply."""
    return c.DeclareNotApplicable(incident=INCIDENT, clock=name, reason="no device is concerned", repeat=repeat)


def file(ledger: Ledger, clock: str) -> None:
    """Let two persons say that a report was sent."""
    receipt = f"receipt of {clock}"
    sent = c.SubmitReport(incident=INCIDENT, clock=clock, receipt=receipt, submitted_at=ledger.at)
    ledger.ask(sent, "cleo")
    confirmed = c.ConfirmReport(incident=INCIDENT, clock=clock, receipt=receipt)
    ledger.ask(confirmed, "cleo")
    ledger.ask(confirmed, "lea")


def tell(ledger: Ledger) -> None:
    """Let every clock of the incident run, and end."""
    for regime in ("hipaa_hhs", "ai_act_art73", "no_such"):
        ledger.ask(c.RegulateCase(incident=INCIDENT, regime=regime, reason="it may concern patients"), "mia")
    ledger.ask(fact("aware", Known.YES, ledger.case.opened_at - 13 * HOUR), "mia")
    ledger.ask(fact("widespread_infringement"), "mia")
    ledger.ask(fact("critical_infrastructure"), "mia")
    due = next(one.due for one in ledger.case.clocks.running if one.clock == WARNING)
    ledger.ask(c.ReportClockShare(incident=INCIDENT, clock=WARNING, share=50, due=due), "paging")
    ledger.ask(c.ReportClockShare(incident=INCIDENT, clock=WARNING, share=80, due=due), "paging")
    until = ledger.at + 24 * HOUR
    ledger.ask(
        c.TollClock(incident=INCIDENT, clock=NOTICE, until=until, reason="an investigation", authority="the FBI"), "lea"
    )
    for clock in (WARNING, "nis2_23.notification", "nis2_23.final"):
        file(ledger, clock)
    ledger.ask(not_applicable("hipaa_hhs"), "cleo")
    ledger.ask(c.ReopenClock(incident=INCIDENT, clock="hipaa_hhs", reason="one device is"), "lea")
    ledger.ask(not_applicable("hipaa_hhs", repeat=1), "mia")
    ledger.ask(not_applicable("hipaa_hhs", repeat=1), "cleo")
    ledger.ask(not_applicable("ai_act_art73.report"), "cleo")
