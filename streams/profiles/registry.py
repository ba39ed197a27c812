"""A reference profile from a model registry: an artefact of the run that a registered version comes from."""

import tempfile
from pathlib import Path, PurePosixPath

from agents.detection.reference import MAX_BYTES
from schemas.errors import EffectError
from streams.targets.mlflow_registry import MlflowTarget, ask, open_registry

TAG = "headgate.profile"
"""Tag of a model version that says where the profile is among its run's artefacts."""

DEFAULT = "headgate.hgp"


def registered(uri: str, model: str, version: str) -> bytes:
    """Return the profile's bytes, as they are there; EffectError where the registry has none, or it is too large."""
    lineage = MlflowTarget(uri).lineage(model, version)
    where = lineage.tags.get(TAG, DEFAULT)
    path = PurePosixPath(where)
    if path.is_absolute() or ".." in path.parts or not path.name:
        said = f"the tag {TAG} of {model} version {version} is no path below the run: {where[:80]!r}"
        raise EffectError(said, retryable=False)
    client = open_registry(uri)
    folder = "" if len(path.parts) == 1 else str(path.parent)
    files = ask(uri, lambda: list(client.list_artifacts(lineage.run_id, folder or None))) if lineage.run_id else []
    found = next((file for file in files if file.path == str(path)), None)
    if found is None:
        raise EffectError(f"the run of {model} version {version} has no artefact {where[:80]!r}", retryable=False)
    if (found.file_size or 0) > MAX_BYTES:
        said = f"{where[:80]!r} has {found.file_size} bytes; a profile has at most {MAX_BYTES}"
        raise EffectError(said, retryable=False)
    with tempfile.TemporaryDirectory(prefix="headgate-") as below:
        local = ask(uri, lambda: client.download_artifacts(lineage.run_id, str(path), below))
        with Path(local).open("rb") as file:
            return file.read(MAX_BYTES + 1)
