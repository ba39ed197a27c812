"""Compile what judging needs before the first record comes, or load what is compiled from disk."""

import numpy as np

from agents.detection.columns import Floats
from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from schemas.codec import frame
from schemas.telemetry import Column, InferenceBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode

_MODEL = "warm"
_AT = 1_700_000_000_000


def warm() -> None:
    """Judge rows that nobody sent: a reference, a window in a batch of its own, and one in the midst of a batch."""
    thresholds = Thresholds()
    detect, first = Detect(Standard("", thresholds)), 0
    for offset, rows in enumerate((thresholds.reference_rows, thresholds.window_rows, 2 * thresholds.window_rows - 1)):
        size = min(rows, 2000)
        for part in range(0, rows, size):
            detect.step(_record(first, min(size, rows - part), offset * 1000 + part))
            first += min(size, rows - part)


def _record(first: int, rows: int, offset: int) -> Received:
    at = np.arange(first, first + rows)
    columns = [
        _numbers(name, "feature", np.sin(at * step)) for name, step in (("a", 1.7), ("b", 2.3), ("c", 5.1), ("d", 0.3))
    ]
    columns += [_numbers(name, name, np.cos(at) ** 2 / 2 + 0.1) for name in ("confidence", "latency")]
    columns.append(_texts("prediction", at % 3, ("x", "y", "z")))
    columns.append(_texts("prediction_id", at - first, tuple(f"{row:08x}" for row in at.tolist())))
    batch = InferenceBatch(
        model=_MODEL,
        version="1",
        instance="",
        mode=Mode.REALTIME,
        source=_MODEL,
        first_position=first,
        rows=rows,
        columns=tuple(columns),
    )
    value = frame(batch)
    return Received(
        topic="", topic_id="", partition=0, offset=offset, timestamp=_AT + first, key=_MODEL.encode(), value=value
    )


def _numbers(name: str, role: str, values: Floats) -> Column:
    return Column(name=name, role=role, kind="double", values=values.astype("<f8").tobytes())


def _texts(role: str, codes: np.ndarray, dictionary: tuple[str, ...]) -> Column:
    return Column(name=role, role=role, kind="string", values=codes.astype("<u2").tobytes(), dictionary=dictionary)
