"""The state that a ledger's entries add up to, and the one way an entry is made and re-made from a command."""

import hashlib
from dataclasses import dataclass, field, replace

from agents.ledger import case as cases
from agents.ledger import control as controls
from agents.ledger import rules
from agents.ledger.asked import Asked, authenticate
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from schemas.avro import decode
from schemas.codec import body as encode_body
from schemas.events import Refused
from schemas.ledger import MAX_ENTRY_BYTES, AuditEntry, Command, EventBody
from schemas.values import Position

ACCEPTED, REFUSED = "accepted", "refused"
_ENVELOPE_BYTES = 1024


@dataclass(slots=True)
class LedgerState:
    """Control and cases as of the entries applied so far.

    active
        The cases that are not over.
    decided
        SHA-256 of every statement that was decided: each counts once, whoever sends it again.
    """

    control: Control = field(default_factory=Control)
    cases: dict[str, Case] = field(default_factory=dict)
    active: set[str] = field(default_factory=set)
    decided: set[bytes] = field(default_factory=set)

    def ask(self, command: bytes) -> Asked:
        """Return what an encoded command asks; SchemaError or KeyRefusedError where it is not authentic."""
        return authenticate(self.control, decode(Command, command))

    def decide(self, version: int, asked: Asked, at: int) -> list[object]:
        """Return the events that follow of a command; none if it was decided before, or there is nothing to decide."""
        if bytes.fromhex(asked.statement) in self.decided:
            return []
        return rules.decide(version, self.control, self.cases.get(asked.incident), asked, at)

    def apply(self, entry: AuditEntry, asked: Asked, events: list[object], leaf: bytes) -> None:
        """Take an entry whose events are known to follow of its command."""
        control = self.control
        case = self.cases.get(asked.incident)
        for event, body in zip(events, entry.events, strict=True):
            control = controls.evolve(control, event)
            case = cases.evolve(case, event, entry.at, hashlib.sha256(body.body).hexdigest())
        if case is not None:
            case = self.cases[asked.incident] = replace(case, sequence=case.sequence + 1)
            (self.active.discard if case.phase.over else self.active.add)(asked.incident)
            if (asked.incident in control.open) is case.phase.over:
                control = replace(control, open=control.open ^ {asked.incident})
        self.decided.add(bytes.fromhex(asked.statement))
        genesis = control.genesis or hashlib.sha256(leaf).hexdigest()
        read = control.read
        if entry.source.topic_id:
            read = {**read, entry.source.topic_id: max(read.get(entry.source.topic_id, 0), entry.source.offset + 1)}
        self.control = replace(control, genesis=genesis, at=entry.at, next_index=entry.index + 1, read=read)


def compose(
    state: LedgerState, asked: Asked, command: bytes, source: Position, index: int, at: int
) -> tuple[AuditEntry, list[object]] | None:
    """Return the entry that records the decision on a command, and its events; None if there is nothing to record.

    `at` is moved up to the last entry's where the clock went back: it never decreases.
    """
    at = max(at, state.control.at)
    return execute(state, asked, Place(command=command, source=source, index=index, at=at, rules=rules.CURRENT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The parts of an entry that no rule decides."""

    command: bytes
    source: Position
    index: int
    at: int
    rules: int


def execute(state: LedgerState, asked: Asked, place: Place) -> tuple[AuditEntry, list[object]] | None:
    """Decide a command and return its entry: a function of its arguments alone, so that a verifier makes the same."""
    events = state.decide(place.rules, asked, place.at)
    if not events:
        return None
    entry = _entry_of(state, place, events)
    if len(place.command) + sum(len(event.body) for event in entry.events) > MAX_ENTRY_BYTES - _ENVELOPE_BYTES:
        events = refuse(asked, "too_large", "the entry would not fit into a leaf of the ledger; say it in fewer words")
        entry = _entry_of(state, place, events)
    return entry, events


def _entry_of(state: LedgerState, place: Place, events: list[object]) -> AuditEntry:
    bodies = []
    for event in events:
        name, fingerprint, data = encode_body(event)
        bodies.append(EventBody(type=name, fingerprint=fingerprint, body=data))
    return AuditEntry(
        index=place.index,
        follows=state.control.next_index - 1,
        at=place.at,
        rules=place.rules,
        policy=state.control.policy_digest,
        source=place.source,
        command=place.command,
        outcome=REFUSED if isinstance(events[0], Refused) else ACCEPTED,
        events=tuple(bodies),
    )
