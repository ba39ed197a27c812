"""One pass over a ledger, wherever it stands: leaves and checkpoints in order through the shared fold."""

import time
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from agents.ledger.fold import Fold, Trust, Verified
from schemas.errors import BrokerError, KeyRefusedError, LedgerError, PolicyError, SchemaError
from schemas.merkle import EMPTY_ROOT, Frontier, leaf_hash
from schemas.note import Checkpoint, Verifier
from schemas.topics import full_name
from streams.kafka import Clients, end_offset
from streams.ledger.exported import Contents
from streams.settings import Settings

_MAX_UNCOVERED_BYTES = 1024 * 1024 * 1024
_SILENCE_SECONDS = 30.0


class Source(Protocol):
    """A ledger that can be read from its beginning, more than once.

    strict
        Whether every checkpoint must be the log's own and every leaf covered: so in an export, while on a topic anybody
        may have written, and the newest leaf may be without its checkpoint yet.
    """

    strict: bool

    @property
    def size(self) -> int:
        """About how many leaves there are."""
        ...

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield each leaf with its offset."""
        ...

    def notes(self) -> Iterator[bytes]:
        """Yield each checkpoint in the order in which they count."""
        ...

    def finish(self, contents: Contents) -> None:
        """Raise LedgerError where something else than leaves and checkpoints differs from what they say."""
        ...


class Topic:
    """The ledger as it stands in Kafka at the time of construction."""

    strict = False

    def __init__(self, settings: Settings) -> None:
        self._clients = Clients(settings)
        self._audit, self._notes = full_name(settings.ledger, "audit"), full_name(settings.ledger, "checkpoints")
        admin = self._clients.admin()
        # In this order: what a checkpoint covers was written before it.
        self._end_of_notes = end_offset(admin, self._notes)
        self._end_of_leaves = end_offset(admin, self._audit)

    @property
    def size(self) -> int:
        """How many leaves there were."""
        return self._end_of_leaves

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Yield each leaf with its offset."""
        return self._read(self._audit, self._end_of_leaves)

    def notes(self) -> Iterator[bytes]:
        """Yield whatever stands on the topic of checkpoints."""
        return (value for _, value in self._read(self._notes, self._end_of_notes))

    def finish(self, contents: Contents) -> None:
        """Nothing else belongs to a ledger in Kafka."""

    def _read(self, topic: str, end: int) -> Iterator[tuple[int, bytes]]:
        if end == 0:
            return
        consumer = self._clients.reader()
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            for message in _messages(consumer, topic):
                if message.offset() >= end:
                    return
                yield message.offset(), message.value() or b""
                if message.offset() == end - 1:
                    return
        finally:
            consumer.close()


def _messages(consumer: Consumer, topic: str) -> Iterator[Message]:
    """Yield the records of the one assigned partition up to its end."""
    deadline = time.monotonic() + _SILENCE_SECONDS
    while True:
        first = consumer.poll(0.2)
        if first is None:
            if time.monotonic() > deadline:
                raise BrokerError(f"{topic} cannot be read: Kafka was silent for {_SILENCE_SECONDS:.0f} s")
            continue
        for message in [first, *consumer.consume(1000, 0)]:
            error = message.error()
            if error is None:
                deadline = time.monotonic() + _SILENCE_SECONDS
                yield message
            elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - that is how the client names it
                return
            elif not error.retriable() and error.code() not in {KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN}:  # noqa: SLF001
                raise BrokerError(f"{topic} cannot be read: {error.str()}")


def own_note(fold: Fold, note: bytes) -> tuple[Checkpoint, bytes]:
    """Return a checkpoint, and its note with the log's own signature alone; raises as Fold.open_checkpoint does."""
    checkpoint = fold.open_checkpoint(note)
    body, _, tail = note.rpartition(b"\n\n")
    lines = tail.split(b"\n")[:-1]
    for line in lines[:-1]:
        alone = body + b"\n\n" + line + b"\n"
        try:
            return fold.open_checkpoint(alone), alone
        except KeyRefusedError:
            continue
    return checkpoint, body + b"\n\n" + lines[-1] + b"\n"


