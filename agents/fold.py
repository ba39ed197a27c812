"""The one fold that every reader of a ledger shares: tree, checkpoint, signature, and the decision executed again.

Leaves count only once a checkpoint that the log key signed covers them, so an entry forged on an open broker moves
nobody. A leaf whose index is not its offset is void, and so is one that a later registrar names when it takes over.
Any other leaf below a checkpoint must be authentic and its decision must follow, or the ledger is broken at it.
"""

import hashlib
from dataclasses import dataclass

from agents import rules
from agents.asked import Asked
from agents.case import Case
from agents.ledger_state import LedgerState, entry_of
from schemas.codec import open_body, open_frame
from schemas.errors import KeyRefusedError, LedgerError, SchemaError
from schemas.events import RegistrarTookOver
from schemas.ledger import MAX_ENTRY_BYTES, AuditEntry
from schemas.merkle import Frontier, leaf_hash
from schemas.note import Checkpoint, Verifier, open_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom a reader believes: the genesis (SHA-256 of the first leaf) and the key that signs checkpoints."""

    genesis: str
    log: Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """An entry that a verified checkpoint covers, its events, and its case as it then stood.

    `void` says why a leaf counts for nothing.
    """

    index: int
    leaf: bytes
    entry: AuditEntry | None = None
    asked: Asked | None = None
    events: tuple[object, ...] = ()
    case: Case | None = None
    void: str = ""


def open_entry(leaf: bytes, offset: int) -> AuditEntry:
    """Return the entry in a leaf; SchemaError where it is none, or is meant for another offset."""
    entry: AuditEntry = open_frame(leaf, (AuditEntry,), MAX_ENTRY_BYTES)
    if entry.index != offset:
        raise SchemaError(f"the entry names index {entry.index} and stands at {offset}")
    return entry


def _voided_from(leaf: bytes, offset: int) -> int | None:
    """Return the first index that the leaf's registrar declares void, where it is a take-over."""
    try:
        entry = open_entry(leaf, offset)
        for event in entry.events:
            if event.type == RegistrarTookOver.__name__:
                took = open_body(event.type, event.fingerprint, event.body)
                return int(took.void_from)
    except SchemaError:
        return None
    return None


