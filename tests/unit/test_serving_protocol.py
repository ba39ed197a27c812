"""What a model server is asked by column: taken as it is meant, and refused where it cannot be read."""

from typing import Any

import numpy as np
import pytest

from schemas.errors import SchemaError
from streams.serving.protocol import MAX_ROWS, MAX_TENSORS, read_columns, tensor

WANTED = ("age", "ward")
AGE, WARD = tensor("age", [1.0, 2.0]), tensor("ward", ["a", "b"])


def asked(*inputs: Any, **fields: Any) -> dict[str, Any]:
    """Return a request."""
    return {"id": "q", "inputs": list(inputs), **fields}


def test_columns_arrive_as_numbers_and_texts() -> None:
    """Each tensor is a column, in any order, and one that nobody wants is kept."""
    read = read_columns(asked(WARD, AGE, tensor("group:sex", ["f", "m"])), WANTED)
    assert (read.id, read.rows, read.columns["ward"], read.columns["group:sex"]) == ("q", 2, ["a", "b"], ["f", "m"])
    assert np.array_equal(read.columns["age"], [1.0, 2.0])


def test_one_table_is_its_columns() -> None:
    """A tensor of rows and columns is the wanted columns in their order."""
    table = {"name": "t", "shape": [3, 2], "datatype": "FP64", "data": [1, 2, 3, 4, 5, 6]}
    assert np.array_equal(read_columns(asked(table), WANTED).columns["ward"], [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        asked(),
        asked(AGE),
        asked(AGE, AGE),
        asked(AGE, WARD, id=5),
        asked(AGE, tensor("ward", ["a"])),
        asked(AGE, WARD | {"shape": [3]}),
        asked(AGE, WARD | {"shape": [True]}),
        asked(AGE, WARD | {"shape": 2}),
        asked(AGE, WARD | {"name": ""}),
        asked(AGE, WARD | {"datatype": "INT8"}),
        asked(AGE, WARD | {"data": ["a", 1]}),
        asked(AGE, WARD | {"data": ["a", "x" * 300]}),
        asked(AGE | {"data": [float("nan"), 1.0]}, WARD),
        asked(*(tensor(f"f{n}", [1.0]) for n in range(MAX_TENSORS + 1))),
        asked(tensor("age", [1.0] * (MAX_ROWS + 1)), tensor("ward", ["a"] * (MAX_ROWS + 1))),
    ],
)
def test_what_cannot_be_read_is_refused(body: Any) -> None:
    """Missing, repeated, ragged, oversized and foreign tensors are a SchemaError, never another exception."""
    with pytest.raises(SchemaError):
        read_columns(body, WANTED)
