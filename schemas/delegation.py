"""Standing in: one person lets another decide in their place for a bounded time."""

from dataclasses import dataclass

from schemas.avro import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Let another enrolled person decide on plans in one's place until then; never onwards, never a service."""

    to: str
    until: Millis
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeDelegation:
    """Take the right to decide back."""

    to: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegated:
    """`to` may decide in the place of `principal` until then; `key` is the key that said so."""

    principal: str
    key: str
    to: str
    until: Millis
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationRevoked:
    """`to` no longer decides in the place of `principal`; what was approved so counts no more."""

    principal: str
    to: str
    reason: str


COMMANDS = (Delegate, RevokeDelegation)
EVENTS = (Delegated, DelegationRevoked)
