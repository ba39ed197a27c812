"""One key, one partition, whichever client writes it."""

import asyncio
import random
from collections.abc import Callable

import pytest
from aiokafka import AIOKafkaProducer
from confluent_kafka import TopicPartition
from headgate.sender import Sender
from headgate.settings import Settings as Recording

from streams.kafka import AwaitedProducer, Clients, Record
from streams.settings import Settings

pytestmark = pytest.mark.broker

PARTITIONS = 12
KEYS = 1000


def keys() -> list[str]:
    """Return model ids of every length up to 256, in several scripts."""
    dice = random.Random(20261121)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789-_./äßéл中文🚀"
    made = {"".join(dice.choices(letters, k=1 + number % 256)) for number in range(KEYS * 2)}
    return sorted(made)[:: len(made) // KEYS][:KEYS]


async def by_aiokafka(clients: Clients, topic: str, wanted: list[str]) -> None:
    """Write each key with the producer that the Faust roles use."""
    producer = AIOKafkaProducer(**clients.aiokafka())
    await producer.start()
    sent = [await producer.send(topic, b"aiokafka", key.encode()) for key in wanted]
    await asyncio.gather(*sent)
    await producer.stop()


def by_sdk(settings: Settings, wanted: list[str]) -> None:
    """Write each key with the producer of the SDK, opened once and given each model's key."""
    recording = Recording(
        model="m",
        version="1",
        instance=None,
        mode="realtime",
        bootstrap_servers=settings.brokers,
        ledger=settings.ledger,
        kafka={},
        features=None,
        hash_key=None,
        hashed=frozenset(),
        max_rows=1,
        max_delay=1.0,
        max_bytes=8 << 20,
        sample=1.0,
    )
    sender, told = Sender(recording, 8 << 20), list[bool]()
    for key in wanted:
        sender._key = key.encode()  # a sender of its own for each key would be a thousand clients
        sender.send(b"sdk", told.append, lambda: True)
    while len(told) < len(wanted):
        sender.poll(0.1)
    sender.close()
    assert all(told)


def test_every_client_places_a_key_in_the_same_partition(
    settings: Settings, clients: Clients, make_topic: Callable[..., str]
) -> None:
    """A thousand keys written by aiokafka, confluent-kafka and the SDK each stand in one partition; all are used."""
    topic = make_topic("telemetry", PARTITIONS)
    wanted = keys()
    assert len(set(wanted)) == KEYS
    asyncio.run(by_aiokafka(clients, topic, wanted))
    AwaitedProducer(clients, linger_ms=5).send_all(Record(topic, key.encode(), b"confluent") for key in wanted)
    by_sdk(settings, wanted)

    reader = clients.reader()
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(PARTITIONS)])
    placed: dict[tuple[str, bytes], set[int]] = {}
    ended = 0
    while ended < PARTITIONS:
        for message in reader.consume(1000, 0.1):
            key, value = message.key(), message.value()
            if message.error() is not None:
                ended += 1
                continue
            assert isinstance(key, bytes)
            assert isinstance(value, bytes)
            placed.setdefault((key.decode(), value), set()).add(message.partition())
    reader.close()
    assert {key for key, _ in placed} == set(wanted)
    assert all(len(partitions) == 1 for partitions in placed.values())
    by_client = [{key: placed[key, client] for key in wanted} for client in (b"aiokafka", b"confluent", b"sdk")]
    assert by_client[0] == by_client[1] == by_client[2]
    assert set.union(*by_client[0].values()) == set(range(PARTITIONS))
