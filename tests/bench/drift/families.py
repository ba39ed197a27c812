"""Generated streams: 16 numbers and 4 categories a row and whether the prediction was wrong, with and without a fault.

A row a minute. σ is the deviation of a value about its season; the faulted feature is f0 (or c0, or the pair f0, f1).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from agents.detection.columns import Rows, decode
from schemas.telemetry import Column, InferenceBatch
from schemas.values import Flag, Mode

Floats = NDArray[np.float64]

NUMBERS, TEXTS = 16, 4
START = 1_700_000_000_000
MINUTE = 60_000
DAY_ROWS = 1440
PHI = 0.8
SHARES = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
OTHER_SHARES = np.array([0.25, 0.3, 0.3, 0.1, 0.05])
ERRORS, MORE_ERRORS = 0.1, 0.3
FAMILIES = ("iid", "lognormal", "ar", "season")


@dataclass(frozen=True)
class Part:
    """Some rows: numbers (features × rows), codes of categories, wrong predictions, and which cells are null."""

    first: int
    numbers: Floats
    codes: NDArray[np.int64]
    wrong: NDArray[np.bool_]
    null: NDArray[np.bool_]

    @property
    def times(self) -> NDArray[np.int64]:
        """Each row's time in ms."""
        return START + (self.first + np.arange(self.numbers.shape[1])) * MINUTE


@dataclass
class Source:
    """A family's stream, which goes on where it stood."""

    family: str
    seed: int
    row: int = 0
    memory: Any = None
    rng: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.phase = self.rng.uniform(0, 2 * math.pi, (NUMBERS, 2))
        if self.family == "ar":
            self.memory = self.rng.normal(size=(NUMBERS, 1)) * PHI

    def take(self, rows: int, fault: "Fault | None" = None) -> Part:
        """Return the next rows, with a fault in all of them where one is given."""
        noise = self.rng.normal(size=(NUMBERS, rows))
        shares = OTHER_SHARES if fault and fault.category else SHARES
        bounds = np.stack([np.cumsum(shares if i == 0 else SHARES) for i in range(TEXTS)])
        codes = (self.rng.random((TEXTS, rows))[:, :, None] > bounds[:, None, :-1]).sum(axis=2)
        wrong = self.rng.random(rows) < (MORE_ERRORS if fault and fault.errors else ERRORS)
        null = np.zeros((NUMBERS, rows), dtype=bool)
        if fault and fault.null:
            null[0] = self.rng.random(rows) < fault.null
        values = self._shape(noise, fault.change if fault else None)
        part = Part(self.row, values, codes, wrong, null)
        self.row += rows
        return part

    def _shape(self, noise: Floats, change: "Change | None") -> Floats:
        values = noise
        if self.family == "ar":
            values, self.memory = lfilter([math.sqrt(1 - PHI**2)], [1, -PHI], noise, axis=1, zi=self.memory)
        if change is not None and self.family != "lognormal":
            values = change(values)
        if self.family == "season":
            angle = (self.row + np.arange(values.shape[1])) * (2 * math.pi / DAY_ROWS)
            values = values + np.sin(angle + self.phase[:, :1]) + 0.4 * np.sin(2 * angle + self.phase[:, 1:])
        if self.family == "lognormal":
            values = np.exp(values)
            if change is not None:
                mean, deviation = math.exp(0.5), math.sqrt((math.e - 1) * math.e)
                values = change((values - mean) / deviation) * deviation + mean
        return values


Change = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Fault:
    """What goes wrong.

    shift
        Of the mean, in σ; 0 for another fault.
    change
        What becomes of the standardised numbers.
    subject
        Whom a signal of it is about.
    """

    name: str
    subject: str = "f0"
    shift: float = 0.0
    change: Change | None = None
    category: bool = False
    null: float = 0.0
    errors: bool = False


def _shifted(shift: float) -> Change:
    def change(values: Floats) -> Floats:
        values = values.copy()
        values[0] += shift
        return values

    return change


def _scaled(ratio: float) -> Change:
    def change(values: Floats) -> Floats:
        values = values.copy()
        values[0] *= ratio
        return values

    return change


def _two_humps(values: Floats) -> Floats:
    # Mean 0 and deviation 1 as before, but two humps where there was one.
    values = values.copy()
    values[0] = 0.9 * np.sign(values[0]) + math.sqrt(1 - 0.81) * np.roll(values[1], 1)
    return values


def _together(values: Floats) -> Floats:
    values = values.copy()
    values[0] = 0.5 * values[1] + math.sqrt(0.75) * values[0]
    return values


FAULTS = (
    *(Fault(f"mean {shift}", shift=shift, change=_shifted(shift)) for shift in (0.25, 0.5, 1.0)),
    *(Fault(f"scale {ratio}", change=_scaled(ratio)) for ratio in (1.25, 1.5, 2.0)),
    Fault("shape", change=_two_humps),
    Fault("category", subject="c0", category=True),
    Fault("null rate", null=0.1),
    Fault("correlation", change=_together),
    Fault("error rate", subject="error", errors=True),
)
"""Every fault; the numbers are of one feature of 16, the categories of one of 4."""


def divergence(family: str, shift: float) -> float:
    """Return the Kullback-Leibler divergence a row of a shift of the mean (in σ), of the whitened innovations."""
    whitened = shift * (1 - PHI) / math.sqrt(1 - PHI**2) if family == "ar" else shift
    return whitened**2 / 2


def rows_of(part: Part) -> Rows:
    """Return the rows as a monitor reads them."""
    count = part.numbers.shape[1]
    flags = np.where(part.null, Flag.NULL, Flag.PRESENT).astype(np.uint8)
    columns = [_column("at", "at", "long", part.times.astype("<i8"))]
    for i in range(NUMBERS):
        held = flags[i].tobytes() if part.null[i].any() else b""
        columns.append(_column(f"f{i}", "feature", "double", part.numbers[i].astype("<f8"), held))
    for i in range(TEXTS):
        codes = part.codes[i].astype("<u2")
        columns.append(
            Column(
                name=f"c{i}",
                role="feature",
                kind="string",
                values=codes.tobytes(),
                dictionary=("a", "b", "c", "d", "e"),
            )
        )
    body = InferenceBatch(
        model="m",
        version="1",
        instance="a",
        mode=Mode.REALTIME,
        source="a",
        first_position=part.first,
        rows=count,
        columns=tuple(columns),
    )
    return decode(body)


def _column(name: str, role: str, kind: str, values: NDArray[Any], flags: bytes = b"") -> Column:
    return Column(name=name, role=role, kind=kind, values=values.tobytes(), flags=flags)
