"""Times by vendors' contracts: begun by the declaration, told at their shares, ended by what the vendor did."""

from dataclasses import replace

import pytest

from agents.communication.vendors import slas
from agents.ledger import contracts, recount
from agents.ledger.closing import unfinished
from agents.ledger.regions.clocks import ClockState
from agents.ledger.subjects import wanted
from agents.roles import tell_time
from schemas import commands as c
from schemas.case import clocks
from schemas.case.by_hand import JudgeRecovered, StateContained, StateRemedied
from schemas.case.response import Reopen
from schemas.events import Refused
from streams.view.counting import clocks_of
from tests.chapters.vendors import BOUGHT, OWED, SYSTEM, SYSTEMS, delivered, opened
from tests.ledgers import Ledger, genesis

HOUR = 3_600_000
ACKNOWLEDGE, FIX = "contract.weather:acknowledge", "contract.weather:fix"
POLICY = b"""version = 1
[[severity]]
name = "other"
severity = "sev3"
[approval.sev1]
[approval.sev2]
[approval.sev3]
[approval.sev4]
"""


def declared() -> Ledger:
    """Return a ledger whose incident of a bought model is declared."""
    ledger = genesis(POLICY, SYSTEMS)
    ledger.ask(opened(), "triage")
    assert ledger.state.cases[BOUGHT].clocks.counted == ()
    ledger.ask(c.Declare(incident=BOUGHT, reason="fields are flooded"), "max")
    return ledger


def refusal(events: list[object]) -> str:
    """Return the word of the refusal, or nothing."""
    return events[0].reason if isinstance(events[0], Refused) else ""


