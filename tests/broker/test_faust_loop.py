"""The Faust loop on a real broker: what went in against what was counted, through every way a worker can fail."""

import asyncio
import json
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from aiokafka.record.util import calc_crc32c
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.codec import open_frame
from schemas.deadletter import DeadLetter
from streams.kafka import Clients, end_offset, topic_id
from streams.snapshots import Reading, Scope, StateRecord
from streams.watchdog import EXIT_STATUS

sys.path.insert(0, str(Path(__file__).parent))
from counting_worker import SECRET, chained

pytestmark = [pytest.mark.broker, pytest.mark.timeout(120)]

PARTITIONS = 4
WITHIN = 45.0


def wait_until(condition: Callable[[], Any], what: str, within: float = WITHIN) -> Any:
    """Return the condition's value as soon as it is true."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail(f"not within {within} s: {what}")


class Bench:
    """One test's topics, its workers, and the independent list of what went in."""

    def __init__(self, clients: Clients, ledger: str, environ: dict[str, str], logs: Path) -> None:
        self.clients = clients
        self.ledger = ledger
        self.environ = environ
        self.logs = logs
        self.admin = clients.admin()
        self.producer = clients.producer()
        self.sent: dict[str, list[str]] = {}
        self.workers: list[subprocess.Popen[bytes]] = []
        self._outputs: list[tuple[str, int]] = []
        self._reader = clients.reader()
        self._reader.assign([TopicPartition(f"{ledger}.out.v1", 0, 0)])

    def topic(self, name: str) -> str:
        """Return a topic's full name."""
        return f"{self.ledger}.{name}.v1"

    def send(self, key: str, value: str) -> None:
        """Send one record that is to be counted."""
        self.sent.setdefault(key, []).append(value)
        self.produce(key.encode(), value.encode())

    def send_many(self, count: int, keys: int = 13) -> None:
        """Send ids that no earlier call sent."""
        begin = sum(map(len, self.sent.values()))
        for number in range(begin, begin + count):
            self.send(f"k{number % keys}", str(number))
        self.producer.flush()

    def produce(self, key: bytes | None, value: bytes | None, partition: int = -1) -> None:
        """Send one record that need not be counted."""
        self.producer.produce(self.topic("in"), value, key, partition)
        self.producer.poll(0)

    def start(self, instance: str = "w1", milliseconds: float = 0.0, times: int = 1) -> subprocess.Popen[bytes]:
        """Start a worker; `milliseconds` is what each record costs it."""
        script = str(Path(__file__).with_name("counting_worker.py"))
        log = (self.logs / f"{instance}.log").open("ab")
        command = [sys.executable, script, instance, str(milliseconds), "count", str(times)]
        worker = subprocess.Popen(command, env=self.environ, stdout=log, stderr=log)
        log.close()
        self.workers.append(worker)
        return worker

    def end(self) -> None:
        """End every worker."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()
        self._reader.close()

    def outputs(self) -> list[tuple[str, int]]:
        """Return every (id, count) that was published so far."""
        for message in self._reader.consume(5000, 0.05):
            if not message.error():
                found = json.loads(message.value())
                self._outputs.append((found[0], found[1]))
        return self._outputs

    def records(self, name: str) -> list[tuple[int, StateRecord]]:
        """Return every (partition, record) that stands on a topic now."""
        topic = self.topic(name)
        reader = self.clients.reader()
        count = len(reader.list_topics(topic, 10).topics[topic].partitions)
        left = {partition for partition in range(count) if end_offset(self.admin, topic, partition)}
        reader.assign([TopicPartition(topic, partition, 0) for partition in left])
        found = []
        while left:
            for message in reader.consume(1000, 0.05):
                if message.error():
                    left.discard(message.partition())
                else:
                    record = StateRecord(message.offset(), message.key(), message.value())
                    found.append((message.partition(), record))
        reader.close()
        return found

    def state(self) -> dict[str, Any]:
        """Return what each key's state says, as the next owner would load it."""
        topic = topic_id(self.admin, self.topic("in"))
        readings = {
            partition: Reading(Scope(f"{self.ledger}-count", self.topic("in"), topic, partition), SECRET)
            for partition in range(PARTITIONS)
        }
        for partition, record in self.records("state"):
            readings[partition].add(record)
        units = {}
        for reading in readings.values():
            for unit, saved in reading.result().units.items():
                assert unit not in units, f"{unit} has state in two partitions"
                units[unit] = json.loads(saved.snapshot.body)
        return units

    def expected(self) -> dict[str, Any]:
        """Return what each key's state must say, from the list of what went in."""
        units = {}
        for key, values in self.sent.items():
            chain = ""
            for value in values:
                chain = chained(chain, value)
            units[key] = {"count": len(values), "chain": chain}
        return units

    def dead_letters(self) -> list[DeadLetter]:
        """Return every dead letter."""
        return [open_frame(record.value, (DeadLetter,), 1 << 22) for _, record in self.records("deadletter")]

    def committed(self) -> dict[int, int]:
        """Return the group's committed offset of each partition."""
        group = ConsumerGroupTopicPartitions(f"{self.ledger}-count")
        listed = next(iter(self.admin.list_consumer_group_offsets([group]).values())).result(10)
        return {part.partition: part.offset for part in listed.topic_partitions}

    def ends(self) -> dict[int, int]:
        """Return the end of each partition that has records."""
        return {
            partition: end
            for partition in range(PARTITIONS)
            if (end := end_offset(self.admin, self.topic("in"), partition))
        }

    def settle(self) -> None:
        """Wait until every input is counted in the state."""
        wanted = self.expected()
        self.producer.flush()
        wait_until(lambda: self.state() == wanted, "the state counts every input once")

    def check(self) -> None:
        """Everything that went in was counted once, and came out."""
        ids = {value for values in self.sent.values() for value in values}
        wait_until(lambda: ids <= {found for found, _ in self.outputs()}, "every id came out")
        self.settle()
        assert {found for found, _ in self.outputs()} == ids, "no other id came out"


