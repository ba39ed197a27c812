"""A bench for the Faust loop: topics, workers that count (tests/counting_worker.py), and the list of what went in."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from schemas.codec import open_frame
from schemas.deadletter import DeadLetter
from streams.kafka import Clients, end_offset, topic_id
from streams.worker.snapshots import Reading, Scope, StateRecord
from tests.counting_worker import SECRET, chained

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
