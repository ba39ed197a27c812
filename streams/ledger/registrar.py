"""The registrar: the only writer of the audit topic. Reads commands and incidents, decides, appends, checkpoints.

One is active, because Kafka gives the partition of the commands to one member of the group; the others stand by. What
protects the ledger is not that election but the ledger: an entry is valid only at the offset that it names.
"""

import time
from collections.abc import Sequence

import structlog
from confluent_kafka import Consumer, Message, TopicPartition

from agents.ledger.asked import sign
from agents.ledger.fold import Trust, Verified
from agents.ledger.state import compose
from agents.ledger.statement import command_of
from agents.received import Received
from schemas.avro import encode
from schemas.codec import frame
from schemas.commands import TakeOver
from schemas.errors import BrokerError, KeyRefusedError, LedgerError, SchemaError
from schemas.events import PolicyAdopted, SystemsAdopted
from schemas.note import sign as sign_note
from schemas.topics import full_name
from schemas.values import Position
from streams.clock import now_ms, of_broker
from streams.kafka import AwaitedProducer, Clients, topic_id
from streams.ledger.keyring import Identity
from streams.ledger.reader import LedgerReader
from streams.ledger.signed_size import SignedSize
from streams.settings import Settings
from streams.stop import Stop
from streams.worker.dead_letters import DeadLetters

_LOG = structlog.get_logger("registrar")
_READ_BACK_SECONDS = 15.0
SOURCES = ("commands", "incidents")
Headers = tuple[tuple[str, bytes], ...]


class SteppedDownError(LedgerError):
    """Another writer's entry stands where ours should: a new registrar has to take over and name it void."""


