"""The ledger's records: signed commands, audit entries whose index is their Kafka offset, and the status view."""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.values import Category, Position, Severity

MAX_COMMAND_BYTES = 32 * 1024
MAX_ENTRY_BYTES = 65_535  # a tile entry is prefixed by 16 bits (C2SP tlog-tiles)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A signed statement: `signature` covers origin, topic, kind, incident and body (schemas.keys.preimage).

    origin
        SHA-256 of the ledger's first leaf, hexadecimal; empty in the statement that establishes the ledger.
    topic
        The topic it was meant for, without prefix and version: ``commands`` or ``incidents``.
    kind, fingerprint, body
        Record name, fingerprint of its writer schema (CRC-64-AVRO) and its Avro bytes.
    """

    origin: str
    topic: str
    kind: str
    incident: str
    fingerprint: bytes
    body: bytes
    scheme: str
    key: str
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class EventBody:
    """One event in an entry: evolves by record name, and is compared as a value under its writer's schema."""

    type: str
    fingerprint: bytes
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One decision. Valid only where `index` equals the record's Kafka offset; any other leaf is void.

    follows
        Index of the last entry that counts before this one, −1 in the first. An entry that was decided without knowing
        it, by a registrar that another had replaced, is void.
    at
        When the registrar decided; never decreases along the ledger.
    rules
        Version of the rules that decided it.
    policy
        Digest of the policy in force, empty before the first.
    source
        Where the command was read, so that none is decided twice.
    command
        The Command's Avro bytes.
    outcome
        ``accepted`` or ``refused``.
    """

    index: int
    follows: int
    at: Millis
    rules: int
    policy: str
    source: Position
    command: bytes
    outcome: str
    events: tuple[EventBody, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStatus:
    """One action as it stands."""

    target: str
    desired: str
    outcome: str
    read_back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentStatus:
    """An incident as it stands as of entry `index`; `sequence` grows with each change. A drill's is an exercise."""

    incident: str
    index: int
    sequence: int
    at: Millis
    phase: str
    acknowledged: bool
    severity: Severity
    category: Category
    system: str
    title: str
    models: tuple[str, ...]
    versions: tuple[str, ...]
    opened_at: Millis
    plan: str
    plan_state: str
    approvals: int
    quorum: int
    actions: tuple[ActionStatus, ...]
    recurrence_of: str | None
    drill: bool = False
    technique: str | None = None


RECORDS = (Command, AuditEntry, IncidentStatus)
