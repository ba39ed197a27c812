"""The README's subscriber: a plain confluent-kafka and fastavro program, as anybody would write it."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.codec import frame
from schemas.ledger import ActionStatus, IncidentStatus
from schemas.topics import full_name
from schemas.values import Category, Severity
from streams.kafka import AwaitedProducer, Clients
from streams.local.child import Child
from streams.settings import Settings
from streams.topic_admin import TopicAdmin
from tests.plant import wait_for
from tests.play import incident_grew, incident_opened, incident_quieted

pytestmark = pytest.mark.broker

SUBSCRIBER = Path(__file__).resolve().parents[2] / "deploy" / "examples" / "subscribe.py"
PHASES = ("declared", "containing", "contained", "recovering", "resolved")


def standing(phase: str, sequence: int) -> IncidentStatus:
    """Return the status of the incident in a phase."""
    action = ActionStatus(target="envoy:shuttle", desired="{}", outcome="done", read_back="{}")
    return IncidentStatus(
        incident="incident-1",
        index=sequence + 5,
        sequence=sequence,
        at=1_700_000_000_000 + sequence,
        phase=phase,
        acknowledged=False,
        severity=Severity.SEV2,
        category=Category.DATA_DRIFT,
        system="radiator",
        title="shuttle 2 sees other data",
        models=("shuttle",),
        versions=("shuttle/2",),
        opened_at=1_700_000_000_000,
        plan="",
        plan_state="",
        approvals=2,
        quorum=2,
        actions=(action,),
        recurrence_of=None,
    )


class Subscriber:
    """The example as a process, started as often as needed, and what it has printed."""

    def __init__(self, settings: Settings, directory: Path) -> None:
        self.log = directory / "subscriber.log"
        group = ["--group", f"{settings.ledger}-sre"]
        where = ["--bootstrap-servers", settings.brokers, "--ledger", settings.ledger]
        self._command = [sys.executable, str(SUBSCRIBER), *where, *group]
        self._child: Child | None = None

    def start(self) -> Child:
        """Start it."""
        self._child = Child(self._command, self.log)
        return self._child

    def stop(self) -> None:
        """End it as a container would be."""
        if self._child is not None:
            self._child.process.terminate()
            self._child.process.wait(15)
            self._child.stop()
            self._child = None

    def lines(self) -> list[str]:
        """Return everything it printed, on whichever stream."""
        return self.log.read_text("utf-8").splitlines()

    def records(self) -> list[dict[str, Any]]:
        """Return the records that it printed."""
        return [json.loads(line) for line in self.lines() if line.startswith("{")]


@pytest.fixture
def subscriber(settings: Settings, clients: Clients, tmp_path: Path) -> Iterator[Subscriber]:
    """The subscriber of a ledger whose topics exist."""
    TopicAdmin(clients.admin(), settings).apply()
    made = Subscriber(settings, tmp_path)
    yield made
    made.stop()


def test_the_example_imports_nothing_of_ours() -> None:
    """All that it needs are confluent-kafka, fastavro and the standard library."""
    tree = ast.parse(SUBSCRIBER.read_text("utf-8"))
    plain = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    from_ = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {str(name).partition(".")[0] for name in plain | from_}
    assert roots - set(sys.stdlib_module_names) == {"confluent_kafka", "fastavro"}


def test_it_hears_every_record_passes_over_garbage_and_goes_on_where_it_stopped(
    subscriber: Subscriber, settings: Settings, clients: Clients
) -> None:
    """Opened, contained and resolved are heard in order; hostile bytes cost a line on stderr; a restart goes on."""
    producer = AwaitedProducer(clients)
    incidents, status = (full_name(settings.ledger, name) for name in ("incidents", "status"))
    process = subscriber.start()
    producer.send(incidents, b"incident-1", frame(incident_opened()))
    opened = frame(incident_opened())
    hostile = (b"", b"\0", b"\xff" * 50, opened[:40], opened + b"\0", b"\0\0\0\0\x63x", b"\0\0\0\0\x0b" + b"\xff" * 9)
    for value in (*hostile, None):
        producer.send(incidents, b"x", value)
        producer.send(status, b"x", value)
    for sequence, phase in enumerate(PHASES):
        producer.send(status, b"incident-1", frame(standing(phase, sequence)))
    wait_for(lambda: len(subscriber.records()) == 6, "the subscriber hears all", 30)
    assert process.alive()
    told = subscriber.records()
    (first,) = [record for record in told if record["record"] == "IncidentOpened"]
    assert (first["id"], first["affected"][0]["model"], first["owner_role"]) == ("incident-1", "shuttle", "ml_manager")
    assert tuple(record["phase"] for record in told if record["record"] == "IncidentStatus") == PHASES
    assert len([line for line in subscriber.lines() if "is passed over" in line]) == 2 * (len(hostile) + 1)

    subscriber.stop()
    producer.send(incidents, b"incident-1", frame(incident_grew()))
    subscriber.start()
    producer.send(incidents, b"incident-1", frame(incident_quieted()))
    wait_for(lambda: len(subscriber.records()) >= 8, "the subscriber goes on", 30)
    assert [record["record"] for record in subscriber.records()[6:]] == ["IncidentGrew", "IncidentQuieted"]


def test_its_help_says_how_to_run_it() -> None:
    """`--help` answers without a broker."""
    done = subprocess.run([sys.executable, str(SUBSCRIBER), "--help"], capture_output=True, text=True, check=True)
    assert "pip install confluent-kafka fastavro" in done.stdout
