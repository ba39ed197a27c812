"""The time of a table's rows: ISO text, seconds or milliseconds since 1970, any other number, or the order of rows."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError

Millis = NDArray[np.int64]

ROW_MS = 1000
"""Where a table tells no time, a row is a second."""

START = 946_684_800_000
"""The first row's time where a table tells none: 2000-01-01T00:00:00Z."""

_UNITS = ((1e8, 1e10, 1e3), (1e11, 1e13, 1.0), (1e14, 1e16, 1e-3), (1e17, 1e19, 1e-6))
"""Numbers of such a size are seconds, milliseconds, microseconds, nanoseconds since 1970 (1973 to 2286)."""

_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y")
_HOURS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FORMATS = tuple(day + hour for day in _DAYS for hour in _HOURS)
_COMPARED = 500
"""Cells by which a format is chosen: one alone seldom tells whether the day or the month comes first."""


class Kind(Enum):
    """How a table tells the time."""

    ROWS = "rows"
    NUMBER = "number"
    EPOCH = "epoch"
    ISO = "iso"


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads a table's time column.

    Parameters
    ----------
    scale
        Makes milliseconds of an epoch.
    form
        A strptime format; empty for ISO 8601.
    start, step
        The first row's time and that from row to row (ms), where the table tells none.
    """

    kind: Kind
    scale: float = 1.0
    form: str = ""
    start: int = START
    step: int = ROW_MS

    def read(self, cells: Any, first_row: int, rows: int) -> Millis:
        """Return each row's time in milliseconds; SchemaError names the first row whose time cannot be read."""
        if self.kind in (Kind.ROWS, Kind.NUMBER):
            return self.start + self.step * np.arange(first_row, first_row + rows, dtype=np.int64)
        if self.kind is Kind.EPOCH:
            numbers = np.asarray(cells, dtype=np.float64) * self.scale
            if not np.isfinite(numbers).all():
                raise SchemaError(f"row {_first(~np.isfinite(numbers), first_row)} has no time that can be read")
            return np.rint(numbers).astype(np.int64)
        return _parsed(cells, self.form, first_row)

    def tell(self, at: int, row: int, cell: Any) -> str | float | int:
        """Return a moment as the table tells time: ISO text, a number of its own unit, or the number of a row.

        Parameters
        ----------
        at
            The moment in milliseconds.
        row, cell
            The last row at or before it (the first row is 0), and its number where time is only a number.
        """
        if self.kind is Kind.ISO:
            text = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")
            return text.replace("+00:00", "Z").replace(".000Z", "Z")
        if self.kind is Kind.EPOCH:
            number = at / self.scale
            return int(number) if number.is_integer() else number
        return row if self.kind is Kind.ROWS or cell is None else float(cell)


def clock_of(cells: Any) -> Clock:
    """Return the clock that reads a time column, judged by its first cells (numbers, or texts)."""
    if cells is None:
        return Clock(Kind.ROWS)
    if isinstance(cells, np.ndarray):
        usable = cells[np.isfinite(cells)]
        size = float(np.median(np.abs(usable))) if len(usable) else 0.0
        scale = next((scale for low, high, scale in _UNITS if low <= size < high), 0.0)
        return Clock(Kind.EPOCH, scale) if scale else Clock(Kind.NUMBER)
    texts = [text for text in cells if text][:_COMPARED]
    if texts and _moment(texts[0], "") is not None:
        return Clock(Kind.ISO)
    form = max(_FORMATS, key=lambda form: _fit(texts, form))
    if _fit(texts, form)[0]:
        return Clock(Kind.ISO, form=form)
    shown = repr(texts[0][:40]) if texts else "nothing"
    raise SchemaError(
        f"the time column begins with {shown}, which is no time: write ISO 8601 (2026-01-31T12:00:00Z), seconds or "
        "milliseconds since 1970, or leave --time out"
    )


def _fit(texts: list[str], form: str) -> tuple[int, int]:
    """Return how many of the texts a format reads, and, less is better, the longest time between two of them.

    Where day and month are read the wrong way round, rows minutes apart are months apart, and the firsts of months are
    the first days of a January, with the rest of the year between two of them.
    """
    times = [time for text in texts if (time := _moment(text, form)) is not None]
    return len(times), -max((abs(after - before) for before, after in pairwise(times)), default=0)


def _parsed(cells: Any, form: str, first_row: int) -> Millis:
    found = np.empty(len(cells), dtype=np.int64)
    for i, text in enumerate(cells):
        moment = _moment(text, form)
        if moment is None:
            shown = "no time" if not text else f"the time {text[:40]!r}"
            raise SchemaError(f"row {first_row + i + 1} has {shown}, which cannot be read")
        found[i] = moment
    return found


def _moment(text: str, form: str) -> int | None:
    """Return a text's time in milliseconds; None where the format (empty for ISO 8601) does not read it."""
    try:
        moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return round(moment.timestamp() * 1000)
    except (ValueError, TypeError, OverflowError, AttributeError):
        return None


def _first(wrong: NDArray[np.bool_], first_row: int) -> int:
    return first_row + int(np.flatnonzero(wrong)[0]) + 1
