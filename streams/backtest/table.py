"""A table of predictions, CSV (plain or compressed) or Parquet, read in blocks; what cannot be read is named."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas.errors import SchemaError
from schemas.values import Flag

BLOCK = 8 * 1_048_576
"""Bytes of a CSV file that are read at a time."""

NULLS = ("", "NA", "N/A", "n/a", "#N/A", "null", "NULL", "None", "?")
"""Texts of a CSV cell that mean that there is no value."""

MAX_TEXT = 200
"""Characters of a text cell that are kept."""


@dataclass(frozen=True, slots=True)
class Values:
    """One column of a block: numbers (NaN where there is none), or texts (None); `flags` as schemas.values.Flag."""

    numbers: NDArray[np.float64] | None
    texts: list[str | None]
    flags: NDArray[np.uint8] | None

    def after(self, skipped: int) -> "Values":
        """Return the column without its first cells."""
        numbers = None if self.numbers is None else self.numbers[skipped:]
        return Values(numbers, self.texts[skipped:], None if self.flags is None else self.flags[skipped:])


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows; the first of the table is row 0."""

    first_row: int
    rows: int
    columns: dict[str, Values]

    def after(self, skipped: int) -> "Block":
        """Return the block without its first rows."""
        if not skipped:
            return self
        columns = {name: values.after(skipped) for name, values in self.columns.items()}
        return Block(self.first_row + skipped, self.rows - skipped, columns)


class Table:
    """A file of rows; `blocks` reads it from the start each time it is called.

    Parameters
    ----------
    path
        A CSV file with a header line, or a Parquet file (by its first bytes).
    wanted
        The columns to read.
    texts
        Those of them that are always text, whatever they look like.
    """

    def __init__(self, path: Path, wanted: Sequence[str], texts: Sequence[str] = ()) -> None:
        self.path = path
        self._parquet = _begins_with(path, b"PAR1")
        self._delimiter = "," if self._parquet else _delimiter(path)
        self._wanted = tuple(dict.fromkeys(wanted))
        self._texts = frozenset(texts)
        self._numeric: dict[str, bool] = {}
        self._check_names()

    @property
    def names(self) -> list[str]:
        """The columns that the file has."""
        with _refusals(self.path):
            if self._parquet:
                return list(pq.ParquetFile(self.path).schema_arrow.names)
            with self._csv(None) as reader:
                return list(reader.schema.names)

    def count(self) -> int:
        """Return the number of rows, of a CSV file by its lines."""
        with _refusals(self.path):
            if self._parquet:
                return int(pq.ParquetFile(self.path).metadata.num_rows)
            lines, last = 0, b"\n"
            with pa.input_stream(str(self.path), compression="detect") as stream:
                while data := stream.read(BLOCK):
                    lines, last = lines + data.count(b"\n"), data[-1:]
            return max(lines + (last != b"\n") - 1, 0)

    def blocks(self) -> Iterator[Block]:
        """Yield the rows in blocks; SchemaError names the line or column that cannot be read."""
        first = 0
        with _refusals(self.path):
            for batch in self._batches():
                if not batch.num_rows:
                    continue
                columns = {name: self._values(name, batch.column(name)) for name in self._wanted}
                yield Block(first, batch.num_rows, columns)
                first += batch.num_rows
        if not first:
            raise SchemaError(f"{self.path} has no rows")

    def _batches(self) -> Iterator[Any]:
        if self._parquet:
            yield from pq.ParquetFile(self.path).iter_batches(65_536, columns=list(self._wanted))
            return
        with self._csv(list(self._wanted)) as reader:
            yield from reader

    def _csv(self, columns: list[str] | None) -> Any:
        stream = pa.input_stream(str(self.path), compression="detect")
        texts = {} if columns is None else dict.fromkeys(columns, pa.string())
        return pyarrow.csv.open_csv(
            stream,
            read_options=pyarrow.csv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=texts,
                include_columns=columns,
                null_values=list(NULLS),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )

    def _check_names(self) -> None:
        names = self.names
        for name in self._wanted:
            if names.count(name) > 1:
                raise SchemaError(f"{self.path} has {names.count(name)} columns named {name[:80]!r}")
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, names[:12]))}"
                raise SchemaError(f"{self.path} has no column {name[:80]!r}; {hint}")

    def _values(self, name: str, column: Any) -> Values:
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
            raise SchemaError(f"column {name[:80]!r} of {self.path} holds {column.type}, neither numbers nor texts")
        if pa.types.is_temporal(column.type):
            column = _iso(column)
        if not _is_text(column.type) and not pa.types.is_boolean(column.type) and name not in self._texts:
            return _numbers(column.cast(pa.float64(), safe=False), None)
        if not _is_text(column.type):
            column = column.cast(pa.string())
        if name not in self._numeric:
            self._numeric[name] = name not in self._texts and _looks_numeric(column)
        if not self._numeric[name]:
            null = column.is_null().to_numpy(zero_copy_only=False)
            texts = pc.utf8_slice_codeunits(column, 0, MAX_TEXT).to_pylist()
            return Values(None, texts, np.where(null, Flag.NULL, Flag.PRESENT).astype(np.uint8) if null.any() else None)
        return _from_texts(column)


def _is_text(kind: Any) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _iso(column: Any) -> Any:
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        moments = column.cast(pa.timestamp("ms"), safe=False)
        return pc.strftime(moments, format="%Y-%m-%dT%H:%M:%S")
    return column.cast(pa.string())


def _looks_numeric(column: Any) -> bool:
    """Whether nine of ten cells that hold anything are numbers; a column of nothing counts as numbers."""
    sample = [text for text in column.slice(0, 20_000).to_pylist() if text is not None]
    return sum(_number(text) is not None for text in sample) >= 0.9 * len(sample)


def _number(text: str) -> float | None:
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _numbers(column: Any, wrong: NDArray[np.bool_] | None) -> Values:
    null = column.is_null().to_numpy(zero_copy_only=False)
    values = np.array(column.to_numpy(zero_copy_only=False), dtype=np.float64)
    flags = None
    if null.any() or wrong is not None:
        flags = np.where(null, Flag.NULL, Flag.PRESENT).astype(np.uint8)
        values[null] = np.nan
        if wrong is not None:
            flags[wrong] = Flag.WRONG_TYPE
    return Values(values, [], flags)


def _from_texts(column: Any) -> Values:
    trimmed = pc.utf8_trim_whitespace(column)
    try:
        return _numbers(trimmed.cast(pa.float64()), None)
    except pa.ArrowInvalid:
        texts = trimmed.to_pylist()
    numbers = [None if text is None else _number(text) for text in texts]
    wrong = np.array([text is not None and number is None for text, number in zip(texts, numbers, strict=True)])
    return _numbers(pa.array(numbers, pa.float64()), wrong)


class _refusals:  # noqa: N801 - it reads as a statement
    """Turns what pyarrow says of a file into one sentence that names the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, (pa.ArrowException, UnicodeDecodeError)):
            said = " ".join(str(error).split())[:300].replace("Row #", "line ")
            raise SchemaError(f"{self._path} cannot be read: {said}") from None


def _begins_with(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _delimiter(path: Path) -> str:
    with _refusals(path), pa.input_stream(str(path), compression="detect") as stream:
        line = stream.read(65_536).split(b"\n", 1)[0]
    if not line.strip():
        raise SchemaError(f"{path} begins with an empty line; the first line must name the columns")
    outside = b"".join(line.split(b'"')[::2])
    return max(",;\t|", key=lambda mark: outside.count(mark.encode()))


Progress = Callable[[int], None]
"""Told how many rows have been read."""
