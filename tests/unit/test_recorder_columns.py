"""What the recorder packs: each value in its column, flagged where it is not what the column holds."""

import struct
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from headgate.packer import Packer

from tests.recording import Endless, Hostile, batch, cells, framed, opened, still


def test_columns_hold_what_was_recorded() -> None:
    """Features come first in their order, then the rest by role, with model, version, positions and times."""
    recorder = still()
    for n in range(3):
        recorder.record(
            {"age": 30 + n, "city": "Genève" if n else "Köln"},
            prediction="yes",
            confidence=0.5,
            latency_ms=2,
            group=4,
            risk="high",
            prediction_id=f"p{n}",
            trace_id="t",
            at=1_700_000_000.5,
        )
    got = batch(recorder)
    assert (got["model"], got["version"], got["instance"], got["mode"]) == ("credit", "7", "a", "realtime")
    assert (got["source"], got["first_position"], got["rows"], got["dropped"]) == ("s", 0, 3, 0)
    assert [(column["name"], column["role"], column["kind"]) for column in got["columns"]] == [
        ("age", "feature", "double"),
        ("city", "feature", "string"),
        ("prediction", "prediction", "string"),
        ("confidence", "confidence", "double"),
        ("latency", "latency", "double"),
        ("group", "group", "string"),
        ("risk", "risk", "string"),
        ("prediction_id", "prediction_id", "string"),
        ("trace_id", "trace_id", "string"),
        ("at", "at", "long"),
    ]
    assert cells(got, "age")[0] == [30.0, 31.0, 32.0]
    assert cells(got, "city")[0] == ["Köln", "Genève", "Genève"]
    assert cells(got, "group")[0] == ["4"] * 3
    assert cells(got, "prediction_id")[0] == ["p0", "p1", "p2"]
    assert cells(got, "at")[0] == [1_700_000_000_500] * 3
    assert all(column["flags"] == b"" for column in got["columns"])


def test_groups_explanations_caller_and_cost_come_by_role() -> None:
    """Each named group is a column, called apart from a feature of its name; rows without them are null there."""
    recorder = still(hash_key=b"k", hashed=["caller"])
    recorder.record(
        {"region": 1.0}, group={"region": "north", "age": 30}, explanation="income", caller="mallory", cost=0.2
    )
    recorder.record({"region": 2.0}, group="old", explanation={"why": "x" * 300}, cost="free")
    recorder.record({"region": 3.0}, group={"age": None}, caller=Hostile(), cost=2)
    got = batch(recorder)
    said = {(c["name"], c["role"]): c["kind"] for c in got["columns"] if c["role"] not in ("feature", "at")}
    assert said == {
        ("group", "group"): "string",
        ("prediction_id", "prediction_id"): "string",
        ("_region", "group"): "string",
        ("age", "group"): "string",
        ("explanation", "explanation"): "string",
        ("why", "explanation"): "string",
        ("caller", "caller"): "string",
        ("cost", "cost"): "double",
    }
    assert cells(got, "age") == (["30"] * 3, [0, 1, 1])
    assert cells(got, "why") == (["x" * 256] * 3, [1, 0, 1])
    assert cells(got, "cost")[1] == [0, 2, 0]
    assert cells(got, "caller")[1] == [0, 1, 2]
    assert "mallory" not in str(got)


def test_too_many_groups_cost_the_row_and_many_rows_of_groups_never_the_batch() -> None:
    """More than 8 groups are dropped as `columns`, and no batch has more than 512 columns."""
    recorder = still()
    recorder.record({}, group={f"g{n}": "x" for n in range(9)})
    recorder.record({}, group={Hostile(): "x"})
    assert recorder.counters.dropped["columns"] == 2
    for n in range(100):
        recorder.record({f"f{m}": 1.0 for m in range(490)}, group={f"g{n}-{m}": "x" for m in range(7)}, risk=1)
    got = batch(recorder)
    assert got["rows"] == 2
    assert len(got["columns"]) <= 512


