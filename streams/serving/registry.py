"""A model in an MLflow registry: versions with artefact, signature, card and lineage, an alias, one known good."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from schemas.errors import EffectError
from streams.targets.mlflow_registry import ask, open_registry

_DIGITS = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One version.

    artefact
        Name and text of the file that a server loads.
    flavour
        What MLflow's model file says of how to load it.
    """

    version: str
    artefact: tuple[str, str]
    card: str
    data_digest: str
    flavour: Mapping[str, object] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A model as it shall stand in the registry.

    inputs
        Each input by name, and whether it is text; else a number.
    """

    model: str
    says: str
    inputs: Mapping[str, bool]
    versions: Sequence[Published]
    alias: str
    champion: str
    known_good: str


def register(uri: str, artefacts: Path, models: Sequence[Registered]) -> None:
    """Register every model; EffectError where the registry numbers a version otherwise than it is called."""
    client = open_registry(uri, create=True)
    for model in models:
        where = (artefacts / model.model).resolve().as_uri()
        experiment = ask(uri, partial(client.create_experiment, model.model, artifact_location=where))
        ask(uri, partial(client.create_registered_model, model.model, description=model.says))
        for published in model.versions:
            version = ask(uri, partial(_register, client, experiment, model, published))
            if version != published.version:
                raise EffectError(
                    f"the registry {uri} numbered version {published.version} of {model.model} {version}; "
                    "versions in a registry are called 1, 2, 3 and so on",
                    retryable=False,
                )
        ask(uri, partial(client.set_model_version_tag, model.model, model.known_good, "known_good", "true"))
        ask(uri, partial(client.set_registered_model_alias, model.model, model.alias, model.champion))


def _register(client: Any, experiment: str, model: Registered, published: Published) -> str:
    """Log a run with the artefact, and register it as the next version; return the version."""
    run_id = client.create_run(experiment, run_name=f"{model.model}-{published.version}").info.run_id
    for name, value in (dict(published.params) | {"data_digest": published.data_digest}).items():
        client.log_param(run_id, name, value)
    for name, measured in published.metrics.items():
        client.log_metric(run_id, name, measured)
    client.log_inputs(run_id, datasets=[_data(model, published)])
    with tempfile.TemporaryDirectory(prefix="headgate-") as folder:
        name, text = published.artefact
        (Path(folder) / name).write_text(text)
        (Path(folder) / "MLmodel").write_text(json.dumps(_mlmodel(run_id, model, published)))
        client.log_artifacts(run_id, folder, "model")
    client.set_terminated(run_id)
    version = client.create_model_version(
        model.model,
        f"runs:/{run_id}/model",
        run_id,
        tags={"data_digest": published.data_digest},
        description=published.card,
    )
    return str(version.version)


def _data(model: Registered, published: Published) -> Any:
    """Return what a run says of the rows that it learnt from; MLflow's digests have at most 36 characters."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    digest = published.data_digest[:_DIGITS]
    source = json.dumps({"sha256": published.data_digest})
    rows = Dataset(name=f"{model.model}-training", digest=digest, source_type="local", source=source)
    return DatasetInput(dataset=rows, tags=[InputTag("mlflow.data.context", "training")])


def _mlmodel(run_id: str, model: Registered, published: Published) -> dict[str, object]:
    """Return MLflow's model file (YAML; JSON is YAML). ModelSignature itself needs pandas, which we do not."""
    from mlflow.types.schema import ColSpec, DataType, Schema

    kinds = {name: DataType.string if text else DataType.double for name, text in model.inputs.items()}
    inputs = Schema([ColSpec(kind, name) for name, kind in kinds.items()])
    outputs = Schema([ColSpec(DataType.string, "class"), ColSpec(DataType.double, "confidence")])
    return {
        "artifact_path": "model",
        "flavors": dict(published.flavour),
        "run_id": run_id,
        "signature": {"inputs": inputs.to_json(), "outputs": outputs.to_json(), "params": None},
    }