@pytest.fixture
def bench(
    clients: Clients,
    ledger_name: str,
    environ: dict[str, str],
    make_topic: Callable[..., str],
    tmp_path: Path,
) -> Iterator[Bench]:
    """Topics of this test's own, and a place to start workers on them."""
    make_topic("in", PARTITIONS)
    make_topic("out")
    make_topic("state", PARTITIONS, **{"cleanup.policy": "compact", "max.message.bytes": "16777216"})
    make_topic("deadletter", 1, **{"max.message.bytes": "4194304"})
    made = Bench(clients, ledger_name, environ, tmp_path)
    yield made
    made.end()


def test_ten_kills_at_any_moment_lose_nothing_and_count_nothing_twice(bench: Bench) -> None:
    """After ten SIGKILLs with work in flight each input is counted exactly once, in order, and its output exists."""
    dice = random.Random(20261121)
    bench.send_many(14_000)
    kills = 0
    while kills < 10:
        before = len(bench.outputs())
        worker = bench.start(milliseconds=0.5)
        wait_until(lambda seen=before: len(bench.outputs()) > seen, "the worker makes progress")
        time.sleep(dice.uniform(0.0, 0.9))
        in_flight = sum(bench.ends().values()) - sum(offset for offset in bench.committed().values() if offset > 0)
        assert in_flight > 0, "there is work that is not acknowledged"
        assert worker.poll() is None
        worker.kill()
        worker.wait()
        kills += 1
        bench.send_many(200)
    bench.start()
    bench.check()
    assert len(bench.outputs()) > sum(map(len, bench.sent.values())), "some work was in flight, and was repeated"


def test_a_second_worker_that_joins_leaves_and_rejoins_changes_no_count(bench: Bench) -> None:
    """Rebalances under load, graceful and not, leave each input counted once."""
    first = bench.start("w1", 0.2)
    bench.send_many(4000)
    wait_until(bench.outputs, "the first worker works")
    for leave in (signal.SIGTERM, signal.SIGKILL):
        second = bench.start("w2", 0.2)
        log = bench.logs / "w2.log"
        taken = log.read_text().count("partition taken") if log.exists() else 0
        while log.read_text().count("partition taken") == taken:
            bench.send_many(20)
            time.sleep(0.05)  # the rate at which work arrives
        bench.send_many(1000)
        second.send_signal(leave)
        second.wait(15)
    bench.send_many(500)
    bench.start("w2", 0.2)
    bench.send_many(500)
    bench.check()
    assert first.poll() is None


