"""The recorder on the caller's side of Kafka: what it keeps, refuses, counts and sends, and how it ends.

Where delivery matters, the broker is the one simulated inside the Kafka client; tests/broker has the real one.
"""

import json
import os
import threading
import time
from typing import Any

import pytest
from headgate import Counters, Recorder
from headgate.lane import Lane
from headgate.packer import Packer

from tests.recording import NOWHERE, Endless, Hostile, batch, cells, framed, opened, still

SIMULATED: dict[str, object] = {"test.mock.num.brokers": 1}


class Broken(dict[str, float]):
    """A dict whose keys cannot be had."""

    def keys(self) -> Any:
        """Raise."""
        raise OSError


def assert_adds_up(counters: Counters) -> None:
    """Fail where a row is in no count, or in two."""
    assert counters.recorded == counters.sent + sum(counters.dropped.values()) + counters.queued


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


def test_an_absent_broker_neither_blocks_nor_grows() -> None:
    """None of 100,000 records without a broker waits for one; what has no room is dropped as `full`."""
    recorder = Recorder("credit", "7", bootstrap_servers=NOWHERE, max_bytes=8 << 20)
    features = {f"f{n}": float(n) for n in range(20)}
    before = time.monotonic()
    slowest = 0.0
    for _ in range(100_000):
        started = time.perf_counter()
        recorder.record(features)
        slowest = max(slowest, time.perf_counter() - started)
    # A call that waited for a broker would take its timeout; a busy machine may take a second from anybody.
    assert time.monotonic() - before < 60
    assert slowest < 5
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


def test_flush_delivers_before_the_batch_is_due() -> None:
    """A flush does not wait for max_rows or max_delay."""
    recorder = Recorder("credit", "7", bootstrap_servers="simulated", kafka=SIMULATED, max_delay=600)
    recorder.record({"f": 1.0})
    recorder.label("p", 1)
    recorder.metric("queue_depth", 3)
    assert recorder.flush(10)
    assert (recorder.counters.sent, recorder.label_counters.sent, recorder.metric_counters.sent) == (1, 1, 1)
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
