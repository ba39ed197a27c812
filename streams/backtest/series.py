"""A series' backtest: the live detector over a file of times and values, one row out for each row in."""

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.series.detector import SeriesDetector
from schemas.errors import HeadgateError
from schemas.thresholds import Series
from streams.backtest.clock import Clock, clock_of
from streams.backtest.table import Table

HEADS = ("timestamp", "value", "score", "alarm")
MAX_ALARMS = 1000
"""Alarms that a summary names."""

MAX_DRAWN = 2_000_000
"""Rows of which a plot is drawn; the rest of a longer file is not."""

_PIECE = 8192
"""Rows judged at a time, so that progress is seen; it changes no score."""

Cells = Sequence[str | None]
Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive judged rows: cells as they were read, values (NaN where a cell is none), scores and alarms."""

    times: Cells
    values: Cells
    numbers: NDArray[np.float64]
    scores: NDArray[np.float64]
    alarms: NDArray[np.bool_]


@dataclass(slots=True)
class Summary:
    """What was seen of a file; `drawn` holds values, scores and rows of alarms where a plot was asked for."""

    threshold: float
    rows: int = 0
    skipped: int = 0
    alarms: int = 0
    first: list[dict[str, Any]] = field(default_factory=list)
    drawn: list[Piece] = field(default_factory=list)


def run(file: Path, columns: tuple[str, str], policy: Series, out: Path | None, told: Told, *, keep: bool) -> Summary:
    """Judge the rows of a file under a policy, and write them to `out` once all of them are judged.

    Parameters
    ----------
    columns
        The names of the columns of time and value.
    told
        Is told how many rows are judged.
    keep
        Whether what a plot needs is to be kept.
    """
    table = Table(file, columns, texts=columns)
    if out is None:
        return _sum(judge(table, columns, policy), policy, told, keep=keep)
    if out.exists() and out.samefile(file):
        raise HeadgateError(f"{out} is the file that is read; name another one with --out")
    part = out.with_name(out.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HEADS)
            found = _sum(_written(judge(table, columns, policy), writer), policy, told, keep=keep)
        os.replace(part, out)  # noqa: PTH105 - the same, and it says what it does
    finally:
        part.unlink(missing_ok=True)
    return found


def judge(table: Table, columns: tuple[str, str], policy: Series) -> Iterator[Piece]:
    """Yield the judged rows of a table; SchemaError where it cannot be read."""
    detector = SeriesDetector(policy)
    clock: Clock | None = None
    for block in table.blocks():
        times, values = (block.columns[name].texts for name in columns)
        told = _numeric(times) if clock is None or clock.kind.value != "iso" else None
        clock = clock or clock_of(times if told is None else told)
        at = clock.read(times if told is None else told, block.first_row, block.rows)
        numbers = _numbers(values)
        for start in range(0, block.rows, _PIECE):
            part = slice(start, start + _PIECE)
            scored = detector.update(numbers[part], at[part])
            yield Piece(times[part], values[part], numbers[part], scored.scores, scored.alarms)


def _written(pieces: Iterator[Piece], writer: Any) -> Iterator[Piece]:
    for piece in pieces:
        scores, alarms = piece.scores.tolist(), piece.alarms.astype(int).tolist()
        writer.writerows(zip(piece.times, piece.values, scores, alarms, strict=True))
        yield piece


def _sum(pieces: Iterator[Piece], policy: Series, told: Told, *, keep: bool) -> Summary:
    found = Summary(SeriesDetector(policy).threshold)
    for piece in pieces:
        for i in np.flatnonzero(piece.alarms)[: max(MAX_ALARMS - len(found.first), 0)].tolist():
            row, score = found.rows + i + 1, float(piece.scores[i])
            found.first.append(
                {"row": row, "timestamp": piece.times[i], "value": float(piece.numbers[i]), "score": score}
            )
        if keep and found.rows < MAX_DRAWN:
            found.drawn.append(piece)
        found.alarms += int(np.count_nonzero(piece.alarms))
        found.skipped += int(np.count_nonzero(~np.isfinite(piece.numbers)))
        found.rows += len(piece.numbers)
        told(found.rows)
    return found


def _numbers(cells: Cells) -> NDArray[np.float64]:
    return np.array([_number(cell) for cell in cells], dtype=np.float64)


def _number(cell: str | None) -> float:
    if cell is None or "_" in cell:
        return np.nan
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _numeric(cells: Cells) -> NDArray[np.float64] | None:
    """Return times as numbers where nine of ten are (a clock then names the first that is none)."""
    found = _numbers(cells[:1000])
    return _numbers(cells) if np.isfinite(found).sum() >= 0.9 * len(found) else None
