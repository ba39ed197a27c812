"""Two versions of a classifier of space shuttle sensor readings, trained on the stream that the demonstration serves.

The data is UCI Statlog (Shuttle) as bundled with river: 49,097 rows of nine sensors, 7 % of them anomalies. In file
order it is stationary enough to serve as it stands: between 2,000 rows and any later 500, no sensor's PSI (deciles)
reaches 0.1.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError

Array = NDArray[np.float64]

MODEL = "shuttle"
VERSIONS = ("1", "2")
SENSORS = tuple(f"f{n}" for n in range(1, 10))
CLASSES = ("normal", "anomaly")
TRAINING_ROWS = 14_000
_ROWS = {"1": 6_000, "2": 14_000}
_PENALTY = {"1": 10.0, "2": 1.0}
_CLIP = 6.0
_MAX_ARTEFACT = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Classifier:
    """Logistic regression on sensors that are centred, scaled and clipped.

    centre, scale
        Median and interquartile range of each sensor in training.
    weights
        Intercept, then one weight a sensor, of the log-odds of an anomaly.
    """

    centre: Array
    scale: Array
    weights: Array

    def predict(self, rows: Array) -> tuple[NDArray[np.intp], Array]:
        """Return for each row the index into CLASSES and the probability of that class (0.5 to 1)."""
        odds = np.clip(_design(rows, self.centre, self.scale) @ self.weights, -30.0, 30.0)
        anomaly = 1.0 / (1.0 + np.exp(-odds))
        return (anomaly > 0.5).astype(np.intp), np.maximum(anomaly, 1.0 - anomaly)

    def to_json(self) -> str:
        """Return the artefact: plain numbers, nothing that runs when it is loaded."""
        fields = {"centre": self.centre, "scale": self.scale, "weights": self.weights}
        return json.dumps({name: values.tolist() for name, values in fields.items()}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> "Classifier":
        """Read an artefact; SchemaError when it is not one."""
        if len(text) > _MAX_ARTEFACT:
            raise SchemaError(f"this is no classifier of the shuttle model: {len(text)} characters")
        try:
            value = json.loads(text)
            made = Classifier(*(np.asarray(value[name], np.float64) for name in ("centre", "scale", "weights")))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise SchemaError(f"this is no classifier of the shuttle model: {str(error)[:100]}") from error
        shapes = [values.shape for values in (made.centre, made.scale, made.weights)]
        finite = all(np.isfinite(values).all() for values in (made.centre, made.scale, made.weights))
        if shapes != [(9,), (9,), (10,)] or not finite or not (made.scale > 0).all():
            raise SchemaError(f"this is no classifier of the shuttle model: shapes {shapes}, finite {finite}")
        return made


def read_rows() -> tuple[Array, NDArray[np.intp]]:
    """Return the sensor readings [n, 9] and for each row 1 where it is an anomaly, in file order."""
    from river.datasets import Shuttle  # half a second to import, and only trainer and traffic need it

    with gzip.open(Shuttle().path, "rt") as file:
        next(file)
        table = np.loadtxt(file, delimiter=",")
    return np.ascontiguousarray(table[:, :9]), table[:, 9].astype(np.intp)


def digest(rows: Array, anomaly: NDArray[np.intp]) -> str:
    """Return the SHA-256 of training data: little-endian doubles row by row, the class last in each."""
    table = np.column_stack((rows, anomaly)).astype("<f8")
    return hashlib.sha256(table.tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class Training:
    """A trained version, the digest of the rows it learned from and its accuracy on rows it has not seen."""

    version: str
    classifier: Classifier
    rows: int
    data_digest: str
    accuracy: float


def train(seed: int) -> Iterator[Training]:
    """Train each version on rows drawn by `seed` from the first TRAINING_ROWS; the same seed gives the same models."""
    rows, anomaly = read_rows()
    held_out, truth = rows[TRAINING_ROWS:], anomaly[TRAINING_ROWS:]
    for version in VERSIONS:
        drawn = np.sort(np.random.default_rng(seed).permutation(TRAINING_ROWS)[: _ROWS[version]])
        classifier = fit(rows[drawn], anomaly[drawn], _PENALTY[version])
        accuracy = float((classifier.predict(held_out)[0] == truth).mean())
        yield Training(version, classifier, len(drawn), digest(rows[drawn], anomaly[drawn]), accuracy)


def fit(rows: Array, anomaly: NDArray[np.intp], penalty: float) -> Classifier:
    """Fit by iteratively reweighted least squares with an L2 penalty (Hastie et al., 2009, 4.4.1)."""
    centre = np.median(rows, axis=0)
    low, high = np.quantile(rows, [0.25, 0.75], axis=0)
    scale = np.maximum(high - low, 1.0)
    design = _design(rows, centre, scale)
    weights = np.zeros(design.shape[1])
    for _ in range(25):
        chance = 1.0 / (1.0 + np.exp(-np.clip(design @ weights, -30.0, 30.0)))
        curvature = (design * (chance * (1.0 - chance))[:, None]).T @ design + penalty * np.eye(len(weights))
        weights = weights - np.linalg.solve(curvature, design.T @ (chance - anomaly) + penalty * weights)
    return Classifier(centre, scale, weights)


def _design(rows: Array, centre: Array, scale: Array) -> Array:
    # Some readings are thousands of times the usual: clipping keeps one such sensor from deciding alone.
    scaled = np.clip((rows - centre) / scale, -_CLIP, _CLIP)
    return np.column_stack((np.ones(len(rows)), scaled))
