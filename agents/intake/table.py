"""Pieces of one group become the columns of batches: one kind a column, and a flag for every cell without a value."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import ONE_PER_ROW, ONLY_ONE
from agents.intake.piece import RESERVED, WRONG, Cells, Group, Names, Piece, Wrong
from schemas.codec import LIMIT, frame
from schemas.telemetry import MAX_CATEGORIES, MAX_COLUMNS, Column, InferenceBatch
from schemas.values import Flag

ALWAYS_TEXT = frozenset({"trace_id", "explanation", "group"})
ALWAYS_NUMBERS = frozenset({"confidence", "latency"})

Texts = NDArray[np.object_]


@dataclass(slots=True)
class _Filled:
    """A column over all rows: numbers and codes side by side until it is known which of them it holds."""

    name: str
    role: str
    numbers: NDArray[np.float64]
    codes: NDArray[np.int64]
    index: dict[str, int] = field(default_factory=dict)
    wrong: list[int] = field(default_factory=list)

    def fill(self, first: int, end: int, cells: Cells) -> None:
        """Take the cells of the rows from `first` to `end`."""
        if isinstance(cells, np.ndarray):
            self.numbers[first:end] = cells
            self.codes[first:end] = -2
        elif isinstance(cells, str):
            self.codes[first:end] = self.index.setdefault(cells, len(self.index))
        elif isinstance(cells, Sequence):
            for row, cell in enumerate(cells, first):
                self._put(row, cell)
        else:
            for row in range(first, end):
                self._put(row, cells)

    def _put(self, row: int, cell: float | str | Wrong | None) -> None:
        if isinstance(cell, str):
            self.codes[row] = self.index.setdefault(cell, len(self.index))
        elif isinstance(cell, float):
            self.numbers[row], self.codes[row] = cell, -2
        elif cell is WRONG:
            self.wrong.append(row)

    def text(self) -> bool:
        """Whether it is a column of texts: by its role, else by what most cells hold, else by the first."""
        if self.role in ALWAYS_TEXT:
            return True
        if self.role in ALWAYS_NUMBERS:
            return False
        texts, numbers = int(np.count_nonzero(self.codes >= 0)), int(np.count_nonzero(self.codes == -2))
        if texts == numbers:
            some = np.flatnonzero(self.codes != -1)
            return bool(len(some)) and bool(self.codes[some[0]] >= 0)
        return texts > numbers

    def flags(self, *, text: bool) -> NDArray[np.uint8] | None:
        """Return a flag for each row, None where every cell holds a value of the column's kind."""
        good = self.codes >= 0 if text else self.codes == -2
        if good.all():
            return None
        flags = np.where(good, Flag.PRESENT, np.where(self.codes == -1, Flag.NULL, Flag.WRONG_TYPE)).astype(np.uint8)
        flags[self.wrong] = Flag.WRONG_TYPE
        return flags


@dataclass(frozen=True, slots=True)
class _Made:
    name: str
    role: str
    kind: str
    values: NDArray[np.float64] | NDArray[np.int64]
    flags: NDArray[np.uint8] | None
    dictionary: Texts | None = None

    def column(self, first: int, end: int) -> Column:
        """Return the cells of some rows as a column of a batch."""
        flags = b"" if self.flags is None or not self.flags[first:end].any() else self.flags[first:end].tobytes()
        values = self.values[first:end]
        if self.dictionary is None:
            kind = "<f8" if self.kind == "double" else "<i8"
            return Column(
                name=self.name, role=self.role, kind=self.kind, values=values.astype(kind).tobytes(), flags=flags
            )
        good = slice(None) if not flags else self.flags[first:end] == Flag.PRESENT  # type: ignore[index]
        used, seen, inverse = np.unique(values[good], return_index=True, return_inverse=True)
        codes = np.zeros(end - first, dtype="<u2")
        codes[good] = np.argsort(np.argsort(seen))[inverse]  # in the order in which the texts appear
        texts = tuple(self.dictionary[used[np.argsort(seen)]].tolist()) or ("",)
        return Column(
            name=self.name,
            role=self.role,
            kind="string",
            values=codes.tobytes(),
            dictionary=texts,
            flags=flags,
        )

    def categories(self, first: int, end: int) -> int:
        """Return how many different texts some rows hold, 0 where their number has no limit of its own."""
        if self.dictionary is None or self.role in ONE_PER_ROW or len(self.dictionary) <= MAX_CATEGORIES:
            return 0
        return len(np.unique(self.values[first:end]))


