"""Every bad value in every column of a batch, through Kafka and `headgate run detect`: counted, reported, survived."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from schemas.telemetry import Column, InferenceBatch
from schemas.values import Category, Flag
from streams.settings import Settings
from tests.plant import Plant, wait_for
from tests.traffic import batch, column

pytestmark = pytest.mark.broker

SIZE = 500
NUMBERS = ("f1", "confidence", "latency")
TEXTS = ("f2", "prediction", "group", "prediction_id")
COLUMNS = (*NUMBERS, *TEXTS, "at")
WATCHED = ("f1", "f2", "prediction", "confidence", "latency")
"""Columns whose quality is judged; the others are only used, or carried."""

Values = NDArray[Any] | list[str]
Mask = NDArray[np.bool_]


def put(value: float) -> Callable[[Values, Mask], tuple[Values, bytes]]:
    """Return what puts a number where the mask says; a column of another kind becomes one of doubles."""

    def spoil(values: Values, mask: Mask) -> tuple[Values, bytes]:
        numbers = np.zeros(len(values)) if isinstance(values, list) else values.astype(np.float64)
        return np.where(mask, value, numbers), b""

    return spoil


def flag(kind: Flag) -> Callable[[Values, Mask], tuple[Values, bytes]]:
    """Return what flags the cells where the mask says."""
    return lambda values, mask: (values, np.where(mask, kind, Flag.PRESENT).astype(np.uint8).tobytes())


def text(value: str) -> Callable[[Values, Mask], tuple[Values, bytes]]:
    """Return what puts a text where the mask says; a column of numbers becomes one of text."""

    def spoil(values: Values, mask: Mask) -> tuple[Values, bytes]:
        texts = values if isinstance(values, list) else [f"{number:.0f}" for number in values.tolist()]
        return [value if bad else known for known, bad in zip(texts, mask.tolist(), strict=True)], b""

    return spoil


BAD: dict[str, Callable[[Values, Mask], tuple[Values, bytes]]] = {
    "nan": put(np.nan),
    "inf": put(np.inf),
    "-inf": put(-np.inf),
    "1e300": put(1e300),
    "-1.7e308": put(-1.7e308),
    "null": flag(Flag.NULL),
    "wrong type": flag(Flag.WRONG_TYPE),
    "empty string": text(""),
}


def served(rng: np.random.Generator, first: int, now: int) -> dict[str, Values]:
    """Return the good columns of a batch."""
    return {
        "f0": rng.normal(0, 1, SIZE),
        "f1": rng.normal(50, 5, SIZE),
        "f2": rng.choice(["red", "green", "blue"], SIZE).tolist(),
        "prediction": rng.choice(["yes", "no"], SIZE).tolist(),
        "confidence": rng.beta(12, 2, SIZE),
        "latency": rng.lognormal(2, 0.4, SIZE),
        "group": rng.choice(["a", "b"], SIZE).tolist(),
        "prediction_id": [f"p{first + number}" for number in range(SIZE)],
        "at": np.full(SIZE, now),
    }


@dataclass
class Model:
    """One model whose one column goes bad in one way for a while."""

    name: str
    column: str
    bad: str
    rng: np.random.Generator
    rows: int = 0
    sent: list[tuple[str, InferenceBatch]] = field(default_factory=list)

    def batches(self) -> Iterator[InferenceBatch]:
        """Yield 3,000 good rows, 1,000 with a bad cell in two of five, 1,500 good, and 1,500 in which f0 has moved."""
        for number in range(14):
            yield self._batch(spoilt=number in (6, 7), moved=number >= 11)

    def _batch(self, *, spoilt: bool, moved: bool) -> InferenceBatch:
        columns = served(self.rng, self.rows, int(time.time() * 1000))
        if moved:
            columns["f0"] = np.asarray(columns["f0"]) + 4
        made = {name: self._column(name, values) for name, values in columns.items()}
        if spoilt:
            mask = self.rng.random(SIZE) < 0.4
            made[self.column] = self._column(self.column, *BAD[self.bad](columns[self.column], mask))
        self.rows += SIZE
        return batch(made, self.rows - SIZE, "a", model=self.name)

    @staticmethod
    def _column(name: str, values: Values, flags: bytes = b"") -> Column:
        return column(name, values, "group" if name == "group" else "", flags)


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str]) -> Iterator[Plant]:
    """A detect worker, and the registrar that adopts its policy."""
    with Plant(settings, environ) as made:
        made.start(("registrar", "detect"))
        yield made


def test_a_bad_value_in_any_column_is_counted_and_blinds_nobody(plant: Plant) -> None:
    """Every row is counted, a column that is judged raises a signal, and a real shift afterwards is still found."""
    models = [
        Model(f"{column}/{bad}", column, bad, np.random.default_rng([i, j]))
        for i, column in enumerate(COLUMNS)
        for j, bad in enumerate(BAD)
    ]
    for model in models:
        plant.send_all("telemetry", model.batches(), model.name.encode())
    wait_for(lambda: all(plant.rows(model.name) == model.rows for model in models), "every row is counted", 90)
    assert plant.letters() == []
    assert plant.ended() == {}
    for model in models:
        check(plant, model)


def check(plant: Plant, model: Model) -> None:
    """What was raised for a model: its bad column where that is judged, and f0, which has moved."""
    raised = plant.raised(model.name)
    found = {(signal.subject, signal.category) for signal in raised}
    assert ("f0", Category.DATA_DRIFT) in found, (model.name, found)
    if model.column in WATCHED:
        wanted = {signal.category for signal in raised if signal.subject == model.column}
        # A finite number is a value, however absurd: it may as well be told as drift, or as a change of the stream.
        value = model.column in NUMBERS and model.bad in ("1e300", "-1.7e308")
        assert Category.DATA_QUALITY in wanted or (value and wanted), (model.name, found)
    else:
        assert {subject for subject, _ in found} <= {"f0", "vector"}, (model.name, found)
    assert all(np.isfinite([signal.value, signal.score]).all() for signal in raised), model.name
