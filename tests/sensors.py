"""Models that say what they predict, some of them with a fault, and what one undisturbed detector makes of it."""

from collections import defaultdict
from typing import Any

import numpy as np

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from schemas.codec import frame
from schemas.documents import digest
from schemas.policy import read
from schemas.telemetry import InferenceBatch
from streams.kafka import Record, topic_id
from tests.crew import POLICY, Crew
from tests.plain import Seen, wait_until
from tests.traffic import batch

ROWS = 25
VERSIONS = ("1", "2")


class Sensors:
    """Batches of some models in two versions; version 2 of every other model breaks when it is told to.

    Parameters
    ----------
    crew
        Where they are sent.
    count
        Of models: `d0`, `d1`, … of which the even ones can break.
    """

    def __init__(self, crew: Crew, count: int = 4, seed: int = 1) -> None:
        self._crew = crew
        self._dice = np.random.default_rng(seed)
        self.models = [f"d{number}" for number in range(count)]
        self.broken = False
        self.rows: dict[tuple[str, str], int] = defaultdict(int)
        self.sent = 0

    @property
    def faulty(self) -> set[tuple[str, str]]:
        """The versions that break."""
        return {(model, "2") for model in self.models[::2]}

    def act(self, _: int = 0) -> None:
        """Send a batch of each version of each model."""
        pairs = [(model, version) for model in self.models for version in VERSIONS]
        batches = [self._batch(model, version) for model, version in pairs]
        topic = self._crew.topic("telemetry")
        self._crew.send(*(Record(topic, made.model.encode(), frame(made)) for made in batches))
        self.sent += len(batches)

    def _batch(self, model: str, version: str) -> InferenceBatch:
        columns: dict[str, Any] = {f"f{i}": self._dice.normal(10 * i, 1 + i, ROWS) for i in range(4)}
        columns |= {"confidence": self._dice.beta(12, 2, ROWS), "latency": self._dice.lognormal(2, 0.4, ROWS)}
        if self.broken and (model, version) in self.faulty:
            columns["f1"] = columns["f1"] * 1.8 + 32  # another unit
        first = self.rows[model, version]
        self.rows[model, version] += ROWS
        return batch(columns, first, "a", model=model, version=version, source=f"{model}-{version}")


class Judged:
    """How far detect has come, by its own manifests, and what it said."""

    def __init__(self, crew: Crew, app: str = "detect", source: str = "telemetry") -> None:
        self._crew, self._app = crew, f"{crew.settings.ledger}-{app}"
        self._state, self._signals = crew.tape("state"), crew.tape("signals")
        self._topic_id = topic_id(crew.clients.admin(), crew.topic(source))

    def through(self) -> int:
        """Return how many records of the topic lie behind a manifest."""
        return sum(self.by_partition().values())

    def by_partition(self) -> dict[int, int]:
        """Return how many records of each partition lie behind a manifest."""
        through: dict[int, int] = {}
        for seen in self._kept("manifest"):
            part = int(seen.key.decode().split("|")[3])
            through[part] = max(through.get(part, 0), seen.value["complete_through"] + 1)
        return through

    def bodies(self) -> dict[str, bytes]:
        """Return the state of each unit that has seen most; states that have seen the same are the same.

        It need not be the last record: a worker may write once more after it has lost the partition.
        """
        found: dict[str, dict[int, bytes]] = defaultdict(dict)
        for seen in self._kept("unit"):
            value = seen.value
            assert found[value["unit"]].setdefault(value["offset"], value["body"]) == value["body"]
        return {unit: bodies[max(bodies)] for unit, bodies in found.items()}

    def said(self) -> list[Seen]:
        """Return every record of signals, the repeated ones too."""
        return self._signals.read()

    def _kept(self, kind: str) -> list[Seen]:
        found = []
        for seen in self._state.read():
            app, _, topic, _, what, _ = seen.key.decode().split("|", 5)
            if (app, topic, what) == (self._app, self._topic_id, kind) and seen.value:
                found.append(seen)
        return found


def undisturbed(crew: Crew) -> tuple[dict[str, list[bytes]], dict[str, bytes]]:
    """Judge the topic's records in this process; return each model's events, framed, and the state of each unit."""
    standard = Standard(digest(POLICY), read(POLICY).detection)
    topic = topic_id(crew.clients.admin(), crew.topic("telemetry"))
    detectors: dict[int, Detect] = defaultdict(lambda: Detect(standard))
    events: dict[str, list[bytes]] = defaultdict(list)
    for seen in crew.tape("telemetry").read():
        record = Received(
            topic=crew.topic("telemetry"),
            topic_id=topic,
            partition=seen.partition,
            offset=seen.offset,
            timestamp=seen.timestamp,
            key=seen.key,
            value=seen.raw,
        )
        told = detectors[seen.partition].step(record)
        events[seen.key.decode()] += [frame(event) for event in told]
    return events, {unit: body for detect in detectors.values() for unit, _, body in detect.dirty()}


def check(crew: Crew, sensors: Sensors, judged: Judged) -> int:
    """What detect said is what one undisturbed detector says, bit for bit; return how many records were repeats."""
    wait_until(lambda: judged.through() >= sensors.sent, "all telemetry is judged")
    events, bodies = undisturbed(crew)
    said: dict[str, dict[str, Seen]] = defaultdict(dict)
    repeats = 0
    for seen in judged.said():
        first = said[seen.value["model"]].setdefault(seen.value["id"], seen)
        assert first.raw == seen.raw, "a repeat is the same record"
        repeats += first is not seen
    assert {model: [seen.raw for seen in told.values()] for model, told in said.items()} == events
    assert judged.bodies() == bodies
    words = [seen.value for told in said.values() for seen in told.values() if seen.name == "MonitorObserved"]
    assert {(word["model"], word["version"]): word["rows"] for word in words} == sensors.rows
    raised = {
        (seen.value["model"], seen.value["version"])
        for told in said.values()
        for seen in told.values()
        if seen.name == "SignalRaised"
    }
    assert raised == (sensors.faulty if sensors.broken else set())
    assert crew.tape("deadletter").read() == []
    return repeats