class Fold:
    """Reads leaves and checkpoints, and keeps the state that the verified entries add up to.

    Parameters
    ----------
    trust
        Without it the first leaf is believed, and the log key it names: consistent, but nobody's identity is proven.
    """

    def __init__(self, trust: Trust | None = None) -> None:
        self.state = LedgerState()
        self.trust = trust
        self._pending: list[bytes] = []
        self._tree = Frontier()
        self.checkpoint: Checkpoint | None = None

    @property
    def size(self) -> int:
        """Leaves below the newest verified checkpoint."""
        return self._tree.size

    @property
    def next_offset(self) -> int:
        """Offset of the leaf that comes next."""
        return self._tree.size + len(self._pending)

    def add_leaf(self, offset: int, leaf: bytes) -> None:
        """Take the next leaf; LedgerError where one before it is missing."""
        if offset != self.next_offset:
            raise LedgerError(f"the record is missing: {offset} follows {self.next_offset - 1}", self.next_offset)
        self._pending.append(leaf)

    def _log_key(self) -> Verifier:
        if self.trust is not None:
            return self.trust.log
        if self.state.control.log_key:
            return Verifier.from_vkey(self.state.control.log_key)
        try:
            first = open_entry(self._pending[0], 0)
            established = open_body(first.events[0].type, first.events[0].fingerprint, first.events[0].body)
            return Verifier.from_vkey(established.log_key)
        except (SchemaError, KeyRefusedError, AttributeError, IndexError):
            raise LedgerError("the first record does not establish a ledger", 0) from None

    def open_checkpoint(self, note: bytes | str) -> Checkpoint:
        """Return the checkpoint in a note; KeyRefusedError or LedgerError where this ledger's log did not sign it."""
        log = self._log_key()
        body, _ = open_note(note, [log])
        opened = Checkpoint.parse(body)
        if opened.origin != log.name:
            raise LedgerError(f"the checkpoint is of {opened.origin}, not of {log.name}")
        return opened

    def add_checkpoint(self, checkpoint: Checkpoint) -> list[Verified]:
        """Verify the leaves up to an opened checkpoint and apply them, in order.

        Nothing is returned for a checkpoint that is no newer than the last, or that covers leaves not read yet:
        give it again when they are there.

        Raises
        ------
        LedgerError
            Naming the first bad index: the root differs, an entry is not authentic, or its decision does not follow.
        """
        count = checkpoint.size - self._tree.size
        if count <= 0 or count > len(self._pending):
            return []
        leaves, tree = self._pending[:count], self._tree.copy()
        for leaf in leaves:
            tree.append(leaf_hash(leaf))
        if tree.root() != checkpoint.root:
            raise LedgerError(
                f"the tree of {checkpoint.size} leaves differs from its signed checkpoint", self._tree.size
            )
        first = self._tree.size
        void_from, void_to = self._void_range(first, leaves)
        verified = []
        for offset, leaf in enumerate(leaves, first):
            void = "a later registrar named it void" if void_from <= offset < void_to else ""
            verified.append(self._verify(offset, leaf, void))
        self._tree, self.checkpoint = tree, checkpoint
        del self._pending[:count]
        return verified

    def leaf(self, offset: int) -> bytes:
        """Return a leaf that no checkpoint covers yet."""
        return self._pending[offset - self._tree.size]

    def names_itself(self, offset: int) -> bool:
        """Whether a leaf that no checkpoint covers yet claims to be the entry at its offset."""
        try:
            open_entry(self.leaf(offset), offset)
        except SchemaError:
            return False
        return True

    def next_checkpoint(self, origin: str) -> Checkpoint:
        """Return the checkpoint of everything read, for the log to sign."""
        tree = self._tree.copy()
        for leaf in self._pending:
            tree.append(leaf_hash(leaf))
        return Checkpoint(origin, tree.size, tree.root())

    def _void_range(self, first: int, leaves: list[bytes]) -> tuple[int, int]:
        for offset in range(first + len(leaves) - 1, first - 1, -1):
            void_from = _voided_from(leaves[offset - first], offset)
            if void_from is not None:
                return max(void_from, first), offset  # what a checkpoint has made final stays final
        return 0, 0

    def _verify(self, offset: int, leaf: bytes, void: str) -> Verified:
        if offset == 0 and self.trust is not None and hashlib.sha256(leaf).hexdigest() != self.trust.genesis:
            raise LedgerError("the first record is not the genesis that is trusted", 0)
        if void:
            return Verified(index=offset, leaf=leaf, void=void)
        try:
            entry = open_entry(leaf, offset)
        except SchemaError as error:
            return Verified(index=offset, leaf=leaf, void=str(error))
        try:
            asked, events = self._execute(entry, offset)
        except (SchemaError, KeyRefusedError) as error:
            raise LedgerError(str(error), offset) from error
        self.state.apply(entry, asked, events, leaf)
        case = self.state.cases.get(asked.incident)
        return Verified(index=offset, leaf=leaf, entry=entry, asked=asked, events=tuple(events), case=case)

    def _execute(self, entry: AuditEntry, offset: int) -> tuple[Asked, list[object]]:
        """Decide the entry's command again: the entry must be exactly what the rules of its time say."""
        if entry.rules not in rules.RULES:
            raise LedgerError(f"rules {entry.rules} are not known to this version", offset)
        if entry.at < self.state.control.at:
            raise LedgerError("its time is before that of the entry before", offset)
        asked = self.state.ask(entry.command)
        events = self.state.decide(entry.rules, asked, entry.at)
        if not events:
            raise LedgerError("its command was decided before", offset)
        again = entry_of(self.state, entry.command, entry.source, offset, entry.at, entry.rules, events)
        if again != entry:
            raise LedgerError("the decision does not follow from the command", offset)
        return asked, events
