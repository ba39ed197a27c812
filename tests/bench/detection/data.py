"""The same traffic for every arm: normal rows, with a shift of one feature and of the confidence in the middle."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.received import Received
from schemas.codec import frame
from schemas.telemetry import Column, InferenceBatch
from schemas.thresholds import Thresholds
from schemas.values import Mode

FEATURES = 10
MODEL = "bench"
WARM_UP = 0.1
"""Share of a topic's records that is judged before the clock runs: the reference is learnt in it."""

STREAMS = ("confidence", "latency")
COLUMNS = (*(f"f{n}" for n in range(FEATURES)), *STREAMS)


@dataclass(frozen=True)
class Table:
    """Rows by column name."""

    columns: dict[str, NDArray[np.float64]]
    classes: NDArray[np.int64]

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.classes)


def table(rows: int, seed: int = 1) -> Table:
    """Return the traffic; from 60 to 75 per cent of it, one feature is shifted and the confidence is lower."""
    rng = np.random.default_rng(seed)
    columns = {f"f{n}": rng.normal(size=rows) for n in range(FEATURES)}
    columns["confidence"] = rng.beta(12, 2, rows)
    columns["latency"] = rng.lognormal(2, 0.4, rows)
    bad = slice(int(rows * 0.6), int(rows * 0.75))
    columns["f3"][bad] += 2.0
    columns["confidence"][bad] -= 0.25
    return Table(columns, rng.integers(0, 3, rows))


def fresh() -> Detect:
    """Return the detectors of every batch arm: the shipped default thresholds."""
    return Detect(Standard("bench", Thresholds()))


def batches(given: Table, size: int, *, ids: bool = True) -> Iterator[bytes]:
    """Yield framed batches of the table."""
    for first in range(0, given.rows - size + 1, size):
        part = slice(first, first + size)
        columns = [
            _double(name, name if name in STREAMS else "feature", values[part])
            for name, values in given.columns.items()
        ]
        if ids:
            names = tuple(f"{first + n:024x}" for n in range(size))
            columns.append(_text("prediction_id", np.arange(size), names))
            columns.append(_text("prediction", given.classes[part], ("a", "b", "c")))
        yield frame(
            InferenceBatch(
                model=MODEL,
                version="1",
                instance="a",
                mode=Mode.REALTIME,
                source="a",
                first_position=first,
                rows=size,
                columns=tuple(columns),
            )
        )


def events(given: Table, rows: int) -> Iterator[bytes]:
    """Yield the first rows as one JSON object each, as a service without our SDK would publish them."""
    names = list(given.columns)
    cells = np.column_stack([given.columns[name] for name in names])
    for n, row in enumerate(cells[:rows].tolist()):
        yield json.dumps({"model": MODEL, "id": f"{n:024x}", **dict(zip(names, row, strict=True))}).encode()


def received(message: Any, topic_id: str) -> Received:
    """Return a confluent-kafka message as agents get it."""
    return Received(
        topic=message.topic(),
        topic_id=topic_id,
        partition=message.partition(),
        offset=message.offset(),
        timestamp=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
    )


def _double(name: str, role: str, values: NDArray[np.float64]) -> Column:
    return Column(name=name, role=role, kind="double", values=values.astype("<f8").tobytes())


def _text(role: str, codes: NDArray[np.int64], dictionary: tuple[str, ...]) -> Column:
    return Column(name=role, role=role, kind="string", values=codes.astype("<u2").tobytes(), dictionary=dictionary)
