"""What vendors owe on a case by contract: their times begin with its declaration, and end with what they delivered."""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.inventory import CONTRACT

REGIME = CONTRACT
"""Stands where a statutory clock names its regime: such a clock is called contract.<system>:<name of the time>."""


def clock_of(system: str, sla: str) -> str:
    """Return the name of the clock of a system's contract."""
    return f"{REGIME}.{system}:{sla}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordDelivery:
    """Say when (ms, 0: now) the vendor of a system did what its contract asks, or handed over evidence that it owes.

    what
        The name of a time in the contract, such as acknowledge or fix; or a piece of evidence, in the record's words.
    """

    incident: str
    system: str
    what: str
    happened_at: Millis
    basis: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SlaHours:
    """Hours that a contract gives for something."""

    name: str
    hours: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorOwes:
    """The vendor of a touched system owes this by the systems document with this digest, whatever is adopted later."""

    incident: str
    system: str
    vendor: str
    slas: tuple[SlaHours, ...]
    evidence: tuple[str, ...]
    systems: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorDelivered:
    """A vendor did what it owes, says a principal; where that ended a clock, `number` names it, else it is 0."""

    incident: str
    system: str
    what: str
    number: int
    happened_at: Millis
    principal: str
    basis: str
    late: bool


COMMANDS = (RecordDelivery,)
EVENTS = (VendorOwes, VendorDelivered)