def _finish(filled: _Filled) -> _Made:
    text = filled.text()
    flags = filled.flags(text=text)
    if not text:
        values = filled.numbers if flags is None else np.where(flags == Flag.PRESENT, filled.numbers, np.nan)
        return _Made(filled.name, filled.role, "double", values, flags)
    texts = list(filled.index) or [""]
    return _Made(filled.name, filled.role, "string", np.maximum(filled.codes, 0), flags, np.array(texts, dtype=object))


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one group in order of their positions, ready to be cut into batches."""

    group: Group
    source: str
    positions: NDArray[np.int64]
    columns: tuple[_Made, ...]

    def batches(self, first: int, end: int) -> Iterator[tuple[bytes, int]]:
        """Yield some rows as framed batches and their numbers of rows; halved until each is within every limit."""
        if all(column.categories(first, end) <= MAX_CATEGORIES for column in self.columns):
            value = frame(self._batch(first, end))
            if len(value) <= LIMIT or end - first == 1:
                yield value, end - first
                return
        middle = (first + end) // 2
        yield from self.batches(first, middle)
        yield from self.batches(middle, end)

    def _batch(self, first: int, end: int) -> InferenceBatch:
        group, positions = self.group, self.positions[first:end]
        columns = [column.column(first, end) for column in self.columns]
        if int(positions[-1] - positions[0]) != end - first - 1:
            name = unused("position", {column.name for column in columns})
            columns.append(Column(name=name, role="position", kind="long", values=positions.astype("<i8").tobytes()))
        return InferenceBatch(
            model=group.model,
            version=group.version,
            instance=group.instance,
            mode=group.mode,
            source=self.source,
            first_position=int(positions[0]),
            rows=end - first,
            columns=tuple(columns),
        )


def table(group: Group, source: str, pieces: Sequence[Piece]) -> Table:
    """Return the table of pieces that can share a batch (see `together`)."""
    positions = np.concatenate([piece.positions for piece in pieces])
    rows = len(positions)
    columns: dict[str, _Filled] = {}
    first = 0
    for piece in pieces:
        end = first + piece.rows()
        for (name, role), cells in zip(piece.names, piece.cells, strict=True):
            filled = columns.get(name)
            if filled is None:
                filled = columns[name] = _Filled(name, role, np.zeros(rows), np.full(rows, -1, dtype=np.int64))
            filled.fill(first, end, cells)
        first = end
    made = [_finish(filled) for filled in columns.values()]
    ids = [identifier for piece in pieces for identifier in piece.ids]
    at = np.concatenate([piece.at for piece in pieces])
    index = {text: code for code, text in enumerate(dict.fromkeys(ids))}
    codes = np.arange(rows) if len(index) == rows else np.array([index[text] for text in ids], dtype=np.int64)
    texts = np.array(list(index), dtype=object)
    made.append(_Made(unused("prediction_id", columns), "prediction_id", "string", codes, None, texts))
    made.append(_Made(unused("at", columns), "at", "long", at, None))
    if (positions[1:] > positions[:-1]).all():
        return Table(group, source, positions, tuple(made))
    order = np.argsort(positions, kind="stable")
    ordered = tuple(
        _Made(m.name, m.role, m.kind, m.values[order], None if m.flags is None else m.flags[order], m.dictionary)
        for m in made
    )
    return Table(group, source, positions[order], ordered)


def unused(name: str, names: set[str] | dict[str, _Filled]) -> str:
    """Return a name that no column has: a feature may be called "at", and readers find these columns by role."""
    while name in names:
        name = f"_{name}"
    return name


def compatible(all_names: Sequence[Names]) -> bool:
    """Whether rows with these columns can share a batch: one role a name, one name a single role, not too many."""
    roles: dict[str, str] = {}
    for names in all_names:
        for name, role in names:
            if roles.setdefault(name, role) != role:
                return False
    single = [role for role in roles.values() if role in ONLY_ONE]
    return len(set(single)) == len(single) and len(roles) + len(RESERVED) <= MAX_COLUMNS


def together(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Yield pieces that can share a batch, run after run in order of positions; nearly always all at once."""
    distinct = list({piece.names: None for piece in pieces})
    if len(distinct) == 1 or compatible(distinct):
        yield list(pieces)
        return
    which = np.concatenate([np.full(piece.rows(), number) for number, piece in enumerate(pieces)])
    rows = np.concatenate([np.arange(piece.rows()) for piece in pieces])
    order = np.argsort(np.concatenate([piece.positions for piece in pieces]), kind="stable")
    which, rows = which[order], rows[order]
    begins = np.flatnonzero(np.diff(which, prepend=-1))
    run: list[Piece] = []
    for first, end in zip(begins.tolist(), [*begins[1:].tolist(), len(which)], strict=True):
        part = pieces[int(which[first])].where(rows[first:end])
        if run and not compatible([*{piece.names: None for piece in run}, part.names]):
            yield run
            run = []
        run.append(part)
    if run:
        yield run
