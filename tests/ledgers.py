"""A ledger in memory for tests: fixed keys, signed commands, real leaves, a signed checkpoint after each, one fold."""

import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from agents.ledger.asked import sign
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.fold import Fold, Trust, Verified
from agents.ledger.state import LedgerState, compose
from schemas import commands as c
from schemas.avro import encode
from schemas.codec import frame
from schemas.events import Refused
from schemas.keys import PrivateKey
from schemas.ledger import AuditEntry
from schemas.merkle import Frontier, leaf_hash
from schemas.note import Checkpoint, Verifier
from schemas.note import sign as sign_note
from schemas.values import Position, Role

ROOT = Path(__file__).resolve().parents[1]
POLICY = (ROOT / "deploy" / "policy.toml").read_bytes()
_DECLARED = (ROOT / "deploy" / "systems.toml").read_bytes()
SYSTEMS = re.sub(rb"(?m)^regulations = .*\n", b"", _DECLARED)
"""What is watched, without statutory clocks: a test that is about them declares regimes (tests/clocks.py)."""
START = 1_700_000_000_000
INCIDENT = "incident-1"

ROLES: dict[str, Role] = {
    "ada": Role.ADMIN,
    "max": Role.ML_MANAGER,
    "mia": Role.ML_MANAGER,
    "eva": Role.ML_ENGINEER,
    "cleo": Role.COMPLIANCE,
    **{role.value: role for role in Role if role.service},
}


def key_of(who: str) -> PrivateKey:
    """Return the key of this name; the same each time."""
    return PrivateKey.generate(sha256(who.encode()).digest())


def enrolment(who: str, *roles: Role, principal: str = "") -> c.Enrolment:
    """Return the enrolment of the key of this name."""
    return c.Enrolment(principal=principal or f"p-{who}", public_key=key_of(who).public.raw, roles=roles)


def establishment(**changes: Any) -> c.EstablishLedger:
    """Return what a ledger begins with: everybody in ROLES, in ledger and log `play`."""
    body = c.EstablishLedger(
        ledger="play",
        log_key=Verifier("play", key_of("log").public).to_vkey(),
        enrolments=tuple(enrolment(who, role) for who, role in ROLES.items()),
        nonce=b"nonce",
    )
    return replace(body, **changes)


@dataclass
class Ledger:
    """One ledger as its only registrar writes it; `at` is the clock, in milliseconds."""

    fold: Fold = field(default_factory=Fold)
    log: str = "log"
    at: int = START
    leaves: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verified: list[Verified] = field(default_factory=list)

    @property
    def state(self) -> LedgerState:
        """What the verified entries add up to."""
        return self.fold.state

    @property
    def control(self) -> Control:
        """The control state now."""
        return self.fold.state.control

    @property
    def case(self) -> Case:
        """The case of INCIDENT now."""
        return self.fold.state.cases[INCIDENT]

    @property
    def plan(self) -> str:
        """The digest of the case's plan."""
        assert self.case.plan is not None
        return self.case.plan.digest

    @property
    def trust(self) -> Trust:
        """What a reader who trusts this ledger holds."""
        return Trust(genesis=sha256(self.leaves[0]).hexdigest(), log=Verifier("play", key_of("log").public))

    def statement(self, body: object, who: str) -> bytes:
        """Return the signed command as bytes."""
        return encode(sign(body, self.control.genesis, key_of(who)))

    def ask(self, body: object, who: str) -> list[object]:
        """Have a command decided and recorded; return its events, none if there was nothing to decide."""
        return self.submit(self.statement(body, who))

    def submit(self, command: bytes) -> list[object]:
        """Have the bytes of a command decided and recorded."""
        composed = self.compose(command)
        if composed is None:
            return []
        return list(self.append(frame(composed))[-1].events)

    def compose(self, command: bytes) -> AuditEntry | None:
        """Return the entry that would record the decision on a command, for the next offset."""
        source = Position(topic_id="T", partition=0, offset=len(self.leaves))
        asked = self.state.ask(command)
        composed = compose(self.state, asked, command, source, self.fold.next_offset, self.at)
        return None if composed is None else composed[0]

    def append(self, leaf: bytes) -> list[Verified]:
        """Write a leaf and sign the tree that holds it."""
        self.write(leaf)
        return self.checkpoint()

    def write(self, leaf: bytes) -> None:
        """Write a leaf that no checkpoint covers yet, as anybody could on an open broker."""
        self.fold.add_leaf(len(self.leaves), leaf)
        self.leaves.append(leaf)

    def checkpoint(self) -> list[Verified]:
        """Sign the tree over every leaf, and read it."""
        self.notes.append(sign_note(self.fold.next_checkpoint("play"), "play", key_of(self.log)))
        verified = self.fold.add_checkpoint(self.fold.open_checkpoint(self.notes[-1]))
        self.verified += verified
        return verified

    def later(self, seconds: float) -> "Ledger":
        """Let time pass."""
        self.at += int(seconds * 1000)
        return self


def read(leaves: list[bytes], notes: list[str], trust: Trust | None = None) -> list[Verified]:
    """Read a ledger with a fresh fold, all leaves first and then each checkpoint in order."""
    fold, verified = Fold(trust), list[Verified]()
    for offset, leaf in enumerate(leaves):
        fold.add_leaf(offset, leaf)
    for note in notes:
        verified += fold.add_checkpoint(fold.open_checkpoint(note))
    return verified


def resigned(leaves: list[bytes], log: str = "log") -> list[str]:
    """Return an honest checkpoint after each of these leaves, whatever they say."""
    tree, notes = Frontier(), []
    for leaf in leaves:
        tree.append(leaf_hash(leaf))
        notes.append(sign_note(Checkpoint("play", tree.size, tree.root()), "play", key_of(log)))
    return notes


def reason(events: list[object]) -> str:
    """Return why a command was refused; empty where it was not."""
    return events[0].reason if events and isinstance(events[0], Refused) else ""


def names(events: list[object]) -> list[str]:
    """Return the event types."""
    return [type(event).__name__ for event in events]


def established(**changes: Any) -> Ledger:
    """Return a ledger with its keys, without policy and systems."""
    ledger = Ledger()
    ledger.ask(establishment(**changes), "ada")
    return ledger


def genesis(policy: bytes = POLICY, systems: bytes = SYSTEMS) -> Ledger:
    """Return a ledger ready for incidents: keys, policy and systems."""
    ledger = established()
    ledger.ask(c.AdoptPolicy(document=policy), "ada")
    ledger.ask(c.AdoptSystems(document=systems), "ada")
    return ledger
