"""Rows a second of the monitors in memory, without Kafka: `python tests/bench/kernel.py [ROWS]`.

10 normal features with confidence and latency (both through ADWIN), framed batches decoded, guarded and judged by
the default detectors; the same with prediction ids and classes that wait for labels; and the time of a snapshot.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from schemas.codec import frame
from schemas.telemetry import Column, InferenceBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode

FEATURES = 10


def _double(name: str, role: str, values: Any) -> Column:
    return Column(name=name, role=role, kind="double", values=values.astype("<f8").tobytes())


def _text(name: str, role: str, codes: Any, dictionary: tuple[str, ...]) -> Column:
    return Column(name=name, role=role, kind="string", values=codes.astype("<u2").tobytes(), dictionary=dictionary)


def records(rows: int, size: int, *, labelled: bool) -> list[Received]:
    """Return framed batches of normal rows, as the loop would hand them over."""
    rng = np.random.default_rng(1)
    made = []
    for i in range(rows // size):
        columns = [_double(f"f{n}", "feature", rng.normal(size=size)) for n in range(FEATURES)]
        columns.append(_double("confidence", "confidence", rng.beta(12, 2, size)))
        columns.append(_double("latency", "latency", rng.lognormal(2, 0.4, size)))
        if labelled:
            ids = tuple(f"{i:012x}{n:012x}" for n in range(size))
            columns.append(_text("prediction_id", "prediction_id", np.arange(size), ids))
            columns.append(_text("prediction", "prediction", rng.integers(0, 3, size), ("a", "b", "c")))
        body = InferenceBatch(
            model="m",
            version="1",
            instance="a",
            mode=Mode.REALTIME,
            source="a",
            first_position=i * size,
            rows=size,
            columns=tuple(columns),
        )
        made.append(
            Received(
                topic="t",
                topic_id="t",
                partition=0,
                offset=i,
                timestamp=1_700_000_000_000 + i,
                key=b"m",
                value=frame(body),
            )
        )
    return made


def measure(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    since = time.perf_counter()
    work()
    return time.perf_counter() - since


def main(rows: int) -> None:
    """Print one line a case."""
    for size, labelled in ((2000, False), (2000, True), (200, False), (200, True)):
        given = records(rows, size, labelled=labelled)
        detect = Detect(Standard("bench", Thresholds()))
        events: list[object] = []
        seconds = measure(lambda d=detect, g=given, e=events: [e.extend(d.step(r)) for r in g])  # type: ignore[misc]
        states: list[Any] = []
        saving = measure(lambda d=detect, s=states: s.extend(d.dirty()))  # type: ignore[misc]
        what = "with prediction ids" if labelled else "features, confidence, latency"
        print(
            f"batches of {size:>4}, {what:<30} {rows / seconds:>12,.0f} rows/s   "
            f"snapshot {len(states[0][2]):>7,} bytes in {saving * 1000:.1f} ms, {len(events)} events"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400_000)
