"""The adapter for MLflow, against a registry in a SQLite file."""

import json
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas import systems
from schemas.errors import EffectError
from streams.cli import systems_import
from streams.settings import load_settings
from streams.targets.mlflow_lineage import LineageReader
from streams.targets.mlflow_registry import MlflowTarget, open_registry

CHAMPION = "mlflow:shuttle/champion"


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Make a registry with versions 1 and 2 of a model; making the tables takes seconds, so once."""
    folder = tmp_path_factory.mktemp("registry")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = open_registry(uri, create=True)
    experiment = client.create_experiment("training", artifact_location=(folder / "artifacts").as_uri())
    client.create_registered_model("shuttle")
    for version in ("1", "2"):
        run = client.create_run(experiment).info.run_id
        (folder / "model").mkdir(exist_ok=True)
        (folder / "model" / "MLmodel").write_text(json.dumps({"signature": {"inputs": version}}))
        client.log_artifacts(run, str(folder / "model"), "model")
        client.create_model_version("shuttle", f"runs:/{run}/model", run, tags={"known_good": version})
    return uri


@pytest.fixture
def target(prepared: str) -> MlflowTarget:
    """Open the registry with the alias on version 2."""
    open_registry(prepared).set_registered_model_alias("shuttle", "champion", "2")
    return MlflowTarget(prepared, verify_within=0.1)


def test_the_alias_flips_and_is_read_back(target: MlflowTarget, prepared: str) -> None:
    """A second client sees the alias on the planned version."""
    change = target.plan(CHAMPION, '{"version":"1"}')
    assert (change.before, change.after) == ('{"version":"2"}', '{"version":"1"}')
    assert target.observe(CHAMPION).state == change.before
    target.apply(change, "rollback")
    target.apply(change, "rollback")
    assert target.verify(change).state == '{"version":"1"}'
    assert str(open_registry(prepared).get_model_version_by_alias("shuttle", "champion").version) == "1"


def test_the_precondition_changes_with_the_alias(target: MlflowTarget) -> None:
    """A plan made before somebody else's flip no longer matches; reverting restores it."""
    plan = target.plan(CHAMPION, '{"version":"1"}')
    snapshot = target.observe(CHAMPION)
    target.apply(plan, "behind our back")
    assert target.observe(CHAMPION).digest != plan.precondition
    assert target.revert(snapshot).digest == plan.precondition


def test_an_alias_that_was_not_there_can_be_set_and_taken_away(target: MlflowTarget) -> None:
    """Without the alias the state names no version, and reverting removes what was set."""
    fresh = "mlflow:shuttle/shadow"
    snapshot = target.observe(fresh)
    assert snapshot.state == '{"version":null}'
    change = target.plan(fresh, '{"version":"2"}')
    target.apply(change, "shadow")
    assert target.verify(change).state == '{"version":"2"}'
    assert target.revert(snapshot) == snapshot


def test_verify_tells_what_is_shown_instead(target: MlflowTarget) -> None:
    """A change that was never applied is an error that a retry may mend."""
    with pytest.raises(EffectError, match="but shows") as caught:
        target.verify(target.plan(CHAMPION, '{"version":"1"}'))
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("name", "desired", "words"),
    [
        (CHAMPION, '{"version":"9"}', "not found"),
        ("mlflow:unknown/champion", '{"version":"1"}', "not found"),
        (CHAMPION, '{"version":1}', "names no version"),
        (CHAMPION, '{"version":"1; drop"}', "names no version"),
        (CHAMPION, "null", "not a JSON object"),
        ("mlflow:shuttle", '{"version":"1"}', "cannot be the name"),
        ("envoy:shuttle", '{"version":"1"}', "not of the form"),
    ],
)
def test_what_cannot_be_done_is_refused(target: MlflowTarget, name: str, desired: str, words: str) -> None:
    """A missing version or malformed wish will not go away by retrying, and the alias stays."""
    with pytest.raises(EffectError, match=words) as caught:
        target.plan(name, desired)
    assert not caught.value.retryable
    assert target.observe(CHAMPION).state == '{"version":"2"}'


def test_lineage_names_run_source_tags_and_signature(target: MlflowTarget) -> None:
    """Two versions have their own run, source and signature digest."""
    one, two = target.lineage("shuttle", "1"), target.lineage("shuttle", "2")
    assert one.source == f"runs:/{one.run_id}/model"
    assert one.tags == {"known_good": "1"}
    assert len(one.signature) == 64
    assert one.signature != two.signature
    assert one.run_id != two.run_id


def test_a_registry_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    """A mistyped path is an error and leaves no file behind."""
    with pytest.raises(EffectError, match="no model registry"):
        MlflowTarget(f"sqlite:///{tmp_path}/nowhere/mlflow.db")
    assert not (tmp_path / "nowhere").exists()


def test_nothing_goes_out(target: MlflowTarget, monkeypatch: pytest.MonkeyPatch) -> None:
    """Observing, planning, applying and verifying open no network connection."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    change = target.plan(CHAMPION, '{"version":"1"}')
    target.apply(change, "offline")
    assert target.verify(change).state == change.after


def test_a_draft_of_the_systems_document_comes_from_the_registry(prepared: str, target: MlflowTarget) -> None:
    """`headgate systems import mlflow` declares what is registered, and what it prints can be adopted."""
    del target  # it has set the alias
    result = CliRunner().invoke(systems_import.command, ["mlflow", "--uri", prepared], obj=load_settings())
    assert result.exit_code == 0, result.output
    _, system, model = systems.read(result.stdout.encode()).find("shuttle") or pytest.fail("it is not declared")
    assert (system.tier, model.versions, model.known_good) == ("high", ("1", "2"), "2")
    assert model.registry == CHAMPION


def test_a_lineage_names_run_data_card_and_signature(prepared: str, target: MlflowTarget) -> None:
    """All that the registry knows of the version that is affected; a run that is gone is said to be."""
    del target  # it has set the alias
    client = open_registry(prepared)
    from mlflow.entities import Dataset, DatasetInput, InputTag

    found = client.get_model_version("shuttle", "2")
    data = DatasetInput(Dataset("statlog", "d-1", "local", "{}"), [InputTag("mlflow.data.context", "training")])
    client.log_inputs(found.run_id, [data])
    client.update_registered_model("shuttle", "Tells the state of a radiator")
    client.update_model_version("shuttle", "2", "trained on noon's rows")
    reader = LineageReader(prepared)
    known = reader.read("shuttle", "2")
    assert known["run"]["id"] == found.run_id
    assert known["data"] == [{"name": "statlog", "digest": "d-1", "source": "{}", "context": "training"}]
    assert known["card"] == {
        "model": "Tells the state of a radiator",
        "version": "trained on noon's rows",
        "tags": {"known_good": "2"},
        "aliases": ["champion"],
    }
    assert len(known["signature"]) == 64
    with pytest.raises(EffectError) as caught:
        reader.read("shuttle", "99")
    assert not caught.value.retryable
