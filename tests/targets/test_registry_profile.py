"""A profile that training left in the registry is the one that a monitor gets."""

from pathlib import Path

import pytest

from schemas.errors import EffectError
from streams.profiles.registry import TAG, registered
from streams.targets.mlflow_registry import open_registry


def test_a_profile_is_fetched_from_the_run_of_a_version(tmp_path: Path) -> None:
    """By its usual name, or where the version's tag says; a path out of the run and a missing file are refused."""
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = open_registry(uri, create=True)
    experiment = client.create_experiment("training", artifact_location=(tmp_path / "artifacts").as_uri())
    client.create_registered_model("loans")
    run = client.create_run(experiment).info.run_id
    (tmp_path / "headgate.hgp").write_bytes(b"usual")
    (tmp_path / "other.hgp").write_bytes(b"other")
    client.log_artifact(run, str(tmp_path / "headgate.hgp"))
    client.log_artifact(run, str(tmp_path / "other.hgp"), "profiles")
    for tags in ({}, {TAG: "profiles/other.hgp"}, {TAG: "../../../mlflow.db"}, {TAG: "absent.hgp"}):
        client.create_model_version("loans", f"runs:/{run}/model", run, tags=tags)
    assert registered(uri, "loans", "1") == b"usual"
    assert registered(uri, "loans", "2") == b"other"
    for version in ("3", "4", "5"):
        with pytest.raises(EffectError):
            registered(uri, "loans", version)
