"""Batches as arrays: what fits is shared, what does not is refused in one sentence."""

from dataclasses import replace

import numpy as np
import pytest

from agents.detection.columns import decode
from schemas.errors import SchemaError
from schemas.telemetry import Column
from schemas.values import Mode
from tests.traffic import batch, column

GOOD = batch(
    {
        "f": np.array([1.0, 2.0, 3.0]),
        "n": np.array([1, 2, 3]),
        "kind": ["x", "y", "x"],
        "prediction_id": ["1", "2", "3"],
    }
)


def test_columns_share_the_bytes_of_the_batch() -> None:
    """Numbers and codes are views on the batch's own bytes, and strings are found by code."""
    rows = decode(GOOD)
    f, n, kind, _ = rows.columns
    assert (f.values.tolist(), n.values.tolist(), kind.strings()) == ([1, 2, 3], [1, 2, 3], ["x", "y", "x"])
    assert not f.values.flags.owndata
    assert (f.text, kind.text) == (False, True)
    assert rows.with_role("prediction_id") is rows.named()["prediction_id"]
    assert rows.with_role("confidence") is None
    assert rows.mode == Mode.REALTIME


def test_a_part_of_the_rows_knows_its_position() -> None:
    """A part keeps the columns' cells, flags and the position of its first row."""
    flagged = column("g", np.zeros(3), flags=b"\0\1\2")
    rows = decode(replace(GOOD, first_position=10, columns=(*GOOD.columns, flagged)))
    part = rows.between(1, 3)
    assert (part.rows, part.first_position) == (2, 11)
    assert part.named()["f"].values.tolist() == [2, 3]
    flags = part.named()["g"].flags
    assert flags is not None
    assert flags.tolist() == [1, 2]
    assert rows.between(0, 9) is rows
    assert rows.between(5, 9).rows == 0


def test_text_cells_that_are_not_present_are_none() -> None:
    """A flagged text cell is None, whatever its code says; a dictionary may be empty when all are flagged."""
    empty = Column(name="t", role="feature", kind="string", values=bytes(6), flags=b"\1\1\1")
    assert decode(replace(GOOD, columns=(empty,))).columns[0].values.tolist() == [0, 0, 0]
    some = column("t", ["x", "y", "x"], flags=b"\0\1\0")
    assert decode(replace(GOOD, columns=(some,))).columns[0].strings() == ["x", None, "x"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"rows": 0}, "1 to 4096 rows"),
        ({"rows": 5000}, "1 to 4096 rows"),
        ({"rows": 2}, "bytes; 2 rows need 16"),
        ({"model": ""}, "name of a model"),
        ({"version": "v" * 300}, "name of a version"),
        ({"source": ""}, "name of a source"),
        ({"first_position": -1}, "has the position -1"),
        ({"first_position": 2**63 - 3}, "has the position 9223372036854775805"),
        ({"columns": GOOD.columns * 200}, "at most 512 columns"),
        ({"columns": GOOD.columns[:1] * 2}, "same name"),
        ({"columns": (column("a", np.zeros(3), "confidence"), column("b", np.zeros(3), "confidence"))}, "one role"),
        ({"columns": (Column(name="f", role="feature", kind="float", values=b""),)}, "kind 'float'"),
        ({"columns": (column("f", np.zeros(3), flags=b"\0"),)}, "1 flags for 3 rows"),
        ({"columns": (column("f", np.zeros(3), flags=b"\0\0\7"),)}, "flag 7"),
        ({"columns": (column("", np.zeros(3), "feature"),)}, "name of a column"),
        ({"columns": (replace(column("f", np.zeros(3)), dictionary=("x",)),)}, "has a dictionary"),
        ({"columns": (replace(column("t", ["x", "y", "x"]), dictionary=("x",)),)}, "code 1"),
        ({"columns": (replace(column("t", ["x", "x", "x"]), dictionary=()),)}, "code 0"),
        ({"columns": (replace(column("t", ["x"] * 3), dictionary=tuple(map(str, range(1001)))),)}, "at most 1000"),
        ({"columns": (replace(column("prediction_id", ["x"] * 3), dictionary=tuple("abcd")),)}, "at most 3"),
    ],
)
def test_a_batch_that_contradicts_itself_is_refused(change: dict[str, object], reason: str) -> None:
    """The first thing that is wrong is named."""
    with pytest.raises(SchemaError, match=reason):
        decode(replace(GOOD, **change))  # type: ignore[arg-type]
