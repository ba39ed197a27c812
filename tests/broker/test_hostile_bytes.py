"""Bytes that nobody can read, on every topic, while every role runs."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from aiokafka.partitioner import murmur2

from schemas.errors import BrokerError
from schemas.signals import IncidentOpened
from schemas.topics import TOPICS
from streams.local.stack import ROLES
from streams.settings import Settings
from tests.hostile import hostile, send_bad_header
from tests.plant import Plant, wait_for
from tests.play import incident_opened
from tests.traffic import batch, features

pytestmark = pytest.mark.broker

MODEL = "shuttle"
JUDGED = ("inbound", "telemetry", "signals", "commands", "incidents")
"""Topics each of whose records is judged: what cannot be read there is a dead letter."""


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str]) -> Iterator[Plant]:
    """Every role in a process of its own."""
    with Plant(settings, environ) as made:
        made.start(ROLES)
        yield made


class Telemetry:
    """Rows of two versions of a model, in batches that are counted."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.rng = np.random.default_rng(3)
        self.sent = {"1": 0, "2": 0}

    def serve(self, rows: int, *, broken: bool = False) -> None:
        """Send so many rows of each version; `broken` doubles f3 in version 2."""
        for first in range(0, rows, 250):
            del first
            for version in self.sent:
                columns = features(self.rng, 250, 5)
                if broken and version == "2":
                    columns["f3"] = columns["f3"] * 2 + 20
                self.plant.send("telemetry", self.made(columns, version), MODEL.encode())
                self.sent[version] += 250

    def made(self, columns: dict[str, Any], version: str) -> object:
        """Return the version's next batch."""
        return batch(columns, self.sent[version], f"v{version}", model=MODEL, version=version)

    def judged(self) -> bool:
        """Whether the monitors have judged exactly what was sent."""
        counts = {version: self.plant.rows(MODEL, version) for version in self.sent}
        assert all(counts[version] <= sent for version, sent in self.sent.items()), counts
        return counts == self.sent


def attack(plant: Plant, partition_of: int) -> dict[str, dict[str, set[tuple[int, int]]]]:
    """Write every hostile value to every topic; return what Kafka took, as topic → kind → (partition, offset)."""
    taken: dict[str, dict[str, set[tuple[int, int]]]] = {}
    for topic in TOPICS:
        partition = partition_of if topic.partitions is None else 0
        taken[topic.name] = {}
        for kind, value in hostile(topic.name).items():
            try:
                offset = plant.send(topic.name, value, MODEL.encode(), partition=partition)
            except BrokerError:
                continue  # the broker itself refuses it: the record is too large for its topic
            taken[topic.name][kind] = {(partition, offset)}
    return taken


def test_garbage_on_every_topic_stops_nobody(plant: Plant) -> None:
    """No process ends; each hostile record is a dead letter, void, or passed over with a line; good ones are judged."""
    telemetry = Telemetry(plant)
    telemetry.serve(3000)
    wait_for(telemetry.judged, "the rows before are judged")
    home = (murmur2(MODEL.encode()) & 0x7FFFFFFF) % plant.settings.partitions
    taken = attack(plant, home)
    assert all(len(kinds) >= 11 for kinds in taken.values()), "the broker let them through"
    for topic in JUDGED:
        partition = home if topic in ("inbound", "telemetry") else 0
        offset = asyncio.run(send_bad_header(plant.clients, plant.topic(topic), partition, MODEL.encode()))
        taken[topic]["a header that is not Unicode"] = {(partition, offset)}
    astray = (home + 1) % plant.settings.partitions
    strange = telemetry.made(features(telemetry.rng, 250, 5), "1")
    misplaced = plant.send("telemetry", strange, MODEL.encode(), partition=astray)
    taken["telemetry"]["misplaced"] = {(astray, misplaced)}

    for topic in JUDGED:
        for kind, places in taken[topic].items():
            wait_for(lambda t=topic, p=places: p <= plant.refused(t), f"{kind} on {topic} is a dead letter", 30)  # type: ignore[misc]
    telemetry.serve(1000)
    wait_for(telemetry.judged, "the rows after are judged")
    assert plant.ended() == {}, "no process ended"

    poison_the_state(plant)
    for role in ("detect", "triage"):
        restart(plant, role)
    telemetry.serve(500)
    wait_for(telemetry.judged, "after a restart on a poisoned state topic each row is counted once")
    assert plant.letters("state"), "what was refused there is reported"

    telemetry.serve(1500, broken=True)
    wait_for(plant.cases, "the fault after it all is one case")
    assert [incident.affected[0].version for incident in plant.said("incidents", IncidentOpened)] == ["2"]
    assert plant.ended() == {}
    check_the_ledger(plant, {offset for places in taken["audit"].values() for _, offset in places})
    assert "signal ignored" in plant.log("approval")
    assert "checkpoint ignored" in plant.log("registrar")


def poison_the_state(plant: Plant) -> None:
    """Replace what stands under half of the keys of the state topic, and cut every record short under another key."""
    for number, message in enumerate(list(plant.read("state"))):
        key, value = message.key(), message.value()
        if not isinstance(key, bytes) or not isinstance(value, bytes):
            continue
        if number % 2:
            plant.send("state", b"\0\0\0\0\x3bpoison", key, partition=message.partition())
        plant.send("state", value[:-3], key + b"x", partition=message.partition())


def restart(plant: Plant, role: str) -> None:
    """Ask a role to end, and have the supervisor start it again."""
    assert plant.stack.child(role).stop(30) == 0, plant.log(role)[-2000:]

    def runs() -> bool:
        plant.stack.keep()
        return plant.stack.child(role).alive()

    wait_for(runs, f"{role} runs again")
    plant.pids[role] = plant.stack.child(role).pid


def check_the_ledger(plant: Plant, hostile_offsets: set[int]) -> None:
    """The ledger verifies, and what was written into it is void."""
    voids = {void["index"] for void in plant.verified()["voids"]}
    assert hostile_offsets <= voids
    assert len(voids - hostile_offsets) <= 1, "beside them only the registrar's own entry that they displaced"
    assert set(plant.pids) == set(ROLES)


def test_an_incident_with_a_forged_signature_is_a_dead_letter(plant: Plant) -> None:
    """A well-formed incident that triage did not sign opens no case; the genuine one after it does."""
    plant.send("incidents", incident_opened(id="forged"), b"forged")
    plant.announce(replace(incident_opened(), id="genuine"))
    wait_for(lambda: plant.case("genuine"), "the genuine incident is registered")
    wait_for(lambda: plant.letters("incidents"), "the forged one is a dead letter")
    assert plant.case("forged") is None