def test_a_worker_that_was_stopped_past_its_session_does_no_harm(bench: Bench) -> None:
    """A zombie that wakes after another has taken its partitions neither repeats nor hides a record."""
    zombie = bench.start("w1", 0.2)
    bench.send_many(3000)
    wait_until(bench.outputs, "the first worker works")
    zombie.send_signal(signal.SIGSTOP)
    stopped = time.monotonic()
    bench.start("w2", 0.2)
    bench.send_many(500)
    log = bench.logs / "w2.log"
    wait_until(lambda: log.exists() and "partition taken" in log.read_text(), "the other takes over")
    bench.send_many(500)
    wait_until(lambda: time.monotonic() - stopped > 8, "the session is over")
    zombie.send_signal(signal.SIGCONT)
    bench.send_many(2000)
    bench.check()


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


def test_a_topic_made_again_is_counted_from_its_beginning(bench: Bench, make_topic: Callable[..., str]) -> None:
    """Under a running worker and under a new one, a re-created topic meets no old state, and nothing of it is lost."""
    worker = bench.start()
    bench.send_many(500)
    bench.check()
    for running in (True, False):
        old = topic_id(bench.admin, bench.topic("in"))
        if not running:
            worker.kill()
            worker.wait()
        bench.admin.delete_topics([bench.topic("in")], operation_timeout=10)[bench.topic("in")].result(15)
        wait_until(lambda: bench.topic("in") not in bench.clients.reader().list_topics(timeout=5).topics, "it is gone")
        make_topic("in", PARTITIONS)
        assert topic_id(bench.admin, bench.topic("in")) != old
        bench.sent = {}
        bench.producer = bench.clients.producer()
        for number in range(700):
            bench.send(f"k{number % 7}", f"anew-{old}-{number}")
        if not running:
            bench.start()
        bench.settle()
        wait_until(lambda: {f"anew-{old}-{n}" for n in range(700)} <= {i for i, _ in bench.outputs()}, "all came out")  # noqa: B023


@pytest.mark.parametrize("codec", ["lz4", "zstd", "snappy", "gzip"])
def test_compressed_batches_are_read(bench: Bench, codec: str) -> None:
    """A producer's compression is nothing that stops a worker."""
    from confluent_kafka import Producer

    bench.producer = Producer(bench.clients.producer_config(linger_ms=20) | {"compression.type": codec})
    bench.start()
    bench.send_many(500)
    bench.check()


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


def test_sigterm_leaves_nothing_to_repeat(bench: Bench) -> None:
    """A graceful end within ten seconds saves and commits everything that was judged."""
    worker = bench.start()
    bench.send_many(2000)
    wait_until(lambda: len(bench.outputs()) == 2000, "all is judged")
    began = time.monotonic()
    worker.terminate()
    assert worker.wait(15) == 0
    assert time.monotonic() - began < 10
    assert bench.state() == bench.expected()
    assert bench.committed() == bench.ends()
    bench.start()
    bench.send_many(10)
    bench.check()
    assert len(bench.outputs()) == 2010, "nothing came out twice"


def test_a_lonely_record_is_saved_and_committed_within_two_seconds(bench: Bench) -> None:
    """A tail shorter than a batch is flushed by a timer."""
    bench.start()
    bench.send_many(1)
    wait_until(bench.outputs, "it is judged")
    wait_until(lambda: bench.state() == bench.expected(), "it is saved", 2.0)
    wait_until(lambda: bench.ends().items() <= bench.committed().items(), "it is committed", 3.0)


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


def test_two_workers_of_one_name_do_not_fight_for_ever(bench: Bench) -> None:
    """They take the partitions from each other until one ends and says why; each input still counts once."""
    two = [bench.start("w1", 0.2)]
    bench.send_many(500)
    wait_until(bench.outputs, "the first works")
    two.append(bench.start("w1", 0.2))
    bench.send_many(1000)
    ended = wait_until(lambda: [worker for worker in two if worker.poll() is not None], "one gives up")
    assert ended[0].returncode == EXIT_STATUS
    assert "does another worker bear the name w1" in (bench.logs / "w1.log").read_text()
    bench.send_many(500)
    for worker in two:
        worker.kill()
        worker.wait()
    bench.start("w1")
    bench.check()


def test_a_worker_may_run_again_in_the_same_process(bench: Bench) -> None:
    """Another policy is taken over by saving, and beginning anew."""
    worker = bench.start(times=2)
    bench.send_many(500)
    bench.check()
    worker.terminate()
    bench.send_many(500)
    bench.check()
    worker.terminate()
    assert worker.wait(15) == 0
    assert len(bench.outputs()) == 1000, "nothing came out twice"
