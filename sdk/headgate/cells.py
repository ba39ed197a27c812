"""Values on the request thread: which are kept, and what they cost in bytes.

Only values of plain scalar types are kept, because only they are immutable and small; of any other value nothing is
called, so that no code of the caller's own classes runs here and no large object is held. It becomes WRONG.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from operator import itemgetter
from sys import getsizeof
from typing import Any

from headgate.settings import MAX_TEXT


class Wrong:
    """The type of WRONG, which stands for a value that is neither a number nor a text."""

    __slots__ = ()


WRONG = Wrong()
BIG = 1 << 62
ROW, CELL, TEXT = 200, 32, 48
PLAIN: set[type] = {float, bool, type(None), Wrong}
"""Types whose values are kept as they are, at 32 bytes each; numpy's scalar types join as they are met."""

_NUMPY_NUMBERS = frozenset({"floating", "integer", "bool", "bool_"})
_MAX_PLAIN = 64
_LAST_SECOND = 1e11


@dataclass(frozen=True, slots=True)
class Layout:
    """How to check and weigh all rows whose cells have exactly these types.

    kinds
        Type of each cell.
    size
        Bytes of a row but for its texts.
    texts
        Where the texts are.
    ints
        Picks the ints, which may be of any size; None where there are none.
    tidy
        Whether some cell has a type that cannot be kept as it is.
    """

    kinds: tuple[type, ...]
    size: int
    texts: tuple[int, ...]
    ints: Callable[[list[Any]], tuple[Any, ...]] | None
    tidy: bool

    def weigh(self, cells: list[Any]) -> int:
        """Return the bytes of a row, or -1 where it must be tidied first."""
        size = self.size
        if self.ints is not None:
            try:
                array("q", self.ints(cells))
            except OverflowError:
                return -1
        for index in self.texts:
            length = len(cells[index])
            if length > MAX_TEXT:
                return -1
            size += 4 * length  # the most that a character takes
        return size


def layout(kinds: tuple[type, ...]) -> Layout:
    """Return the layout of rows with these types."""
    texts = tuple(index for index, kind in enumerate(kinds) if kind is str)
    ints = [index for index, kind in enumerate(kinds) if kind is int]
    known = PLAIN | {str, int}
    return Layout(kinds, ROW + CELL * len(kinds) + TEXT * len(texts), texts, picker(ints), not known.issuperset(kinds))


def picker(keys: Sequence[Any]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return a function that takes the items under these keys as a tuple; None where there are no keys."""
    if len(keys) > 1:
        return itemgetter(*keys)
    return (lambda items: (items[keys[0]],)) if keys else None


def tidy(cells: Iterable[Any]) -> tuple[list[Any], int]:
    """Return the cells with whatever cannot be kept replaced, and the bytes of the row."""
    kept = [keep(cell) for cell in cells]
    return kept, ROW + CELL * len(kept) + sum(getsizeof(cell) for cell in kept if type(cell) is str)


def keep(value: Any) -> Any:
    """Return the value as a float, int, bool, numpy scalar, text of at most 256 characters, None or WRONG."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if issubclass(kind, str):
        return str.__getitem__(value, slice(0, MAX_TEXT))
    if issubclass(kind, int):
        return _number(int.__float__, value) if not -BIG < int.__index__(value) < BIG else int.__index__(value)
    if _is_numpy_number(kind):
        if len(PLAIN) < _MAX_PLAIN:
            PLAIN.add(kind)
        return value
    if issubclass(kind, float):
        return float.__float__(value)
    return _number(float, value) if kind is Decimal or kind is Fraction else WRONG


def text(value: Any) -> Any:
    """Return an identifier or label as text: texts and numbers are taken, None stays, anything else is WRONG."""
    kept = keep(value)
    if type(kept) is str or kept is None or kept is WRONG:
        return kept
    if type(kept) is float or type(kept) is int:
        return repr(kept)
    number = float(kept)
    return str(int(number)) if number.is_integer() else repr(number)


def millis(value: Any) -> int | Wrong:
    """Return a time in epoch milliseconds, from a datetime, epoch seconds, or (above 1e11) epoch milliseconds."""
    seconds = _number(datetime.timestamp, value) if issubclass(type(value), datetime) else keep(value)
    if seconds is None or isinstance(seconds, str | Wrong):
        return WRONG
    number = float(seconds)
    if not 0 <= number < _LAST_SECOND * 1000:  # NaN is not in it either
        return WRONG
    return int(number if number > _LAST_SECOND else number * 1000)


def _number(convert: Any, value: Any) -> Any:
    try:
        return convert(value)
    except (ValueError, OverflowError, OSError):
        return WRONG


def _is_numpy_number(kind: type) -> bool:
    return any(base.__module__ == "numpy" and base.__name__ in _NUMPY_NUMBERS for base in kind.__mro__)
