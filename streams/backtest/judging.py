"""A backtest of a table: its rows through one or several policies in one pass."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import numpy as np

from agents.detection import reference
from agents.detection.reference import Adopted
from agents.received import Received
from schemas.errors import SchemaError
from schemas.systems import Systems
from streams.backtest.clock import Clock, Kind, Millis, clock_of
from streams.backtest.layout import Layout
from streams.backtest.records import MODEL, Sender, first_of
from streams.backtest.table import Block, Progress, Table
from streams.backtest.trial import Judged, Trial, fit


@dataclass(slots=True)
class Backtest:
    """What came of a table: the trials, one a policy, and how to tell its time."""

    trials: list[Trial]
    clock: Clock
    rows: int
    late: int
    ends: list[tuple[int, int, float | None]] = field(default_factory=list)

    def row_at(self, at: int) -> tuple[int, float | None]:
        """Return the last row whose batch was there at a time, and its number in the time column."""
        place = int(np.searchsorted([end[0] for end in self.ends], at, "right")) - 1
        return self.ends[max(place, 0)][1:]

    def moment(self, text: str) -> int:
        """Return the moment (ms) that a text names in the table's own time; ValueError where it names none."""
        if self.clock.kind is Kind.ISO:
            return int(self.clock.read([text], 0, 1)[0])
        if self.clock.kind is Kind.EPOCH:
            return int(self.clock.read(np.array([float(text)]), 0, 1)[0])
        if self.clock.kind is Kind.ROWS:
            return self.clock.start + self.clock.step * int(text)
        cells = [cell if cell is not None else math.inf for _, _, cell in self.ends]
        return self.ends[min(int(np.searchsorted(cells, float(text))), len(self.ends) - 1)][0]

    def tell(self, at: int) -> str | float | int:
        """Return a moment as the table tells time."""
        row, cell = self.row_at(at)
        return self.clock.tell(at, row, cell)


@dataclass(slots=True)
class Reference:
    """Rows that were accepted as normal: the last of a table, as many as can be learnt from."""

    blocks: list[Block]
    layout: Layout
    rows: int

    @classmethod
    def of(cls, path: Path, layout: Layout) -> "Reference":
        """Read the end of a table; of the layout's columns it needs the features alone."""
        own = layout.within(frozenset(Table(path, layout.features).names))
        most = min(20_000, 1_000_000 // (len(layout.features) + 3))
        table = Table(path, own.columns, own.texts)
        skipped = max(table.count() - most, 0)
        kept = [
            block.after(max(skipped - block.first_row, 0))
            for block in table.blocks()
            if block.first_row + block.rows > skipped
        ]
        return cls(kept, own, sum(block.rows for block in kept))

    def records(self, sender: Sender, first: Block, step_ms: float) -> Iterator[Received]:
        """Yield its records as the table's sender would have sent them before the table's first rows."""
        layout, clock = sender.layout, sender.clock
        start = int(_times(first, layout, clock)[0])
        given = self.layout.time is not None and clock.kind not in (Kind.ROWS, Kind.NUMBER)
        times = [_times(block, self.layout, clock) for block in self.blocks] if given else []
        if not times or max(int(at.max()) for at in times) > start:
            # Its own times say nothing, or overlap the table's: it is laid just before the table.
            step = max(round(step_ms), 1)
            origin = self.blocks[0].first_row
            sender.clock = Clock(Kind.ROWS, start=start - step * (origin + self.rows), step=step)
        sender.layout, sender.prefix = self.layout, "reference"
        sender.version, sender.instance = first_of(first, layout.version, "1"), first_of(first, layout.instance, "")
        yield from sender.send(self.blocks)
        sender.layout, sender.clock, sender.prefix = layout, clock, "row"
        sender.rows = sender.late = 0
        sender.ends.clear()


def run(
    path: Path,
    layout: Layout,
    policies: Sequence[Judged],
    systems: Systems,
    normal: Path | None = None,
    progress: Progress | None = None,
) -> Backtest:
    """Judge a table by each policy; `normal` is a table of rows that were accepted as normal, or a profile.

    Raises
    ------
    SchemaError
        The file cannot be read, or lacks a column; or the newest row comes first.
    """
    table = Table(path, layout.columns, layout.texts)
    rows = table.count()
    blocks = table.blocks()
    first = next(blocks)
    clock, step = _clock(first, layout)
    profiles = adopted(normal, first_of(first, layout.version, "1")) if normal else {}
    before = Reference.of(normal, layout) if normal and not profiles else None
    labelled = before is not None and before.layout.label is not None and before.layout.prediction is not None
    given = before.rows if before else None
    judged = [fit(one, rows, step, given, labelled=labelled) for one in policies]
    trials = [Trial(one, systems, profiles) for one in judged]
    sender = _sender(layout, clock, rows)
    if before is not None:
        for record in before.records(sender, first, step):
            for trial in trials:
                trial.take(record)
    for record in sender.send(_told(chain([first], blocks), progress)):
        for trial in trials:
            trial.take(record)
    for trial in trials:
        trial.end()
    return Backtest(trials, clock, sender.rows, sender.late, sender.ends)


def adopted(path: Path, version: str) -> dict[tuple[str, str], Adopted]:
    """Return the profile in a file for the table's first version; empty where the file is a table."""
    with path.open("rb") as file:
        data = file.read(reference.MAX_BYTES + 1)
    if not data.startswith(reference.MAGIC):
        return {}
    known = reference.read(data)
    reference.try_out(known)
    return {(MODEL, version): Adopted(reference.digest(data), known.learnt)}


def records(path: Path, layout: Layout) -> Iterator[Received]:
    """Yield the records that a table becomes, as `run` judges them."""
    table = Table(path, layout.columns, layout.texts)
    rows = table.count()
    blocks = table.blocks()
    first = next(blocks)
    clock, _ = _clock(first, layout)
    yield from _sender(layout, clock, rows).send(chain([first], blocks))


def _sender(layout: Layout, clock: Clock, rows: int) -> Sender:
    return Sender(layout, clock, 100 if rows <= 20_000 else 250)


def _told(blocks: Iterable[Block], progress: Progress | None) -> Iterator[Block]:
    for block in blocks:
        yield block
        if progress is not None:
            progress(block.first_row + block.rows)


def _times(block: Block, layout: Layout, clock: Clock) -> Millis:
    cells = None if layout.time is None else block.columns[layout.time]
    given = None if cells is None else cells.texts if cells.numbers is None else cells.numbers
    return clock.read(given, block.first_row, block.rows)


def _clock(first: Block, layout: Layout) -> tuple[Clock, float]:
    cells = None if layout.time is None else first.columns[layout.time]
    clock = clock_of(None if cells is None else cells.texts if cells.numbers is None else cells.numbers)
    at = _times(first, layout, clock)
    steps = np.diff(at)
    if len(steps) and at[-1] < at[0] and np.count_nonzero(steps > 0) < 0.01 * len(steps):
        raise SchemaError("the newest row comes first; a backtest reads time forwards, so reverse the file")
    return clock, abs(float(at[-1] - at[0])) / max(len(steps), 1)
