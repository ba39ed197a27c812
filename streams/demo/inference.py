"""The Open Inference Protocol V2 in JSON, as far as one tensor of sensor readings needs it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from schemas.errors import SchemaError
from streams.demo.models import MODEL, SENSORS, Array

MAX_ROWS = 256
MAX_LABELS = 1024
MAX_BODY = 262_144
_MAX_ID = 100


@dataclass(frozen=True, slots=True)
class Question:
    """What a request asks: its id (empty when the caller gave none) and its rows [n, 9]."""

    id: str
    rows: Array


def read_question(body: Any) -> Question:
    """Check a request; SchemaError tells the caller what is wrong with it."""
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise SchemaError("the request must have one input tensor")
    tensor, asked_id = inputs[0], body.get("id", "")
    shape, width = tensor.get("shape"), len(SENSORS)
    if not isinstance(shape, list) or len(shape) != 2 or not all(type(size) is int for size in shape):
        raise SchemaError(f"the shape must be [rows, {width}]")
    if not 1 <= shape[0] <= MAX_ROWS or shape[1] != width or tensor.get("datatype") != "FP64":
        raise SchemaError(f"the tensor must be FP64 of shape [1-{MAX_ROWS}, {width}]")
    if not isinstance(asked_id, str) or len(asked_id) > _MAX_ID:
        raise SchemaError(f"the id must be text of at most {_MAX_ID} characters")
    try:
        rows = np.asarray(tensor.get("data"), dtype=np.float64).reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise SchemaError("the data must be as many numbers as the shape says, nested or flat") from error
    if not np.isfinite(rows).all():
        raise SchemaError("the data must be finite")
    return Question(asked_id, rows)


def answer(version: str, request_id: str, classes: list[str], confidence: Array) -> dict[str, object]:
    """Return the response body."""
    count = [len(classes)]
    return {
        "model_name": MODEL,
        "model_version": version,
        "id": request_id,
        "outputs": [
            {"name": "class", "shape": count, "datatype": "BYTES", "data": classes},
            {"name": "confidence", "shape": count, "datatype": "FP64", "data": confidence.tolist()},
        ],
    }


def read_labels(body: Any) -> list[tuple[str, str]]:
    """Check a report of what turned out to be true: ``{"labels": [{"prediction_id": …, "label": …}]}``."""
    labels = body.get("labels") if isinstance(body, dict) else None
    if not isinstance(labels, list) or len(labels) > MAX_LABELS:
        raise SchemaError(f"the report must have a list of at most {MAX_LABELS} labels")
    told: list[tuple[str, str]] = []
    for entry in labels:
        pair = (entry.get("prediction_id"), entry.get("label")) if isinstance(entry, dict) else (None, None)
        if not all(isinstance(text, str) and 0 < len(text) <= 2 * _MAX_ID for text in pair):
            raise SchemaError("each label needs prediction_id and label, both text")
        told.append((str(pair[0]), str(pair[1])))
    return told
