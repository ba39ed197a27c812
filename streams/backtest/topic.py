"""A stretch of the telemetry topic, read again in the order of time."""

import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from agents.received import Received
from schemas.codec import open_frame
from schemas.errors import BrokerError, SchemaError
from schemas.telemetry import InferenceBatch
from schemas.topics import full_name
from streams.backtest.clock import Clock, Kind
from streams.clock import of_broker, to_broker
from streams.kafka import Clients, end_offset, start_offset, topic_id
from streams.settings import Settings

WITHIN = 30.0
"""Seconds without a record after which Kafka is held to be unwell."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """What to read: from and to (an offset, or a time in ISO 8601; empty for the end), partitions, and a model."""

    start: str
    end: str
    partitions: tuple[int, ...] = ()
    model: str | None = None


def moment(text: str) -> int:
    """Return milliseconds of ISO 8601, or of digits; SchemaError where the text is neither."""
    return int(text) if text.isdigit() else int(Clock(Kind.ISO).read([text], 0, 1)[0])


def read(settings: Settings, stretch: Stretch) -> Iterator[tuple[Received, int]]:
    """Yield each record and how many predictions it holds, over all partitions in the order of their times.

    Raises
    ------
    BrokerError
        Kafka does not answer, or has no such partition.
    SchemaError
        The stretch is neither in offsets nor in ISO 8601.
    """
    clients, topic = Clients(settings), full_name(settings.ledger, "telemetry")
    admin = clients.admin()
    found = topic_id(admin, topic)
    count = len(admin.list_topics(topic, timeout=WITHIN).topics[topic].partitions)
    chosen = stretch.partitions or tuple(range(count))
    if wrong := [number for number in chosen if not 0 <= number < count]:
        raise BrokerError(f"{topic} has the partitions 0 to {count - 1}, not {wrong[0]}")
    streams = [_partition(clients, found, TopicPartition(topic, number), stretch) for number in chosen]
    for record in heapq.merge(*streams, key=lambda record: (record.timestamp, record.partition, record.offset)):
        if stretch.model is None or record.key == stretch.model.encode():
            yield record, _rows(record)


def _partition(clients: Clients, found: str, place: TopicPartition, stretch: Stretch) -> Iterator[Received]:
    consumer = clients.reader(end_of_partition=False)
    try:
        first, last = _bounds(clients, consumer, place, stretch)
        if first < last:
            consumer.assign([TopicPartition(place.topic, place.partition, first)])
        deadline = time.monotonic() + WITHIN
        while first < last:
            for message in consumer.consume(1000, 0.5):
                if (record := _received(message, found)) is None:
                    continue
                deadline, first = time.monotonic() + WITHIN, record.offset + 1
                if record.offset >= last:
                    return
                yield record
            if time.monotonic() > deadline:
                raise BrokerError(f"{place.topic} gave nothing for {WITHIN:.0f} s at offset {first}")
    finally:
        consumer.close()


def _bounds(clients: Clients, consumer: Consumer, place: TopicPartition, stretch: Stretch) -> tuple[int, int]:
    admin = clients.admin()
    least = start_offset(admin, place.topic, place.partition)
    most = end_offset(admin, place.topic, place.partition)
    bounds = [
        most if not text else int(text) if text.isdigit() else _offset_at(consumer, place, moment(text), most)
        for text in (stretch.start, stretch.end)
    ]
    return max(bounds[0], least), min(bounds[1], most)


def _offset_at(consumer: Consumer, place: TopicPartition, at: int, most: int) -> int:
    asked = [TopicPartition(place.topic, place.partition, to_broker(at))]
    offset = int(consumer.offsets_for_times(asked, timeout=WITHIN)[0].offset)
    return most if offset < 0 else offset


def _received(message: Message, found: str) -> Received | None:
    error = message.error()
    if error is not None:
        if error.retriable() or error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name
            return None
        raise BrokerError(f"telemetry cannot be read: {error.str()}")
    return Received(
        topic=message.topic() or "",
        topic_id=found,
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp=of_broker(message.timestamp()[1]),
        key=message.key(),
        value=message.value() or b"",
    )


def _rows(record: Received) -> int:
    try:
        body = open_frame(record.value, (InferenceBatch,))
    except SchemaError:
        return 0
    return int(body.rows)