def test_the_declaration_begins_the_times_of_the_contract() -> None:
    """Each counts from the declaration, by the hours of the document as it stood; a later document changes nothing."""
    ledger = declared()
    at = ledger.at
    shorter = SYSTEMS.replace(b"fix = 72", b"fix = 1")
    ledger.ask(c.AdoptSystems(document=shorter), "ada")
    case = ledger.state.cases[BOUGHT]
    running = {one.clock: (one.trigger_at, one.due) for one in case.clocks.running}
    assert running == {ACKNOWLEDGE: (at, at + 3 * HOUR // 2), FIX: (at, at + 72 * HOUR)}
    assert case.contracts.owes[SYSTEM].systems != ledger.control.systems_digest
    shown = clocks_of(case, ledger.control, {}, at + HOUR)
    assert [(one["clock"], one["by"], one["legal"]["due"]) for one in shown] == [
        (ACKNOWLEDGE, ["Acme Models"], at + 3 * HOUR // 2),
        (FIX, ["Acme Models"], at + 72 * HOUR),
    ]
    assert [said for said in unfinished(ledger.control, case) if "vendors have not met" in said]


def test_half_of_a_vendors_time_is_told_and_pages_people() -> None:
    """At 50, 80 and 100 per cent the clocks role reports it, and people are to be paged about it."""
    ledger = declared()
    ledger.later(46 * 60)
    found, _ = tell_time.proposals(ledger.state.cases[BOUGHT], ledger.at)
    assert [(one.clock, one.share) for one in found if isinstance(one, clocks.ReportClockShare)] == [(ACKNOWLEDGE, 50)]
    ledger.ask(found[0], "paging")
    assert f"clock:{ACKNOWLEDGE}:50" in wanted(ledger.control, ledger.state.cases[BOUGHT])


def test_what_the_vendor_did_ends_its_clock() -> None:
    """In time or late; not before it began, not what it does not owe, and not by a report to an authority."""
    ledger = declared()
    filed = clocks.SubmitReport(incident=BOUGHT, clock=FIX, receipt="r", submitted_at=0)
    assert refusal(ledger.ask(filed, "cleo")) == "no_report"
    assert refusal(ledger.ask(delivered("fix", happened_at=ledger.at - HOUR), "mia")) == "bad_time"
    assert refusal(ledger.ask(delivered("apologise"), "mia")) == "not_owed"
    assert refusal(ledger.ask(delivered("fix", system="radiator"), "mia")) == "unknown_vendor"
    ledger.later(2 * 3600).ask(delivered("acknowledge"), "mia")
    ledger.ask(delivered("fix", happened_at=ledger.at - HOUR), "mia")
    case = ledger.state.cases[BOUGHT]
    assert [(one.clock, one.state, one.late) for one in case.clocks.counted] == [
        (ACKNOWLEDGE, ClockState.MET, True),
        (FIX, ClockState.MET, False),
    ]
    vendor = ledger.control.systems.systems[SYSTEM].vendor
    assert vendor is not None
    assert [(one.name, one.state) for one in slas(case, vendor)] == [("acknowledge", "met"), ("fix", "met")]
    assert refusal(ledger.ask(delivered("fix", repeat=1), "mia")) == "not_running"


def test_a_case_that_is_taken_up_again_counts_anew_what_had_been_met() -> None:
    """The vendor owes it again from then on; what was decided not to be applicable stays so."""
    ledger = declared()
    ledger.ask(delivered("acknowledge"), "mia")
    ledger.ask(clocks.DeclareNotApplicable(incident=BOUGHT, clock=FIX, reason="nothing is to be fixed"), "cleo")
    said = {"incident": BOUGHT, "statement": "the pumps are driven by hand", "evidence": "ticket 4712"}
    ledger.ask(StateContained(**said), "eva")
    ledger.ask(StateRemedied(**said), "eva")
    ledger.ask(JudgeRecovered(**said), "mia")
    events = ledger.later(60).ask(Reopen(incident=BOUGHT, reason="fields are flooded again"), "mia")
    begun = [one for one in events if isinstance(one, clocks.ClockStarted)]
    assert [(one.clock, one.number, one.trigger_at) for one in begun] == [(ACKNOWLEDGE, 3, ledger.at)]


def test_evidence_that_is_owed_is_handed_over_once() -> None:
    """It is missing until somebody says that it came; saying so again is refused."""
    ledger = declared()
    assert ledger.state.cases[BOUGHT].contracts.missing(SYSTEM) == (OWED,)
    ledger.ask(delivered(OWED), "mia")
    assert ledger.state.cases[BOUGHT].contracts.missing(SYSTEM) == ()
    assert refusal(ledger.ask(delivered(OWED, repeat=1), "mia")) == "as_it_was"


def test_a_named_person_decides_that_a_vendors_time_does_not_apply() -> None:
    """It ends so, and can be taken up again; a service decides nothing of it."""
    ledger = declared()
    said = clocks.DeclareNotApplicable(incident=BOUGHT, clock=FIX, reason="nothing is to be fixed")
    assert refusal(ledger.ask(said, "mia")) == "wrong_role"
    ledger.ask(said, "cleo")
    assert [one.clock for one in ledger.state.cases[BOUGHT].clocks.running] == [ACKNOWLEDGE]
    ledger.ask(clocks.ReopenClock(incident=BOUGHT, clock=FIX, reason="it is"), "cleo")
    assert len(ledger.state.cases[BOUGHT].clocks.running) == 2
    assert refusal(ledger.ask(replace(said, clock="contract.other:fix"), "cleo")) == "unknown_clock"


def test_times_of_contracts_keep_no_statutory_clock_from_being_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case has room for so many of each: however often it is reopened, what a law asks is still recorded."""
    monkeypatch.setattr(recount, "MAX_CLOCKS", 2)
    monkeypatch.setattr(contracts, "MAX_OWED", 3)
    ledger = declared()
    ledger.ask(clocks.RegulateCase(incident=BOUGHT, regime="gdpr_33", reason="names were shown"), "mia")
    for number in range(3):
        ledger.ask(delivered("acknowledge", repeat=number), "mia")
        said = {"incident": BOUGHT, "statement": "by hand", "evidence": "ticket 4712", "repeat": number}
        ledger.ask(StateContained(**said), "eva")
        ledger.ask(StateRemedied(**said), "eva")
        ledger.ask(JudgeRecovered(**said), "mia")
        ledger.ask(Reopen(incident=BOUGHT, reason="fields are flooded again", repeat=number), "mia")
    case = ledger.state.cases[BOUGHT]
    assert case.course.reopened == 3
    assert sum(one.regime == "contract" for one in case.clocks.counted) == 3
    known = clocks.RecordFact(
        incident=BOUGHT, fact="high_risk_to_persons", known=clocks.Known.YES, happened_at=0, basis="a letter"
    )
    assert refusal(ledger.ask(known, "mia")) == ""
