"""Reads the audit topic and its checkpoints from Kafka through the shared fold."""

import time
from collections import deque

import structlog
from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from agents.ledger.fold import Fold, Trust, Verified
from schemas.errors import BrokerError, KeyRefusedError, LedgerError
from schemas.topics import full_name
from streams.kafka import Clients, end_offset

_LOG = structlog.get_logger("ledger")
_MAX_WAITING = 100_000
# That is how the client names them.
_PASSING = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001


class LedgerReader:
    """Follows one ledger; `poll` returns the entries that a verified checkpoint has come to cover.

    Checkpoints count in the order in which they stand in their topic, so every reader finds the same entries void.
    """

    def __init__(self, clients: Clients, ledger: str, trust: Trust | None) -> None:
        self.fold = Fold(trust)
        self._audit, self._checkpoints = full_name(ledger, "audit"), full_name(ledger, "checkpoints")
        self._consumer: Consumer = clients.reader(end_of_partition=False)
        self._consumer.assign([TopicPartition(self._audit, 0, 0), TopicPartition(self._checkpoints, 0, 0)])
        self._notes: deque[tuple[int, bytes]] = deque()
        self._admin = clients.admin()
        self.notes: list[bytes] | None = None
        self.checkpoints_read = 0

    def poll(self, seconds: float) -> list[Verified]:
        """Wait at most so long for something new, and return the entries verified by it.

        Raises
        ------
        LedgerError
            The ledger contradicts its signed checkpoints, or a decision does not follow.
        BrokerError
            Kafka cannot be read.
        """
        first = self._consumer.poll(seconds)
        if first is not None:
            self._take(first)
            for message in self._consumer.consume(1000, 0):  # with a timeout it would wait for all the thousand
                self._take(message)
        return self._advance()

    def catch_up(self, within: float = 60.0) -> list[Verified]:
        """Read both topics to where they end now.

        Kafka is asked for the ends: the client announces an end once, and whoever polled before has had it.
        """
        verified, deadline = [], time.monotonic() + within
        notes = end_offset(self._admin, self._checkpoints)  # first, so that the leaves it covers are below the other
        leaves = end_offset(self._admin, self._audit)
        while self.fold.next_offset < leaves or self.checkpoints_read < notes:
            verified += self.poll(0.1)
            if time.monotonic() > deadline:
                raise BrokerError(f"the ledger could not be read to its end within {within:.0f} s")
        return verified

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.retriable() or error.code() in _PASSING:
                return
            raise BrokerError(f"the ledger cannot be read: {error.str()}")
        value = message.value() or b""
        if message.topic() == self._audit:
            self.fold.add_leaf(message.offset(), value)
            return
        self.checkpoints_read = message.offset() + 1
        if self.notes is not None:
            self.notes.append(value)
        if len(self._notes) >= _MAX_WAITING:
            raise LedgerError("too many checkpoints wait for entries that are not there")
        self._notes.append((message.offset(), value))

    def _advance(self) -> list[Verified]:
        verified: list[Verified] = []
        while self._notes and self.fold.next_offset:
            offset, note = self._notes[0]
            try:
                checkpoint = self.fold.open_checkpoint(note)
            except (KeyRefusedError, LedgerError) as error:
                _LOG.warning("checkpoint ignored", offset=offset, reason=str(error))
                self._notes.popleft()
                continue
            if checkpoint.size > self.fold.next_offset:
                break
            verified += self.fold.add_checkpoint(checkpoint)
            self._notes.popleft()
        return verified