def test_metrics_come_in_rows_of_their_own() -> None:
    """Metrics of one name set share a batch without empty cells; positions run on, and what is no number is flagged."""
    recorder = still()
    for n in range(3):
        recorder.metric("queue_depth", n, at=1e9 + n)
        recorder.metrics({"gpu": 0.5, "at": "text"}, at=1e9)
    recorder.metric("", 1)
    recorder.metrics(Hostile())  # type: ignore[arg-type]
    recorder.metrics(Endless())
    counters = recorder.metric_counters
    assert (counters.recorded, counters.queued, sum(counters.dropped.values())) == (9, 6, 3)
    rows = recorder._courier.metrics.take(99, 99)
    packed = Packer(recorder._settings, "a", "s").metrics(rows)
    depth, gpu = (opened(part.framed) for part in packed)
    assert [(part["source"], part["first_position"], part["rows"]) for part in (depth, gpu)] == [
        ("s-metrics", 0, 3),
        ("s-metrics", 3, 3),
    ]
    assert cells(depth, "queue_depth") == ([0.0, 1.0, 2.0], [0, 0, 0])
    assert cells(depth, "at")[0] == [1_000_000_000_000 + 1000 * n for n in range(3)]
    assert [(c["name"], c["role"]) for c in gpu["columns"]] == [("gpu", "metric"), ("at", "metric"), ("_at", "at")]
    assert cells(gpu, "at")[1] == [2, 2, 2]


@pytest.mark.parametrize("column", ["feature", "prediction", "confidence", "latency"])
def test_every_kind_of_value_comes_through_in_a_number_column(column: str) -> None:
    """NaN and infinities stay, null and wrong types are flagged, and bools and numpy scalars are numbers."""
    values: list[Any] = [
        1.5,
        float("nan"),
        float("inf"),
        -float("inf"),
        None,
        "text",
        True,
        np.float32(2),
        np.int64(3),
        10**30,
    ]
    values += [10**400, Decimal("0.25"), np.bool_(True), b"bytes", [1.0], Hostile(), np.zeros(()), 7, 8]
    recorder = still()
    for value in values:
        named = {"latency": "latency_ms"}.get(column, column)
        recorder.record(
            {"feature": value} if column == "feature" else {}, **({} if column == "feature" else {named: value})
        )
    got, flags = cells(batch(recorder), column)
    nan = float("nan")
    want = [1.5, nan, float("inf"), -float("inf"), nan, nan, 1.0, 2.0, 3.0, 1e30, nan, 0.25, 1.0, *[nan] * 4, 7.0, 8.0]
    assert np.array_equal(got, want, equal_nan=True)
    assert flags == [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0, 0, 2, 2, 2, 2, 0, 0]


def test_every_kind_of_value_comes_through_in_a_text_column() -> None:
    """Null and wrong types are flagged, long texts are cut, and lone surrogates do not cost the batch."""
    recorder = still()
    for value in ["a", "b", None, 1.5, "x" * 1000, "\ud800", "", Hostile(), np.str_("n"), "a"]:
        recorder.record({"f": value})
    got, flags = cells(batch(recorder), "f")
    assert flags == [0, 0, 1, 2, 0, 0, 0, 2, 0, 0]
    assert [text for text, flag in zip(got, flags, strict=True) if not flag] == ["a", "b", "x" * 256, "?", "", "n", "a"]


def test_a_stray_text_at_the_head_does_not_turn_a_number_column() -> None:
    """The kind of a column is what most of its cells are."""
    recorder = still()
    for value in ["error", 1.0, 2.0]:
        recorder.record({"f": value})
    assert cells(batch(recorder), "f")[1] == [2, 0, 0]


def test_a_feature_missing_from_some_rows_is_null_there() -> None:
    """Rows with different features share a batch."""
    recorder = still()
    recorder.record({"a": 1.0})
    recorder.record({"b": "x", "a": 2.0})
    recorder.record({"b": "y"})
    got = batch(recorder)
    assert cells(got, "a")[1] == [0, 0, 1]
    assert cells(got, "b")[1] == [1, 0, 0]


