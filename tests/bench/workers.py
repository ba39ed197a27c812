"""What a second worker costs: `python -m tests.bench.workers [--quick]`.

One detect worker, then two of one group, judge a preloaded topic of four partitions to its end, each worker a process.
Prints process seconds a million predictions; exit 3 where two take more than 1.1 times what one takes (design.md
section 12, row 8). Writes var/bench/workers.json.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from schemas.thresholds import Thresholds
from streams.kafka import Clients
from streams.local.broker import Broker
from streams.roles.detection import spec
from streams.settings import Settings, load_settings
from streams.topic_admin import TopicAdmin
from streams.worker.faust_loop import run_worker
from tests.bench.detection.data import batches, table
from tests.bench.models import named

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "var" / "bench" / "workers.json"
MODELS, BATCH, PARTITIONS = 16, 1000, 4
LIMIT = 1.1


def load(settings: Settings, rows: int) -> int:
    """Fill the telemetry topic with every model's batches in turn; return how many records there are."""
    clients = Clients(settings)
    TopicAdmin(clients.admin(), settings).apply()
    producer = clients.producer(linger_ms=5)
    framed = list(batches(table(rows), BATCH))
    for body in framed:
        for model in range(MODELS):
            name = f"{model:05d}"
            producer.produce(f"{settings.ledger}.telemetry.v1", named(body, name), name.encode())
        producer.flush(60)
    return len(framed) * MODELS


def work(settings: Settings, group: str, name: str) -> None:
    """Run a worker until it is ended, and write what it judged and the CPU it took, counted from its first record."""
    began: list[float] = []
    count = 0
    out = Path(settings.var) / f"{group}-{name}.json"

    class Counted(Detect):
        def step(self, record: Received) -> list[object]:
            nonlocal count
            began[:] = began or [time.process_time()]
            said = super().step(record)
            count += 1
            if not count % 20:
                out.with_suffix(".new").write_text(json.dumps([count, time.process_time() - began[0]]))
                out.with_suffix(".new").replace(out)
            return said

    standard = Standard("bench", Thresholds())
    wanted = replace(spec(settings, standard, name), app_id=group, factory=lambda _topic, _partition: Counted(standard))
    run_worker(wanted, settings)


def seconds(settings: Settings, group: str, workers: int, records: int) -> dict[str, Any]:
    """Return the CPU of all the workers together for all the records, by their own account."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    given = settings.model_dump_json(include={"bootstrap_servers", "ledger", "var", "partitions"})
    names = [f"w{n}" for n in range(workers)]
    command = [sys.executable, "-m", "tests.bench.workers", "--work", given, group]
    running = [subprocess.Popen([*command, name], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL) for name in names]
    try:
        deadline = time.monotonic() + 300
        while sum(judged for judged, _ in told(settings, group, names)) < records - 20 * workers:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{workers} workers did not come to the end of the topic within 300 s")
            time.sleep(0.2)
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
    found = list(told(settings, group, names))
    judged, cpu = sum(c for c, _ in found), sum(s for _, s in found)
    return {"workers": workers, "judged": [c for c, _ in found], "cpu_a_million": cpu / (judged * BATCH) * 1e6}


def told(settings: Settings, group: str, names: list[str]) -> Iterator[tuple[int, float]]:
    """Yield what each worker last wrote."""
    for name in names:
        path = Path(settings.var) / f"{group}-{name}.json"
        count, cpu = json.loads(path.read_text("utf-8")) if path.exists() else (0, 0.0)
        yield count, cpu


def main() -> int:
    """Measure, print and write; `--work` is how it starts its workers."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and one turn")
    parser.add_argument("--work", nargs=3, metavar=("SETTINGS", "GROUP", "NAME"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(Settings.model_validate_json(options.work[0]), options.work[1], options.work[2])
        return 0
    rows, turns = (20_000, 1) if options.quick else (60_000, 2)
    with (
        tempfile.TemporaryDirectory() as directory,
        Broker(Path(directory) / "broker", cache=load_settings().cache) as broker,
    ):
        given = {"bootstrap_servers": broker.bootstrap, "ledger": "bench", "var": Path(directory) / "var"}
        settings = Settings.model_validate(given | {"partitions": PARTITIONS})
        settings.var.mkdir()
        records = load(settings, rows)
        runs = [seconds(settings, f"g{turn}-{n}", n, records) for turn in range(turns) for n in (1, 2)]
    best = {n: min(run["cpu_a_million"] for run in runs if run["workers"] == n) for n in (1, 2)}
    ratio = best[2] / best[1]
    for run in runs:
        print(f"{run['workers']} workers: {run['cpu_a_million']:.2f} seconds a million; records {run['judged']}")
    print(f"two take {ratio:.2f} × what one takes; budget {LIMIT}: {'met' if ratio <= LIMIT else 'NOT MET'}")
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps({"runs": runs, "ratio": ratio, "budget": LIMIT, "met": ratio <= LIMIT}, indent=2))
    return 0 if ratio <= LIMIT else 3


if __name__ == "__main__":
    sys.exit(main())
