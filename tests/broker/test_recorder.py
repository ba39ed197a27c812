"""The recorder on a real broker: what arrives, under which key, and from which process."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import resources
from typing import Any

import fastavro
import numpy as np
import pytest
from confluent_kafka import Consumer, Message
from headgate import Recorder

from streams.settings import Settings

pytestmark = pytest.mark.broker
MakeTopic = Callable[..., str]
DEADLINE = 30.0

FORKING = """
import os, sys
from headgate import Recorder
recorder = Recorder("credit", "7", bootstrap_servers=sys.argv[1], ledger=sys.argv[2])
recorder.record({"who": "parent"})
recorder.flush(20)
child = os.fork()
recorder.record({"who": "parent" if child else "child"})
if child:
    assert os.waitpid(child, 0)[1] == 0
"""


def opened(message: Message) -> dict[str, Any]:
    """Decode a telemetry record with plain fastavro and the schema file of its id."""
    value = message.value()
    assert value is not None
    assert value[0] == 0
    name = {1: "InferenceBatch", 2: "LabelBatch"}[int.from_bytes(value[1:5], "big")]
    text = (resources.files("headgate") / f"{name}.1.avsc").read_text("utf-8")
    found = fastavro.schemaless_reader(io.BytesIO(value[5:]), fastavro.parse_schema(json.loads(text)), None)
    assert isinstance(found, dict)
    return found


def read(settings: Settings, topic: str, rows: int) -> list[tuple[Message, dict[str, Any]]]:
    """Return the topic's batches once they hold so many predictions; fail after the deadline."""
    reader = Consumer(
        {
            "bootstrap.servers": str(settings.bootstrap_servers),
            "group.id": topic,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    reader.subscribe([topic])
    found: list[tuple[Message, dict[str, Any]]] = []
    deadline = time.monotonic() + DEADLINE
    try:
        while sum(batch.get("rows", 0) for _, batch in found) < rows:
            assert time.monotonic() < deadline, f"{len(found)} batches arrived, not {rows} rows"
            message = reader.poll(0.2)
            if message is not None and message.error() is None:
                found.append((message, opened(message)))
    finally:
        reader.close()
    return found


def column(batch: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a column by name."""
    found = next(column for column in batch["columns"] if column["name"] == name)
    assert isinstance(found, dict)
    return found


def recorder(settings: Settings, **options: Any) -> Recorder:
    """Return a recorder for the test's own ledger."""
    return Recorder("credit", "7", bootstrap_servers=str(settings.bootstrap_servers), ledger=settings.ledger, **options)


def test_every_prediction_arrives_once_in_order_under_the_models_key(settings: Settings, make_topic: MakeTopic) -> None:
    """10,000 predictions are 10,000 rows whose positions run on, in one partition, keyed by the model."""
    topic = make_topic("telemetry", partitions=4)
    with recorder(settings) as sending:
        for n in range(10_000):
            sending.record({"n": n, "even": str(n % 2 == 0)}, prediction=0.5, prediction_id=f"p{n}")
        assert sending.flush(DEADLINE)
        assert sending.counters.sent == 10_000
    got = read(settings, topic, 10_000)
    assert {message.key() for message, _ in got} == {b"credit"}
    assert len({message.partition() for message, _ in got}) == 1
    positions = [batch["first_position"] + row for _, batch in got for row in range(batch["rows"])]
    assert positions == list(range(10_000))
    numbers = np.concatenate([np.frombuffer(column(batch, "n")["values"], "<f8") for _, batch in got])
    assert np.array_equal(numbers, np.arange(10_000.0))


def test_values_that_are_none_arrive_flagged(settings: Settings, make_topic: MakeTopic) -> None:
    """NaN, infinity, null and a wrong type, in every column that a caller fills, come through with their flags."""
    topic = make_topic("telemetry")
    values: list[Any] = [0.5, float("nan"), float("inf"), None, [], 1.5]
    names = ("prediction", "confidence", "latency")
    with recorder(settings) as sending:
        for value in values:
            sending.record({"f": value}, prediction=value, confidence=value, latency_ms=value)
    ((_, batch),) = read(settings, topic, len(values))
    for name in ("f", *names):
        got = column(batch, name)
        assert list(got["flags"]) == [0, 0, 0, 1, 2, 0]
        want = [0.5, np.nan, np.inf, np.nan, np.nan, 1.5]
        assert np.array_equal(np.frombuffer(got["values"], "<f8"), want, equal_nan=True)


@pytest.mark.parametrize("codec", ["lz4", "zstd", "snappy"])
def test_any_compression_arrives(settings: Settings, make_topic: MakeTopic, codec: str) -> None:
    """lz4 is what the recorder uses; others can be configured."""
    topic = make_topic("telemetry")
    options: dict[str, Any] = {} if codec == "lz4" else {"kafka": {"compression.type": codec}}
    with recorder(settings, **options) as sending:
        sending.record({"f": "x"})
        sending.label("p", 1)
    assert read(settings, topic, 1)


def test_rows_that_did_not_fit_are_told_of_in_a_later_batch(settings: Settings, make_topic: MakeTopic) -> None:
    """Rows refused because the queue was full stand in `dropped` of later batches, to the row."""
    topic = make_topic("telemetry")
    with recorder(settings, max_bytes=8 << 20) as sending:
        while not sending.counters.dropped["full"]:
            for _ in range(5000):
                sending.record({"f": 1.0})
        assert sending.flush(DEADLINE)
        sending.record({"f": 2.0})
        assert sending.flush(DEADLINE)
        counters = sending.counters
    got = read(settings, topic, counters.sent)
    assert sum(batch["dropped"] for _, batch in got) == counters.dropped["full"]
    assert counters.recorded == counters.sent + counters.dropped["full"]


def test_a_forked_server_sends_from_both_processes_and_exits(settings: Settings, make_topic: MakeTopic) -> None:
    """Parent and child each deliver their own rows, under their own source, at exit without being asked."""
    topic = make_topic("telemetry")
    command = [sys.executable, "-c", FORKING, str(settings.bootstrap_servers), settings.ledger]
    subprocess.run(command, check=True, timeout=60, env=dict(os.environ))
    got = read(settings, topic, 3)
    told = sorted((batch["source"], column(batch, "who")["dictionary"]) for _, batch in got)
    assert len({source for source, _ in told}) == 2
    assert sorted(who for _, (who,) in told) == ["child", "parent", "parent"]
