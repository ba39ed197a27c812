"""How a series is looked at: each row's value, its short means and its restlessness, alone and by the time of day."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOOK_BACK = 24
"""Rows before a row that its views reach back to."""

MEASURES = ("value", "mean_3", "mean_24", "change_12")
"""The numbers of a row: its value, means of so many rows, mean absolute change over so many."""

DAY = "time_of_day"

VIEWS: tuple[tuple[str, ...], ...] = (
    ("value",),
    ("mean_3", "mean_24"),
    ("value", DAY),
    ("change_12", DAY),
)
"""What is looked at together: a row is new where one of these points lies far from all remembered ones."""

DAY_SPREAD = 1 / 3
"""The share of a day that counts as much as a whole spread of the value."""

_DAY_MS = 86_400_000


def measures(values: Floats, before: Floats) -> Floats:
    """Return the measures (measures × rows) of rows that follow `before`, the newest LOOK_BACK values or fewer.

    Sums are of shifted arrays, always in the same order: no row's bits depend on which rows come with it.
    """
    if not len(before):
        before = values[:1]
    first = np.full(LOOK_BACK - len(before[-LOOK_BACK:]), before[0])
    x = np.concatenate([first, before[-LOOK_BACK:], values])
    three = x + _back(x, 1) + _back(x, 2)
    six = three + _back(three, 3)
    twelve = six + _back(six, 6)
    moved = np.abs(x - _back(x, 1))
    moves = moved + _back(moved, 1) + _back(moved, 2)
    moves = moves + _back(moves, 3)
    moves = moves + _back(moves, 6)
    found = np.stack([x, three / 3, (twelve + _back(twelve, 12)) / 24, moves / 12])
    return np.ascontiguousarray(found[:, LOOK_BACK:])


def time_of_day(times: Ints) -> Floats:
    """Return the share of the (UTC) day that has passed at each time, given in milliseconds."""
    return np.mod(times, _DAY_MS) / float(_DAY_MS)


def _back(x: Floats, rows: int) -> Floats:
    return np.concatenate([np.full(rows, x[0]), x[:-rows]])
