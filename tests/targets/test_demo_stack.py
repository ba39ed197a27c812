"""The demonstration's servers and traffic behind the real gateway and registry."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from streams.demo.catalogue import ALIAS, KNOWN_GOOD, publish
from streams.demo.faults import Fault, switch
from streams.demo.models import MODEL
from streams.local.child import Child
from streams.local.gateway import Envoy, Route, Version
from streams.targets.envoy import EnvoyTarget
from streams.targets.mlflow_registry import MlflowTarget

INSTANCES = {"v1-a": "1", "v2-a": "2", "v2-b": "2"}
ROOT = Path(__file__).resolve().parents[2]


def until(holds: Callable[[], bool], within: float = 30.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come about in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Publish both versions."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    publish(uri, folder / "artefacts", seed=7)
    return uri


@pytest.fixture
def stack(registry: str, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Serve version 1 once and version 2 twice behind the gateway, with traffic on both."""
    children: dict[str, Child] = {}
    module = [sys.executable, "-m"]
    try:
        for name, version in INSTANCES.items():
            where = [
                "--registry",
                registry,
                "--ready-file",
                str(tmp_path / name),
                "--fault-file",
                str(tmp_path / "fault"),
            ]
            command = [*module, "streams.demo.server", "--version", version, "--instance", name, *where]
            children[name] = Child(command, tmp_path / f"{name}.log", keep_open=())
        until(lambda: all((tmp_path / name).exists() for name in INSTANCES))
        at = {name: f"127.0.0.1:{(tmp_path / name).read_text()}" for name in INSTANCES}
        route = Route(MODEL, {"1": Version(20, (at["v1-a"],)), "2": Version(80, (at["v2-a"], at["v2-b"]))})
        with Envoy((route,), tmp_path) as gateway:
            stats = tmp_path / "stats.json"
            rate = ["--rate", "60", "--label-after", "0.2", "--seed", "1"]
            command = [*module, "streams.demo.traffic", "--url", gateway.url, "--stats", str(stats), *rate]
            children["traffic"] = Child(command, tmp_path / "traffic.log")
            until(stats.exists)
            yield SimpleNamespace(
                gateway=gateway,
                children=children,
                fault=tmp_path / "fault",
                counts=lambda: SimpleNamespace(**json.loads(stats.read_text())),
            )
            children.pop("traffic").stop(10)
    finally:
        for child in children.values():
            child.stop(5)


def test_nothing_is_lost_through_a_crash_and_a_rollback(stack: SimpleNamespace) -> None:
    """An instance is killed and all traffic moved to version 1 while requests flow: every request is answered."""
    until(lambda: min(stack.counts().rows_by_version.get(version, 0) for version in "12") > 100)
    stack.children["v2-a"].kill()
    before = stack.counts().rows
    until(lambda: stack.counts().rows > before + 500)
    with EnvoyTarget(stack.gateway.admin) as target:
        change = target.plan("envoy:shuttle", '{"1":100,"2":0}')
        target.apply(change, "rollback")
        target.verify(change)
    old = stack.counts().rows_by_version
    until(lambda: stack.counts().rows_by_version["1"] > old["1"] + 500)
    settled = stack.counts().rows_by_version["2"]
    until(lambda: stack.counts().rows_by_version["1"] > old["1"] + 1000)
    counts = stack.counts()
    assert counts.rows_by_version["2"] == settled
    assert (counts.failed, counts.labels_failed) == (0, 0), counts.last_failure
    assert counts.labels > 0
    assert stack.children["traffic"].stop(10) == 0


def test_a_broken_pipeline_costs_accuracy_until_it_is_mended(stack: SimpleNamespace) -> None:
    """With sensor f1 in other units version 2 is wrong most of the time, and right again afterwards."""

    def share_right(rows: int) -> float:
        start = stack.counts()
        until(lambda: stack.counts().rows_by_version.get("2", 0) > start.rows_by_version.get("2", 0) + rows)
        end = stack.counts()
        asked = end.rows_by_version["2"] - start.rows_by_version.get("2", 0)
        return float((end.correct["2"] - start.correct.get("2", 0)) / asked)

    assert share_right(300) > 0.97
    switch(stack.fault, Fault.UNITS)
    share_right(50)
    assert share_right(300) < 0.6
    switch(stack.fault, Fault.NONE)
    share_right(50)
    assert share_right(300) > 0.97


def test_the_server_refuses_what_it_cannot_read(stack: SimpleNamespace) -> None:
    """A malformed or huge body is answered with 400 and a reason, and the server goes on."""
    with httpx.Client(base_url=stack.gateway.url, trust_env=False) as client:
        for body in (b"", b"{", b"\xff" * 100, b"[" * 100_000, b'{"inputs":[]}', b"1" * 300_000):
            refused = client.post(f"/v2/models/{MODEL}/infer", content=body)
            assert refused.status_code == 400, refused.text
            assert refused.json()["error"]


def test_the_registry_holds_card_lineage_and_alias(registry: str) -> None:
    """The champion is version 2, version 1 is the known good one, and each names its run, data and signature."""
    target = MlflowTarget(registry)
    assert target.observe(f"mlflow:{MODEL}/{ALIAS}").state == '{"version":"2"}'
    good, new = target.lineage(MODEL, KNOWN_GOOD), target.lineage(MODEL, "2")
    assert good.tags["known_good"] == "true"
    assert "known_good" not in new.tags
    assert good.tags["data_digest"] != new.tags["data_digest"]
    assert len(good.signature) == 64
    assert good.signature == new.signature


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--registry", "sqlite:////nowhere/mlflow.db", "--version", "1"], "no model registry"),
        (["--version", "9"], "not found"),
    ],
)
def test_a_server_that_cannot_start_says_why(registry: str, options: list[str], words: str) -> None:
    """The last line it prints is one sentence, and its exit status is 1."""
    command = [sys.executable, "-m", "streams.demo.server", "--instance", "x", "--registry", registry, *options]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 1
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
