"""The demonstration's model in an MLflow registry: two versions with artefact, signature, model card and lineage."""

import tempfile
from pathlib import Path

from schemas.errors import SchemaError
from streams.demo.models import CLASSES, MODEL, SENSORS, Classifier, Training, train
from streams.serving.registry import Published, Registered, register
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
    versions = [_published(training, seed) for training in train(seed)]
    registered = Registered(
        model=MODEL,
        says="Anomalies in shuttle sensor readings",
        inputs=dict.fromkeys(SENSORS, False),
        versions=versions,
        alias=ALIAS,
        champion=versions[-1].version,
        known_good=KNOWN_GOOD,
    )
    register(uri, artefacts, [registered])


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


def _published(training: Training, seed: int) -> Published:
    return Published(
        version=training.version,
        artefact=("classifier.json", training.classifier.to_json()),
        card=_CARD.format(
            version=training.version, rows=training.rows, digest=training.data_digest, accuracy=training.accuracy
        ),
        data_digest=training.data_digest,
        flavour={"headgate_demo": {"data": "classifier.json", "classes": list(CLASSES)}},
        params={"seed": seed, "rows": training.rows},
        metrics={"accuracy": training.accuracy},
    )
