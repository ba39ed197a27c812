"""What `Recorder.record()` costs the calling thread, beside a bare append and json.dumps.

Run `python tests/bench/record.py [--json]`. Calls come in bursts, at most 40,000 a second; the worker encodes and sends
meanwhile, to the broker simulated inside the Kafka client, so that its competition for the interpreter is measured too.
"""

import argparse
import functools
import gc
import json
import platform
import sys
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from headgate import Recorder

CALLS = 100_000
WARM_UP = 2_000
RATE, BURST = 40_000, 100
FLOATS = {f"feature_{n}": n + 0.5 for n in range(20)}
INTS = {f"feature_{n}": n for n in range(20)}
TEXTS = {f"feature_{n}": f"category {n}" for n in range(20)}
SCALARS = {f"feature_{n}": np.float32(n) for n in range(20)}
BUDGET = {"p50": 3.0, "p99": 25.0}


def percentiles(call: Callable[[], object]) -> dict[str, float]:
    """Return p50, p99 and p99.9 of a call in µs, called in bursts with pauses in which the worker keeps up."""
    clock = time.perf_counter_ns
    took = []
    for _ in range(WARM_UP + CALLS):
        before = clock()
        call()
        took.append(clock() - before)
        if not len(took) % BURST:
            time.sleep(BURST / RATE)
    ordered = sorted(took[WARM_UP:])
    pick = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    return {name: ordered[int(share * CALLS)] / 1000 for name, share in pick.items()}


def measure() -> dict[str, dict[str, float]]:
    """Return the percentiles of each call."""
    queue: deque[object] = deque(maxlen=CALLS)
    results = {
        "deque.append of a tuple": percentiles(lambda: queue.append((FLOATS, 0.5, 0.9, 1.0))),
        "json.dumps of the features": percentiles(lambda: json.dumps(FLOATS)),
    }
    kafka = {"test.mock.num.brokers": 1}
    for name, row in (("floats", FLOATS), ("ints", INTS), ("texts", TEXTS), ("numpy scalars", SCALARS)):
        with Recorder("bench", "1", bootstrap_servers="simulated", kafka=kafka) as recorder:
            call = functools.partial(
                recorder.record, row, prediction=0.5, confidence=0.9, latency_ms=1.0, prediction_id="a4f1-22"
            )
            results[f"record, 20 {name}"] = percentiles(call)
            recorder.flush(10)
            counters = recorder.counters
            results[f"record, 20 {name}"]["sent"] = counters.sent
            assert counters.recorded == counters.sent + sum(counters.dropped.values()) + counters.queued
    return results


def main() -> int:
    """Print the table or JSON; exit 1 where the budget for 20 floats is not met."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    as_json = parser.parse_args().json
    gc.collect()
    results = measure()
    told = results["record, 20 floats"]
    met = all(told[name] <= limit for name, limit in BUDGET.items())
    if as_json:
        print(json.dumps({"python": platform.python_version(), "budget": BUDGET, "met": met, "us": results}, indent=2))
    else:
        print(f"{'µs on the calling thread':32}{'p50':>8}{'p99':>8}{'p99.9':>9}")
        for name, row in results.items():
            print(f"{name:32}{row['p50']:8.2f}{row['p99']:8.2f}{row['p99.9']:9.1f}")
        print(f"budget for 20 floats: p50 {BUDGET['p50']}, p99 {BUDGET['p99']}: {'met' if met else 'not met'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
