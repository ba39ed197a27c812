"""Rows into columns: little-endian doubles, longs, or texts by code, with a flag for every cell that has no value."""

import sys
from array import array
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Any

from headgate.cells import WRONG, Wrong, text
from headgate.extras import Extras

NULL, WRONG_TYPE = 1, 2
MAX_CATEGORIES = 1000
META = ("prediction", "confidence", "latency", "group", "risk", "prediction_id", "trace_id", "at")
"""Names and roles of the columns that follow the features; each row's cells end with them, in this order."""

Row = tuple[tuple[str, ...], list[Any], Extras]
"""Feature names, and as many cells, then those of META; and what else the row says."""

MetricRow = tuple[tuple[str, ...], list[Any]]
"""Names of metrics, and as many cells, then the time in milliseconds."""

Column = dict[str, Any]
"""A column as the Avro record wants it."""

_ALWAYS = frozenset({"prediction_id", "at"})
_IDENTIFIERS = frozenset({"trace_id", "prediction_id", "explanation"})
_CATEGORIES = frozenset({"group", "caller"})
_NUMBERS = frozenset({"confidence", "latency", "cost", "metric"})


def feature_names(rows: Iterable[Row]) -> dict[str, None]:
    """Return the names of all rows in the order in which they first appear."""
    names: dict[str, None] = {}
    last: tuple[str, ...] = ()
    for row_names, _, _ in rows:
        if row_names is not last:
            names.update(dict.fromkeys(row_names))
            last = row_names
    return names


def columns(rows: Sequence[Row], seen: set[str], hashed: frozenset[str], digest: Callable[[str], str]) -> list[Column]:
    """Return the columns of a batch.

    Parameters
    ----------
    rows
        At least one.
    seen
        Columns of META that earlier batches had; one that was seen once is always sent, so that its absence shows.
    hashed, digest
        Names of the columns whose values are replaced by their digest.
    """
    names = feature_names(rows)
    cells = dict(zip(names, _transposed(rows, tuple(names)), strict=True))
    made = []
    for name, column in cells.items():
        made.append(_column(name, "feature", _hashed(column, digest) if name in hashed else column))
    meta = zip(*(row[-len(META) :] for _, row, _ in rows), strict=True)
    for name, column in zip(META, meta, strict=True):
        if name in seen or name in _ALWAYS or any(cell is not None for cell in column):
            seen.add(name)
            made.append(_column(_unused(name, names), name, _hashed(column, digest) if name in hashed else column))
    for role, name in extra_names(rows):
        column = [next((cell for *key, cell in extras if key == [role, name]), None) for _, _, extras in rows]
        taken = dict.fromkeys(column["name"] for column in made) | names
        made.append(_column(_unused(name, taken), role, _hashed(column, digest) if name in hashed else column))
    return made


def extra_names(rows: Iterable[Row]) -> dict[tuple[str, str], None]:
    """Return role and name of all that rows say beside the fixed columns, in the order in which they first appear."""
    return {(role, name): None for _, _, extras in rows if extras for role, name, _ in extras}


def metric_columns(rows: Sequence[MetricRow]) -> list[Column]:
    """Return the columns of rows that give the same metrics, and their times."""
    names = dict.fromkeys(rows[0][0])
    *cells, times = zip(*(row for _, row in rows), strict=True)
    made = [_column(name, "metric", column) for name, column in zip(names, cells, strict=True)]
    return [*made, _column(_unused("at", names), "at", times)]


def _unused(name: str, names: Container[str]) -> str:
    # a feature may be called "group": readers find these columns by role, and refuse a name that stands twice
    while name in names:
        name = f"_{name}"
    return name


def _transposed(rows: Sequence[Row], names: tuple[str, ...]) -> Iterable[Sequence[Any]]:
    width = len(names)
    if all(row_names == names for row_names, _, _ in rows):
        return zip(*(cells[:width] for _, cells, _ in rows), strict=True)
    found = [dict(zip(row_names, cells, strict=False)) for row_names, cells, _ in rows]
    return ([row.get(name) for row in found] for name in names)


def _hashed(cells: Sequence[Any], digest: Callable[[str], str]) -> list[Any]:
    return [cell if cell is None or cell is WRONG else digest(str(cell)) for cell in cells]


def _column(name: str, role: str, cells: Sequence[Any]) -> Column:
    dictionary: list[str] = []
    if role == "at":
        kind, (values, flags) = "long", _times(cells)
    elif role in _IDENTIFIERS:
        kind, (values, flags, dictionary) = "string", _texts([text(cell) for cell in cells], len(cells))
    elif role in _CATEGORIES:
        kind, (values, flags, dictionary) = "string", _texts([text(cell) for cell in cells], MAX_CATEGORIES)
    elif role in _NUMBERS or _numeric(cells):
        kind, (values, flags) = "double", _doubles(cells)
    else:
        kind, (values, flags, dictionary) = "string", _texts(cells, MAX_CATEGORIES)
    if sys.byteorder == "big":  # the wire is little-endian
        values.byteswap()
    return {
        "name": name,
        "role": role,
        "kind": kind,
        "values": values.tobytes(),
        "dictionary": dictionary,
        "flags": bytes(flags) if any(flags) else b"",
    }


def _numeric(cells: Sequence[Any]) -> bool:
    # one stray value at the head of a batch must not turn a thousand good ones into wrong types
    texts = others = 0
    first_is_text = None
    for cell in cells:
        kind = type(cell)
        if kind is str:
            texts += 1
        elif kind is not Wrong and cell is not None:
            others += 1
        else:
            continue
        if first_is_text is None:
            first_is_text = kind is str
    return not first_is_text if texts == others else others > texts


def _doubles(cells: Sequence[Any]) -> tuple["array[Any]", bytes]:
    try:
        return array("d", cells), b""
    except (TypeError, ValueError, OverflowError):
        pass  # some cell has no value: look at each
    values, flags = array("d"), bytearray(len(cells))
    for row, cell in enumerate(cells):
        try:
            values.append(cell)
        except (TypeError, ValueError, OverflowError):
            values.append(float("nan"))
            flags[row] = NULL if cell is None else WRONG_TYPE
    return values, bytes(flags)


def _times(cells: Sequence[Any]) -> tuple["array[Any]", bytes]:
    # a float is the recorder's own clock, in seconds; a time that the caller gave is an int already
    flags = bytes(WRONG_TYPE if cell is WRONG else 0 for cell in cells)
    return array("q", [_millis(cell) for cell in cells]), flags


def _millis(cell: Any) -> int:
    return 0 if cell is WRONG else cell if type(cell) is int else int(cell * 1000)


def _texts(cells: Sequence[Any], limit: int) -> tuple["array[Any]", bytes, list[str]]:
    index: dict[str, int] = {}
    codes, flags = array("H", bytes(2 * len(cells))), bytearray(len(cells))
    for row, cell in enumerate(cells):
        if type(cell) is not str:
            flags[row] = NULL if cell is None else WRONG_TYPE
        elif (code := index.get(cell)) is not None:
            codes[row] = code
        elif len(index) < limit:
            codes[row] = index[cell] = len(index)
        else:
            flags[row] = WRONG_TYPE
    # a reader may look up code 0 of a flagged cell before it looks at the flag
    return codes, bytes(flags), [unicode(category) for category in index] or [""]


def unicode(value: str) -> str:
    """Return a text with its lone surrogates, which no encoding takes, replaced."""
    return value if value.isascii() else value.encode("utf-8", "replace").decode()
