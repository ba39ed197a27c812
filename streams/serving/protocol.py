"""The Open Inference Protocol V2 in JSON: one table of numbers, or a tensor a column; and reports of the truth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError

MAX_ROWS = 256
MAX_LABELS = 1024
MAX_BODY = 262_144
MAX_TENSORS = 32
_MAX_ID = 100
_MAX_TEXT = 256

Numbers = NDArray[np.float64]
Cells = Numbers | list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """What a request asks of a table: its id (empty when the caller gave none) and its rows."""

    id: str
    rows: Numbers


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks by column: its id, how many rows, and each column's numbers or texts."""

    id: str
    rows: int
    columns: Mapping[str, Cells]


def read_table(body: Any, width: int) -> Table:
    """Check a request of one tensor [rows, width]; SchemaError tells the caller what is wrong with it."""
    tensors = _tensors(body)
    if len(tensors) != 1:
        raise SchemaError("the request must have one input tensor")
    shape = tensors[0].get("shape")
    if not isinstance(shape, list) or len(shape) != 2 or not all(type(size) is int for size in shape):
        raise SchemaError(f"the shape must be [rows, {width}]")
    if not 1 <= shape[0] <= MAX_ROWS or shape[1] != width or tensors[0].get("datatype") != "FP64":
        raise SchemaError(f"the tensor must be FP64 of shape [1-{MAX_ROWS}, {width}]")
    return Table(_id(body), _numbers(tensors[0].get("data"), shape))


def read_columns(body: Any, wanted: Sequence[str]) -> Asked:
    """Check a request of tensors [rows], FP64 or BYTES, or of one table of the `wanted` columns.

    Columns that nobody wants are kept; one that is wanted and absent is a SchemaError.
    """
    tensors = _tensors(body)
    if len(tensors) == 1 and isinstance(tensors[0].get("shape"), list) and len(tensors[0]["shape"]) == 2:
        table = read_table(body, len(wanted))
        return Asked(table.id, len(table.rows), dict(zip(wanted, table.rows.T, strict=True)))
    columns: dict[str, Cells] = {}
    sizes = set()
    for tensor in tensors:
        name, shape = tensor.get("name"), tensor.get("shape")
        if not isinstance(name, str) or not 0 < len(name) <= _MAX_ID or name in columns:
            raise SchemaError("each tensor needs a name of its own")
        if not isinstance(shape, list) or len(shape) != 1 or type(shape[0]) is not int or not 1 <= shape[0] <= MAX_ROWS:
            raise SchemaError(f"the shape of {name} must be [1-{MAX_ROWS}]")
        columns[name] = _cells(name, tensor, shape)
        sizes.add(shape[0])
    if absent := [name for name in wanted if name not in columns]:
        raise SchemaError(f"the input {absent[0]} is missing")
    if len(sizes) != 1:
        raise SchemaError("every tensor must have as many rows")
    return Asked(_id(body), sizes.pop(), columns)


def tensor(name: str, data: Sequence[str] | Sequence[float]) -> dict[str, object]:
    """Return one column as a tensor of a request or an answer."""
    kind = "BYTES" if len(data) and isinstance(data[0], str) else "FP64"
    return {"name": name, "shape": [len(data)], "datatype": kind, "data": list(data)}


def answer(
    model: str, version: str, request_id: str, outputs: Mapping[str, Sequence[str] | Sequence[float]]
) -> dict[str, object]:
    """Return the response body."""
    told = [tensor(name, data) for name, data in outputs.items()]
    return {"model_name": model, "model_version": version, "id": request_id, "outputs": told}


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


def _tensors(body: Any) -> list[dict[str, Any]]:
    inputs = body.get("inputs") if isinstance(body, dict) else None
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= MAX_TENSORS:
        raise SchemaError(f"the request must have a list of 1 to {MAX_TENSORS} input tensors")
    if not all(isinstance(tensor, dict) for tensor in inputs):
        raise SchemaError("an input tensor must be an object")
    return inputs


def _id(body: Any) -> str:
    asked_id = body.get("id", "")
    if not isinstance(asked_id, str) or len(asked_id) > _MAX_ID:
        raise SchemaError(f"the id must be text of at most {_MAX_ID} characters")
    return asked_id


def _numbers(data: Any, shape: list[int]) -> Numbers:
    try:
        rows = np.asarray(data, dtype=np.float64).reshape(shape)
    except (ValueError, TypeError, OverflowError) as error:
        raise SchemaError("the data must be as many numbers as the shape says, nested or flat") from error
    if not np.isfinite(rows).all():
        raise SchemaError("the data must be finite")
    return rows


def _cells(name: str, tensor: dict[str, Any], shape: list[int]) -> Cells:
    data = tensor.get("data")
    if tensor.get("datatype") == "FP64":
        return _numbers(data, shape)
    if tensor.get("datatype") != "BYTES" or not isinstance(data, list) or len(data) != shape[0]:
        raise SchemaError(f"{name} must be FP64, or BYTES with as many texts as the shape says")
    if not all(isinstance(text, str) and len(text) <= _MAX_TEXT for text in data):
        raise SchemaError(f"{name} must be texts of at most {_MAX_TEXT} characters")
    return data
