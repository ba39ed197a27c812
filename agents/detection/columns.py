"""A batch's bytes as numpy arrays, without a copy; what does not fit its own description is a SchemaError."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError
from schemas.telemetry import MAX_CATEGORIES, MAX_COLUMNS, MAX_ROWS, Column, InferenceBatch
from schemas.values import Flag, Mode

MAX_NAME = 256
"""Characters of a model, version, instance, source or column name."""

MAX_POSITION = 2**63 - 1
"""The last position of a source; a mark beyond it could not be saved."""

ONE_PER_ROW = frozenset({"prediction_id", "trace_id", "explanation"})
"""Roles whose dictionary may hold as many strings as the batch has rows."""

ONLY_ONE = frozenset({"at", "prediction_id", "prediction", "confidence", "latency", "position"})
"""Roles that at most one column of a batch may have."""

_DTYPES: dict[str, np.dtype[Any]] = {"double": np.dtype("<f8"), "long": np.dtype("<i8"), "string": np.dtype("<u2")}

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """One column: numbers, or codes into `dictionary`; `flags` is None where every cell is present."""

    name: str
    role: str
    kind: str
    values: NDArray[np.float64] | NDArray[np.int64] | NDArray[np.uint16]
    dictionary: tuple[str, ...]
    flags: NDArray[np.uint8] | None

    @property
    def text(self) -> bool:
        """Whether the cells are strings."""
        return self.kind == "string"

    def strings(self) -> list[str | None]:
        """Return the cells of a text column, None where a cell is not present."""
        found: list[str | None] = [self.dictionary[code] for code in self.values.tolist()]
        if self.flags is not None:
            found = [None if flag else text for text, flag in zip(found, self.flags.tolist(), strict=True)]
        return found


@dataclass(frozen=True, slots=True)
class Rows:
    """A decoded batch: predictions of one instance of one model version."""

    model: str
    version: str
    instance: str
    mode: Mode
    source: str
    first_position: int
    rows: int
    columns: tuple[Cells, ...]

    def named(self) -> dict[str, Cells]:
        """Return the columns by name."""
        return {cells.name: cells for cells in self.columns}

    def with_role(self, role: str) -> Cells | None:
        """Return the first column of a role, or None."""
        return next((cells for cells in self.columns if cells.role == role), None)

    def only(self, roles: AbstractSet[str]) -> bool:
        """Whether there are columns, and none has another role than these."""
        return bool(self.columns) and all(cells.role in roles for cells in self.columns)

    def positions(self) -> NDArray[np.int64]:
        """Return each row's position in its source: those of the column ``position``, else one after the other."""
        column = self.with_role("position")
        if column is None:
            return np.arange(self.first_position, self.first_position + self.rows, dtype=np.int64)
        return column.values.astype(np.int64, copy=False)

    def between(self, first: int, end: int) -> "Rows":
        """Return the rows from one on to another, which is not among them."""
        if first <= 0 and end >= self.rows:
            return self
        part = slice(first, end)
        columns = tuple(
            replace(c, values=c.values[part], flags=None if c.flags is None else c.flags[part]) for c in self.columns
        )
        left = max(min(end, self.rows) - first, 0)
        position = int(self.positions()[first]) if left else self.first_position + self.rows
        return replace(self, first_position=position, rows=left, columns=columns)

    def counted(self) -> "Rows":
        """Return the rows with their positions in a column, so that a choice of them keeps its own."""
        if self.with_role("position") is not None:
            return self
        name, names = "position", self.named()
        while name in names:
            name = f"_{name}"
        counted = Cells(name, "position", "long", self.positions(), (), None)
        return replace(self, columns=(*self.columns, counted))

    def where(self, chosen: NDArray[np.bool_]) -> "Rows":
        """Return the rows that are chosen; their positions are no longer in sequence."""
        columns = tuple(
            replace(c, values=c.values[chosen], flags=None if c.flags is None else c.flags[chosen])
            for c in self.columns
        )
        return replace(self, rows=int(np.count_nonzero(chosen)), columns=columns)


