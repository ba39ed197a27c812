"""The recorder on the caller's side of Kafka: what it keeps, refuses, counts and packs.

Where delivery matters, the broker is the one simulated inside the Kafka client; tests/broker has the real one.
"""

import io
import json
import os
import struct
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from importlib import resources
from typing import Any

import fastavro
import numpy as np
import pytest
from headgate import Counters, Recorder
from headgate.lane import Lane
from headgate.packer import Packer

SIMULATED: dict[str, object] = {"test.mock.num.brokers": 1}
NOWHERE = "127.0.0.1:1"
SCHEMAS = {
    number: fastavro.parse_schema(json.loads((resources.files("headgate") / f"{name}.1.avsc").read_text()))
    for number, name in ((1, "InferenceBatch"), (2, "LabelBatch"))
}


def opened(framed: bytes) -> dict[str, Any]:
    """Decode a framed batch with plain fastavro."""
    assert framed[0] == 0
    found = fastavro.schemaless_reader(io.BytesIO(framed[5:]), SCHEMAS[int.from_bytes(framed[1:5], "big")], None)
    assert isinstance(found, dict)
    return found


def still(**options: Any) -> Recorder:
    """Return a recorder whose worker never starts, so that a test sees what was queued."""
    recorder = Recorder("credit", "7", instance="a", bootstrap_servers=NOWHERE, **options)
    recorder._courier.started = True
    return recorder


def framed(recorder: Recorder) -> list[bytes]:
    """Return the batches that the worker would send."""
    courier = recorder._courier
    rows = courier.rows.take(4096, 1 << 20)
    packer = Packer(recorder._settings, "a", "s")
    return [packed.framed for packed in packer.predictions(rows, 0) if packed.framed]


def batch(recorder: Recorder) -> dict[str, Any]:
    """Return the one batch that the worker would send."""
    (only,) = framed(recorder)
    return opened(only)


def cells(batch: Mapping[str, Any], name: str) -> tuple[list[Any], list[int]]:
    """Return a column's values and flags."""
    column = next(column for column in batch["columns"] if column["name"] == name)
    rows = batch["rows"]
    code = {"double": "d", "long": "q", "string": "H"}[column["kind"]]
    values: list[Any] = list(struct.unpack(f"<{rows}{code}", column["values"]))
    if column["kind"] == "string":
        values = [column["dictionary"][value] for value in values]
    return values, list(column["flags"] or bytes(rows))


def assert_adds_up(counters: Counters) -> None:
    """Fail where a row is in no count, or in two."""
    assert counters.recorded == counters.sent + sum(counters.dropped.values()) + counters.queued


class Hostile:
    """A value every method of which raises, and a BaseException at that."""

    def _raise(self, *_: object) -> Any:
        raise KeyboardInterrupt

    __float__ = __index__ = __int__ = __str__ = __repr__ = __len__ = __bool__ = __sizeof__ = _raise
    __iter__ = __getitem__ = __lt__ = __gt__ = _raise


class Endless(Mapping[str, float]):
    """A mapping without an end."""

    def __getitem__(self, key: str) -> float:
        return 1.0

    def __iter__(self) -> Any:
        n = 0
        while True:
            yield f"f{n}"
            n += 1

    def __len__(self) -> int:
        return 3


class Broken(dict[str, float]):
    """A dict whose keys cannot be had."""

    def keys(self) -> Any:
        """Raise."""
        raise OSError


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


@pytest.mark.parametrize(
    "features",
    [None, 5, "text", [1], Hostile(), Broken(a=1.0), Endless(), {"f": Hostile()}, {Hostile(): 1}, {"f": "x" * 10**7}],
    ids=["none", "int", "str", "list", "hostile", "broken", "endless", "value", "key", "huge"],
)
def test_hostile_features_never_reach_the_caller(features: Any) -> None:
    """Whatever is passed, nothing is raised, no code of a value is run, and the row is in exactly one count."""
    recorder = still()
    recorder.record(features)
    recorder.record({}, prediction=features, prediction_id=features, group=features, at=features)
    recorder.label(features, features, features)
    framed(recorder)
    assert recorder.counters.recorded == 2
    assert sum(recorder.counters.dropped.values()) <= 2
    assert recorder.label_counters.recorded == 1


