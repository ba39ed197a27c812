"""The one fold that every reader of a ledger shares: tree, checkpoint, signature, and the decision executed again.

Leaves count only once a checkpoint that the log key signed covers them, so an entry forged on an open broker moves
nobody. Void is a leaf whose index is not its offset, one that a later registrar names when it takes over, and one that
was decided without knowing the last entry that counts.
Any other leaf below a checkpoint must be authentic and its decision must follow, or the ledger is broken at it.

Every checkpoint there is should be given, in order: what one has made final no later take-over can void, and the first
bad index is exact only where each entry has a checkpoint of its own.
"""

import hashlib
from collections import deque
from dataclasses import dataclass
from itertools import islice

from agents.ledger import rules
from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.state import LedgerState, Place, execute
from schemas.codec import open_body, open_frame
from schemas.errors import KeyRefusedError, LedgerError, SchemaError
from schemas.events import RegistrarTookOver
from schemas.ledger import MAX_ENTRY_BYTES, AuditEntry
from schemas.merkle import Frontier, leaf_hash
from schemas.note import Checkpoint, Verifier, open_note

_TAKE_OVER = RegistrarTookOver.__name__.encode()


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
    if _TAKE_OVER not in leaf:
        return None
    try:
        entry = open_entry(leaf, offset)
        for event in entry.events:
            if event.type == RegistrarTookOver.__name__:
                took = open_body(event.type, event.fingerprint, event.body)
                return int(took.void_from)
    except SchemaError:
        return None
    return None


def _void_offsets(first: int, leaves: list[bytes]) -> set[int]:
    """Return the offsets that take-overs among the leaves declare void; one that is itself void declares nothing."""
    void: set[int] = set()
    offset = first + len(leaves) - 1
    while offset >= first:
        void_from = _voided_from(leaves[offset - first], offset)
        if void_from is not None and void_from < offset:
            named = range(max(void_from, first), offset)
            void.update(named)
            offset = named.start
        offset -= 1
    return void


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
        self._pending: deque[bytes] = deque()
        self._broken: LedgerError | None = None
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
            raise LedgerError(f"the checkpoint is of {opened.origin:.80}, not of {log.name}")
        return opened

    def add_checkpoint(self, checkpoint: Checkpoint) -> list[Verified]:
        """Verify the leaves up to an opened checkpoint and apply them, in order.

        Nothing is returned for a checkpoint that is no newer than the last, or that covers leaves not read yet:
        give it again when they are there.

        Raises
        ------
        LedgerError
            Naming the first bad index: the root differs, an entry is not authentic, or its decision does not follow.
            Nothing can be read after it: the same error is raised again.
        """
        if self._broken is None:
            try:
                return self._advance(checkpoint)
            except LedgerError as error:
                self._broken = error
        raise self._broken

    def _advance(self, checkpoint: Checkpoint) -> list[Verified]:
        count = checkpoint.size - self._tree.size
        if count == 0 and checkpoint.root != self._tree.root():
            raise LedgerError(f"two checkpoints of {checkpoint.size} leaves differ: the log has signed two histories")
        if count <= 0 or count > len(self._pending):
            return []
        leaves, tree = list(islice(self._pending, count)), self._tree.copy()
        for leaf in leaves:
            tree.append(leaf_hash(leaf))
        if tree.root() != checkpoint.root:
            raise LedgerError(
                f"the tree of {checkpoint.size} leaves differs from its signed checkpoint", self._tree.size
            )
        first = self._tree.size
        void = _void_offsets(first, leaves)
        verified = [self._verify(offset, leaf, named=offset in void) for offset, leaf in enumerate(leaves, first)]
        self._tree, self.checkpoint = tree, checkpoint
        for _ in leaves:
            self._pending.popleft()
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

    def _verify(self, offset: int, leaf: bytes, *, named: bool) -> Verified:
        if offset == 0 and self.trust is not None and hashlib.sha256(leaf).hexdigest() != self.trust.genesis:
            raise LedgerError("the first record is not the genesis that is trusted", 0)
        entry, void = self._entry(offset, leaf, named=named)
        if entry is None:
            if offset == 0:
                raise LedgerError(f"the first record does not establish a ledger: {void}", 0)
            return Verified(index=offset, leaf=leaf, void=void)
        try:
            asked, events = self._execute_again(entry, offset)
        except (SchemaError, KeyRefusedError) as error:
            raise LedgerError(str(error), offset) from error
        self.state.apply(entry, asked, events, leaf)
        case = self.state.cases.get(asked.incident)
        return Verified(index=offset, leaf=leaf, entry=entry, asked=asked, events=tuple(events), case=case)

    def _entry(self, offset: int, leaf: bytes, *, named: bool) -> tuple[AuditEntry | None, str]:
        """Return the entry in a leaf, or why it is void."""
        if named:
            return None, "a later registrar named it void"
        try:
            entry = open_entry(leaf, offset)
        except SchemaError as error:
            return None, str(error)
        if entry.follows != self.state.control.next_index - 1:
            return None, "it was decided without knowing the entry before it"
        return entry, ""

    def _execute_again(self, entry: AuditEntry, offset: int) -> tuple[Asked, list[object]]:
        """Decide the entry's command again: the entry must be exactly what the rules of its time say."""
        if entry.rules not in rules.RULES:
            raise LedgerError(f"rules {entry.rules} are not known to this version", offset)
        if entry.at < self.state.control.at:
            raise LedgerError("its time is before that of the entry before", offset)
        asked = self.state.ask(entry.command)
        place = Place(command=entry.command, source=entry.source, index=offset, at=entry.at, rules=entry.rules)
        decided = execute(self.state, asked, place)
        if decided is None:
            raise LedgerError("its command was decided before, or announces what is known", offset)
        again, events = decided
        if again != entry:
            raise LedgerError("the decision does not follow from the command", offset)
        return asked, events
