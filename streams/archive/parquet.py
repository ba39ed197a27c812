"""Kept rows as Parquet, and one row of a Parquet file as a plain dictionary again."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agents.archive.choose import Why
from agents.detection.columns import Cells, Rows
from schemas.errors import SchemaError
from schemas.values import Flag

Signature = tuple[tuple[str, str, str], ...]
"""Name, role and kind of each column of a batch."""

_MARKS = frozenset({"position"})


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one batch that are kept: why each is, and when the broker had the batch (ms)."""

    rows: Rows
    why: Why
    received_at: int


def signature(rows: Rows) -> Signature:
    """Return what rows must share to stand in one file."""
    return tuple((c.name, c.role, c.kind) for c in rows.columns if c.role not in _MARKS)


def ids(parts: Sequence[Kept]) -> list[str | None]:
    """Return the prediction id of each row, None where it has none."""
    found: list[str | None] = []
    for part in parts:
        cells = part.rows.with_role("prediction_id")
        found += cells.strings() if cells is not None and cells.text else [None] * part.rows.rows
    return found


def write(parts: Sequence[Kept]) -> bytes:
    """Return the Parquet file of rows of one model with the same columns."""
    columns: list[Cells] = [c for c in parts[0].rows.columns if c.role not in _MARKS]
    counts = [part.rows.rows for part in parts]
    fields = [
        _repeated("version", [part.rows.version for part in parts], counts),
        _repeated("instance", [part.rows.instance for part in parts], counts),
        _repeated("mode", [part.rows.mode.value for part in parts], counts),
        _repeated("source", [part.rows.source for part in parts], counts),
        (pa.field("position", pa.int64()), pa.array(np.concatenate([part.rows.positions() for part in parts]))),
        (pa.field("received_at", pa.int64()), pa.array(np.repeat([part.received_at for part in parts], counts))),
        (pa.field("kept_for", pa.uint8()), pa.array(np.concatenate([part.why for part in parts]))),
    ]
    for cells in columns:
        fields += _column(cells, [part.rows.named()[cells.name] for part in parts])
    table = pa.Table.from_arrays([array for _, array in fields], schema=pa.schema([field for field, _ in fields]))
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def write_texts(columns: dict[str, list[Any]]) -> bytes:
    """Return the Parquet file of plain columns: labels, scores."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd")
    return out.getvalue()


def read(data: bytes) -> pa.Table:
    """Return the table in a Parquet file; SchemaError where it is none."""
    try:
        return pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError) as error:
        raise SchemaError(f"the file is no Parquet file: {error}") from None


def row(table: pa.Table, number: int) -> dict[str, Any]:
    """Return one row: what is said of every row, and its values by name with their roles."""
    said: dict[str, Any] = {}
    values: dict[str, dict[str, Any]] = {}
    wrong: set[str] = set()
    for field, column in zip(table.schema, table.columns, strict=True):
        cell = column[number].as_py()
        described = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        if "role" in described:
            values[described["name"]] = {"role": described["role"], "value": cell}
        elif "wrong" in described:
            wrong |= {described["wrong"]} if cell else set()
        else:
            said[field.name] = cell
    for name in wrong & values.keys():
        values[name]["wrong_type"] = True
    return {**said, "values": values}


def plain(rows: pa.Table) -> pa.Table:
    """Return the rows without dictionaries, which could not be joined with those of other files."""
    for number, field in enumerate(rows.schema):
        if pa.types.is_dictionary(field.type):
            cast = rows.column(number).cast(field.type.value_type)
            rows = rows.set_column(number, pa.field(field.name, field.type.value_type, metadata=field.metadata), cast)
    return rows


def _repeated(name: str, texts: list[str], counts: list[int]) -> tuple[pa.Field, pa.Array]:
    index = {text: code for code, text in enumerate(dict.fromkeys(texts))}
    codes = np.repeat(np.array([index[text] for text in texts], dtype=np.int32), counts)
    return pa.field(name, pa.dictionary(pa.int32(), pa.string())), pa.DictionaryArray.from_arrays(codes, list(index))


def _column(cells: Cells, parts: list[Cells]) -> list[tuple[pa.Field, pa.Array]]:
    """Return the column, null where a cell has no value, and beside it which cells were of a wrong type, if any was."""
    flags = np.concatenate([_flags(part) for part in parts])
    described = {"name": cells.name, "role": cells.role}
    absent = flags != Flag.PRESENT
    if cells.text:
        texts = pa.concat_arrays([_texts(part) for part in parts])
        field = pa.field(f"{cells.role}/{cells.name}", pa.string(), metadata=described)
        made = [(field, texts)]
    else:
        kind = pa.float64() if cells.kind == "double" else pa.int64()
        values = np.concatenate([part.values for part in parts])
        field = pa.field(f"{cells.role}/{cells.name}", kind, metadata=described)
        made = [(field, pa.array(values, type=kind, mask=absent))]
    wrong = flags == Flag.WRONG_TYPE
    if wrong.any():
        field = pa.field(f"wrong/{cells.role}/{cells.name}", pa.bool_(), metadata={"wrong": cells.name})
        made.append((field, pa.array(wrong)))
    return made


def _flags(cells: Cells) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.zeros(len(cells.values), dtype=np.uint8) if cells.flags is None else cells.flags


def _texts(cells: Cells) -> pa.Array:
    codes = pa.array(cells.values.astype(np.int32), mask=_flags(cells) != Flag.PRESENT)
    texts = [text.encode("utf-8", "replace").decode() for text in cells.dictionary] or [""]
    return pa.DictionaryArray.from_arrays(codes, pa.array(texts, type=pa.string())).cast(pa.string())
