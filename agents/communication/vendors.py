"""What vendors owe on incidents that touch their systems: by the ledger's clocks of their contracts.

Where the ledger has begun none, because the case is not declared, the systems document in force says what will be owed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.ledger.case import Case
from schemas.case.contracts import SlaHours, VendorOwes, clock_of
from schemas.inventory import Vendor
from schemas.systems import System, Systems


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """Hours that a contract gives for something; `due` (ms) is None while the incident is not declared.

    met_at
        When it was met (ms), as somebody recorded; 0 where nobody did.
    state
        How its clock stands; empty where none has begun.
    """

    name: str
    hours: float
    due: int | None
    met_at: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owing:
    """What one vendor owes on one incident, for which of their systems."""

    incident: str
    systems: tuple[str, ...]
    declared_at: int
    slas: tuple[Sla, ...]
    evidence: tuple[str, ...]


def touched(case: Case, systems: Systems) -> dict[str, System]:
    """Return the declared systems of which a model is affected, by name."""
    found = (systems.find(model) for model in sorted({one.model for one in case.affected}))
    return {name: system for name, system, _ in (one for one in found if one is not None)}


def vendors_of(case: Case, systems: Systems) -> dict[str, Vendor]:
    """Return the vendors of the systems that an incident touches, by name; the first record of a name counts."""
    known: dict[str, Vendor] = {}
    for system in touched(case, systems).values():
        if system.vendor is not None:
            known.setdefault(system.vendor.name, system.vendor)
    return known


def slas(case: Case, vendor: Vendor) -> tuple[Sla, ...]:
    """Return each time of a vendor's contracts, the earliest first: as the ledger counts it once that has begun.

    Where one vendor has several systems on the case, the contract of each has its own clocks.
    """
    owed = [one for one in case.contracts.owes.values() if one.vendor == vendor.name]
    if not owed:
        found = sorted(vendor.sla_hours.items(), key=lambda one: (one[1], one[0]))
        return tuple(Sla(name=name, hours=hours, due=None) for name, hours in found)
    return tuple(_counted(case, one, sla) for one in owed for sla in one.slas)


def _counted(case: Case, owed: VendorOwes, sla: SlaHours) -> Sla:
    named = clock_of(owed.system, sla.name)
    found = [one for one in case.clocks.counted if one.clock == named]
    if not found:
        return Sla(name=sla.name, hours=sla.hours, due=None)
    one = found[-1]
    return Sla(name=sla.name, hours=sla.hours, due=one.due, met_at=one.submitted_at, state=one.state.value)


def owing(cases: Iterable[Case], systems: Systems, system: str) -> Iterator[Owing]:
    """Return what the vendor of a system owes on each open incident that touches it."""
    vendor = systems.systems[system].vendor
    for case in cases:
        if vendor is None or case.phase.over or system not in touched(case, systems):
            continue
        yield Owing(
            incident=case.incident,
            systems=(system,),
            declared_at=case.messages.declared_at,
            slas=slas(case, vendor),
            evidence=case.contracts.missing(system) if system in case.contracts.owes else vendor.evidence_owed,
        )
