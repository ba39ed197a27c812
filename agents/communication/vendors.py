"""What vendors owe on incidents that touch their systems, by the contracts that the systems document tells of.

A contract's clock is no statutory one: nothing of the ledger starts it. Its due time is counted here from the
declaration, for people to read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agents.ledger.case import Case
from schemas.inventory import Vendor
from schemas.systems import System, Systems

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """Hours that a contract gives for something; `due` (ms) is None while the incident is not declared."""

    name: str
    hours: float
    due: int | None


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
    """Return each contract clock with its due time, the earliest first."""
    since = case.messages.declared_at
    return tuple(
        Sla(name=name, hours=hours, due=since + round(hours * _HOUR_MS) if since else None)
        for name, hours in sorted(vendor.sla_hours.items(), key=lambda one: (one[1], one[0]))
    )


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
            evidence=vendor.evidence_owed,
        )
