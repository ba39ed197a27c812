"""Single predictions: what is refused and why, what bounds a batch, what is learnt of a layout."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from agents.detection.columns import Rows, decode
from agents.detection.guard import Marks
from agents.intake.pack import Packer
from schemas.codec import frame, open_frame
from schemas.errors import SchemaError
from schemas.telemetry import MAX_CATEGORIES, Inference, InferenceBatch, Value
from schemas.values import Flag, Mode
from tests.traffic import batch, column

ONE = Inference(
    model="m",
    version="1",
    instance="",
    mode=Mode.REALTIME,
    prediction_id="p",
    at=1_700_000_000_000,
    values=(Value(name="x", role="feature", number=1.0), Value(name="y", role="prediction", text="no")),
)


def many(count: int, **changes: Any) -> list[bytes]:
    """Return framed predictions that differ in id and number."""
    first, *rest = ONE.values
    return [
        frame(replace(ONE, prediction_id=f"p{i:05}", values=(replace(first, number=float(i)), *rest), **changes))
        for i in range(count)
    ]


def packed(values: list[bytes], rows: int = 2000) -> list[Rows]:
    """Return the batches of records that stand one after the other in partition 0."""
    packer = Packer("T", rows=rows)
    assert packer.take([(0, i) for i in range(len(values))], values, 0.0) == []
    return [decode(open_frame(each.value, (InferenceBatch,))) for each in packer.due(0.0, everything=True)]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (None, "no value"),
        (b"", "too few"),
        (b"garbage", "0x67"),
        (frame(ONE)[:-3], "longer than what is left"),
        (frame(ONE) + b"\0", "follow"),
        (frame(replace(ONE, model="")), "model and version"),
        (frame(replace(ONE, version="v" * 257)), "model and version"),
        (frame(replace(ONE, values=ONE.values[:1] * 2)), "same name"),
        (frame(replace(ONE, values=(replace(ONE.values[0], role="at"),))), "a field of the record"),
        (frame(replace(ONE, values=(replace(ONE.values[0], role="prediction"), ONE.values[1]))), "one role"),
        (frame(replace(ONE, values=(replace(ONE.values[0], name=""),))), "name and the role"),
        (frame(replace(ONE, values=tuple(Value(name=str(i), role="feature") for i in range(510)))), "at most 509"),
        (frame(replace(ONE, prediction_id="p" * 1_000_001)), "1000000"),
    ],
)
def test_what_no_batch_could_hold_is_refused(value: bytes | None, why: str) -> None:
    """It is named by its index, with the reason; what stands beside it is packed."""
    values = [*many(6), value, *many(6)]
    packer = Packer("T")
    refused = packer.take([(0, i) for i in range(13)], values, 0.0)
    assert [refusal.index for refusal in refused] == [6]
    assert why in str(refused[0].error)
    assert sum(each.rows for each in packer.due(0.0, everything=True)) == 12


def test_a_group_is_given_when_it_is_full_or_has_waited() -> None:
    """Not before; until then what is held may not be acknowledged."""
    packer = Packer("T", rows=10, wait=0.25)
    packer.take([(3, 40 + i) for i in range(9)], list(many(9)), 1.0)
    assert packer.due(1.2) == []
    assert (packer.held(3), packer.held(0)) == (40, None)
    assert [each.rows for each in packer.due(1.25)] == [9]
    assert packer.held(3) is None
    packer.take([(3, 50 + i) for i in range(25)], list(many(25)), 2.0)
    assert [each.rows for each in packer.due(2.0)] == [12, 13]
    packer.take([(3, 90), (4, 7)], many(2), 3.0)
    packer.drop(3)
    assert (packer.held(3), packer.held(4)) == (None, 7)


def test_rows_state_their_positions_only_where_they_do_not_follow_one_another() -> None:
    """Two versions that take turns each have gaps; one alone has none."""
    both = [value for pair in zip(many(5), many(5, version="2"), strict=True) for value in pair]
    one, two = packed(both)
    assert (one.positions().tolist(), two.positions().tolist()) == ([0, 2, 4, 6, 8], [1, 3, 5, 7, 9])
    assert one.source != two.source
    assert packed(many(5))[0].with_role("position") is None


def test_types_that_are_mixed_in_a_column_are_flagged() -> None:
    """Most cells say what the column holds; the others are of a wrong type, and a missing one is null."""
    kinds = [1.0, "red", 2.0, None, 3.0, "blue"]
    values = [
        replace(
            ONE,
            values=(
                Value(
                    name="x",
                    role="feature",
                    number=kind if isinstance(kind, float) else None,
                    text=kind if isinstance(kind, str) else None,
                ),
            ),
        )
        for kind in kinds
    ]
    cells = packed([frame(value) for value in values])[0].named()["x"]
    assert cells.kind == "double"
    assert cells.flags is not None
    wrong, null = Flag.WRONG_TYPE, Flag.NULL
    assert cells.flags.tolist() == [0, wrong, 0, null, 0, wrong]
    assert cells.values[[0, 2, 4]].tolist() == [1.0, 2.0, 3.0]


def test_a_column_of_too_many_texts_is_cut_into_batches_that_hold_it() -> None:
    """So is a batch of more bytes than a record may have; an id may differ in every row."""
    values = [
        frame(replace(ONE, prediction_id=str(i), values=(Value(name="c", role="feature", text=f"category {i}"),)))
        for i in range(1500)
    ]
    batches = packed(values)
    assert [len(each.named()["c"].dictionary) <= MAX_CATEGORIES for each in batches] == [True, True]
    assert sum(each.rows for each in batches) == 1500
    long = [
        frame(
            replace(ONE, prediction_id=str(i), values=(Value(name="s", role="explanation", text="x" * 9000 + str(i)),))
        )
        for i in range(300)
    ]
    assert sum(each.rows for each in packed(long)) == 300


def test_long_names_are_read_like_short_ones() -> None:
    """A name of more than 63 bytes shifts what the reader guesses; it guesses only how to sort."""
    values = many(50, model="m" * 200, version="v" * 130, instance="i" * 256)
    assert [each.rows for each in packed(values)] == [50]
    assert [each.rows for each in packed([frame(replace(ONE, model="m" * 100, values=()))] * 6)] == [6]


@pytest.mark.parametrize(
    "positions",
    [np.array([5, 5, 6]), np.array([5, 4, 6]), np.array([6, 7, 8]), np.array([5, 6, 2**63 - 1]), np.zeros(3)],
)
def test_positions_that_do_not_rise_from_the_first_are_refused(positions: Any) -> None:
    """A batch whose column of positions contradicts it is no batch."""
    with pytest.raises(SchemaError):
        decode(batch({"x": np.zeros(3), "position": column("position", positions, "position")}, 5))


def test_marks_drop_the_rows_whose_position_was_seen() -> None:
    """Also in a batch whose positions have gaps; the rest goes on."""
    marks = Marks(10)

    def fresh(*positions: int) -> list[int]:
        stated = column("position", np.array(positions), "position")
        rows = decode(batch({"x": np.zeros(len(positions)), "position": stated}, positions[0]))
        left = rows.between(marks.fresh_rows(rows), rows.rows)
        return left.positions().tolist() if left.rows else []

    assert fresh(2, 5, 9) == [2, 5, 9]
    assert fresh(5, 9) == []
    assert fresh(5, 9, 11, 30) == [11, 30]
    assert marks.repeated == 4


def test_a_defect_in_reading_in_bulk_costs_no_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """The records are read one by one instead, with the same rows and the same refusals."""
    values = [*many(20), b"garbage", None]
    places = [(0, i) for i in range(22)]
    whole, broken = Packer("T"), Packer("T")
    told = [refusal.index for refusal in whole.take(places, values, 0.0)]

    def fails(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr("agents.intake.read.learn", fails)
    assert [refusal.index for refusal in broken.take(places, values, 0.0)] == told == [20, 21]
    once = [each.value for each in whole.due(1.0)]
    assert once == [each.value for each in broken.due(1.0)]


def test_layouts_that_match_by_turns_are_tried_newest_first() -> None:
    """Records of one length and other texts each have a layout; the order in which they come does not matter."""
    words = ["red", "tan", "fir"]
    values = [
        frame(replace(ONE, values=(Value(name="c", role="feature", text=words[i * i % 3]),), prediction_id=f"{i:03}"))
        for i in range(120)
    ]
    packer = Packer("T")
    for first in range(0, 120, 30):
        assert packer.take([(0, i) for i in range(first, first + 30)], values[first : first + 30], 0.0) == []
    assert decode(open_frame(packer.due(1.0)[0].value, (InferenceBatch,))).named()["c"].strings() == [
        words[i * i % 3] for i in range(120)
    ]


def test_a_defect_in_reading_in_bulk_loses_no_record_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where reading in bulk raises, each record is read by itself, and the packer says that it had to."""
    packer = Packer("T")

    def broken(*_: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(packer._reader, "read", broken)
    assert packer.take([(0, i) for i in range(5)], many(5), 0.0) == []
    (each,) = packer.due(0.0, everything=True)
    assert decode(open_frame(each.value, (InferenceBatch,))).rows == 5
    assert packer.defects == 1
