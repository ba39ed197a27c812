"""The adapter for Envoy, against Envoy itself."""

import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from schemas.errors import EffectError
from streams.local.gateway import Envoy, Route, Version
from streams.targets.envoy import EnvoyTarget

SHUTTLE = "envoy:shuttle"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def served(instances: dict[str, Any], tmp_path: Path) -> Iterator[SimpleNamespace]:
    """Put a gateway before one instance of version 1 and two of version 2, all traffic on 2."""
    one = Version(0, (instances["1-a"].address,))
    two = Version(100, (instances["2-a"].address, instances["2-b"].address))
    with (
        Envoy((Route("shuttle", {"1": one, "2": two}),), tmp_path) as gateway,
        EnvoyTarget(gateway.admin) as target,
        httpx.Client(base_url=gateway.url, trust_env=False) as client,
    ):
        yield SimpleNamespace(gateway=gateway, target=target, client=client, instances=instances)


def answers(client: httpx.Client, requests: int) -> Counter[str]:
    """Count which version answered."""
    told: Counter[str] = Counter()
    for _ in range(requests):
        response = client.post("/v2/models/shuttle/infer", content=b"{}")
        assert response.status_code == 200, response.text
        told[response.text.partition("-")[0]] += 1
    return told


def test_weights_move_traffic_and_are_read_back(served: SimpleNamespace) -> None:
    """A split of 90/10 and then 0/100 is seen in the answers and in the observation."""
    assert answers(served.client, 50) == {"2": 50}
    canary = served.target.plan(SHUTTLE, '{"1":10,"2":90}')
    assert (canary.before, canary.after) == ('{"1":0,"2":100}', '{"1":10,"2":90}')
    served.target.apply(canary, "canary")
    assert served.target.verify(canary).state == '{"1":10,"2":90}'
    split = answers(served.client, 400)
    assert 15 <= split["1"] <= 75, split
    rollback = served.target.plan(SHUTTLE, '{"1":100}')
    served.target.apply(rollback, "rollback")
    assert served.target.verify(rollback).state == '{"1":100,"2":0}'
    assert answers(served.client, 100) == {"1": 100}


def test_a_plan_touches_nothing_and_tells_who_is_ready(served: SimpleNamespace) -> None:
    """A dry run leaves the observation as it was and counts the ready instances."""
    before = served.target.observe(SHUTTLE)
    plan = served.target.plan(SHUTTLE, '{"1":100,"2":0}')
    assert served.target.observe(SHUTTLE) == before
    assert plan.facts == '{"ready":{"1":1,"2":2}}'


def test_applying_twice_is_harmless(served: SimpleNamespace) -> None:
    """The same change applied again with its key leaves the same state."""
    change = served.target.plan(SHUTTLE, '{"1":100,"2":0}')
    served.target.apply(change, "once")
    first = served.target.verify(change)
    served.target.apply(change, "once")
    assert served.target.verify(change) == first


def test_the_precondition_changes_with_the_target(served: SimpleNamespace) -> None:
    """A plan made before somebody else's change no longer matches what is observed, and matches after its undoing."""
    plan = served.target.plan(SHUTTLE, '{"1":100,"2":0}')
    assert plan.precondition == served.target.observe(SHUTTLE).digest
    snapshot = served.target.observe(SHUTTLE)
    served.target.apply(served.target.plan(SHUTTLE, '{"1":50,"2":50}'), "behind our back")
    assert plan.precondition != served.target.observe(SHUTTLE).digest
    assert served.target.revert(snapshot) == snapshot
    assert plan.precondition == served.target.observe(SHUTTLE).digest


