"""The intake role: reads single predictions by the thousand, and publishes them in batches that count once.

Offsets are committed only when every row below them stands in telemetry. What a crash repeats is packed anew, and told
by its position. A round of batches is sent only when Kafka has the whole round before it, and the producer stops at
the first gap, so that no row can arrive after a later row of its source.
"""

import time
from collections.abc import Sequence

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from agents.intake.pack import Packed, Packer
from agents.received import Received
from schemas.errors import BrokerError
from schemas.topics import full_name
from streams.clock import of_broker
from streams.kafka import DELIVERY_SECONDS, Clients, Record, topic_id
from streams.settings import Settings
from streams.stop import Stop
from streams.worker.dead_letters import DeadLetters

_LOG = structlog.get_logger("intake")
_CHUNK = 10_000
_WAIT_SECONDS = 0.05
_LOOK_SECONDS = 5.0
_PASSING = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001 - so the client names them

_IN_ORDER = {
    "enable.gapless.guarantee": True,
    "delivery.timeout.ms": 0,  # no batch expires: that would be a gap beyond the guarantee; we end instead
    "log_level": 3,  # the client calls the guarantee experimental, at each start, before it has our logger
}


class Intake:
    """One process of the role; several share the partitions of the inbound topic.

    Parameters
    ----------
    instance
        A name that no other process of the role has.
    """

    def __init__(self, settings: Settings, instance: str | None = None) -> None:
        self._clients = Clients(settings)
        self._topic = full_name(settings.ledger, "inbound")
        self._telemetry = full_name(settings.ledger, "telemetry")
        self._admin = self._clients.admin()
        self._topic_id = topic_id(self._admin, self._topic)
        self._looked = time.monotonic()
        self._producer = Producer(self._clients.producer_config(linger_ms=2) | _IN_ORDER)
        self._consumer: Consumer = self._clients.consumer("intake", instance)
        self._packer = Packer(self._topic_id)
        self._letters = DeadLetters("intake", full_name(settings.ledger, "deadletter"))
        self._next: dict[int, int] = {}
        self._safe: dict[int, int] = {}
        self._committed: dict[int, int] = {}
        self._pending = 0
        self._failed: KafkaError | None = None
        self.rows = self.batches = self.refused = 0

    def run(self, stop: Stop) -> None:
        """Serve until asked to stop; BrokerError ends it, and a restart goes on where nothing is lost."""
        self.start()
        try:
            while not stop.requested:
                self.once(_WAIT_SECONDS)
            self._publish(self._packer.due(time.monotonic(), everything=True))
            self._settle()
            self._commit(wait=True)
        finally:
            self.stop()

    def start(self) -> None:
        """Join the group."""
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)
        _LOG.info("taking in single predictions", topic=self._topic)

    def stop(self) -> None:
        """Leave the group; what was not acknowledged is read again by whoever comes next."""
        self._consumer.close()
        _LOG.info("stopped", rows=self.rows, batches=self.batches, refused=self.refused)

    def once(self, seconds: float) -> None:
        """Read for at most so long, and publish what is due."""
        messages = self._consumer.consume(_CHUNK, seconds)
        now = time.monotonic()
        if messages:
            self._take(messages, now)
        packed = self._packer.due(now)
        if packed or len(self._letters):
            self._publish(packed)
        self._producer.poll(0)
        if self._pending == 0:
            self._settle()
            self._safe = self._through()
            self._commit()
        if now - self._looked > _LOOK_SECONDS:
            self._look(now)

    def _take(self, messages: Sequence[Message], now: float) -> None:
        places: list[tuple[int, int]] = []
        values: list[bytes | None] = []
        taken: list[Message] = []
        for message in messages:
            error = message.error()
            if error is not None:
                if error.retriable() or error.code() in _PASSING:
                    continue
                raise BrokerError(f"{self._topic} cannot be read: {error.str()}.")
            partition, offset = message.partition(), message.offset()
            if offset < self._next.get(partition, 0):
                raise BrokerError(f"{self._topic} was made again: offset {offset} came a second time.")
            self._next[partition] = offset + 1
            places.append((partition, offset))
            values.append(message.value())
            taken.append(message)
        defects = self._packer.defects
        refusals = self._packer.take(places, values, now)
        if self._packer.defects > defects:
            _LOG.warning("reading in bulk raised; read one by one", first=places[0], records=len(places))
        for refusal in refusals:
            self.refused += 1
            self._letters.add(self._received(taken[refusal.index]), refusal.error)

    def _received(self, message: Message) -> Received:
        return Received(
            topic=self._topic,
            topic_id=self._topic_id,
            partition=message.partition(),
            offset=message.offset(),
            timestamp=of_broker(message.timestamp()[1]),
            key=message.key(),
            value=message.value() or b"",
            headers=_headers(message),
        )

    def _publish(self, packed: Sequence[Packed]) -> None:
        """Send a round, as soon as Kafka has the one before it."""
        self._settle()
        self._commit()
        for each in packed:
            self._send(Record(self._telemetry, each.model.encode("utf-8", "surrogatepass"), each.value))
            self.rows += each.rows
        self.batches += len(packed)
        for letter in self._letters.drain():
            self._send(letter)
        self._safe = self._through()

    def _send(self, record: Record) -> None:
        deadline = time.monotonic() + DELIVERY_SECONDS
        while True:
            try:
                self._producer.produce(record.topic, record.value, record.key, on_delivery=self._delivered)
            except BufferError:
                if time.monotonic() > deadline:
                    raise BrokerError("Kafka takes no more batches; is it running?") from None
                self._producer.poll(0.05)
            except KafkaException as error:
                raise BrokerError(f"Kafka did not take a batch: {error.args[0].str()}.") from error
            else:
                self._pending += 1
                return

    def _delivered(self, error: KafkaError | None, _message: Message) -> None:
        self._pending -= 1
        self._failed = self._failed or error

    def _settle(self) -> None:
        """Wait until Kafka has all that was sent."""
        deadline = time.monotonic() + DELIVERY_SECONDS + 5
        while self._pending and self._failed is None and time.monotonic() < deadline:
            self._producer.poll(0.05)
        if self._failed is not None:
            raise BrokerError(f"Kafka did not take a batch: {self._failed.str()}.")
        if self._pending:
            raise BrokerError("Kafka did not confirm a batch in time; is the broker running?")

    def _through(self) -> dict[int, int]:
        """Return for each partition the first offset whose row was not sent yet."""
        return {p: end if (held := self._packer.held(p)) is None else held for p, end in self._next.items()}

    def _commit(self, *, wait: bool = False) -> None:
        """Acknowledge what Kafka has in telemetry; called when nothing is under way."""
        moved = {p: offset for p, offset in self._safe.items() if offset > self._committed.get(p, -1)}
        if not moved:
            return
        offsets = [TopicPartition(self._topic, p, offset) for p, offset in moved.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=not wait)
        except KafkaException as error:  # another process has the partition: what it repeats is told by its position
            _LOG.warning("offsets were not committed", reason=error.args[0].str())
        self._committed.update(moved)

    def _look(self, now: float) -> None:
        """End where the topic was deleted and made again: its offsets begin anew, under another id."""
        self._looked = now
        if topic_id(self._admin, self._topic) != self._topic_id:
            raise BrokerError(f"{self._topic} was made again; a restart reads it from its beginning.")

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in consumer.committed(partitions, timeout=10):
            self._packer.drop(partition.partition)
            self._next[partition.partition] = max(partition.offset, 0)
            self._committed[partition.partition] = partition.offset

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._settle()
        self._commit(wait=True)
        self._forget(partitions)

    def _lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            self._packer.drop(partition.partition)
            for kept in (self._next, self._safe, self._committed):
                kept.pop(partition.partition, None)


def _headers(message: Message) -> tuple[tuple[str, bytes], ...]:
    """Return a record's headers; none where a name is not Unicode, at which the client fails in a way of its own."""
    try:
        return tuple((name, value or b"") for name, value in message.headers() or ())
    except (UnicodeDecodeError, SystemError):
        return ()
