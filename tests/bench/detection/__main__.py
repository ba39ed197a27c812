"""Detection beside its peers, in one run on one broker: `python -m tests.bench.detection [--quick] [--python PYTHON]`.

The batch arms judge the same topic with the same detectors and must say the same; the arms per event run river's ADWIN
over the same rows as JSON. Each run is a process of its own; the arms take turns. Prints tables and writes
var/bench/detection.json; exit 1 where arms disagree, 2 where one did not run to its end, 3 where a budget is not met.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from streams.kafka import Clients, topic_id
from streams.local.broker import Broker
from streams.settings import Settings, load_settings
from streams.topic_admin import TopicAdmin
from tests.bench.detection.arms import Job
from tests.bench.detection.data import MODEL, Table, batches, events, table
from tests.bench.detection.verdict import GROUPS, Run, budget, differing, lines, ratios, speeds

ROOT = Path(__file__).resolve().parents[3]
OUT = ROOT / "var" / "bench" / "detection.json"
PEERS = frozenset({"quix_batch", "quix_event", "bytewax_event"})


class Field:
    """One broker with the traffic on its topics, and the interpreter that has the peers."""

    def __init__(self, broker: Broker, python: str, var: Path) -> None:
        self._broker, self._python, self._var = broker, python, var
        self.not_run: dict[str, str] = {}

    def load(self, ledger: str, values: Iterable[bytes], rows: int) -> Job:
        """Fill the telemetry topic of a ledger of its own, and return the job on it."""
        given = {"bootstrap_servers": self._broker.bootstrap, "ledger": ledger, "var": self._var, "partitions": 1}
        settings = Settings.model_validate(given)
        clients = Clients(settings)
        TopicAdmin(clients.admin(), settings).apply()
        topic = f"{ledger}.telemetry.v1"
        producer, count = clients.producer(linger_ms=5), 0
        for value in values:
            while True:
                try:
                    producer.produce(topic, value, MODEL.encode())
                    break
                except BufferError:
                    producer.poll(0.1)
            count += 1
        assert producer.flush(60) == 0
        found = topic_id(clients.admin(), topic)
        return Job(
            bootstrap=self._broker.bootstrap,
            ledger=ledger,
            var=str(self._var),
            topic=topic,
            topic_id=found,
            out=f"{ledger}.signals.v1",
            records=count,
            rows=rows,
        )

    def run(self, arm: str, job: Job, turn: int) -> Run | None:
        """Run one arm in a process of its own; None where it did not come to its end."""
        if arm in self.not_run:
            return None
        body = json.dumps(asdict(job) | {"turn": turn})
        command = [self._python, "-m", "tests.bench.detection.arms", arm, body]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
        except subprocess.TimeoutExpired:
            self.not_run[arm] = "it did not end within 300 s"
            return None
        if done.returncode:
            self.not_run[arm] = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
            return None
        return Run(**json.loads(done.stdout.splitlines()[-1]))


def turns(field: Field, job: Job, arms: Sequence[str], repeats: int) -> list[Run]:
    """Run the arms in turn, so that a slow minute of the machine meets all of them."""
    runs = [field.run(arm, job, turn) for turn in range(repeats) for arm in arms]
    return [run for run in runs if run is not None]


def compared_with_evidently(python: str, rows: int) -> dict[str, Any]:
    """Return the seconds of both for 20 columns, or why Evidently was not run."""
    command = [python, "-m", "tests.bench.detection.evidently_batch", str(rows), "20"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        return {"not_run": (done.stderr.strip().splitlines() or ["no reason was given"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"same": found["ours"]["drifted"] == found["evidently"]["drifted"], "rows": rows}


def measure(python: str, *, quick: bool) -> tuple[dict[str, Any], list[str]]:
    """Return everything that was measured, and what makes it void."""
    rows, repeats = (100_000, 1) if quick else (800_000, 3)
    traffic: Table = table(rows)
    with (
        tempfile.TemporaryDirectory() as directory,
        Broker(Path(directory) / "broker", cache=load_settings().cache) as broker,
    ):
        field = Field(broker, python, Path(directory) / "var")
        large = turns(field, field.load("bench2000", batches(traffic, 2000), 2000), GROUPS[0], repeats)
        small = turns(field, field.load("bench200", batches(table(rows // 4), 200), 200), GROUPS[0], 1)
        count = rows // 10
        single = turns(field, field.load("benchone", events(traffic, count), 1), GROUPS[1], 1)
    void = differing(large + single) + [f"batches of 200: {line}" for line in differing(small)]
    measured = speeds(large + single)
    found = {arm: speed["core"] for arm, speed in measured.items()}
    found |= dict.fromkeys(field.not_run)
    found |= {
        "unit": "predictions/s a core: rows by CPU seconds of all threads of the process, median",
        "rows_per_batch": 2000,
        "ratios": {f"ours/{arm}": ratio for arm, ratio in ratios(measured).items()} if "ours" in measured else {},
        "budget": budget(measured) if {"ours", "kernel"} <= measured.keys() else {},
        "wall": {arm: speed["wall"] for arm, speed in measured.items()},
        "batches_of_200": speeds(small),
        "not_run": field.not_run,
        "evidently": compared_with_evidently(python, 10_000),
        "runs": [asdict(run) for run in (*large, *small, *single)],
        "quick": quick,
    }
    return found, void


def report(found: dict[str, Any], void: list[str]) -> None:
    """Print the tables."""
    arms = found["wall"]
    both = {arm: {"core": found[arm], "wall": arms[arm]} for arm in arms}
    print("\n".join(lines("batches of 2,000, and per event", both)))
    print("\n".join(lines("batches of 200", found["batches_of_200"])))
    beside = found["evidently"]
    if "not_run" in beside:
        print(f"Evidently: not run: {beside['not_run']}")
    else:
        times = beside["evidently"]["cpu"], beside["ours"]["cpu"]
        print(
            f"20 columns × {beside['rows']} rows against a reference: Evidently {times[0]:.3f} s, ours {times[1]:.4f} s"
        )
    for arm, why in found["not_run"].items():
        print(f"not run: {arm}: {why}")
    for what, line in found["budget"].items():
        print(f"{'met    ' if line['met'] else 'NOT MET'} {what}: {line['seen']:,.2f}")
    for line in void:
        print(f"VOID: {line}")


def main() -> int:
    """Measure, print, write; the exit code says how it went."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="fewer rows and one turn: whether it works, not how fast")
    default = ROOT / ".venv-bench" / "bin" / "python"
    parser.add_argument("--python", default=str(default) if default.exists() else sys.executable)
    options = parser.parse_args()
    os.environ["PYTHONPATH"] = str(ROOT)
    found, void = measure(options.python, quick=options.quick)
    report(found, void)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(found | {"void": void}, indent=2) + "\n", "utf-8")
    print(f"written: {OUT.relative_to(ROOT)}")
    if void:
        return 1
    if found["not_run"]:
        return 2
    return 0 if all(line["met"] for line in found["budget"].values()) else 3


if __name__ == "__main__":
    sys.exit(main())
