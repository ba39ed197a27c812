"""How long after the window that shows a fault its incident can be read: `python -m tests.bench.delay [--quick]`.

A registrar, detect and triage run as processes on one broker, under the shipped policy, while 20 models publish batches
of 200 rows at `--rate` rows a second; one after another they break. Timed from the publication of the batch that closes
the first window that shows it, to when a plain consumer has the incident from `incidents`, and its entry from `audit`.
Prints percentiles by stage; exit 3 where the 99th is above 500 ms (design.md section 12, row 3). Writes
var/bench/delay.json.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from schemas.codec import open_frame
from schemas.ledger import AuditEntry
from schemas.signals import IncidentOpened, SignalRaised
from streams.kafka import Record
from streams.local.broker import Broker
from streams.settings import DEPLOY, Settings, load_settings
from tests.bench.detection.data import Table, batches, table
from tests.bench.models import named
from tests.crew import Crew

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "var" / "bench" / "delay.json"
MODELS, BATCH, LIMIT = 20, 200, 500.0
LEARN = 20


class Watch:
    """Reads a topic as it grows, and notes when each record was first had."""

    def __init__(self, brokers: str, topic: str) -> None:
        config = {"bootstrap.servers": brokers, "group.id": "bench", "enable.auto.commit": False}
        self._consumer = Consumer(config | {"fetch.wait.max.ms": 10})
        self._consumer.assign([TopicPartition(topic, 0, 0)])

    def new(self) -> Iterator[tuple[float, int, bytes]]:
        """Yield when each new record was had, when it was written (both in ms), and its value."""
        for message in self._consumer.consume(500, 0.002):
            assert message.error() is None, message.error()
            yield time.time() * 1000, message.timestamp()[1], message.value()


def broken(given: Table) -> Table:
    """Return the same rows with one feature far away."""
    return Table(given.columns | {"f3": given.columns["f3"] + 4.0}, given.classes)


def publish(crew: Crew, rate: int, turns: int, look: Callable[[], None]) -> None:
    """Publish every model's batches at the rate; model m breaks at its own turn, evenly over the second half."""
    rng = np.random.default_rng(3)
    rows = (turns + LEARN) * BATCH
    given = Table({n: c[:rows] for n, c in table(2 * rows).columns.items()}, rng.integers(0, 3, rows))
    good, bad = list(batches(given, BATCH)), list(batches(broken(given), BATCH))
    breaks = {m: LEARN + 20 + (turns - 50) * m // MODELS for m in range(MODELS)}
    due = time.monotonic()
    for turn in range(turns + LEARN):
        if turn == LEARN:
            due = time.monotonic() + 3  # what was learnt is judged before the pace begins
        for m in range(MODELS):
            due += 0 if turn < LEARN else BATCH / rate
            while (left := due - time.monotonic()) > 0:
                look()
                time.sleep(min(left, 0.002))
            body = (bad if turn >= breaks[m] else good)[turn]
            crew.send(Record(crew.topic("telemetry"), b"%05d" % m, named(body, f"{m:05d}")))


def measured(crew: Crew, rate: int, turns: int) -> list[dict[str, Any]]:
    """Return, for each incident, its stages in ms since the window that shows it closed."""
    brokers = str(crew.settings.bootstrap_servers)
    watches = {name: Watch(brokers, crew.topic(name)) for name in ("signals", "incidents", "audit")}
    raised: dict[str, tuple[int, int]] = {}
    found: dict[str, dict[str, Any]] = {}
    entered: dict[bytes, float] = {}

    def look() -> None:
        for _, written, value in watches["signals"].new():
            said = open_frame(value, None)
            if isinstance(said, SignalRaised):
                raised.setdefault(said.model, (said.window_to, written))
        for had, written, value in watches["incidents"].new():
            said = open_frame(value, None)
            if isinstance(said, IncidentOpened):
                found[said.id] = {"model": said.affected[0].model, "written": written, "had": had}
        for had, _, value in watches["audit"].new():
            entry = open_frame(value, (AuditEntry,))
            for incident in [known for known in found if known.encode() in entry.command]:
                entered.setdefault(incident.encode(), had)

    publish(crew, rate, turns, look)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        look()
    told = []
    for incident, seen in found.items():
        closed, signalled = raised[seen["model"]]
        row = {"signal written": signalled - closed, "incident written": seen["written"] - closed}
        row |= {"incident read": seen["had"] - closed, "entry read": entered.get(incident.encode(), np.inf) - closed}
        told.append({"model": seen["model"], **row})
    return told


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="half as long")
    parser.add_argument("--rate", type=int, default=20_000, help="rows a second, of all models together")
    parser.add_argument("--gather-ms", type=int, help="instead of the shipped policy's")
    options = parser.parse_args()
    policy = (DEPLOY / "policy.toml").read_text("utf-8")
    if options.gather_ms is not None:
        lines = [line for line in policy.splitlines() if not line.startswith("gather_ms")]
        policy = "\n".join(lines).replace("[triage]", f"[triage]\ngather_ms = {options.gather_ms}")
    with (
        tempfile.TemporaryDirectory() as directory,
        Broker(Path(directory) / "broker", cache=load_settings().cache) as broker,
    ):
        given = {"bootstrap_servers": broker.bootstrap, "ledger": "bench", "var": Path(directory) / "var"}
        settings = Settings.model_validate(given)
        environ = {name: value for name, value in os.environ.items() if not name.startswith("HEADGATE_")}
        environ |= {f"HEADGATE_{name.upper()}": str(value) for name, value in given.items()}
        with Crew(settings, environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "sdk")])}) as crew:
            crew.open(policy.encode(), (DEPLOY / "systems.toml").read_bytes())
            crew.start("detect")
            crew.start("triage")
            time.sleep(6)
            told = measured(crew, options.rate, 80 if options.quick else 200)
    stages = [name for name in told[0] if name != "model"] if told else []
    result = {
        name: {"p50": float(np.percentile(values, 50)), "p99": float(np.percentile(values, 99))}
        for name in stages
        for values in [[row[name] for row in told]]
    }
    print(f"{len(told)} incidents of {MODELS} faults at {options.rate:,} rows/s; ms since the window closed:")
    for name, row in result.items():
        print(f"  {name:<20}p50 {row['p50']:8.0f}   p99 {row['p99']:8.0f}")
    met = len(told) == MODELS and result["incident read"]["p99"] <= LIMIT
    print(f"budget {LIMIT:.0f} ms for the incident: {'met' if met else 'NOT MET'}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"stages": result, "incidents": told, "rate": options.rate, "met": met}, indent=2))
    return 0 if met else 3


if __name__ == "__main__":
    sys.exit(main())
