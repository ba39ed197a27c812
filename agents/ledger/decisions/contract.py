"""Decide on what vendors did by their contracts: a time that they met, or evidence that they handed over."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse, unsaid
from schemas.case import contracts as k


def _deliver(case: Case, asked: Asked, body: k.RecordDelivery, at: int) -> list[object]:
    owed = case.contracts.owes.get(body.system)
    if owed is None:
        known = ", ".join(list(case.contracts.owes)[:5]) or "none"
        return refuse(asked, "unknown_vendor", f"vendors owe something here for these systems: {known}")
    happened = body.happened_at or at
    if not 0 < happened <= at:
        return refuse(asked, "bad_time", "what a vendor did has happened already; 0 is now")
    clock, number, late = k.clock_of(owed.system, body.what), 0, False
    if body.what in {sla.name for sla in owed.slas}:
        one = case.clocks.named(clock)
        if one is None:
            return refuse(asked, "not_running", f"the clock {clock} does not run on this case")
        if happened < one.trigger_at:
            return refuse(asked, "bad_time", "the clock began later than that")
        number, late = one.number, happened > one.due
    elif body.what not in owed.evidence:
        names = ", ".join([*(sla.name for sla in owed.slas), *owed.evidence][:10])
        return refuse(asked, "not_owed", f"the vendor of {owed.system} owes: {names}")
    elif (owed.system, body.what) in case.contracts.delivered:
        return refuse(asked, "as_it_was", "this was handed over already")
    delivered = k.VendorDelivered(
        incident=case.incident,
        system=owed.system,
        what=body.what,
        number=number,
        happened_at=happened,
        principal=asked.principal,
        basis=body.basis,
        late=late,
    )
    return [delivered]


def decide(_control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of what a vendor did, or None where the command is another one."""
    if not isinstance(asked.body, k.RecordDelivery):
        return None
    return unsaid(asked, asked.body.basis) or _deliver(case, asked, asked.body, at)
