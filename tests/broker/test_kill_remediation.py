"""Remediation on a real Envoy and MLflow, killed between any two steps: no action is lost, repeated or invented."""

import json
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from streams.local.gateway import Envoy, Route, Version
from streams.settings import Settings
from streams.targets.mlflow_registry import open_registry
from tests.crew import Crew, Feed
from tests.plain import wait_until
from tests.understudy import Understudy

pytestmark = pytest.mark.broker

MODELS = [f"m{number}" for number in range(28)]
STAGES = ("ActionStarted", "PlanProposed", "PlanAuthorised", "ActionStarted", "ActionFinished")
NOBODY = ("127.0.0.1:9",)
BEFORE = {"envoy": {"1": 50, "2": 50}, "mlflow": {"version": "2"}}
AFTER = {"envoy": {"1": 100, "2": 0}, "mlflow": {"version": "1"}}
SYSTEMS = "version = 1\n" + "".join(
    f'[systems.s-{model}]\nscope = "a test"\n[systems.s-{model}.models.{model}]\nversions = ["1", "2"]\n'
    f'known_good = "1"\ntraffic = "envoy:{model}"\nregistry = "mlflow:{model}/champion"\n'
    for model in MODELS
)


class History:
    """What each target showed and since when, read beside Headgate: Envoy's admin port, and the registry's file."""

    def __init__(self, admin: str, database: Path) -> None:
        self.states: dict[str, list[tuple[float, dict[str, object]]]] = {}
        self._http = httpx.Client(base_url=admin, timeout=5.0, trust_env=False)
        self._database = database

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def look(self, _: int = 0) -> None:
        """Note what has changed since the last look."""
        entries = self._http.get("/runtime", params={"format": "json"}).json()["entries"]
        for model in MODELS:
            key = f"routing.traffic_split.{model}.{model}-"
            self._note(f"envoy:{model}", {v: int(entries[key + v]["final_value"]) for v in ("1", "2")})
        registry = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=20)
        for model, version in registry.execute("select name, version from registered_model_aliases").fetchall():
            self._note(f"mlflow:{model}/champion", {"version": str(version)})
        registry.close()

    def _note(self, target: str, state: dict[str, object]) -> None:
        known = self.states.setdefault(target, [])
        if not known or known[-1][1] != state:
            known.append((time.time(), state))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions of each model, the alias on the second."""
    folder = tmp_path_factory.mktemp("registry")
    client = open_registry(f"sqlite:///{folder}/mlflow.db", create=True)
    run = client.create_run(client.create_experiment("training", folder.as_uri())).info.run_id
    (folder / "MLmodel").write_text("{}")
    client.log_artifact(run, str(folder / "MLmodel"), "model")
    for model in MODELS:
        client.create_registered_model(model)
        for _ in range(2):
            client.create_model_version(model, f"runs:/{run}/model", run)
        client.set_registered_model_alias(model, "champion", "2")
    return folder / "mlflow.db"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Envoy]:
    """Envoy with half of each model's traffic on either version; the weights are all that matters."""
    versions = {"1": Version(50, NOBODY), "2": Version(50, NOBODY)}
    with Envoy(tuple(Route(model, versions) for model in MODELS), tmp_path / "envoy") as started:
        yield started


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str], gateway: Envoy, registry: Path) -> Iterator[Crew]:
    """A ledger that knows the models and their targets."""
    reached = {"HEADGATE_ENVOY_ADMIN": gateway.admin, "HEADGATE_MLFLOW_URI": f"sqlite:///{registry}"}
    with Crew(settings, environ | reached) as made:
        yield made.open(systems=SYSTEMS.encode())


@pytest.fixture
def history(gateway: Envoy, registry: Path) -> Iterator[History]:
    """What the targets show, from the beginning on."""
    made = History(gateway.admin, registry)
    yield made
    made.close()


