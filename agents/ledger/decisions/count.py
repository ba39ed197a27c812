"""Decide on statutory clocks: what people say of facts, reports, delays and what does not apply; and shares of time."""

from typing import Any

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.recount import EDITION
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.clocks import TRIGGERS, Clocks, Counted, covers
from agents.regulation.progress import SHARES, crossing
from schemas.case import clocks as c
from schemas.case.clocks import Known
from schemas.case.contracts import REGIME as CONTRACT
from schemas.regulation.clocks import FACTS, LATER, Trigger

MAX_RECEIPT = 300
MAX_TOLL_MS = 400 * 86_400_000
_DELAYS = {
    "hipaa_": "45 CFR 164.412 (law enforcement)",
    "sec_8k_105": "Form 8-K Item 1.05(c) (Attorney General)",
}
"""The regimes whose law lets an authority ask for a delay, by how their names begin."""

_KNEW = frozenset({Trigger.AWARE.value, Trigger.DISCOVERED.value})
_AGAIN = frozenset({*(one.value for one in LATER), Trigger.PRIOR_SUBMISSION.value})


def _record(case: Case, asked: Asked, body: c.RecordFact, at: int) -> list[object]:
    trigger = body.fact in TRIGGERS
    if not trigger and body.fact not in FACTS:
        return refuse(asked, "unknown_fact", "there is no such fact; `headgate clocks facts` names them")
    if not 0 <= body.happened_at <= at:
        return refuse(asked, "bad_time", "what is known has happened already; 0 stands for no time")
    if trigger and (body.known is Known.YES) is not (body.happened_at > 0):
        return refuse(asked, "bad_time", f"say when {body.fact} happened, or that it has not")
    if body.fact in _KNEW and body.happened_at > case.opened_at:
        return refuse(
            asked, "too_late", "the case was opened before: nobody can have become aware later than with its opening"
        )
    recorded = c.FactRecorded(
        incident=case.incident,
        fact=body.fact,
        known=body.known,
        happened_at=body.happened_at,
        principal=asked.principal,
        basis=body.basis,
    )
    return [recorded]


def _regulate(case: Case, asked: Asked, body: c.RegulateCase) -> list[object]:
    if body.regime not in EDITION.regimes:
        return refuse(asked, "unknown_regime", "the catalogue has no such regime; `headgate clocks list` names them")
    if body.regime in case.clocks.regimes:
        return refuse(asked, "as_it_was", "this regime speaks of the case already")
    return [c.CaseRegulated(incident=case.incident, regime=body.regime, by=asked.principal, reason=body.reason)]


def _none(clocks: Clocks, asked: Asked) -> list[object]:
    names = ", ".join(one.clock for one in clocks.running[:5]) or "none"
    return refuse(asked, "not_running", f"no clock of this name runs on the case; those that run: {names}")


def _submit(control: Control, case: Case, asked: Asked, body: c.SubmitReport, at: int) -> list[object]:
    one = case.clocks.named(body.clock)
    if one is None:
        return _none(case.clocks, asked)
    if one.regime == CONTRACT:
        return refuse(asked, "no_report", "a vendor owes this to us: `headgate clocks delivered` says that it did it")
    if not 0 < len(body.receipt.strip()) <= len(body.receipt) <= MAX_RECEIPT:
        return refuse(asked, "bad_receipt", f"a receipt has 1 to {MAX_RECEIPT} characters")
    sent_at = body.submitted_at or at
    if not 0 < sent_at <= at or (one.trigger in _AGAIN and sent_at < one.trigger_at):
        return refuse(asked, "bad_time", "a report was sent before now, and not before what it reports on; 0 is now")
    if control.policies[case.policy].regulation.two_persons_file:
        proposed = c.ReportProposed(
            incident=case.incident,
            clock=one.clock,
            number=one.number,
            receipt=body.receipt,
            submitted_at=sent_at,
            principal=asked.principal,
        )
        return [proposed]
    return [_sent(case, one, body.receipt, sent_at, (asked.principal,))]


def _sent(case: Case, one: Counted, receipt: str, at: int, persons: tuple[str, ...]) -> c.ReportSubmitted:
    clock = EDITION.clock(one.clock)
    return c.ReportSubmitted(
        incident=case.incident,
        clock=one.clock,
        number=one.number,
        receipt=receipt,
        submitted_at=at,
        principals=persons,
        late=at > one.due and (clock is None or clock.offset is not None or one.tolled_until > 0),
    )


def _confirm(case: Case, asked: Asked, body: c.ConfirmReport) -> list[object]:
    one = case.clocks.named(body.clock)
    if one is None:
        return _none(case.clocks, asked)
    said = case.clocks.proposed.get(one.report)
    if said is None or said.receipt != body.receipt:
        return refuse(asked, "not_proposed", "nobody said that this report was sent with this receipt")
    if said.principal == asked.principal:
        return refuse(asked, "same_person", "this person said so; another one confirms it")
    if one.trigger in _AGAIN and said.submitted_at < one.trigger_at:
        return refuse(asked, "bad_time", "what it reports on came after it was sent; say anew what was sent")
    return [_sent(case, one, said.receipt, said.submitted_at, (said.principal, asked.principal))]