@pytest.mark.parametrize(
    ("target", "desired", "words"),
    [
        (SHUTTLE, '{"3":100}', "no cluster shuttle-3"),
        ("envoy:unknown", '{"1":100}', "routes no model"),
        (SHUTTLE, '{"1":50}', "sum to 50"),
        (SHUTTLE, '{"1":101,"2":-1}', "not within"),
        (SHUTTLE, '{"1":true,"2":99}', "not within"),
        (SHUTTLE, "[1]", "not a JSON object"),
        (SHUTTLE, "{" * 2000, "not JSON"),
        (SHUTTLE, " " * 5000, "too long"),
        ("envoy:a/../b", '{"1":100}', "cannot be the name"),
        ("mlflow:shuttle", '{"1":100}', "not of the form"),
    ],
)
def test_what_cannot_be_done_is_refused_before_touching(
    served: SimpleNamespace, target: str, desired: str, words: str
) -> None:
    """A bad target or state is an error that will not go away by retrying, and nothing has changed."""
    with pytest.raises(EffectError, match=words) as caught:
        served.target.plan(target, desired)
    assert not caught.value.retryable
    assert served.target.observe(SHUTTLE).state == '{"1":0,"2":100}'


def test_a_forgotten_state_is_found_by_verify(served: SimpleNamespace) -> None:
    """After a restart Envoy shows the deployed weights again: verify says so, and applying again repairs it."""
    change = served.target.plan(SHUTTLE, '{"1":100,"2":0}')
    served.target.apply(change, "intent")
    served.target.verify(change)
    served.gateway.close()
    with pytest.raises(EffectError, match="does not answer") as gone:
        served.target.observe(SHUTTLE)
    assert gone.value.retryable
    served.gateway.start()
    with EnvoyTarget(served.gateway.admin, verify_within=0.1) as target:
        with pytest.raises(EffectError, match="but shows") as caught:
            target.verify(change)
        assert caught.value.retryable
        target.apply(change, "intent")
        assert target.verify(change).state == '{"1":100,"2":0}'


def test_a_dying_instance_loses_no_request(served: SimpleNamespace) -> None:
    """While requests stream, one of two instances is killed; every request is answered."""
    seen: Counter[str] = Counter()
    failed: list[str] = []
    lock, stop, warm, killed = threading.Lock(), threading.Event(), threading.Event(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=served.gateway.url, trust_env=False, timeout=10) as client:
            after = 0
            while not stop.is_set() and after < 100:
                response = client.post("/v2/models/shuttle/infer", content=b"x" * 500)
                after += killed.is_set()
                with lock:
                    seen[response.text] += 1
                    if seen["2-a"] > 20 and seen["2-b"] > 20:
                        warm.set()
                    if response.status_code != 200:
                        failed.append(response.text)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        assert warm.wait(30)
        served.instances["2-a"].kill()
        killed.set()
        for client in clients:
            client.join(30)
    finally:
        stop.set()
    assert not failed
    assert seen["2-b"] > seen["2-a"]


def test_the_gateway_does_not_outlive_its_starter(tmp_path: Path) -> None:
    """When the process that started Envoy is killed, Envoy ends and its port is free again."""
    starter = (
        "import sys, pathlib; from streams.local.gateway import Envoy, Route, Version; "
        "gateway = Envoy((Route('shuttle', {'1': Version(100, ('127.0.0.1:9',))}),), pathlib.Path(sys.argv[1])); "
        "gateway.start(); print(gateway.admin, flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", starter, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        admin = process.stdout.readline().strip()
        assert httpx.get(f"{admin}/ready", trust_env=False).status_code == 200
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20
    while True:
        try:
            httpx.get(f"{admin}/ready", trust_env=False)
        except httpx.TransportError:
            return
        assert time.monotonic() < deadline, "Envoy still answers"
        time.sleep(0.05)


@pytest.mark.parametrize("which", ["port", "admin_port"])
def test_a_taken_port_is_told_in_one_sentence(which: str, taken_port: int, tmp_path: Path) -> None:
    """The gateway does not start on a port that something else holds, and says so."""
    route = Route("shuttle", {"1": Version(100, ("127.0.0.1:9",))})
    gateway = Envoy((route,), tmp_path, **{which: taken_port})
    with pytest.raises(EffectError, match="port is taken"):
        gateway.start()
    assert gateway.pid is None


def test_the_admin_port_must_be_on_loopback() -> None:
    """An admin port elsewhere is refused, because it has no authentication."""
    for admin in ("http://10.0.0.1:9901", "http://example.org:9901", "http://:9901"):
        with pytest.raises(EffectError, match="loopback"):
            EnvoyTarget(admin)
