"""The served world of a drill behind the real gateway: its servers, its requests and its faults, without Kafka."""

import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from pydantic import TypeAdapter

from schemas import drills
from schemas.drill_faults import Fault
from streams.drills.world import World
from streams.probes.asking import Asker
from streams.probes.prober import read_set
from streams.serving.asking import Counts
from streams.settings import Settings

_SCENARIO = b"""
version = 1
title = "t"
situation = "s"
seed = 3
[systems.ward]
scope = "s"
[systems.ward.models.flood]
versions = ["1", "2"]
[systems.ward.models.building]
depends_on = ["flood"]
[served.flood]
intercept = -4
rows_per_second = 1000
instances = { "2" = 2 }
label_after_seconds = 0.1
groups = { sex = { f = 0.5, m = 0.5 } }
callers = 5
[served.flood.features]
elevation = { mean = 140, sd = 60, skewed = true, weight = -3 }
kind = { values = { house = 0.7, flat = 0.3 }, weight = 1 }
[served.building]
intercept = -3
rows_per_second = 1000
probed = true
[served.building.features]
flood_risk = { reads = "flood", weight = 6 }
year = { mean = 1975, sd = 20 }
[people.ana]
roles = ["ml_manager"]
[[steps]]
name = "nothing"
[expect]
"""
_FAULT: TypeAdapter[Fault] = TypeAdapter(Fault)


def until(holds: Callable[[], bool], within: float = 90.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come about in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Serve two models, one of which reads the other, and ask both."""
    folder = tmp_path_factory.mktemp("world")
    scenarios = {"cascade": drills.read(_SCENARIO)}
    with World(Settings(var=folder), folder / "world", scenarios, silent=True) as served:
        served.serve()
        served.start_traffic()
        yield served


def shares_right(world: World, rows: int = 150) -> dict[str, float]:
    """Return how often each version of each model is right from now on."""
    settled = world.counts()
    until(lambda: world.counts() != settled)  # what was asked before is counted
    start = world.counts()
    places = [(model, version) for model, counts in start.items() for version in counts.rows_by_version]

    def asked() -> list[int]:
        now = world.counts()
        return [
            now[model].rows_by_version[version] - start[model].rows_by_version[version] for model, version in places
        ]

    until(lambda: min(asked()) >= rows)
    end, counted = world.counts(), asked()
    right = [end[model].correct[version] - start[model].correct[version] for model, version in places]
    return {f"{place[0]}:{place[1]}": good / of for place, good, of in zip(places, right, counted, strict=True)}


def eventually_right(world: World, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
    """Return the first shares of which something holds; answers on their way and kept ones are still of before."""
    deadline = time.monotonic() + 90
    while not holds(shares := shares_right(world)):
        assert time.monotonic() < deadline, shares
    return shares


def test_a_broken_model_drags_another_along_until_it_is_mended(world: World) -> None:
    """With a turned sign one version is wrong, the other is not, and the model that reads both is wrong more often."""
    until(lambda: set(world.counts().get("flood", Counts()).rows_by_version) == {"1", "2"})
    assert min(shares_right(world).values()) > 0.75
    turned = {"kind": "units", "model": "flood", "version": "2", "feature": "elevation", "factor": -1.0}
    world.begin("step", _FAULT.validate_python(turned))
    broken = eventually_right(world, lambda right: right["flood:2"] < 0.5 and right["building:1"] < 0.7)
    assert broken["flood:1"] > 0.75
    world.end("step")
    world.end("step")
    eventually_right(world, lambda right: min(right.values()) > 0.75)
    counts = world.counts()["flood"]
    assert (counts.failed, counts.labels_failed) == (0, 0), counts.last_failure
    until(lambda: world.counts()["flood"].labels > 0)


def test_a_failing_version_says_so_and_the_gateway_asks_again(world: World) -> None:
    """Half of its requests fail, which its own counts show; whoever asks still gets an answer."""
    broken = {"kind": "failing", "model": "flood", "version": "1", "share": 0.5}
    world.begin("step", _FAULT.validate_python(broken))
    until(lambda: world.failures().get(("flood", "1"), 0) > 0)
    world.end("step")
    assert world.failures()["flood", "2"] == world.failures()["building", "1"] == 0
    assert min(world.rows().values()) > 0
    assert world.counts()["flood"].failed == 0


def test_probes_get_the_same_answers_until_the_model_is_replaced(world: World) -> None:
    """Two runs of a third party's probe set have one fingerprint; behind the same name another model has another."""
    probe = world.probes["building"]
    assert probe.version == "1"
    probes = read_set(world._settings, "building", probe)

    def fingerprint() -> str:
        with Asker(probe.endpoint, 5.0) as asker:
            result = asker.run(probes, probe.digest, "1", 0)
        assert all(result.exact)
        return result.fingerprint

    known = fingerprint()
    assert fingerprint() == known
    world.begin("step", _FAULT.validate_python({"kind": "replaced", "model": "building", "factor": -1.0}))
    assert fingerprint() != known
    world.end("step")
    assert fingerprint() == known


def test_the_server_refuses_what_it_cannot_read_and_takes_one_table(world: World) -> None:
    """A body without the inputs is answered with 400 and a reason; one table of numbers is as good as its columns."""
    with httpx.Client(base_url=f"{world.url}/v2/models/building", trust_env=False) as client:
        for inputs in ([], [{"name": "year", "shape": [1], "datatype": "FP64", "data": [1900.0]}]):
            refused = client.post("/infer", json={"inputs": inputs})
            assert refused.status_code == 400
            assert refused.json()["error"]
        table = {"name": "t", "shape": [2, 2], "datatype": "FP64", "data": [[0.1, 1950.0], [0.9, 2000.0]]}
        answer = client.post("/infer", json={"id": "a", "inputs": [table]}).json()
    assert answer["model_version"] == "1"
    assert [len(output["data"]) for output in answer["outputs"]] == [2, 2, 2]