class Drama:
    """Incidents one after another, and kills of remediation as soon as something of each kind has happened."""

    def __init__(self, crew: Crew, dice: random.Random) -> None:
        self.crew, self.dice = crew, dice
        self.understudy = Understudy(crew, frozenset({"triage", "approval", "people"}))
        self.opened: list[str] = []
        self.restarts: list[tuple[float, frozenset[str]]] = []
        self.kills = 0

    def open_intents(self) -> frozenset[str]:
        """Return the intents whose outcome is not known."""
        finished = {body["intent"] for body in self.crew.audit.events("ActionFinished")}
        return frozenset(body["intent"] for body in self.crew.audit.events("ActionStarted")) - finished

    def kill_at(self, stage: str) -> None:
        """Open two incidents, wait for an event of this kind, and kill a seeded moment later."""
        before = len(self.crew.audit.events(stage))
        for _ in range(2):
            self.opened.append(self.understudy.incident(len(self.opened)))
        wait_until(lambda: len(self.crew.audit.events(stage)) > before, stage)
        time.sleep(self.dice.uniform(0, 0.05))  # the stimulus: a seeded moment
        self.crew.kill("remediation")
        left = len(self.opened) - len(self.crew.audit.events("CaseRecovering"))
        intents = self.open_intents()
        self.crew.again("remediation")
        self.restarts.append((time.time(), intents))
        self.kills += left > 0


def check_ledger(drama: Drama) -> dict[str, float]:
    """Each step of each plan is done once, under an authorisation; return when each target's action began."""
    audit, began = drama.crew.audit, dict[str, float]()
    authorised: set[str] = set()
    for entry in audit.read():
        for name, body in entry.events:
            if name == "PlanAuthorised":
                authorised.add(body["plan"])
            if name == "ActionStarted":
                assert body["plan"] in authorised
                assert json.loads(body["desired"]) == AFTER[body["target"].partition(":")[0]]
                began.setdefault(body["target"], entry.at)
    finished = audit.events("ActionFinished")
    assert sorted(body["target"] for body in finished) == sorted(began)
    assert {body["outcome"] for body in finished} == {"done"}
    assert len(began) == 2 * len(drama.opened), "two targets a model"
    assert audit.events("PlanEnded") == []
    assert audit.events("ActionRestored") == []
    plans = [body["incident"] for body in audit.events("PlanProposed")]
    assert sorted(plans) == drama.opened, "one plan a case"
    return began


def check_outcomes_in_time(drama: Drama) -> None:
    """The outcome of each intent that was open at a kill was known within 60 s of the last restart before it."""
    known = {
        body["intent"]: entry.at
        for entry in drama.crew.audit.read()
        for name, body in entry.events
        if name == "ActionFinished"
    }
    restarted = {intent: at for at, intents in drama.restarts for intent in intents}
    assert restarted, "some kills fell between an intent and its outcome"
    late = {intent: known[intent] - at for intent, at in restarted.items() if known[intent] - at > 60}
    assert not late


@pytest.mark.parametrize("kills", [10])
def test_every_approved_step_is_done_once_through_kills_between_any_two(
    crew: Crew, history: History, kills: int
) -> None:
    """SIGKILLs after plan, approval, intent and outcome: each step is done once, and no target shows anything else."""
    drama = Drama(crew, random.Random(11))
    crew.start("remediation")
    with Feed(history.look, every=0.02), Feed(lambda _: drama.understudy.turn(), every=0.03):
        for number in range(len(MODELS) // 2):
            drama.kill_at(STAGES[number % len(STAGES)])
            if drama.kills >= kills:
                break
        assert drama.kills >= kills, "it was killed at work"
        wait_until(lambda: len(crew.audit.events("CaseRecovering")) == len(drama.opened), "all plans are done")
    history.look()
    began = check_ledger(drama)
    check_outcomes_in_time(drama)
    for target, states in history.states.items():
        scheme = target.partition(":")[0]
        wanted = [BEFORE[scheme], AFTER[scheme]] if target in began else [BEFORE[scheme]]
        assert [state for _, state in states] == wanted, target
        assert all(since >= began[target] for since, _ in states[1:]), "not before its intent was durable"
