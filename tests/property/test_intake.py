"""Packing loses nothing and invents nothing: batches, unpacked, are the predictions that came, however they came."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.detection.columns import decode
from agents.detection.guard import Marks
from agents.intake.pack import Packer
from schemas.codec import frame, open_frame
from schemas.telemetry import Inference, InferenceBatch, Value
from schemas.values import Flag, Mode

NAMES = ("f0", "f1", "at", "prediction_id", "position", "größe")
ROLES = ("feature", "feature", "feature", "prediction", "confidence", "group")
numbers = st.floats(width=64) | st.sampled_from([0.0, 1.0, -0.0, math.inf])
texts = st.sampled_from(["red", "blue", "", "gr\u00fcn", "x" * 300])
cells = st.one_of(
    numbers.map(lambda number: (number, None)),
    numbers.map(lambda number: (number, None)),
    texts.map(lambda text: (None, text)),
    st.just((None, None)),
    st.tuples(numbers, texts),
)


@st.composite
def records(draw: st.DrawFn) -> Inference:
    """One prediction of a few models, with columns whose names and roles may clash from record to record."""
    chosen = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=4))
    roles = draw(st.permutations(ROLES))
    values = []
    for name, role in zip(chosen, roles, strict=False):
        number, text = draw(cells)
        values.append(Value(name=name, role=role, number=number, text=text))
    return Inference(
        model=draw(st.sampled_from(["m", "n" * 100])),
        version=draw(st.sampled_from(["1", "2"])),
        instance=draw(st.sampled_from(["", "a"])),
        mode=draw(st.sampled_from(list(Mode))),
        prediction_id=draw(st.sampled_from(["p", "q", "p-1", "ü"])),
        at=draw(st.integers(-(10**12), 10**13)),
        values=tuple(values),
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Inference]:
    """Predictions of which many have the same layout, as they have in life; those of one length differ in texts."""
    kinds = draw(st.lists(records(), min_size=1, max_size=3))
    count, seed = draw(st.integers(0, 60)), draw(st.integers(0, 2**32))
    dice = np.random.default_rng(seed)

    def one(kind: Inference) -> Inference:
        words = ("red", "tan", "blue")
        values = tuple(
            replace(
                v,
                number=None if v.number is None else float(dice.choice((0.0, 1.5, np.nan, np.inf, dice.normal()))),
                text=None if v.text is None else words[int(dice.integers(3))],
            )
            for v in kind.values
        )
        return replace(kind, version=str(dice.integers(2)), at=int(dice.integers(10**13)), values=values)

    return [one(kinds[int(dice.integers(len(kinds)))]) for _ in range(count)]


def packed(stream: list[Inference], cuts: list[int], rows: int = 7) -> list[bytes]:
    """Return the batches of records that come in several lots."""
    packer, made, now = Packer("T", rows=rows), [], 0.0
    values = [frame(record) for record in stream]
    bounds = sorted({min(cut, len(values)) for cut in [0, *cuts, len(values)]})
    for begin, end in pairwise(bounds):
        refused = packer.take([(i % 2, i) for i in range(begin, end)], values[begin:end], now)
        assert not refused
        made += [each.value for each in packer.due(now)]
        now += 0.1
    made += [each.value for each in packer.due(now, everything=True)]
    assert packer.held(0) is packer.held(1) is None
    return made


def same(cell: object, value: Value, *, text: bool, flag: int) -> bool:
    """Whether a cell of a batch is what the sender said, or the flag says why not."""
    said = value.text if value.number is None else value.number
    if value.number is not None and value.text is not None:
        return flag == Flag.WRONG_TYPE
    if said is None:
        return flag == Flag.NULL
    if isinstance(said, str) != text:
        return flag == Flag.WRONG_TYPE
    return flag == Flag.PRESENT and (cell == said or (said != said and cell != cell))  # noqa: PLR0124


def check(stream: list[Inference], batches: list[bytes]) -> None:
    """Every prediction stands in exactly one row, at its position, with what it said."""
    rows: dict[int, Inference] = dict(enumerate(stream))
    for value in batches:
        batch: InferenceBatch = open_frame(value, (InferenceBatch,))
        found = decode(batch)
        columns = found.named()
        ids, at = found.with_role("prediction_id"), found.with_role("at")
        assert ids is not None
        assert at is not None
        for row, position in enumerate(found.positions().tolist()):
            record = rows.pop(position)
            whose = (record.model, record.version, record.instance, record.mode)
            assert whose == (found.model, found.version, found.instance, found.mode)
            assert (ids.strings()[row], at.values[row]) == (record.prediction_id, record.at)
            given_names = {value.name: value for value in record.values}
            for name, column in columns.items():
                if column.role in {"prediction_id", "at", "position"}:
                    continue
                said = given_names.pop(name, Value(name=name, role=column.role))
                flag = 0 if column.flags is None else int(column.flags[row])
                cell = column.dictionary[column.values[row]] if column.text else float(column.values[row])
                assert column.role == said.role
                assert same(cell, said, text=column.text, flag=flag), (cell, said, flag)
            assert not given_names
    assert not rows


@settings(max_examples=60, deadline=None)
@given(streams(), st.lists(st.integers(0, 40), max_size=4))
def test_batches_hold_exactly_the_predictions_that_came(stream: list[Inference], cuts: list[int]) -> None:
    """Each prediction is one row of one batch of its model, version, instance and mode; each cell is what was said."""
    check(stream, packed(stream, cuts))


@settings(max_examples=60, deadline=None)
@given(streams(), st.lists(st.integers(0, 60), max_size=3), st.lists(st.integers(0, 60), max_size=3), st.data())
def test_a_repeat_cut_otherwise_adds_no_row(
    stream: list[Inference], cuts: list[int], again: list[int], data: st.DataObject
) -> None:
    """After a crash the same records are packed anew; by position each row still counts once."""
    first = packed(stream, cuts)
    first = first[: data.draw(st.integers(0, len(first)))]
    counted: dict[str, list[int]] = {}
    marks: dict[str, Marks] = {}
    for value in [*first, *packed(stream, again, rows=5)]:
        rows = decode(open_frame(value, (InferenceBatch,)))
        fresh = rows.between(marks.setdefault(rows.model, Marks(100)).fresh_rows(rows), rows.rows)
        counted.setdefault(rows.model, []).extend(fresh.positions().tolist() if fresh.rows else [])
    assert sorted(position for found in counted.values() for position in found) == list(range(len(stream)))


def test_bulk_and_single_reading_agree() -> None:
    """Thousands of records read by layout give the batches that they give read one by one."""
    dice = np.random.default_rng(3)
    stream = [
        Inference(
            model="m",
            version="1",
            instance="",
            mode=Mode.REALTIME,
            prediction_id=f"p-{i}",
            at=1_700_000_000_000 + i,
            values=(
                Value(name="x", role="feature", number=float(dice.normal())),
                Value(name="c", role="feature", text=("a", "bb")[int(dice.integers(2))]),
                Value(name="y", role="prediction", number=float(i % 3)),
            ),
        )
        for i in range(3000)
    ]
    values = [frame(record) for record in stream]
    bulk, single = Packer("T"), Packer("T")
    bulk.take([(0, i) for i in range(3000)], values, 0.0)
    for i, value in enumerate(values):
        single.take([(0, i)], [value], 0.0)
    once = [each.value for each in bulk.due(0.0)]
    assert once == [each.value for each in single.due(0.0)]
    check(stream, once)
