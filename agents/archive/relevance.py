"""Which predictions tell most of an incident: those furthest from what was usual in what its signals name."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Floats, Rows
from schemas.values import Flag

UNUSABLE = 1e6
"""The relevance of a cell that holds no usable value; no distance counts for more."""

_RELEVANT_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Usual:
    """What a column held before: the median and the width of its numbers, or the share of each text."""

    middle: float = 0.0
    width: float = 1.0
    shares: dict[str, float] | None = None


def _column(rows: Rows, subject: str) -> Cells | None:
    return rows.named().get(subject) or rows.with_role(subject)


def usual(before: Iterable[Rows], subject: str) -> Usual:
    """Return what rows held in the column that a signal's subject names, by its name or else its role."""
    numbers: list[Floats] = []
    texts: dict[str, int] = {}
    for rows in before:
        cells = _column(rows, subject)
        if cells is None:
            continue
        if cells.text:
            for text in cells.strings():
                if text is not None:
                    texts[text] = texts.get(text, 0) + 1
        else:
            values = cells.values.astype(np.float64)
            numbers.append(values[np.isfinite(values) & _present(cells)])
    if texts:
        total = sum(texts.values())
        return Usual(shares={text: count / total for text, count in texts.items()})
    every = np.concatenate(numbers) if numbers else np.empty(0)
    if not len(every):
        return Usual()
    low, middle, high = np.quantile(every, (0.25, 0.5, 0.75)).tolist()
    return Usual(middle, max(high - low, 1e-9 * max(abs(middle), 1.0)))


def relevance(rows: Rows, subjects: dict[str, Usual]) -> Floats:
    """Return for each row how far its subjects are from what was usual; 0 where no column is named."""
    found = np.zeros(rows.rows)
    for subject, before in subjects.items():
        cells = _column(rows, subject)
        if cells is not None:
            found = np.maximum(found, _distance(cells, before))
    return found


def _present(cells: Cells) -> NDArray[np.bool_]:
    return np.ones(len(cells.values), dtype=bool) if cells.flags is None else cells.flags == Flag.PRESENT


def _distance(cells: Cells, before: Usual) -> Floats:
    if cells.text:
        shares = before.shares or {}
        rarity = np.array([-math.log2(max(shares.get(text, 0.0), 1e-9)) for text in cells.dictionary])
        found = rarity[cells.values]
    else:
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.abs(cells.values.astype(np.float64) - before.middle) / before.width
    found = np.where(np.isfinite(found), np.minimum(found, UNUSABLE), UNUSABLE)
    return np.where(_present(cells), found, UNUSABLE)


def most_relevant(batches: Sequence[Rows], subjects: dict[str, Usual], limit: int) -> list[NDArray[np.uint8]]:
    """Choose at most `limit` rows: return for each batch 0 for a row that is left, 1 relevant, 2 of the sample.

    Four fifths are the most relevant rows, the earlier of equals first; the rest is a hash sample of the others, so
    that what is usual can be seen beside what is not.
    """
    scores = np.concatenate([relevance(rows, subjects) for rows in batches])
    chosen = np.zeros(len(scores), dtype=np.uint8)
    if len(scores) <= limit:
        chosen[:] = np.where(scores > 0, 1, 2)
    else:
        order = np.argsort(-scores, kind="stable")
        top = order[: int(limit * _RELEVANT_SHARE)]
        chosen[top[scores[top] > 0]] = 1
        others = np.flatnonzero(chosen == 0)
        drawn = np.array([crc32(name.encode()) for name in _names(batches)])[others]
        chosen[others[np.argsort(drawn, kind="stable")[: limit - int(np.count_nonzero(chosen))]]] = 2
    return np.split(chosen, np.cumsum([rows.rows for rows in batches])[:-1])


def _names(batches: Sequence[Rows]) -> Iterable[str]:
    return (f"{rows.source}/{position}" for rows in batches for position in rows.positions().tolist())
