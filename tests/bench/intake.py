"""How many single predictions a second the intake role packs, from a preloaded topic to telemetry, on one core.

Run `python tests/bench/intake.py [--events N] [--json]`. It starts a Kafka of its own. Each event has 10 features, a
prediction and a confidence; every row that reaches telemetry is counted.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from confluent_kafka import TopicPartition

from agents.detection.columns import decode
from schemas.codec import frame, open_frame
from schemas.telemetry import Inference, InferenceBatch, Value
from schemas.topics import full_name
from schemas.values import Mode
from streams.intake.intake import Intake
from streams.kafka import AwaitedProducer, Clients, Record
from streams.local.broker import Broker
from streams.logs import configure
from streams.settings import Settings
from streams.topic_admin import TopicAdmin

FEATURES = 10
BUDGET = 100_000


def events(count: int) -> list[bytes]:
    """Return framed predictions of one model; the same each time."""
    dice = np.random.default_rng(5)
    numbers = dice.normal(size=(count, FEATURES + 2)).tolist()
    names = [(f"feature_{n}", "feature") for n in range(FEATURES)] + [("y", "prediction"), ("c", "confidence")]
    return [
        frame(
            Inference(
                model="bench",
                version="1",
                instance="a",
                mode=Mode.REALTIME,
                prediction_id=f"prediction-{i:09d}",
                at=1_700_000_000_000 + i,
                values=tuple(
                    Value(name=name, role=role, number=number) for (name, role), number in zip(names, row, strict=True)
                ),
            )
        )
        for i, row in enumerate(numbers)
    ]


def received(clients: Clients, topic: str, rows: int) -> int:
    """Return the rows that stand in telemetry, each counted once by its position."""
    consumer = clients.reader()
    partitions = consumer.list_topics(topic, 10).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    seen: set[tuple[str, int]] = set()
    deadline = time.monotonic() + 30
    while len(seen) < rows and time.monotonic() < deadline:
        for message in consumer.consume(500, 0.2):
            if message.error() is None:
                batch = decode(open_frame(message.value(), (InferenceBatch,)))
                seen.update((batch.source, position) for position in batch.positions().tolist())
    consumer.close()
    return len(seen)


def measure(settings: Settings, count: int) -> dict[str, float]:
    """Return events a second of wall time and of the role's processor time."""
    clients = Clients(settings)
    TopicAdmin(clients.admin(), settings).apply()
    values = events(count)
    inbound = full_name(settings.ledger, "inbound")
    AwaitedProducer(clients, linger_ms=20).send_all(Record(inbound, None, value) for value in values)
    role = Intake(settings)
    role.start()
    while not role.rows:
        role.once(0.05)
    first, began, used = role.rows, time.perf_counter(), time.process_time()
    while role.rows < count:
        role.once(0.05)
    took, busy = time.perf_counter() - began, time.process_time() - used
    role.stop()
    if received(clients, full_name(settings.ledger, "telemetry"), count) != count:
        sys.exit("rows are missing in telemetry: the run is void")
    rows = role.rows - first
    return {"events_per_second": rows / took, "events_per_cpu_second": rows / busy, "batches": role.batches}


def main() -> None:
    """Print the figures; status 1 where the budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, Broker(Path(directory) / "broker") as broker:
        settings = Settings.model_validate({"bootstrap_servers": broker.bootstrap, "var": Path(directory) / "var"})
        configure(settings)  # logs go to standard error
        found = measure(settings, given.events)
    print(json.dumps(found) if given.json else "\n".join(f"{name:24} {value:12,.0f}" for name, value in found.items()))
    sys.exit(found["events_per_second"] < BUDGET)


if __name__ == "__main__":
    main()