def decode(batch: InferenceBatch) -> Rows:
    """Return the arrays of a batch, sharing its memory; SchemaError names the first thing that is wrong."""
    check_name("model", batch.model)
    check_name("version", batch.version)
    check_name("instance", batch.instance, empty=True)
    check_name("source", batch.source)
    if not 0 < batch.rows <= MAX_ROWS:
        raise SchemaError(f"a batch has 1 to {MAX_ROWS} rows, not {batch.rows}")
    check_positions(batch.first_position, batch.rows)
    if len(batch.columns) > MAX_COLUMNS:
        raise SchemaError(f"a batch has at most {MAX_COLUMNS} columns, not {len(batch.columns)}")
    columns = tuple(_cells(column, batch.rows) for column in batch.columns)
    if len({cells.name for cells in columns}) != len(columns):
        raise SchemaError("two columns of the batch have the same name")
    roles = [cells.role for cells in columns if cells.role in ONLY_ONE]
    if len(set(roles)) != len(roles):
        raise SchemaError(f"two columns of the batch have one role of {', '.join(sorted(ONLY_ONE))}")
    rows = Rows(
        batch.model,
        batch.version,
        batch.instance,
        batch.mode,
        batch.source,
        batch.first_position,
        batch.rows,
        columns,
    )
    _check_counted(rows)
    return rows


def _check_counted(rows: Rows) -> None:
    """Raise SchemaError where positions that each row states are not those of rows in order."""
    column = rows.with_role("position")
    if column is None:
        return
    where = f"column {column.name!r}"
    if column.kind != "long" or column.flags is not None:
        raise SchemaError(f"{where} states positions: every cell must be a long")
    positions = rows.positions()
    if int(positions[0]) != rows.first_position or not (positions[1:] > positions[:-1]).all():
        raise SchemaError(f"{where} must begin with the first position of the batch, and rise from row to row")
    check_positions(int(positions[-1]), 1)


def check_positions(first: int, rows: int) -> None:
    """Raise SchemaError where a position is negative, or no 64-bit number could be the next one."""
    if not 0 <= first <= MAX_POSITION - rows:
        raise SchemaError(f"the first row has the position {first}; it must be from 0 to {MAX_POSITION - rows}")


def check_name(what: str, name: str, *, empty: bool = False) -> None:
    """Raise SchemaError where a name is too long, or empty though it may not be."""
    if len(name) > MAX_NAME or not (name or empty):
        raise SchemaError(f"the name of a {what} has 1 to {MAX_NAME} characters, not {len(name)}")


def _cells(column: Column, rows: int) -> Cells:
    check_name("column", column.name)
    check_name("column's role", column.role)
    dtype = _DTYPES.get(column.kind)
    where = f"column {column.name!r}"
    if dtype is None:
        raise SchemaError(f"{where} has the kind {column.kind[:40]!r}; it must be double, long or string")
    if len(column.values) != rows * dtype.itemsize:
        raise SchemaError(f"{where} has {len(column.values)} bytes; {rows} rows need {rows * dtype.itemsize}")
    if len(column.flags) not in (0, rows):
        raise SchemaError(f"{where} has {len(column.flags)} flags for {rows} rows")
    values = np.frombuffer(column.values, dtype=dtype)
    flags = np.frombuffer(column.flags, dtype=np.uint8) if column.flags else None
    if flags is not None and flags.max() > max(Flag):
        raise SchemaError(f"{where} has the flag {flags.max()}, which means nothing")
    _check_dictionary(column, values, rows)
    return Cells(column.name, column.role, column.kind, values, column.dictionary, flags)


def _check_dictionary(column: Column, values: NDArray[Any], rows: int) -> None:
    where = f"column {column.name!r}"
    size = len(column.dictionary)
    if column.kind != "string":
        if size:
            raise SchemaError(f"{where} has a dictionary, but its kind is {column.kind}")
        return
    limit = max(rows, 1) if column.role in ONE_PER_ROW else MAX_CATEGORIES
    if size > limit:
        raise SchemaError(f"{where} has {size} different strings; at most {limit} are allowed")
    highest = int(np.max(values))
    if highest >= max(size, 1) or (size == 0 and not column.flags):
        raise SchemaError(f"{where} has the code {highest}, but its dictionary has {size} strings")