def test_a_recursive_value_is_a_wrong_type() -> None:
    """A list that holds itself is flagged like any other value that is no scalar."""
    loop: list[Any] = []
    loop.append(loop)
    recorder = still()
    recorder.record({"f": loop})
    assert cells(batch(recorder), "f")[1] == [2]


def test_an_absent_broker_neither_blocks_nor_grows() -> None:
    """100,000 records without a broker return within seconds; what has no room is dropped as `full`."""
    recorder = Recorder("credit", "7", bootstrap_servers=NOWHERE, max_bytes=8 << 20)
    features = {f"f{n}": float(n) for n in range(20)}
    before = time.monotonic()
    slowest = 0.0
    for _ in range(100_000):
        started = time.perf_counter()
        recorder.record(features)
        slowest = max(slowest, time.perf_counter() - started)
    assert time.monotonic() - before < 10
    assert slowest < 1
    assert recorder.counters.dropped["full"] > 50_000
    assert len(recorder._courier.rows) <= 3 * 1024
    before = time.monotonic()
    assert not recorder.close(0.1)
    assert time.monotonic() - before < 5
    recorder.record(features)
    counters = recorder.counters
    assert_adds_up(counters)
    assert counters.queued == 0
    assert counters.dropped["closed"] > 0
    assert counters.recorded == 100_001


def test_a_lane_is_bounded_by_bytes() -> None:
    """Large rows fill a lane sooner than small ones, and taking them makes room again."""
    lane = Lane(10 * 1024)
    assert [lane.put(n, 3000) for n in range(5)] == [True] * 4 + [False]
    assert (lane.waiting(), lane.take(2, 100), lane.waiting()) == (4, [0, 1], 2)
    assert lane.put("small", 1)
    assert lane.take(10, 1) == [2]
    assert lane.take(10, 100) == [3, "small"]
    assert len(lane) == 0


