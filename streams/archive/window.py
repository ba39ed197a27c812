"""Reads the telemetry of one model version around an incident's windows from Kafka, within bounds."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiokafka.partitioner import murmur2
from confluent_kafka import Consumer, TopicPartition

from agents.detection.columns import Rows, decode
from agents.detection.guard import times
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.signals import Evidence
from schemas.telemetry import InferenceBatch
from streams.clock import of_broker, to_broker
from streams.kafka import Clients, end_offset

MAX_ROWS = 200_000
_BEFORE_MS = 30_000  # of these rows is learnt what was usual
_AFTER_MS = 60_000  # a batch comes later than its rows were made
_BATCHES_BEFORE = 100
_SECONDS = 30.0


@dataclass(slots=True)
class Window:
    """Rows in the windows of the evidence and before them, each batch with the broker's time (ms).

    complete
        Whether all there was could be read; else the bounds were reached first.
    """

    model: str
    version: str
    first: int
    last: int
    before: list[Rows] = field(default_factory=list)
    rows: list[tuple[Rows, int]] = field(default_factory=list)
    seen: int = 0
    complete: bool = True


def read_window(clients: Clients, topic: str, evidence: Sequence[Evidence]) -> Window:
    """Return the rows of the model version that the evidence is of; all of it is of one."""
    model, version = evidence[0].model, evidence[0].version
    window = Window(model, version, min(e.window_from for e in evidence), max(e.window_to for e in evidence))
    consumer = clients.reader()
    try:
        _read(clients, consumer, topic, window)
    finally:
        consumer.close()
    return window


def _read(clients: Clients, consumer: Consumer, topic: str, window: Window) -> None:
    key = window.model.encode("utf-8", "surrogatepass")
    count = len(consumer.list_topics(topic, 10).topics[topic].partitions)
    partition = (murmur2(key) & 0x7FFFFFFF) % count
    end = end_offset(clients.admin(), topic, partition)
    asked = TopicPartition(topic, partition, max(to_broker(window.first) - _BEFORE_MS, 0))
    start = consumer.offsets_for_times([asked], timeout=10)[0].offset
    if start < 0 or start >= end:
        return
    consumer.assign([TopicPartition(topic, partition, start)])
    deadline = time.monotonic() + _SECONDS
    sources: dict[str, int] = {}
    last = to_broker(window.last)
    while time.monotonic() < deadline:
        for message in consumer.consume(200, 0.1):
            if message.error() is not None:
                continue
            stamped = message.timestamp()[1]
            if message.key() == key:
                _take(message.value(), of_broker(stamped), window, sources)
            if message.offset() >= end - 1 or (window.seen and stamped > last + _AFTER_MS):
                return
            if window.seen >= MAX_ROWS:
                window.complete = False
                return
    window.complete = False


def _take(value: bytes | None, at: int, window: Window, sources: dict[str, int]) -> None:
    try:
        body = open_frame(value, (InferenceBatch,))
        if body.version != window.version:
            return
        rows = decode(body)
    except SchemaError:
        return  # detect has written the dead letter
    positions = rows.positions()
    rows = rows.between(int(positions.searchsorted(sources.get(rows.source, -1), side="right")), rows.rows)
    if not rows.rows:
        return
    sources[rows.source] = int(positions[-1])
    made = times(rows, at)
    inside = (made >= window.first) & (made <= window.last)
    if (early := made < window.first).any() and len(window.before) < _BATCHES_BEFORE:
        window.before.append(rows.counted().where(early))
    if inside.any():
        window.rows.append((rows.counted().where(inside), at))
        window.seen += int(inside.sum())
