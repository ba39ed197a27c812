"""What vendors owe on a case and what they delivered; the times of their contracts are clocks like the others."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agents.ledger.regions.clocks import Clocks, ClockState
from schemas.case import contracts as k


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Who says on which basis that a vendor delivered something, and when it did (ms)."""

    at: int
    principal: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contracts:
    """What the vendor of each system owes, and what was delivered, by system and the name of it."""

    owes: Mapping[str, k.VendorOwes] = field(default_factory=dict)
    delivered: Mapping[tuple[str, str], Delivered] = field(default_factory=dict)

    def missing(self, system: str) -> tuple[str, ...]:
        """Return the evidence that the vendor of a system has not handed over."""
        owed = self.owes.get(system)
        return tuple(one for one in owed.evidence if (system, one) not in self.delivered) if owed else ()


def evolve(contracts: Contracts, event: object) -> Contracts:
    """Return the region after an event; those that say nothing of vendors leave it as it is."""
    match event:
        case k.VendorOwes():
            return replace(contracts, owes={**contracts.owes, event.system: event})
        case k.VendorDelivered():
            said = Delivered(at=event.happened_at, principal=event.principal, basis=event.basis)
            return replace(contracts, delivered={**contracts.delivered, (event.system, event.what): said})
    return contracts


def met(clocks: Clocks, event: object, at: int) -> Clocks:
    """Return the clocks after a vendor met a time of its contract, as it was recorded at `at` (ms)."""
    if not isinstance(event, k.VendorDelivered) or not event.number:
        return clocks
    ended = replace(
        clocks.counted[event.number - 1],
        state=ClockState.MET,
        submitted_at=event.happened_at,
        late=event.late,
        ended_by=(event.principal,),
        why=event.basis,
        ended_at=at,
    )
    return replace(clocks, counted=tuple(ended if one.number == ended.number else one for one in clocks.counted))