def test_many_threads_lose_no_count() -> None:
    """Rows that eight threads record at once are all sent, once each."""
    with Recorder("credit", "7", bootstrap_servers="simulated", kafka=SIMULATED, max_delay=0.05) as recorder:

        def fill() -> None:
            for n in range(2000):
                recorder.record({"f": 1.0}, prediction_id=n)

        threads = [threading.Thread(target=fill) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert recorder.flush(20)
        counters = recorder.counters
        assert (counters.recorded, counters.sent, counters.queued) == (16_000, 16_000, 0)


def test_a_batch_too_long_is_halved() -> None:
    """No framed batch is over 1 MiB; positions run on, and drops are told once."""
    recorder = still()
    for n in range(600):
        recorder.record({f"f{m}": f"{n}-{m}-" + "x" * 200 for m in range(20)})
    batches = framed(recorder)
    assert len(batches) > 2
    assert max(map(len, batches)) <= 1_048_576
    positions = [(opened(data)["first_position"], opened(data)["rows"]) for data in batches]
    assert [first for first, _ in positions] == [sum(rows for _, rows in positions[:n]) for n in range(len(positions))]
    assert sum(rows for _, rows in positions) == 600


def test_drops_are_told_in_the_next_batch() -> None:
    """A batch says how many rows were dropped before it, and only the first part of a split one does."""
    recorder = still()
    recorder.record({"f": 1.0})
    (packed,) = [
        p for p in Packer(recorder._settings, "a", "s").predictions(recorder._courier.rows.take(9, 9), 5) if p.framed
    ]
    assert (opened(packed.framed)["dropped"], packed.reported) == (5, 5)


def test_a_sample_keeps_predictions_and_labels_together() -> None:
    """Whether an id is in the sample is one answer, and the share is about what was asked."""
    recorder = still(sample=0.25)
    for n in range(4000):
        recorder.record({}, prediction_id=f"id-{n}")
        recorder.label(f"id-{n}", n % 2)
    got = batch(recorder)
    assert 800 < got["rows"] < 1200
    packer = Packer(recorder._settings, "a", "s")
    (labels,) = [p for p in packer.labels(recorder._courier.labels.take(4096, 1 << 20)) if p.framed]
    told = opened(labels.framed)
    assert told["prediction_ids"] == cells(got, "prediction_id")[0]
    assert told["source"] == "s-labels"
    assert set(told["labels"]) == {"0", "1"}
    assert len(told["at"]) == got["rows"]


def test_a_prediction_without_an_id_gets_one() -> None:
    """Ids that the recorder makes are distinct."""
    recorder = still()
    for _ in range(100):
        recorder.record({})
    assert len(set(cells(batch(recorder), "prediction_id")[0])) == 100


def test_measure_records_latency_and_lets_errors_pass() -> None:
    """The block's time is the row's latency; an exception goes on and is a failure in the counters."""
    recorder = still()
    with recorder.measure() as m:
        m.features, m.prediction = {"f": 1.0}, 0.5
    with pytest.raises(ZeroDivisionError), recorder.measure():
        raise ZeroDivisionError
    got = batch(recorder)
    assert 0 <= cells(got, "latency")[0][0] < 60_000
    assert (recorder.counters.recorded, recorder.counters.failures) == (1, 1)


def test_a_time_that_is_none_is_flagged() -> None:
    """Seconds, milliseconds and datetimes are taken; what is no time is flagged."""
    recorder = still()
    for at in (1.5e9, 1_500_000_000_000, "noon", float("nan"), -1, 10**40, True):
        recorder.record({}, at=at)  # type: ignore[arg-type]
    values, flags = cells(batch(recorder), "at")
    assert flags == [0, 0, 2, 2, 2, 2, 0]
    assert values[:2] == [1_500_000_000_000] * 2


def test_flush_delivers_before_the_batch_is_due() -> None:
    """A flush does not wait for max_rows or max_delay."""
    recorder = Recorder("credit", "7", bootstrap_servers="simulated", kafka=SIMULATED, max_delay=600)
    recorder.record({"f": 1.0})
    recorder.label("p", 1)
    assert recorder.flush(10)
    assert (recorder.counters.sent, recorder.label_counters.sent) == (1, 1)
    assert recorder.close()
    assert recorder.close()


def test_client_settings_that_kafka_refuses_are_counted_not_raised() -> None:
    """A misspelt client setting costs rows, with a reason, never an exception in the handler."""
    recorder = Recorder("credit", "7", bootstrap_servers=NOWHERE, kafka={"no.such.setting": 1})
    recorder.record({"f": 1.0})
    recorder.close(5)
    assert recorder.counters.dropped["delivery"] == 1


def test_a_forked_child_records_for_itself() -> None:
    """A child of a recording process sends what it records under its own source, and nothing of its parent's."""
    recorder = Recorder("credit", "7", bootstrap_servers="simulated", kafka=SIMULATED, max_delay=600)
    recorder.record({"f": 1.0})
    assert recorder.flush(10)
    recorder.record({"f": 2.0})
    source = recorder._courier._packer._source
    read, write = os.pipe()
    child = os.fork()
    if not child:
        try:
            recorder.record({"f": 3.0})
            flushed = recorder.close(10)
            counters = recorder.counters
            other = recorder._courier._packer._source != source
            os.write(write, json.dumps([flushed, counters.recorded, counters.sent, counters.queued, other]).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert json.loads(pipe.read()) == [True, 1, 1, 0, True]
    assert os.waitpid(child, 0)[1] == 0
    assert recorder.close(10)
    assert recorder.counters.sent == 2


@pytest.mark.parametrize(
    "options",
    [
        {"model": ""},
        {"mode": "sometimes"},
        {"max_rows": 5000},
        {"max_bytes": 1},
        {"sample": float("nan")},
        {"hashed": ["x"]},
        {"max_delay": 0},
    ],
)
def test_a_wrong_argument_is_refused_at_once(options: dict[str, Any]) -> None:
    """The constructor, and only the constructor, raises."""
    with pytest.raises(ValueError, match=r"must|need"):
        Recorder(**{"model": "m", "version": "1", **options})
