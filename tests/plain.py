"""Plain readers (confluent-kafka and fastavro alone) of what Headgate left on its topics, for tests."""

import io
import json
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import fastavro
import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from agents.ledger.fold import Fold, Trust
from agents.ledger.state import LedgerState

ROOT = Path(__file__).resolve().parents[1]
WITHIN = 60.0
Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], what: str, within: float = WITHIN) -> Found:
    """Return the condition's value as soon as it is true; the test fails after so many seconds."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within:.0f} s: {what}")
        time.sleep(0.01)
    return found


def _schemas() -> dict[int, tuple[str, Any]]:
    folder, found = ROOT / "schemas" / "avro", {}
    for name, versions in tomllib.loads((folder / "ids.toml").read_text("utf-8")).items():
        for version, number in versions.items():
            schema = json.loads((folder / f"{name}.{version}.avsc").read_text("utf-8"))
            found[number] = (name, fastavro.parse_schema(schema))
    return found


SCHEMAS = _schemas()
BY_NAME = dict(SCHEMAS.values())


class Seen(NamedTuple):
    """One record as a plain subscriber sees it; `name` is empty and `value` too where it is not Avro."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    name: str
    value: dict[str, Any]
    raw: bytes


def plain(name: str, data: bytes) -> dict[str, Any]:
    """Decode Avro bytes with fastavro alone."""
    return dict(fastavro.schemaless_reader(io.BytesIO(data), BY_NAME[name], None))


def _seen(message: Message) -> Seen:
    raw, name, value = message.value() or b"", "", dict[str, Any]()
    if raw[:1] == b"\0":
        name = SCHEMAS[int.from_bytes(raw[1:5], "big")][0]
        value = plain(name, raw[5:])
    place = (message.partition(), message.offset(), message.timestamp()[1], message.key() or b"")
    return Seen(*place, name, value, raw)


class Tape:
    """All that stands on a topic, read by a consumer that knows nothing of Headgate."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        config = {"bootstrap.servers": bootstrap, "group.id": "plain", "enable.auto.commit": False}
        self._consumer = Consumer(config | {"auto.offset.reset": "earliest", "fetch.wait.max.ms": 20})
        count = len(self._consumer.list_topics(topic, 10).topics[topic].partitions)
        self._next = {TopicPartition(topic, partition): 0 for partition in range(count)}
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
        self.seen: list[Seen] = []

    def read(self) -> list[Seen]:
        """Return everything up to the end that the topic had when this was called."""
        ends = {part: self._consumer.get_watermark_offsets(part, 15)[1] for part in self._next}
        deadline = time.monotonic() + WITHIN
        while any(self._next[part] < end for part, end in ends.items()):
            assert time.monotonic() < deadline, "the topic cannot be read to its end"
            for message in self._consumer.consume(2000, 0.005):
                assert message.error() is None, message.error()
                self._next[TopicPartition(message.topic(), message.partition())] = message.offset() + 1
                self.seen.append(_seen(message))
        return self.seen

    def named(self, name: str) -> list[dict[str, Any]]:
        """Return the records of this name, up to the end."""
        return [seen.value for seen in self.read() if seen.name == name]

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()


class Entry(NamedTuple):
    """A ledger entry that counts, decoded with fastavro alone; `place` is its index, `at` in seconds."""

    place: int
    at: float
    source: str
    command: dict[str, Any]
    outcome: str
    events: list[tuple[str, dict[str, Any]]]


class Audit:
    """The ledger as an auditor reads it: plain consumers, the fold under trust, each entry decoded by fastavro."""

    def __init__(self, tape: Callable[[str], Tape], trust: Trust) -> None:
        self.fold = Fold(trust)
        self.entries: list[Entry] = []
        self._checkpoints, self._leaves = tape("checkpoints"), tape("audit")
        self._taken = [0, 0]

    def read(self) -> list[Entry]:
        """Verify all that stands there now, and return the entries that count; LedgerError where it is broken."""
        notes, leaves = self._checkpoints.read(), self._leaves.read()  # in this order: notes cover leaves
        for leaf in leaves[self._taken[0] :]:
            self.fold.add_leaf(leaf.offset, leaf.raw)
        for note in notes[self._taken[1] :]:
            for found in self.fold.add_checkpoint(self.fold.open_checkpoint(note.raw)):
                if found.entry is not None:
                    self.entries.append(_entry(found.index, found.leaf))
        self._taken = [len(leaves), len(notes)]
        return self.entries

    def state(self) -> LedgerState:
        """Return what the ledger adds up to now."""
        self.read()
        return self.fold.state

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of this name, in order."""
        return [body for entry in self.read() for kind, body in entry.events if kind == name]


def _entry(place: int, leaf: bytes) -> Entry:
    found = plain("AuditEntry", leaf[5:])
    events = [(event["type"], plain(event["type"], event["body"])) for event in found["events"]]
    command = plain("Command", found["command"])
    return Entry(place, found["at"].timestamp(), found["source"]["topic_id"], command, found["outcome"], events)