class Reading:
    """Iterating gives every entry once a checkpoint has proven it, in order.

    It ends with LedgerError where the ledger is broken, which always names an index: the first entry that is not
    proven, or the last one where all are and something beside them is wrong.
    """

    def __init__(self, source: Source, trust: Trust | None) -> None:
        self.fold = Fold(trust)
        self.checkpoints = 0
        self.newest = b""
        self.genesis = ""
        self._source = source
        self._leaves = source.leaves()
        self._uncovered = 0
        self._damaged = False
        self._older: dict[int, bytes] = {}

    def __iter__(self) -> Iterator[Verified]:
        """Read on to the end."""
        try:
            yield from self._entries()
        except (LedgerError, KeyRefusedError, SchemaError, PolicyError) as error:
            if isinstance(error, LedgerError) and error.index is not None:
                raise
            raise LedgerError(str(error), self._first_unproven()) from error

    @property
    def origin(self) -> str:
        """The name of the log, as soon as a checkpoint was read."""
        return self.fold.checkpoint.origin if self.fold.checkpoint else ""

    @property
    def root(self) -> bytes:
        """The root of the tree over what is proven."""
        return self.fold.checkpoint.root if self.fold.checkpoint else EMPTY_ROOT

    def check(self, claims: Mapping[int, bytes], says: str) -> None:
        """Read the leaves again, and raise LedgerError unless the tree has each of these roots at its size."""
        tree, end = Frontier(), max(claims, default=0)
        if claims.get(0, EMPTY_ROOT) != EMPTY_ROOT:
            raise LedgerError(says, 0)
        for _, leaf in self._source.leaves() if end else ():
            tree.append(leaf_hash(leaf))
            if tree.size in claims and tree.root() != claims[tree.size]:
                raise LedgerError(says, tree.size - 1)
            if tree.size == end:
                break

    def _entries(self) -> Iterator[Verified]:
        if not self._take_leaf():
            raise LedgerError("the ledger is empty", 0)
        for note in self._source.notes():
            opened = self._open(note)
            if opened is None:
                continue
            checkpoint, own = opened
            while self.fold.next_offset < checkpoint.size:
                if not self._take_leaf():
                    found = self.fold.next_offset
                    missing = f"a checkpoint covers {checkpoint.size} entries, and there are {found}"
                    raise LedgerError(missing, self.fold.size)
            self.checkpoints += 1
            if checkpoint.size < self.fold.size:
                self._keep(checkpoint)
            else:
                yield from self._advance(checkpoint, own)
        if self.fold.size == 0:
            raise LedgerError("no checkpoint of its log covers the ledger", 0)
        if self._source.strict and self._more():
            raise LedgerError("entries follow that no checkpoint covers", self.fold.size)
        self.check(self._older, "an older checkpoint differs from the ledger: the log has signed two histories")

    def _open(self, note: bytes) -> tuple[Checkpoint, bytes] | None:
        """Return the checkpoint in a note, and the note as the log signed it; None for a foreign note on a topic."""
        try:
            checkpoint, own = own_note(self.fold, note)
        except (KeyRefusedError, LedgerError):
            if self._source.strict:
                raise
            return None
        if self._source.strict and own != note:
            raise LedgerError("a checkpoint carries more than the signature of its log")
        return checkpoint, own

    def _advance(self, checkpoint: Checkpoint, own: bytes) -> list[Verified]:
        try:
            verified = self.fold.add_checkpoint(checkpoint)
        except LedgerError as error:
            if error.index is None:
                raise LedgerError(str(error), max(checkpoint.size - 1, 0)) from error
            raise
        self._uncovered = 0
        if verified:
            self.newest = own
        if self.fold.trust is None and self.fold.size:
            # The first leaf is proven, so the key it names stands; looking it up for each checkpoint would be slow.
            log = Verifier.from_vkey(self.fold.state.control.log_key)
            self.fold.trust = Trust(genesis=self.genesis, log=log)
        return verified

    def _keep(self, checkpoint: Checkpoint) -> None:
        if self._older.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            raise LedgerError("two checkpoints differ: the log has signed two histories", max(checkpoint.size - 1, 0))

    def _take_leaf(self) -> bool:
        try:
            found = next(self._leaves, None)
        except LedgerError:
            self._damaged = True
            raise
        if found is None:
            return False
        offset, leaf = found
        self.fold.add_leaf(offset, leaf)
        self.genesis = self.genesis or sha256(leaf).hexdigest()
        self._uncovered += len(leaf)
        if self._uncovered > _MAX_UNCOVERED_BYTES:
            raise LedgerError(f"more than {_MAX_UNCOVERED_BYTES} bytes stand before the next checkpoint")
        return True

    def _more(self) -> bool:
        """Whether a leaf follows those that are proven."""
        return self._damaged or self.fold.next_offset > self.fold.size or self._take_leaf()

    def _first_unproven(self) -> int:
        try:
            more = self._more()
        except LedgerError:
            more = True
        return self.fold.size if more else max(self.fold.size - 1, 0)
