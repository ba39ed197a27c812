"""What the demonstration's server says of its predictions, as it arrives on Kafka."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from struct import unpack

import httpx
import pytest
from confluent_kafka import TopicPartition

from schemas.codec import open_frame
from schemas.telemetry import InferenceBatch, LabelBatch
from streams.demo.catalogue import publish
from streams.demo.faults import Fault, switch
from streams.demo.models import MODEL, SENSORS, read_rows
from streams.kafka import Clients
from streams.local.child import Child

pytestmark = pytest.mark.broker


def test_the_server_records_what_the_model_was_fed(
    clients: Clients, make_topic: Callable[..., str], environ: dict[str, str], ledger_name: str, tmp_path: Path
) -> None:
    """The batch holds the broken readings, class, confidence, latency and ids; the label names one of the ids."""
    topic = make_topic("telemetry")
    registry = f"sqlite:///{tmp_path}/mlflow.db"
    publish(registry, tmp_path / "artefacts", seed=7)
    switch(tmp_path / "fault", Fault.UNITS)
    where = ["--registry", registry, "--ready-file", str(tmp_path / "port"), "--fault-file", str(tmp_path / "fault")]
    kafka = ["--bootstrap-servers", environ["HEADGATE_BOOTSTRAP_SERVERS"], "--ledger", ledger_name]
    command = [sys.executable, "-m", "streams.demo.server", "--version", "2", "--instance", "v2-a", *where, *kafka]
    rows = read_rows()[0][:3]
    tensor = {"name": "sensors", "shape": [3, 9], "datatype": "FP64", "data": rows.tolist()}
    label = {"prediction_id": "ask-1", "label": "normal"}
    with Child(command, tmp_path / "server.log", environ) as server:
        deadline = time.monotonic() + 60
        while not (tmp_path / "port").exists():
            assert time.monotonic() < deadline, (tmp_path / "server.log").read_text()
            time.sleep(0.02)
        url = f"http://127.0.0.1:{(tmp_path / 'port').read_text()}/v2/models/{MODEL}"
        asked = {"id": "ask", "inputs": [tensor]}
        assert httpx.post(f"{url}/infer", json=asked, trust_env=False).status_code == 200
        assert httpx.post(f"{url}/labels", json={"labels": [label]}, trust_env=False).json() == {"taken": 1}
        assert server.stop() == 0  # which sends what waits

    said = read_all(clients, topic)
    (batch,) = [record for record in said if isinstance(record, InferenceBatch)]
    (labels,) = [record for record in said if isinstance(record, LabelBatch)]
    columns = {column.name: column for column in batch.columns}
    assert (batch.model, batch.version, batch.instance, batch.rows) == (MODEL, "2", "v2-a", 3)
    fed = unpack("<3d", columns[SENSORS[0]].values)
    assert fed == pytest.approx(rows[:, 0] * 1.8 + 32)
    assert unpack("<3d", columns[SENSORS[8]].values) == pytest.approx(rows[:, 8])
    assert {"prediction", "confidence", "latency", "prediction_id", "at"} <= columns.keys()
    assert columns["prediction_id"].dictionary == ("ask-0", "ask-1", "ask-2")
    assert (labels.prediction_ids, labels.labels) == (("ask-1",), ("normal",))


def read_all(clients: Clients, topic: str) -> list[object]:
    """Decode everything that the topic holds."""
    consumer = clients.reader()
    try:
        partition = TopicPartition(topic, 0, 0)
        _, end = consumer.get_watermark_offsets(partition, timeout=10)
        consumer.assign([partition])
        records: list[object] = []
        deadline = time.monotonic() + 20
        while len(records) < end:
            assert time.monotonic() < deadline
            for message in consumer.consume(100, 1.0):
                if message.error() is None:
                    value = message.value()
                    assert isinstance(value, bytes)
                    records.append(open_frame(value, (InferenceBatch, LabelBatch)))
        return records
    finally:
        consumer.close()
