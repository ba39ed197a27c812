"""The demonstration's model in an MLflow registry: two versions with artefact, signature, model card and lineage."""

import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from schemas.errors import EffectError, SchemaError
from streams.demo.models import CLASSES, MODEL, SENSORS, Classifier, Training, train
from streams.targets.mlflow_registry import ask, open_registry

ALIAS = "champion"
KNOWN_GOOD = "1"
_CARD = """Shuttle sensor classifier, version {version}.

Intended use: demonstration; flags anomalous readings of nine sensors. Not for flight.
Training data: UCI Statlog (Shuttle), {rows} rows, SHA-256 {digest}.
Evaluation: accuracy {accuracy:.4f} on 35,097 later rows. Confidence is the probability of the class told.
Limits: linear in clipped sensors; readings in other units are not recognised.
"""


def publish(uri: str, artefacts: Path, seed: int) -> None:
    """Train both versions and register them, the champion alias on 2 and 1 tagged known good."""
    client = open_registry(uri, create=True)
    experiment = ask(uri, lambda: client.create_experiment(MODEL, artifact_location=artefacts.resolve().as_uri()))
    ask(uri, lambda: client.create_registered_model(MODEL, description="Anomalies in shuttle sensor readings"))
    for training in train(seed):
        version = ask(uri, partial(_register, client, experiment, training, seed))
        if version != training.version:
            raise EffectError(f"the registry {uri} numbered version {training.version} {version}", retryable=False)
    ask(uri, lambda: client.set_model_version_tag(MODEL, KNOWN_GOOD, "known_good", "true"))
    ask(uri, lambda: client.set_registered_model_alias(MODEL, ALIAS, "2"))


def load(uri: str, version: str) -> Classifier:
    """Load a version from the registry; EffectError when it has none, SchemaError when the artefact is no model."""
    client = open_registry(uri)
    found = ask(uri, lambda: client.get_model_version(MODEL, version))
    with tempfile.TemporaryDirectory(prefix="headgate-") as folder:
        path = ask(uri, lambda: client.download_artifacts(found.run_id, "model/classifier.json", folder))
        try:
            return Classifier.from_json(Path(path).read_text())
        except UnicodeDecodeError as error:
            raise SchemaError("this is no classifier of the shuttle model: not text") from error


def _register(client: Any, experiment: str, training: Training, seed: int) -> str:
    """Log a run with the artefact, and register it as the next version; return the version."""
    run_id = client.create_run(experiment, run_name=f"{MODEL}-{training.version}").info.run_id
    for name, value in {"seed": seed, "rows": training.rows, "data_digest": training.data_digest}.items():
        client.log_param(run_id, name, value)
    client.log_metric(run_id, "accuracy", training.accuracy)
    with tempfile.TemporaryDirectory(prefix="headgate-") as folder:
        (Path(folder) / "classifier.json").write_text(training.classifier.to_json())
        (Path(folder) / "MLmodel").write_text(json.dumps(_mlmodel(run_id)))
        client.log_artifacts(run_id, folder, "model")
    client.set_terminated(run_id)
    version = client.create_model_version(
        MODEL,
        f"runs:/{run_id}/model",
        run_id,
        tags={"data_digest": training.data_digest},
        description=_CARD.format(
            version=training.version, rows=training.rows, digest=training.data_digest, accuracy=training.accuracy
        ),
    )
    return str(version.version)


def _mlmodel(run_id: str) -> dict[str, object]:
    """Return MLflow's model file (YAML; JSON is YAML). ModelSignature itself needs pandas, which we do not."""
    from mlflow.types.schema import ColSpec, DataType, Schema

    inputs = Schema([ColSpec(DataType.double, sensor) for sensor in SENSORS])
    outputs = Schema([ColSpec(DataType.string, "class"), ColSpec(DataType.double, "confidence")])
    return {
        "artifact_path": "model",
        "flavors": {"headgate_demo": {"data": "classifier.json", "classes": list(CLASSES)}},
        "run_id": run_id,
        "signature": {"inputs": inputs.to_json(), "outputs": outputs.to_json(), "params": None},
    }
