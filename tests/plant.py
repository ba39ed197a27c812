"""A whole Headgate in real processes for a test: its ledger, its people, its roles, and what stands on its topics."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from agents.ledger.case import Case
from agents.ledger.statement import signed_headers
from schemas.codec import frame, open_frame
from schemas.commands import Approve, EnrolKey
from schemas.deadletter import DeadLetter
from schemas.errors import SchemaError
from schemas.signals import MonitorObserved, SignalRaised
from schemas.topics import BY_NAME, TOPICS, full_name
from schemas.values import Role
from streams.kafka import AwaitedProducer, Clients, Header, Record
from streams.ledger.genesis import enrolment, key_of
from streams.ledger.keyring import load
from streams.local.stack import CORE, Stack
from streams.settings import Settings
from streams.view.asking import OpenLedger

PEOPLE = ("mia", "max")
WITHIN = 60.0
Found = TypeVar("Found")


def wait_for(condition: Callable[[], Found], what: str, within: float = WITHIN) -> Found:
    """Return the condition's value as soon as it is true; the test fails after so many seconds."""
    deadline = time.monotonic() + within
    while not (found := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within:.0f} s: {what}")
        time.sleep(0.02)
    return found


class Tail:
    """Everything that stands on a topic, read from its beginning and on."""

    def __init__(self, clients: Clients, topic: str) -> None:
        self._consumer: Consumer = clients.reader(end_of_partition=False)
        count = len(self._consumer.list_topics(topic, 10).topics[topic].partitions)
        self._consumer.assign([TopicPartition(topic, partition, 0) for partition in range(count)])
        self.messages: list[Message] = []

    def read(self) -> list[Message]:
        """Take in what came since, and return all of it."""
        while came := [message for message in self._consumer.consume(5000, 0.02) if message.error() is None]:
            self.messages += came
        return self.messages

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()


class Plant:
    """A ledger with policy, systems and two managers, and roles that run; a context manager that ends them.

    Parameters
    ----------
    settings, environ
        The fixtures of these names.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.clients = Clients(settings)
        self.producer = AwaitedProducer(self.clients, linger_ms=5)
        self.stack = Stack(settings, dict(environ))
        self.trust = self.stack.begin_ledger()
        self.ledger = OpenLedger(settings, self.trust)
        self._tails: dict[str, Tail] = {}
        self.pids: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stack.__exit__(*exception)
        self.ledger.__exit__(*exception)
        for tail in self._tails.values():
            tail.close()

    def start(
        self,
        roles: Iterable[str] = CORE,
        environ: Mapping[str, str] | None = None,
        policy: Path | None = None,
        systems: Path | None = None,
    ) -> None:
        """Start the roles, adopt the documents (those of deploy/ unless named), and enrol the people."""
        self.stack.environ = {**self.stack.environ, **(environ or {})}
        self.stack.start_roles(roles)
        self.pids = {names: self.stack.child(names).pid for names in roles}
        self.stack.adopt(self.trust, policy, systems)
        admin = key_of(self.settings, "admin")
        for name in PEOPLE:
            person = enrolment(key_of(self.settings, name), Role.ML_MANAGER)
            with OpenLedger(self.settings, self.trust) as ledger:
                ledger.ask_once(admin, EnrolKey(enrolment=person), 60)

    def topic(self, name: str) -> str:
        """Return Kafka's name of a topic."""
        return full_name(self.settings.ledger, name)

    def send(
        self,
        topic: str,
        value: object,
        key: bytes | None = None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> int:
        """Write a record, or bytes, or nothing at all (None) to a topic, and return its offset."""
        data = value if value is None or isinstance(value, bytes) else frame(value)
        return self.producer.send(self.topic(topic), key, data, headers, partition)

    def send_all(self, topic: str, values: Iterable[object], key: bytes) -> None:
        """Write many records of one key."""
        self.producer.send_all(Record(self.topic(topic), key, frame(value)) for value in values)

    def announce(self, incident: Any) -> int:
        """Write an incident as triage does, with its signature."""
        identity = load(self.settings.keys_directory, "triage")
        headers = signed_headers(incident, self.trust.genesis, identity.key)
        return self.send("incidents", incident, incident.id.encode(), headers)

    def read(self, topic: str) -> list[Message]:
        """Return all that stands on a topic."""
        if topic not in self._tails:
            self._tails[topic] = Tail(self.clients, self.topic(topic))
        return self._tails[topic].read()

    def said(self, topic: str, kind: type[Found]) -> list[Found]:
        """Return the records of a class on a topic, in order; what cannot be decoded is passed over."""
        declared, found = BY_NAME[topic], []
        for message in self.read(topic):
            try:
                record = open_frame(message.value(), declared.records, declared.max_bytes)
            except SchemaError:
                continue
            if isinstance(record, kind):
                found.append(record)
        return found

    def letters(self, topic: str = "") -> list[DeadLetter]:
        """Return the dead letters, of one topic if it is named."""
        every = self.said("deadletter", DeadLetter)
        return [letter for letter in every if not topic or letter.topic == self.topic(topic)]

    def refused(self, topic: str) -> set[tuple[int, int]]:
        """Return (partition, offset) of each record of a topic that is covered by a dead letter."""
        return {
            (letter.partition, offset)
            for letter in self.letters(topic)
            for offset in range(letter.offset, letter.last_offset + 1)
        }

    def observed(self, model: str, version: str = "1") -> MonitorObserved | None:
        """Return the newest word of a monitor."""
        words = [
            word for word in self.said("signals", MonitorObserved) if (word.model, word.version) == (model, version)
        ]
        return words[-1] if words else None

    def rows(self, model: str, version: str = "1") -> int:
        """Return the rows that a monitor says it has judged."""
        word = self.observed(model, version)
        return 0 if word is None else word.rows

    def raised(self, model: str) -> list[SignalRaised]:
        """Return the signals raised for a model."""
        return [signal for signal in self.said("signals", SignalRaised) if signal.model == model]

    def case(self, incident: str) -> Case | None:
        """Return a case as the verified ledger has it now."""
        self.ledger.poll(0.01)
        return self.ledger.state.cases.get(incident)

    def cases(self) -> dict[str, Case]:
        """Return all cases."""
        self.ledger.poll(0.01)
        return self.ledger.state.cases

    def approve(self, incident: str) -> None:
        """Have both people sign the plan that is pending."""
        case = wait_for(
            lambda: (case := self.case(incident)) and case.plan and case.plan.state == "pending" and case,
            "a plan is pending",
        )
        assert case
        assert case.plan
        digest, now = case.plan.digest, int(time.time() * 1000)
        body = Approve(
            incident=incident, plan=digest, reason="seen, and agreed", confirmed=digest[:8], confirmed_at=now
        )
        for name in PEOPLE:
            self.ledger.ask(key_of(self.settings, name), replace(body))

    def verified(self) -> dict[str, Any]:
        """Return the report of `headgate audit verify` with the trust file; the test fails where it is not verified."""
        trust = str(self.settings.var / "trust.json")
        command = [sys.executable, "-m", "streams", "audit", "verify", "--trust", trust, "--json"]
        environ = dict(self.stack.environ)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert report["verified"]
        return report

    def ended(self) -> dict[str, int]:
        """Return the roles whose process is not the one that was started."""
        return {
            names: pid
            for names, pid in self.pids.items()
            if self.stack.child(names).pid != pid or not self.stack.child(names).alive()
        }

    def log(self, roles: str) -> str:
        """Return what a role has logged."""
        return self.stack.log_of(roles).read_text("utf-8", "replace")


EVERY_TOPIC = tuple(topic.name for topic in TOPICS)
