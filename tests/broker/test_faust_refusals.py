"""The Faust loop and hostile records: each is a dead letter, and its neighbours are judged."""

import asyncio
import random
import struct
import time

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from aiokafka.record.util import calc_crc32c

from streams.kafka import Clients, topic_id
from streams.worker.watchdog import EXIT_STATUS
from tests.counting import PARTITIONS, Bench, wait_until

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("poison", ["!error", "!panic"])
def test_a_record_that_makes_the_step_raise_is_a_dead_letter_and_its_neighbours_are_judged(
    bench: Bench, poison: str
) -> None:
    """An exception, or a native library's panic, costs the offender alone; state is as if it had not been."""
    bench.start()
    bench.send_many(300)
    bench.settle()
    bench.send_many(100)
    for number in range(3):
        bench.produce(b"k1", f"{poison} {number}".encode())
    bench.send_many(100)
    bench.check()
    wait_until(lambda: sum(d.last_offset - d.offset + 1 for d in bench.dead_letters()) == 3, "three were refused")
    letter = bench.dead_letters()[0]
    assert (letter.error, letter.key) == ({"!error": "ValueError", "!panic": "PanicError"}[poison], b"k1")
    assert letter.value == f"{poison} 0".encode()
    assert letter.topic_id == topic_id(bench.admin, bench.topic("in"))


def test_undecodable_and_misplaced_records_are_dead_letters_and_a_flood_is_one(bench: Bench) -> None:
    """Garbage is refused with its bytes; five thousand in a row cost few dead letters that cover all of them."""
    bench.start()
    bench.send_many(100)
    for _ in range(5000):
        bench.produce(b"k1", b"?\xff\x00")
    bench.send_many(100)
    home = {partition for partition, record in bench.records("in") if record.key == b"k1"}
    away = next(number for number in range(PARTITIONS) if number not in home)
    bench.produce(b"k1", b"astray", away)
    bench.produce(None, b"keyless", away)
    bench.produce(b"k1", None)
    bench.send_many(100)
    bench.check()
    wait_until(lambda: sum(d.last_offset - d.offset + 1 for d in bench.dead_letters()) >= 5002, "all were refused")
    letters = bench.dead_letters()
    garbage = [letter for letter in letters if letter.error == "SchemaError"]
    assert sum(letter.last_offset - letter.offset + 1 for letter in garbage) == 5001, "and the one without a value"
    assert len(garbage) < 50
    assert garbage[0].value == b"?\xff\x00"
    assert {letter.value for letter in letters if letter.error == "WrongPartitionError"} <= {b"astray", b"keyless"}


def test_a_flood_of_poison_is_refused_quickly(bench: Bench) -> None:
    """Two thousand records that each make the step raise hold their neighbours up for seconds, not minutes."""
    bench.start()
    bench.send_many(300)
    bench.settle()
    for number in range(2000):
        bench.produce(b"k1", f"!error {number}".encode())
        if number % 100 == 0:
            bench.send("k1", f"between {number}")
    bench.send_many(100)
    began = time.monotonic()
    bench.check()
    assert time.monotonic() - began < 25
    wait_until(lambda: sum(d.last_offset - d.offset + 1 for d in bench.dead_letters()) == 2000, "all were refused")


def test_a_header_whose_name_is_not_utf8_is_a_dead_letter_and_not_the_end_of_every_worker(bench: Bench) -> None:
    """No broker checks header names, and aiokafka raises on a bad one each time it meets it; its neighbours count."""
    worker = bench.start()
    bench.send_many(300)
    wait_until(bench.outputs, "the worker works")
    asyncio.run(send_bad_header(bench.clients, bench.topic("in"), b"k1"))
    bench.send_many(300)
    bench.check()
    wait_until(bench.dead_letters, "it was refused")
    assert [(d.value, d.reason) for d in bench.dead_letters()] == [(b"poison", "a header's name is not UTF-8")]
    assert worker.poll() is None


async def send_bad_header(clients: Clients, topic: str, key: bytes) -> None:
    """Send what no client's API offers: a batch whose one record has a header named by bytes that are not text."""
    producer = AIOKafkaProducer(**clients.aiokafka())
    await producer.start()
    batch = producer.create_batch()
    batch.append(key=key, value=b"poison", timestamp=None, headers=[("AAAA", b"x")])
    batch.close()
    data = bytearray(batch._build())
    at = data.index(b"AAAA")
    data[at : at + 4] = b"\xff\xfe\xfd\xfc"
    data[17:21] = struct.pack(">I", calc_crc32c(bytes(data[21:])))
    batch._buffer = bytes(data)
    partition = (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
    await (await producer.send_batch(batch, topic, partition=partition))
    await producer.stop()


def test_a_worker_that_cannot_dead_letter_ends_without_acknowledging(bench: Bench) -> None:
    """What can neither be judged nor reported is not passed over: the process ends with status 70, for a restart."""
    bench.admin.delete_topics([bench.topic("deadletter")], operation_timeout=10)[bench.topic("deadletter")].result(15)
    worker = bench.start()
    bench.produce(b"k1", b"?")
    bench.producer.flush()
    assert worker.wait(40) == EXIT_STATUS
    assert max(bench.committed().values(), default=-1) <= 0


def test_garbage_on_the_state_topic_stops_no_worker_and_loses_no_count(bench: Bench) -> None:
    """Random bytes, a forged MAC, another's key: each is refused, and what it hid is counted again."""
    worker = bench.start()
    bench.send_many(1000)
    bench.check()
    worker.terminate()
    worker.wait(15)
    good = [(partition, record) for partition, record in bench.records("state") if record.value]
    dice = random.Random(7)
    outbox = bench.clients.producer()
    for partition, record in good:
        assert record.value is not None
        forged = bytearray(record.value)
        forged[dice.randrange(len(forged))] ^= 1 << dice.randrange(8)
        if b"|unit|" in (record.key or b""):
            outbox.produce(bench.topic("state"), bytes(forged), record.key, partition)
        outbox.produce(bench.topic("state"), dice.randbytes(50), dice.randbytes(9), partition)
        outbox.produce(bench.topic("state"), record.value, dice.choice(good)[1].key, partition)
    outbox.flush()
    bench.start()
    bench.send_many(1000)
    bench.check()
    wait_until(bench.dead_letters, "the garbage was reported")
