"""Rows of one model version and instance in columns, as they were read; and a single prediction judged as one row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import MAX_NAME, ONLY_ONE
from schemas.errors import SchemaError
from schemas.telemetry import MAX_COLUMNS, Inference, Value
from schemas.values import Mode

MAX_RECORD_BYTES = 1_000_000
"""Bytes of a single prediction: as a batch of one row it still fits into a record of telemetry."""

RESERVED = frozenset({"prediction_id", "at", "position"})
"""Roles of the columns that intake makes itself."""

_MAX_VALUES = MAX_COLUMNS - len(RESERVED)


class Wrong:
    """The type of WRONG, which stands for a value that is both a number and a text."""

    __slots__ = ()


WRONG = Wrong()

Cell = float | str | Wrong | None
Cells = NDArray[np.float64] | Sequence[Cell] | Cell
"""The cells of a column: numbers, a mixture, or one cell that all rows share."""


class Group(NamedTuple):
    """Whose rows may share a batch."""

    partition: int
    model: str
    version: str
    instance: str
    mode: Mode


Names = tuple[tuple[str, str], ...]
"""Name and role of each column."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one group with the same columns; their positions rise."""

    names: Names
    positions: NDArray[np.int64]
    ids: Sequence[str]
    at: NDArray[np.int64]
    cells: tuple[Cells, ...]

    def rows(self) -> int:
        """Return how many there are."""
        return len(self.positions)

    def where(self, chosen: NDArray[np.intp]) -> "Piece":
        """Return the chosen rows."""
        picked = chosen.tolist()
        return Piece(
            self.names,
            self.positions[chosen],
            [self.ids[row] for row in picked],
            self.at[chosen],
            tuple(_pick(cells, chosen, picked) for cells in self.cells),
        )


def _pick(cells: Cells, chosen: NDArray[np.intp], picked: list[int]) -> Cells:
    if isinstance(cells, np.ndarray):
        return cells[chosen]
    if cells is None or isinstance(cells, float | str | Wrong):
        return cells
    return [cells[row] for row in picked]


def cell(value: Value) -> Cell:
    """Return what a value says: a number, a text, nothing, or WRONG where it says both."""
    if value.number is None:
        return value.text
    return value.number if value.text is None else WRONG


def check(record: Inference) -> Names:
    """Return name and role of each value; SchemaError where no batch could hold the prediction."""
    lengths = (record.model, record.version, record.instance)
    if not record.model or not record.version or max(map(len, lengths)) > MAX_NAME:
        raise SchemaError(f"model and version have 1 to {MAX_NAME} characters, and an instance at most as many")
    names = tuple((value.name, value.role) for value in record.values)
    if len(names) > _MAX_VALUES:
        raise SchemaError(f"a prediction has at most {_MAX_VALUES} values, not {len(names)}")
    if len({name for name, _ in names}) != len(names):
        raise SchemaError("two values of the prediction have the same name")
    for name, role in names:
        if not 0 < len(name) <= MAX_NAME or not 0 < len(role) <= MAX_NAME:
            raise SchemaError(f"the name and the role of a value have 1 to {MAX_NAME} characters")
        if role in RESERVED:
            raise SchemaError(f"the value {name!r} has the role {role}, which is a field of the record")
    single = [role for _, role in names if role in ONLY_ONE]
    if len(set(single)) != len(single):
        raise SchemaError(f"two values of the prediction have one role of {', '.join(sorted(ONLY_ONE - RESERVED))}")
    return names


class Loose:
    """Single predictions that are gathered one by one into pieces."""

    def __init__(self) -> None:
        self._rows: dict[tuple[Group, Names], list[tuple[int, Inference]]] = {}

    def add(self, partition: int, position: int, record: Inference) -> None:
        """Take one; SchemaError where no batch could hold it."""
        names = check(record)
        group = Group(partition, record.model, record.version, record.instance, record.mode)
        self._rows.setdefault((group, names), []).append((position, record))

    def pieces(self) -> list[tuple[Group, Piece]]:
        """Return what was added, and begin anew."""
        rows, self._rows = self._rows, {}
        return [(group, _piece(names, found)) for (group, names), found in rows.items()]


def _piece(names: Names, rows: list[tuple[int, Inference]]) -> Piece:
    cells = [[cell(record.values[column]) for _, record in rows] for column in range(len(names))]
    return Piece(
        names,
        np.array([position for position, _ in rows], dtype=np.int64),
        [record.prediction_id for _, record in rows],
        np.array([record.at for _, record in rows], dtype=np.int64),
        tuple(np.array(column) if all(type(c) is float for c in column) else column for column in cells),
    )
