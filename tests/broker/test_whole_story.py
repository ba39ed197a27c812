"""The main job on real processes: telemetry in; detection, one incident, signed approvals, a rollback, a proof out."""

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from headgate import Recorder

from agents.ledger.case import Case
from schemas.signals import IncidentOpened
from streams.demo.catalogue import publish
from streams.local.gateway import Envoy, Route, Version
from streams.settings import Settings
from streams.targets.envoy import EnvoyTarget
from streams.targets.mlflow_registry import MlflowTarget
from tests.plant import Plant, wait_for

pytestmark = pytest.mark.broker

ROOT = Path(__file__).resolve().parents[2]
SUBSCRIBER = ROOT / "deploy" / "examples" / "subscribe.py"
MODEL = "shuttle"
ROWS = 250


class Answer(BaseHTTPRequestHandler):
    """Says which version it is."""

    version = ""

    def do_GET(self) -> None:
        """Answer anything with the version."""
        body = self.version.encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Envoy]:
    """Envoy before one instance of each version, half of the traffic for each."""
    servers = {}
    for version in ("1", "2"):
        handler = type("Answer", (Answer,), {"version": version})
        servers[version] = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=servers[version].serve_forever, args=(0.05,), daemon=True).start()
    versions = {v: Version(50, (f"127.0.0.1:{server.server_port}",)) for v, server in servers.items()}
    with Envoy((Route(MODEL, versions),), tmp_path / "gateway") as envoy:
        yield envoy
    for server in servers.values():
        server.shutdown()
        server.server_close()


class Fleet:
    """Two recorders, one a version, that say what was served since the last call; f3 can break in version 2."""

    def __init__(self, settings: Settings) -> None:
        self.rng = np.random.default_rng(20261121)
        self.broken = False
        self.rows = Counter[str]()
        self.recorders = {
            version: Recorder(
                MODEL,
                version,
                instance=f"v{version}-a",
                bootstrap_servers=settings.brokers,
                ledger=settings.ledger,
                max_rows=ROWS,
                max_delay=0.1,
            )
            for version in ("1", "2")
        }

    def serve(self, *versions: str) -> None:
        """Record a batch of predictions of these versions."""
        for version in versions:
            for cells in self.rng.normal(50, 5, (ROWS, 5)).tolist():
                features = {f"f{n + 1}": value for n, value in enumerate(cells)}
                if self.broken and version == "2":
                    features["f3"] *= 1.8
                self.recorders[version].record(
                    features,
                    prediction="normal" if cells[0] > 45 else "anomaly",
                    confidence=self.rng.beta(30, 1),
                    latency_ms=self.rng.lognormal(1, 0.5),
                )
            self.rows[version] += ROWS
            assert self.recorders[version].flush(10)

    def close(self) -> None:
        """Send what waits."""
        for recorder in self.recorders.values():
            recorder.close()


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str], gateway: Envoy, tmp_path: Path) -> Iterator[Plant]:
    """Every role in a process of its own, before a real gateway and a real registry."""
    registry = f"sqlite:///{tmp_path}/mlflow.db"
    publish(registry, tmp_path / "artefacts", seed=7)
    with Plant(settings, environ) as made:
        made.start(environ={"HEADGATE_ENVOY_ADMIN": gateway.admin, "HEADGATE_MLFLOW_URI": registry})
        yield made