class Registrar:
    """Decides commands in their order, one at a time, each from entries that were read back.

    Parameters
    ----------
    registrar, log
        The key that signs take-overs, and the key that signs checkpoints.
    """

    def __init__(self, settings: Settings, trust: Trust, registrar: Identity, log: Identity) -> None:
        self._settings, self._trust, self._registrar, self._log = settings, trust, registrar, log
        self._clients = Clients(settings)
        self._producer = AwaitedProducer(self._clients)
        self._reader = LedgerReader(self._clients, settings.ledger, trust)
        self._signed = SignedSize(settings.state_directory / "signed.json")
        self._letters = DeadLetters("registrar", full_name(settings.ledger, "deadletter"))
        admin = self._clients.admin()
        self._topics = {full_name(settings.ledger, name): name for name in SOURCES}
        self._topic_ids = {topic: topic_id(admin, topic) for topic in self._topics}
        self._consumer: Consumer | None = None
        self.active = False

    def run(self, stop: Stop, instance: str | None = None) -> None:
        """Serve until `stop` says so; LedgerError and BrokerError end it, and a supervisor starts it again."""
        consumer = self._consumer = self._clients.consumer("registrar", instance)
        consumer.subscribe(list(self._topics), on_assign=self._assigned, on_revoke=self._revoked)
        try:
            while not stop.requested:
                message = consumer.poll(0.2)
                if not self.active:
                    self._reader.poll(0)  # a stand-by knows the ledger already when its turn comes
                if message is None or not self.active:
                    continue
                if message.error() is not None:
                    _LOG.warning("commands cannot be read", error=message.error().str())
                    continue
                self._handle(message)
                consumer.commit(message, asynchronous=True)
        finally:
            consumer.close()
            self._reader.close()

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        if len(partitions) < len(self._topics):
            _LOG.info("standing by")
            consumer.assign(partitions)
            return
        self._take_over()
        committed = {held.topic: held.offset for held in consumer.committed(partitions, timeout=10)}
        read = self._reader.fold.state.control.read
        for partition in partitions:
            decided = read.get(self._topic_ids[partition.topic], 0)
            partition.offset = max(decided, committed.get(partition.topic, 0))
        consumer.assign(partitions)
        self.active = True

    def _revoked(self, _consumer: Consumer, _partitions: list[TopicPartition]) -> None:
        if self.active:
            _LOG.info("standing by")
        self.active = False

    def _take_over(self) -> None:
        """Read the ledger to its end, and say from which leaf on the leaves before ours are void."""
        self._reader.catch_up()
        fold = self._reader.fold
        self._signed.check(fold)
        epoch = fold.state.control.epoch + 1
        _LOG.info("taking over", epoch=epoch, size=fold.size, unfinished=fold.next_offset - fold.size)
        body = TakeOver(epoch=epoch, void_from=fold.size)
        command = encode(sign(body, self._trust.genesis, self._registrar.key))
        self._append(command, Position(topic_id="", partition=0, offset=-1), voids=True)
        if fold.state.control.epoch != epoch:
            raise SteppedDownError("another registrar took over at the same moment", fold.next_offset)

    def _handle(self, message: Message) -> None:
        """Decide one command, or dead-letter what is none."""
        source = Position(
            topic_id=self._topic_ids[message.topic()], partition=message.partition(), offset=message.offset()
        )
        if source.offset < self._reader.fold.state.control.read.get(source.topic_id, 0):
            return
        topic = self._topics[message.topic()]
        headers: Headers = ()
        try:
            headers = _headers(message)
            self._append(encode(command_of(topic, message.value(), headers)), source)
        except (SchemaError, KeyRefusedError) as error:
            _LOG.warning("command refused at the door", topic=topic, offset=source.offset, reason=str(error))
            self._letters.add(_received(message, source, headers), error)
            self._producer.send_all(self._letters.drain())

    def _append(self, command: bytes, source: Position, *, voids: bool = False) -> None:
        """Append the entry that decides a command, at the offset it names, and sign the tree that holds it.

        `voids` says that it is a take-over, which declares void whatever stands before it and is not signed yet.
        """
        fold = self._reader.fold
        while True:
            index = fold.next_offset
            asked = fold.state.ask(command)
            composed = compose(fold.state, asked, command, source, index, now_ms())
            if composed is None:
                return
            leaf = frame(composed[0])
            offset = self._producer.send(self._audit, asked.incident.encode(), leaf)
            self._read_back(offset, index, leaf)
            self._refuse_foreign(index if voids else fold.size, own=offset)
            if offset == index and self._counts(index, self._publish(self._checkpoint())):
                return
            _LOG.warning("another record came first; the command is decided again", index=index, offset=offset)

    @staticmethod
    def _counts(index: int, verified: Sequence[Verified]) -> bool:
        """Whether our entry counts: not so where another registrar made something final just before."""
        return any(found.index == index and not found.void for found in verified)

    @property
    def _audit(self) -> str:
        return full_name(self._settings.ledger, "audit")

    def _read_back(self, offset: int, index: int, leaf: bytes) -> None:
        """Read the topic up to our record."""
        fold, deadline = self._reader.fold, time.monotonic() + _READ_BACK_SECONDS
        while fold.next_offset <= offset:
            self._reader.poll(0.05)
            if time.monotonic() > deadline:
                raise BrokerError("an entry that Kafka confirmed cannot be read back")
        if fold.size > index:
            raise SteppedDownError("another registrar has signed over our entry", index)
        if offset == index and fold.leaf(offset) != leaf:
            raise SteppedDownError("the record read back is not the one that was written", offset)

    def _refuse_foreign(self, first: int, own: int) -> None:
        """Step down where an entry that is not ours, before or after it, would be signed with it."""
        fold = self._reader.fold
        for foreign in range(first, fold.next_offset):
            if foreign != own and fold.names_itself(foreign):
                raise SteppedDownError("an entry that we did not write stands in the ledger", foreign)

    def _checkpoint(self) -> int:
        """Sign the tree over everything read, and return the offset of the note."""
        checkpoint = self._reader.fold.next_checkpoint(self._trust.log.name)
        self._signed.keep(checkpoint)
        note = sign_note(checkpoint, self._trust.log.name, self._log.key)
        topic = full_name(self._settings.ledger, "checkpoints")
        return self._producer.send(topic, self._settings.ledger.encode(), note.encode())

    def _publish(self, note_offset: int) -> list[Verified]:
        """Take the entry into our own state as every reader does, by its checkpoint, and file what it adopted."""
        deadline, verified = time.monotonic() + _READ_BACK_SECONDS, list[Verified]()
        while self._reader.checkpoints_read <= note_offset:
            verified += self._reader.poll(0.05)
            if time.monotonic() > deadline:
                raise BrokerError("a checkpoint that Kafka confirmed cannot be read back")
        documents = full_name(self._settings.ledger, "documents")
        for entry in verified:
            for event in entry.events:
                if isinstance(event, PolicyAdopted | SystemsAdopted):
                    self._producer.send(documents, event.digest.encode(), event.document)
        return verified


def _headers(message: Message) -> Headers:
    try:
        return tuple((name, value or b"") for name, value in message.headers() or ())
    except (SystemError, UnicodeDecodeError):  # how confluent-kafka says it depends on its release
        raise SchemaError("a header's name is not UTF-8") from None


def _received(message: Message, source: Position, headers: Headers) -> Received:
    _, timestamp = message.timestamp()
    return Received(
        topic=message.topic(),
        topic_id=source.topic_id,
        partition=source.partition,
        offset=source.offset,
        timestamp=of_broker(timestamp),
        key=message.key(),
        value=message.value() or b"",
        headers=headers,
    )
