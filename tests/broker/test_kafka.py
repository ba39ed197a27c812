"""The clients that streams/kafka.py configures, on a real broker."""

import asyncio
import os
import warnings
from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, TopicPartition

from schemas.errors import BrokerError
from streams.kafka import AwaitedProducer, Clients, Record, end_offset, topic_id

pytestmark = pytest.mark.broker
MakeTopic = Callable[..., str]


def test_a_sent_record_has_an_offset_and_can_be_read_back(clients: Clients, make_topic: MakeTopic) -> None:
    """An offset that `send` returned is where the record, its key and its headers stand."""
    topic = make_topic("words")
    producer = AwaitedProducer(clients)
    offsets = [producer.send(topic, b"k", f"v{n}".encode(), [("n", str(n).encode())]) for n in range(3)]
    assert offsets == [0, 1, 2]
    assert end_offset(clients.admin(), topic) == 3
    reader = clients.reader()
    reader.assign([TopicPartition(topic, 0, 2)])
    message = reader.poll(10)
    assert (message.key(), message.value(), message.headers()) == (b"k", b"v2", [("n", b"2")])
    end = reader.poll(10)
    assert end.error().code() == KafkaError._PARTITION_EOF
    reader.close()


def test_a_batch_comes_back_with_its_offsets_in_order(clients: Clients, make_topic: MakeTopic) -> None:
    """`send_all` keeps the order of its records within a partition."""
    topic = make_topic("batch")
    records = [Record(topic, b"k", str(n).encode()) for n in range(500)]
    assert AwaitedProducer(clients, linger_ms=5).send_all(records) == list(range(500))


def test_a_record_that_is_too_large_is_one_clear_error(clients: Clients, make_topic: MakeTopic) -> None:
    """Whether client or broker refuses a record, `send` raises BrokerError, and the next record goes through."""
    topic = make_topic("small", **{"max.message.bytes": "1000"})
    producer = AwaitedProducer(clients)
    for value in (os.urandom(10_000), os.urandom(4_000_000)):
        with pytest.raises(BrokerError, match="did not take a record"):
            producer.send(topic, None, value)
    assert producer.send(topic, None, b"fits") == 0


def test_a_topic_made_again_has_another_id(clients: Clients, make_topic: MakeTopic) -> None:
    """The id tells a topic from an earlier one of the same name."""
    topic = make_topic("phoenix")
    admin = clients.admin()
    first = topic_id(admin, topic)
    assert topic_id(admin, topic) == first
    admin.delete_topics([topic])[topic].result(10)
    second = topic_id(admin, _made_again(make_topic))
    assert second != first


def test_an_unknown_topic_is_one_clear_error(clients: Clients, ledger_name: str) -> None:
    """A topic that is absent is named in a BrokerError, and nothing creates it on the way."""
    with pytest.raises(BrokerError, match="cannot be described"):
        topic_id(clients.admin(), f"{ledger_name}.absent.v1")
    with pytest.raises(BrokerError, match="did not take a record"):
        AwaitedProducer(clients).send(f"{ledger_name}.absent.v1", None, b"x")


def test_both_clients_place_a_key_in_the_same_partition(clients: Clients, make_topic: MakeTopic) -> None:
    """Confluent's client and aiokafka agree on the partition of every key, so that co-partitioning holds."""
    topic = make_topic("keys", partitions=7)
    keys = [f"model-{n}".encode() for n in range(200)] + [b"", b"\x00", bytes(range(256)), "Größe".encode()]
    ours: dict[bytes, int] = {}
    producer = clients.producer()
    for key in keys:
        producer.produce(topic, b"", key, on_delivery=lambda _, m: ours.__setitem__(m.key() or b"", m.partition()))
    assert producer.flush(10) == 0
    assert ours == asyncio.run(_placed_by_aiokafka(clients, topic, keys))


async def _placed_by_aiokafka(clients: Clients, topic: str, keys: list[bytes]) -> dict[bytes, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from aiokafka import AIOKafkaProducer

        async with AIOKafkaProducer(**clients.aiokafka()) as producer:
            return {key: (await producer.send_and_wait(topic, b"", key=key)).partition for key in keys}


def _made_again(make_topic: MakeTopic) -> str:
    for _ in range(50):
        try:
            return make_topic("phoenix")
        except Exception as error:  # the deletion is still under way
            if "TOPIC_ALREADY_EXISTS" not in str(error):
                raise
    raise AssertionError("the topic stayed deleted-in-progress")
