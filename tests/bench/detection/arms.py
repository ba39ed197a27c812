"""The arms, each a process of its own: `python -m tests.bench.detection.arms ARM JOB`, JOB being JSON.

Each takes every record of a topic, judges it, publishes what that says, and prints what it measured as JSON. The clock
runs from the record that ends the warm-up to the last one, over all threads of the process.
"""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from agents.received import Received
from schemas.codec import frame
from tests.bench.detection.data import COLUMNS, WARM_UP, fresh, received


@dataclass(frozen=True)
class Job:
    """Where an arm reads and writes, and how many records there are, of so many rows each."""

    bootstrap: str
    ledger: str
    var: str
    topic: str
    topic_id: str
    out: str
    records: int
    rows: int
    turn: int = 0


class Meter:
    """Counts records, times those behind the warm-up, and digests what is said."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.done = threading.Event()
        self._start = int(job.records * WARM_UP)
        self._seen = 0
        self._said = sha256()
        self._count = 0
        self._from = self._to = (0.0, 0.0)

    def note(self, said: Iterable[bytes]) -> None:
        """Take note of one record more that was judged, and of what was said."""
        for value in said:
            self._said.update(len(value).to_bytes(4, "big") + value)
            self._count += 1
        self._seen += 1
        if self._seen == self._start:
            self._from = _now()
        if self._seen == self.job.records:
            self._to = _now()
            self.done.set()

    def result(self, arm: str) -> dict[str, Any]:
        """Return the run."""
        cpu, wall = (after - before for before, after in zip(self._from, self._to, strict=True))
        rows = (self.job.records - self._start) * self.job.rows
        digest = self._said.hexdigest()
        return {"arm": arm, "rows": rows, "cpu": cpu, "wall": wall, "signals": digest, "count": self._count}


def _now() -> tuple[float, float]:
    return time.process_time(), time.perf_counter()


def ours(job: Job, meter: Meter) -> None:
    """Run the detect role as it is shipped: Faust, snapshots, manifests, signals published and awaited."""
    from agents.detection.detect import Detect
    from agents.detection.standard import Standard
    from schemas.thresholds import Thresholds
    from streams.roles.detection import spec
    from streams.settings import Settings
    from streams.worker.faust_loop import run_worker

    class Metered(Detect):
        def step(self, record: Received) -> list[object]:
            said = super().step(record)
            meter.note(frame(event) for event in said)
            return said

    standard = Standard("bench", Thresholds())
    settings = Settings.model_validate({"bootstrap_servers": job.bootstrap, "ledger": job.ledger, "var": Path(job.var)})
    wanted = spec(settings, standard, None)
    mine = replace(wanted, app_id=f"{wanted.app_id}-{job.turn}", factory=lambda _topic, _partition: Metered(standard))
    run_worker(mine, settings, until=meter.done)


def kernel(job: Job, meter: Meter) -> None:
    """Judge records that are in memory already."""
    detect = fresh()
    for record in list(_consumed(job)):
        meter.note([frame(event) for event in detect.step(record)])


def confluent_batch(job: Job, meter: Meter) -> None:
    """Judge in a bare confluent-kafka loop that publishes what is said."""
    from confluent_kafka import Producer

    detect, producer = fresh(), Producer({"bootstrap.servers": job.bootstrap, "linger.ms": 1})
    for record in _consumed(job):
        said = [frame(event) for event in detect.step(record)]
        for value in said:
            producer.produce(job.out, value, record.key)
        producer.poll(0)
        meter.note(said)
    producer.flush()


def quix_batch(job: Job, meter: Meter) -> None:
    """Judge the same batches in Quix Streams."""
    detect = fresh()

    def judge(value: bytes, key: bytes, timestamp: int, _headers: Any) -> list[bytes]:
        from quixstreams import message_context

        record = Received(
            topic=job.topic,
            topic_id=job.topic_id,
            partition=0,
            offset=message_context().offset,
            timestamp=timestamp,
            key=key,
            value=value,
        )
        said = [frame(event) for event in detect.step(record)]
        meter.note(said)
        return said

    _quix(job, meter, "bytes", lambda rows: rows.apply(judge, expand=True, metadata=True))


def quix_event(job: Job, meter: Meter) -> None:
    """Feed river's ADWIN event by event in Quix Streams."""
    feed = _adwin(meter)
    _quix(job, meter, "json", lambda rows: rows.apply(feed, expand=True))