def test_a_feature_may_be_called_like_another_column() -> None:
    """No two columns of a batch have one name; the role tells which is which."""
    recorder = still()
    recorder.record({"prediction": 1.0, "at": 2.0, "_at": 3.0}, prediction=4.0)
    columns = batch(recorder)["columns"]
    assert len({column["name"] for column in columns}) == len(columns)
    by_role = {column["role"]: column for column in columns}
    assert struct.unpack("<d", by_role["prediction"]["values"]) == (4.0,)


def test_categories_beyond_a_thousand_are_flagged() -> None:
    """A column has at most 1,000 different texts; prediction ids may all differ."""
    recorder = still()
    for n in range(1100):
        recorder.record({"f": f"c{n}"}, prediction_id=n)
    got = batch(recorder)
    assert cells(got, "f")[1] == [0] * 1000 + [2] * 100
    assert cells(got, "prediction_id")[0] == [str(n) for n in range(1100)]


def test_rows_with_too_many_or_unusable_names_are_dropped() -> None:
    """More than 500 features, in a row or in a batch together, and what is no name, are dropped as `columns`."""
    recorder = still()
    recorder.record({f"f{n}": 1.0 for n in range(501)})
    recorder.record(Endless())
    recorder.record({"x" * 257: 1.0})
    recorder.record({(1, 2): 1.0})  # type: ignore[dict-item]
    assert recorder.counters.dropped["columns"] == 4
    for start in (0, 100, 300):
        recorder.record({f"f{start + n}": 1.0 for n in range(300)})
    assert batch(recorder)["rows"] == 2


def test_only_allowed_names_leave_and_hashed_values_are_not_readable() -> None:
    """No byte of a feature that is not allowed, by name or value, is in the batch; hashes differ by key."""
    secret, name = "forbidden-value", "forbidden-name"
    found = []
    for key in (b"k1", b"k2"):
        recorder = still(features=["age", "user_id"], hash_key=key, hashed=["user_id"])
        recorder.record({"age": 3.0, name: secret, "user_id": "mallory"})
        recorder.record({name: secret})
        recorder.record({name: secret, **{f"f{n}": secret for n in range(1000)}, "age": 4.0})
        (data,) = framed(recorder)
        assert secret.encode() not in data
        assert name.encode() not in data
        assert b"mallory" not in data
        assert cells(opened(data), "age") == ([3.0, pytest.approx(float("nan"), nan_ok=True), 4.0], [0, 1, 0])
        found.append(cells(opened(data), "user_id")[0][0])
    assert found[0] != found[1]
    assert len(found[0]) == 32


def test_the_caller_may_change_its_dict_afterwards() -> None:
    """Values are taken when they are recorded."""
    recorder = still()
    features = {"f": 1.0}
    recorder.record(features)
    features["f"] = 2.0
    recorder.record(features)
    assert cells(batch(recorder), "f")[0] == [1.0, 2.0]


def test_a_recursive_value_is_a_wrong_type() -> None:
    """A list that holds itself is flagged like any other value that is no scalar."""
    loop: list[Any] = []
    loop.append(loop)
    recorder = still()
    recorder.record({"f": loop})
    assert cells(batch(recorder), "f")[1] == [2]


def test_a_prediction_without_an_id_gets_one() -> None:
    """Ids that the recorder makes are distinct."""
    recorder = still()
    for _ in range(100):
        recorder.record({})
    assert len(set(cells(batch(recorder), "prediction_id")[0])) == 100


def test_a_time_that_is_none_is_flagged() -> None:
    """Seconds, milliseconds and datetimes are taken; what is no time is flagged."""
    recorder = still()
    for at in (1.5e9, 1_500_000_000_000, "noon", float("nan"), -1, 10**40, True):
        recorder.record({}, at=at)  # type: ignore[arg-type]
    values, flags = cells(batch(recorder), "at")
    assert flags == [0, 0, 2, 2, 2, 2, 0]
    assert values[:2] == [1_500_000_000_000] * 2