def _exclude(case: Case, asked: Asked, body: c.DeclareNotApplicable) -> list[object]:
    clocks = case.clocks
    if any(covers(name, body.clock) for name in clocks.excluded):
        return refuse(asked, "as_it_was", "this is decided already")
    keys = [key.key for name in clocks.regimes if name in EDITION.regimes for key in EDITION.regimes[name].clocks]
    owed = body.clock in {one.clock for one in clocks.running if one.regime == CONTRACT}
    if not owed and body.clock not in clocks.regimes and not any(covers(body.clock, key) for key in keys):
        return refuse(
            asked, "unknown_clock", "neither a regime of the case, nor a report or clock of one, is called so"
        )
    said = c.ClockNotApplicable(incident=case.incident, clock=body.clock, principal=asked.principal, reason=body.reason)
    return [said]


def _reopen(case: Case, asked: Asked, body: c.ReopenClock) -> list[object]:
    clocks = case.clocks
    number = 0
    if body.clock not in clocks.excluded:
        if any(covers(name, body.clock) for name in clocks.excluded):
            return refuse(asked, "covered", "more than this was decided not to be applicable; reopen that")
        sent = [one for one in clocks.counted if one.submitted_at and body.clock in {one.clock, one.report}]
        if not sent or clocks.named(sent[-1].report) is not None:
            return refuse(asked, "not_ended", "no decision or submission of this name ended a clock")
        number = sent[-1].number
    else:
        wider = [name for name in clocks.excluded if name != body.clock and covers(name, body.clock)]
        if wider:
            return refuse(asked, "covered", f"{wider[0]} was decided not to be applicable; reopen that")
    again = c.ClockReopened(
        incident=case.incident,
        clock=body.clock,
        number=number,
        principal=asked.principal,
        reason=body.reason,
    )
    return [again]


def _toll(case: Case, asked: Asked, body: c.TollClock, at: int) -> list[object]:
    one = case.clocks.named(body.clock)
    if one is None:
        return _none(case.clocks, asked)
    if not one.clock.startswith(tuple(_DELAYS)):
        return refuse(asked, "no_delay", f"only these laws know such a delay: {', '.join(_DELAYS.values())}")
    if not at < body.until <= at + MAX_TOLL_MS:
        return refuse(asked, "bad_time", "a delay ends later than now, and within 400 days")
    if not 0 < len(body.authority.strip()) <= len(body.authority) <= MAX_RECEIPT:
        return refuse(asked, "bad_authority", f"name the authority that asked for it, in 1 to {MAX_RECEIPT} characters")
    tolled = c.ClockTolled(
        incident=case.incident,
        clock=one.clock,
        number=one.number,
        was=one.due,
        until=body.until,
        principal=asked.principal,
        reason=body.reason,
        authority=body.authority,
    )
    return [tolled]


def _share(case: Case, asked: Asked, body: c.ReportClockShare, at: int) -> list[object]:
    one = next((each for each in case.clocks.running if each.clock == body.clock), None)
    if one is None:
        return _none(case.clocks, asked)
    if body.due != one.due:
        return refuse(asked, "moved", f"the clock is due at {one.due} ms")
    if body.share not in SHARES or body.share <= one.reached:
        return refuse(asked, "told", f"{one.reached} % was told already; shares are {', '.join(map(str, SHARES))} %")
    if at < crossing(one.trigger_at, one.due, body.share):
        return refuse(asked, "not_due", "so much of its time is not used yet")
    return [
        c.ClockShareReached(incident=case.incident, clock=one.clock, number=one.number, share=body.share, due=one.due)
    ]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about clocks, or None where it is none; `recount.follows` adds to them."""
    body: Any = asked.body
    match body:
        case c.RecordFact(basis=text) | c.RegulateCase(reason=text) | c.TollClock(reason=text):
            refused = unsaid(asked, text)
        case c.DeclareNotApplicable(reason=text) | c.ReopenClock(reason=text):
            refused = unsaid(asked, text)
        case c.SubmitReport() | c.ConfirmReport() | c.ReportClockShare():
            refused = None
        case _:
            return None
    return refused or _decided(control, case, asked, at)


def _decided(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    match asked.body:
        case c.RecordFact():
            return _record(case, asked, asked.body, at)
        case c.RegulateCase():
            return _regulate(case, asked, asked.body)
        case c.SubmitReport():
            return _submit(control, case, asked, asked.body, at)
        case c.ConfirmReport():
            return _confirm(case, asked, asked.body)
        case c.DeclareNotApplicable():
            return _exclude(case, asked, asked.body)
        case c.ReopenClock():
            return _reopen(case, asked, asked.body)
        case c.TollClock():
            return _toll(case, asked, asked.body, at)
        case c.ReportClockShare():
            return _share(case, asked, asked.body, at)
    return None
