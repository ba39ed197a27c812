"""Where in Kafka the batch stands that brought a prediction, as long as the topic keeps it."""

import time
from typing import Any

from aiokafka.partitioner import murmur2
from confluent_kafka import Message, TopicPartition

from agents.detection.columns import decode
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.telemetry import InferenceBatch
from streams.clock import of_broker, to_broker
from streams.kafka import Clients, end_offset, topic_id

_AROUND_MS = 1000
_SECONDS = 10.0


def place(clients: Clients, topic: str, decision: dict[str, Any]) -> dict[str, Any] | None:
    """Return topic, its id, partition, offset and row of an explained decision; None where Kafka has it no more.

    Parameters
    ----------
    decision
        As streams.archive.explain tells it: its source and position name the row, and when it came says where to look.
    """
    consumer = clients.reader()
    try:
        admin = clients.admin()
        count = len(consumer.list_topics(topic, 10).topics[topic].partitions)
        partition = (murmur2(decision["model"].encode("utf-8", "surrogatepass")) & 0x7FFFFFFF) % max(count, 1)
        at = to_broker(decision["received_at"])
        asked = TopicPartition(topic, partition, max(at - _AROUND_MS, 0))
        start, end = consumer.offsets_for_times([asked], timeout=10)[0].offset, end_offset(admin, topic, partition)
        if not 0 <= start < end:
            return None
        consumer.assign([TopicPartition(topic, partition, start)])
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            for message in consumer.consume(100, 0.1):
                if message.error() is not None:
                    continue
                stamped = message.timestamp()[1]  # real time, as all that Kafka is asked
                row = _row(message, decision)
                if row is not None:
                    found = {"topic": topic, "topic_id": topic_id(admin, topic), "partition": partition}
                    return found | {"offset": message.offset(), "row": row, "at": of_broker(stamped)}
                if message.offset() >= end - 1 or stamped > at + _AROUND_MS:
                    return None
        return None
    finally:
        consumer.close()


def _row(message: Message, decision: dict[str, Any]) -> int | None:
    """Return the row of the decision in a record, from 0; None where it is not in it."""
    try:
        body = open_frame(message.value(), (InferenceBatch,))
        if body.source != decision["source"] or body.model != decision["model"]:
            return None
        positions = decode(body).positions()
    except SchemaError:
        return None
    found = int(positions.searchsorted(decision["position"]))
    return found if found < len(positions) and int(positions[found]) == decision["position"] else None