def bytewax_event(job: Job, meter: Meter) -> None:
    """Feed river's ADWIN event by event in Bytewax."""
    import bytewax.operators as op
    from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
    from bytewax.dataflow import Dataflow
    from bytewax.testing import run_main

    feed = _adwin(meter)
    flow = Dataflow("bench")
    taken = op.input("in", flow, KafkaSource([job.bootstrap], [job.topic], tail=False))
    told = op.flat_map("judge", taken, lambda message: feed(json.loads(message.value)))
    sent = op.map("send", told, lambda value: KafkaSinkMessage(b"bench", value))
    op.output("out", sent, KafkaSink([job.bootstrap], job.out))
    run_main(flow)


def river_event(job: Job, meter: Meter) -> None:
    """Feed river's ADWIN with events that are in memory already, JSON decoded included."""
    feed = _adwin(meter)
    for record in list(_consumed(job)):
        feed(json.loads(record.value))


def _adwin(meter: Meter) -> Callable[[dict[str, Any]], list[bytes]]:
    """Return what every arm per event does: river's ADWIN on each column, every one of which our default watches."""
    from river.drift import ADWIN

    detectors = {name: ADWIN(delta=0.002) for name in COLUMNS}

    def feed(row: dict[str, Any]) -> list[bytes]:
        said = []
        for name, detector in detectors.items():
            detector.update(row[name])
            if detector.drift_detected:
                said.append(f"{name} {row['id']}".encode())
        meter.note(said)
        return said

    return feed


def _consumed(job: Job) -> Iterator[Received]:
    from confluent_kafka import Consumer

    config = {"bootstrap.servers": job.bootstrap, "group.id": f"bare-{job.turn}", "auto.offset.reset": "earliest"}
    consumer = Consumer(config | {"enable.auto.commit": False})
    consumer.subscribe([job.topic])

    def read() -> Iterator[Received]:
        while True:
            for message in consumer.consume(500, 1.0):
                assert message.error() is None, message.error()
                yield received(message, job.topic_id)

    yield from islice(read(), job.records)
    consumer.close()


def _quix(job: Job, meter: Meter, kind: str, judged: Callable[[Any], Any]) -> None:
    from quixstreams import Application

    app = Application(
        broker_address=job.bootstrap,
        consumer_group=f"quix-{job.turn}",
        auto_offset_reset="earliest",
        auto_create_topics=False,
        loglevel="ERROR",
    )
    rows = app.dataframe(app.topic(job.topic, key_deserializer="bytes", value_deserializer=kind))
    told = app.topic(job.out, key_serializer="bytes", value_serializer="bytes")
    judged(rows).to_topic(told, key=lambda _value: b"bench")
    watch = threading.Thread(target=lambda: (meter.done.wait(), app.stop()), daemon=True)
    watch.start()
    app.run()


ARMS = {
    made.__name__: made for made in (ours, kernel, confluent_batch, quix_batch, quix_event, bytewax_event, river_event)
}


def main(arm: str, job: Job) -> None:
    """Run one arm and print what it measured."""
    meter = Meter(job)
    ARMS[arm](job, meter)
    assert meter.done.is_set(), f"{arm} stopped before the last record"
    print(json.dumps(meter.result(arm)))


if __name__ == "__main__":
    main(sys.argv[1], Job(**json.loads(sys.argv[2])))
