"""Which times by contract begin on a case: those of the vendors of the systems that it touches, once it is declared."""

from collections.abc import Iterator

from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.regions.clocks import ClockState, covers
from schemas.case import clocks as c
from schemas.case import contracts as k
from schemas.case.response import CaseReopened

MAX_OWED = 500
"""Clocks of contracts that a case counts: reopened more often, it begins none anew."""
_HOUR_MS = 3_600_000


def begun(control: Control, case: Case, events: list[object], at: int) -> list[object]:
    """Return what vendors owe from now on (ms), with the clocks of it.

    What is owed is taken down once for each system, so that a later document changes nothing of it. A case that is
    taken up again counts anew what had been met; what a person decided not to be applicable stays so.
    """
    if case.phase is Phase.TRIAGE or case.phase.over:
        return []
    again = any(isinstance(event, CaseReopened) for event in events)
    found: list[object] = []
    owing = [owed for owed in case.contracts.owes.values() if again]
    for owed in _owed(control, case):
        found.append(owed)
        owing.append(owed)
    counted = case.clocks.counted
    due = [(owed, sla) for owed in owing for sla in owed.slas if not _stands(case, k.clock_of(owed.system, sla.name))]
    room = max(MAX_OWED - sum(one.regime == k.REGIME for one in counted), 0)
    started = enumerate(due[:room], len(counted) + 1)
    return [*found, *(_started(case, owed, sla, number, at) for number, (owed, sla) in started)]


def _owed(control: Control, case: Case) -> Iterator[k.VendorOwes]:
    found = (control.systems.find(model) for model in sorted({affected.model for affected in case.affected}))
    touched = {declared[0]: declared[1].vendor for declared in found if declared is not None}
    for name, vendor in touched.items():
        if name in case.contracts.owes or vendor is None or not (vendor.sla_hours or vendor.evidence_owed):
            continue
        slas = sorted(vendor.sla_hours.items(), key=lambda one: (one[1], one[0]))
        yield k.VendorOwes(
            incident=case.incident,
            system=name,
            vendor=vendor.name,
            slas=tuple(k.SlaHours(name=each, hours=hours) for each, hours in slas),
            evidence=vendor.evidence_owed,
            systems=control.systems_digest,
        )


def _stands(case: Case, clock: str) -> bool:
    """Whether the clock runs, or ended by a person's decision, which stays."""
    if any(covers(name, clock) for name in case.clocks.excluded):
        return True
    return any(one.clock == clock and one.state is not ClockState.MET for one in case.clocks.counted)


def _started(case: Case, owed: k.VendorOwes, sla: k.SlaHours, number: int, at: int) -> c.ClockStarted:
    return c.ClockStarted(
        incident=case.incident,
        clock=k.clock_of(owed.system, sla.name),
        regime=k.REGIME,
        number=number,
        trigger="declared",
        trigger_at=at,
        assumed=False,
        strict_due=at + round(sla.hours * _HOUR_MS),
        catalogue=owed.systems,
    )