@pytest.fixture
def subscriber(settings: Settings, plant: Plant, tmp_path: Path) -> Iterator[Path]:
    """The example of the README, run as a process of its own; the file that holds what it printed."""
    del plant  # it has made the topics
    said = tmp_path / "subscriber.jsonl"
    where = ["--bootstrap-servers", settings.brokers, "--ledger", settings.ledger, "--group", f"{settings.ledger}-sre"]
    with said.open("wb") as out, (tmp_path / "subscriber.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, str(SUBSCRIBER), *where], stdout=out, stderr=log, cwd=tmp_path)
    yield said
    process.terminate()
    process.wait(10)


def heard(file: Path) -> list[dict[str, Any]]:
    """Return the lines that the subscriber has printed."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines(keepends=True) if line.endswith("\n")]


def answers(gateway: Envoy) -> set[str]:
    """Return which versions answer a hundred requests."""
    with httpx.Client(base_url=gateway.url, trust_env=False) as client:
        return {client.get(f"/v2/models/{MODEL}/ready").text for _ in range(100)}


def test_a_fault_is_found_approved_rolled_back_and_proven(
    plant: Plant, gateway: Envoy, subscriber: Path, tmp_path: Path
) -> None:
    """One fault, one incident, two signatures, traffic and alias moved and read back, resolved, verified, all heard."""
    fleet = Fleet(plant.settings)
    assert answers(gateway) == {"1", "2"}

    def warm() -> bool:
        fleet.serve("1", "2")
        words = [plant.observed(MODEL, version) for version in ("1", "2")]
        return all(word is not None and word.clear_rows >= 1000 for word in words)

    wait_for(warm, "both monitors know what is normal")
    fleet.broken = True

    def case() -> Case | None:
        return next(iter(plant.cases().values()), None)

    def seen_while(*served: str, phase: str = "") -> bool:
        fleet.serve(*served)
        found = case()
        return found is not None and phase in {"", found.phase}

    wait_for(lambda: seen_while("1", "2"), "an incident is registered")
    (opened,) = plant.said("incidents", IncidentOpened)
    assert (opened.category, {(a.model, a.version) for a in opened.affected}) == ("data_drift", {(MODEL, "2")})
    plant.approve(opened.id)
    wait_for(lambda: (found := case()) and found.phase == "recovering", "all steps are done")
    assert answers(gateway) == {"1"}
    wait_for(lambda: seen_while("1", phase="resolved"), "version 1 is clear")
    fleet.close()

    with EnvoyTarget(gateway.admin) as envoy:
        assert envoy.observe(f"envoy:{MODEL}").state == '{"1":100,"2":0}'
    alias = MlflowTarget(f"sqlite:///{tmp_path}/mlflow.db").observe(f"mlflow:{MODEL}/champion")
    assert json.loads(alias.state) == {"version": "1"}
    wait_for(lambda: all(fleet.rows[v] - plant.rows(MODEL, v) <= ROWS for v in ("1", "2")), "all rows are judged")
    assert all(plant.rows(MODEL, version) <= fleet.rows[version] for version in ("1", "2"))
    assert len(plant.said("incidents", IncidentOpened)) == 1
    assert plant.letters() == []
    assert plant.ended() == {}

    def resolved() -> bool:
        return any(line.get("phase") == "resolved" for line in heard(subscriber))

    wait_for(resolved, "the subscriber hears of the end")
    check_what_was_heard(heard(subscriber), opened.id)
    assert plant.verified()["voids"] == []


def check_what_was_heard(lines: list[dict[str, Any]], incident: str) -> None:
    """The plain consumer saw one incident open, contained and resolved, in the order of its sequence."""
    opened = [line for line in lines if line["record"] == "IncidentOpened"]
    assert [(line["id"], line["affected"][0]["version"]) for line in opened] == [(incident, "2")]
    status = [line for line in lines if line["record"] == "IncidentStatus"]
    assert {line["incident"] for line in status} == {incident}
    assert [line["sequence"] for line in status] == sorted(line["sequence"] for line in status)
    phases = [line["phase"] for line in status]
    wanted = ["declared", "containing", "contained", "recovering", "resolved"]
    assert [phase for phase in dict.fromkeys(phases) if phase in wanted] == wanted
    last = status[-1]
    assert (last["approvals"], last["quorum"], last["plan_state"]) == (2, 2, "done")
    assert [action["outcome"] for action in last["actions"]] == ["done", "done"]
