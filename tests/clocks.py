"""A case on which statutory clocks run, for tests: three persons who may file, and words to say of clocks."""

from typing import Any

from schemas import commands as c
from schemas.case import clocks as k
from schemas.case.clocks import Known
from schemas.regulation.catalogue import edition
from schemas.regulation.clocks import Clock
from schemas.values import Role
from tests.ledgers import INCIDENT, POLICY, START, Ledger, enrolment, genesis
from tests.play import incident_opened

HOUR, DAY = 3_600_000, 86_400_000


def clock_named(key: str) -> Clock:
    """Return the clock of the catalogue in force with this key."""
    found = edition().clock(key)
    assert found is not None, key
    return found


def systems(*regulations: str) -> bytes:
    """Return a systems document whose one system declares these regimes."""
    named = ", ".join(f'"{name}"' for name in regulations)
    return (
        'version = 1\n[systems.radiator]\nscope = "radiators"\ntier = "high"\njurisdictions = ["DE", "US-CA"]\n'
        f"regulations = [{named}]\n[systems.radiator.models.shuttle]\n"
    ).encode()


def declared(*regulations: str, at: int = START, one_files: bool = False) -> Ledger:
    """Return a ledger whose case is declared at that time, under these regimes."""
    policy = POLICY + b"\n[regulation]\ntwo_persons_file = false\n" if one_files else POLICY
    ledger = genesis(policy, systems(*regulations))
    ledger.ask(c.EnrolKey(enrolment=enrolment("lea", Role.LEGAL)), "ada")
    ledger.ask(c.EnrolKey(enrolment=enrolment("dan", Role.DPO)), "ada")
    ledger.at = at
    ledger.ask(incident_opened(), "triage")
    return ledger


def fact(name: str, known: Known = Known.NO, at: int = 0, **changes: Any) -> k.RecordFact:
    """Say what is known of a fact, or when a trigger happened."""
    said = {"incident": INCIDENT, "fact": name, "known": known, "happened_at": at, "basis": "the log"}
    return k.RecordFact(**(said | changes))


def happened(name: str, at: int, **changes: Any) -> k.RecordFact:
    """Say when a trigger happened."""
    return fact(name, Known.YES, at, **changes)


def regulate(regime: str, **changes: Any) -> k.RegulateCase:
    """Say that a regime speaks of the case."""
    return k.RegulateCase(**({"incident": INCIDENT, "regime": regime, "reason": "patients"} | changes))


def submit(clock: str, at: int = 0, **changes: Any) -> k.SubmitReport:
    """Say that a report was sent."""
    said = {"incident": INCIDENT, "clock": clock, "receipt": "R-1", "submitted_at": at}
    return k.SubmitReport(**(said | changes))


def confirm(clock: str, **changes: Any) -> k.ConfirmReport:
    """Say so as a second person."""
    return k.ConfirmReport(**({"incident": INCIDENT, "clock": clock, "receipt": "R-1"} | changes))


def exclude(clock: str, **changes: Any) -> k.DeclareNotApplicable:
    """Decide that something does not apply."""
    return k.DeclareNotApplicable(**({"incident": INCIDENT, "clock": clock, "reason": "no device"} | changes))


def reopen(clock: str, **changes: Any) -> k.ReopenClock:
    """Take it back."""
    return k.ReopenClock(**({"incident": INCIDENT, "clock": clock, "reason": "there is one"} | changes))


def toll(clock: str, until: int, **changes: Any) -> k.TollClock:
    """Hold a clock."""
    said = {"incident": INCIDENT, "clock": clock, "until": until, "reason": "a letter", "authority": "the FBI"}
    return k.TollClock(**(said | changes))


def share(ledger: Ledger, clock: str, per_cent: int, **changes: Any) -> k.ReportClockShare:
    """Say that so much of a clock's time is used."""
    due = next((one.due for one in ledger.case.clocks.running if one.clock == clock), 0)
    said = {"incident": INCIDENT, "clock": clock, "share": per_cent, "due": due}
    return k.ReportClockShare(**(said | changes))


def due(ledger: Ledger) -> dict[str, int]:
    """Return when each running clock is due."""
    return {one.clock: one.due for one in ledger.case.clocks.running}


def states(ledger: Ledger) -> dict[str, str]:
    """Return where each clock stands; of those with one key, the last."""
    return {one.clock: one.state.value for one in ledger.case.clocks.counted}
