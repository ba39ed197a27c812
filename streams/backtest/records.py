"""A table's rows as the records that a model server would have sent: batches of predictions, and labels later."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.received import Received
from schemas.codec import frame
from schemas.errors import SchemaError
from schemas.telemetry import Column, InferenceBatch, LabelBatch
from schemas.values import Flag
from streams.backtest.clock import Clock
from streams.backtest.layout import RESERVED, Layout, marked
from streams.backtest.table import Block, Values

TOPIC = "backtest"
MODEL = "table"
MAX_SPAN = 6 * 86_400_000
"""Milliseconds from the first row of a batch to its last: detection holds a row a week older for a week old."""

MAX_CLASSES = 50
"""Whole numbers of more kinds than this are measured, not classes."""


@dataclass(slots=True)
class _Due:
    """Labels that become known at a time."""

    at: int
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    known: tuple[int, ...]


@dataclass(slots=True)
class Sender:
    """Makes records of blocks; `late` counts rows whose time is before that of the row before.

    topic_id
        Stands for the Kafka topic in the ids of signals.
    ends
        Of each batch: when it came, its last row, and that row's number in the time column.
    prefix
        Begins the ids of predictions where no column holds them.
    version, instance
        Where no column tells them.
    """

    layout: Layout
    clock: Clock
    batch_rows: int
    topic_id: str = TOPIC
    late: int = 0
    now: int = 0
    rows: int = 0
    ends: list[tuple[int, int, float | None]] = field(default_factory=list)
    prefix: str = "row"
    version: str = "1"
    instance: str = ""
    _offset: int = 0
    _positions: dict[str, int] = field(default_factory=dict)
    _waiting: deque[_Due] = field(default_factory=deque)
    _whole: bool | None = None

    def send(self, blocks: Iterable[Block]) -> Iterator[Received]:
        """Yield the records of all blocks, and the labels that are due in between and at the end."""
        for block in blocks:
            yield from self._block(block)
        while self._waiting:
            yield self._labels(self._waiting.popleft())

    def _block(self, block: Block) -> Iterator[Received]:
        times = None if self.layout.time is None else block.columns[self.layout.time]
        cells = None if times is None else times.texts if times.numbers is None else times.numbers
        at = self.clock.read(cells, block.first_row, block.rows)
        numbers = None if times is None else times.numbers
        if not self.rows:
            self.now = int(at[0])
        running = np.maximum.accumulate(np.maximum(at, self.now))
        self.late += int(np.count_nonzero(at < running))
        first = 0
        while first < block.rows:
            end = min(first + self.batch_rows, block.rows)
            if running[end - 1] - running[first] > MAX_SPAN:
                end = max(int(np.searchsorted(running, running[first] + MAX_SPAN, "right")), first + 1)
            yield from self._rows(block, first, end, at)
            cell = None if numbers is None else float(numbers[end - 1])
            self.rows += end - first
            self.ends.append((self.now, self.rows - 1, cell))
            first = end

    def _rows(self, block: Block, first: int, end: int, at: NDArray[np.int64]) -> Iterator[Received]:
        while self._waiting and self._waiting[0].at <= int(at[first]):
            yield self._labels(self._waiting.popleft())
        self.now = max(self.now, int(at[first:end].max()))
        made = np.arange(first, end)
        for (version, instance), chosen in self._split(block, made):
            yield self._batch(block, version, instance, chosen, at[chosen])
        if self.layout.label is None or self.layout.prediction is None:
            return
        labels = _cells(block.columns[self.layout.label], made)
        ids = self._ids(block, made)
        known = (at[first:end] + self.layout.label_delay_ms).tolist()
        told = [(i, t, k) for i, t, k in zip(ids, labels, known, strict=True) if t is not None and i is not None]
        if told:
            names, texts, when = zip(*told, strict=True)
            due = _Due(max(when), names, texts, when)
            if self.layout.label_delay_ms:
                self._waiting.append(due)
            else:
                yield self._labels(due)

    def _split(self, block: Block, rows: NDArray[np.int64]) -> list[tuple[tuple[str, str], NDArray[np.int64]]]:
        """Return (version, instance) and its rows, in the order of their first rows."""
        named = ((self.layout.version, self.version), (self.layout.instance, self.instance))
        if not any(name for name, _ in named):
            return [((self.version, self.instance), rows)]
        parts = [
            [other if name is None else text or "" for text in (_cells(block.columns[name], rows) if name else rows)]
            for name, other in named
        ]
        found: dict[tuple[str, str], list[int]] = {}
        for row, version, instance in zip(rows.tolist(), *parts, strict=True):
            found.setdefault((version, instance), []).append(row)
        return [(key, np.array(chosen)) for key, chosen in found.items()]

    def _batch(
        self, block: Block, version: str, instance: str, chosen: NDArray[np.int64], at: NDArray[np.int64]
    ) -> Received:
        source = f"{version}/{instance}"
        position = self._positions.get(source, 0)
        self._positions[source] = position + len(chosen)
        columns = [Column(name="at", role="at", kind="long", values=at.astype("<i8").tobytes())]
        layout = self.layout
        if layout.prediction is not None:
            columns.append(_texts("prediction_id", "prediction_id", self._ids(block, chosen)))
            columns.append(self._prediction(block.columns[layout.prediction], chosen))
        for name, role in ((layout.confidence, "confidence"), (layout.latency, "latency")):
            if name is not None:
                columns.append(_column(role, role, block.columns[name], chosen))
        columns += [_column(marked(name), "feature", block.columns[name], chosen) for name in layout.features]
        for name in layout.groups:
            own = name if name not in layout.features and name not in RESERVED else f"{name} (group)"
            columns.append(_texts(own, "group", _cells(block.columns[name], chosen)))
        body = InferenceBatch(
            model=MODEL,
            version=version or "1",
            instance=instance,
            mode=layout.mode,
            source=source,
            first_position=position,
            rows=len(chosen),
            columns=tuple(columns),
        )
        return self._record(body, self.now)

    def _prediction(self, values: Values, chosen: NDArray[np.int64]) -> Column:
        if values.numbers is None:
            return _column("prediction", "prediction", values, chosen)
        if self._whole is None:
            usable = values.numbers[np.isfinite(values.numbers)]
            kinds = np.unique(usable)
            self._whole = bool(len(kinds)) and len(kinds) <= MAX_CLASSES and bool((kinds == np.rint(kinds)).all())
        return _column("prediction", "prediction", values, chosen, whole=self._whole)

    def _ids(self, block: Block, chosen: NDArray[np.int64]) -> list[str | None]:
        if self.layout.id is not None:
            return _cells(block.columns[self.layout.id], chosen)
        return [f"{self.prefix}-{row}" for row in (block.first_row + chosen).tolist()]

    def _labels(self, due: _Due) -> Received:
        position = self._positions.get("labels", 0)
        self._positions["labels"] = position + len(due.ids)
        self.now = max(self.now, due.at)
        body = LabelBatch(
            model=MODEL,
            source="labels",
            first_position=position,
            prediction_ids=due.ids,
            labels=due.labels,
            at=due.known,
        )
        return self._record(body, self.now)

    def _record(self, body: object, at: int) -> Received:
        self._offset += 1
        return Received(
            topic=TOPIC,
            topic_id=self.topic_id,
            partition=0,
            offset=self._offset - 1,
            timestamp=at,
            key=MODEL.encode(),
            value=frame(body),
        )


def first_of(block: Block, column: str | None, other: str) -> str:
    """Return the first cell of a column as text, or what stands for it where there is no such column."""
    return other if column is None else _cells(block.columns[column], np.zeros(1, dtype=np.int64))[0] or ""


def _cells(values: Values, chosen: NDArray[np.int64]) -> list[str | None]:
    """Return cells as texts, a whole number without its point; None where there is nothing."""
    if values.numbers is None:
        return [values.texts[row] for row in chosen.tolist()]
    numbers = values.numbers[chosen].tolist()
    return [None if math.isnan(n) else str(int(n)) if n.is_integer() and abs(n) < 1e15 else repr(n) for n in numbers]


def _column(name: str, role: str, values: Values, chosen: NDArray[np.int64], *, whole: bool = False) -> Column:
    if values.numbers is None:
        return _texts(name, role, _cells(values, chosen))
    numbers = values.numbers[chosen]
    flags = None if values.flags is None else values.flags[chosen]
    if not whole:
        return Column(name=name, role=role, kind="double", values=numbers.astype("<f8").tobytes(), flags=_flags(flags))
    broken = ~np.isfinite(numbers) | (np.abs(numbers) > 2.0**53)
    if broken.any():
        flags = np.zeros(len(numbers), dtype=np.uint8) if flags is None else flags
        flags = np.where(broken & (flags == 0), Flag.WRONG_TYPE, flags).astype(np.uint8)
    kept = np.rint(np.where(broken, 0.0, numbers)).astype("<i8")
    return Column(name=name, role=role, kind="long", values=kept.tobytes(), flags=_flags(flags))


def _flags(flags: Any) -> bytes:
    return b"" if flags is None or not flags.any() else flags.astype(np.uint8).tobytes()


def _texts(name: str, role: str, cells: Sequence[str | None]) -> Column:
    codes: dict[str, int] = {}
    values = np.array([0 if text is None else codes.setdefault(text, len(codes)) for text in cells], dtype="<u2")
    null = np.array([text is None for text in cells], dtype=np.uint8)
    if role != "prediction_id" and len(codes) > 1000:
        raise SchemaError(f"column {name[:80]!r} has {len(codes)} different texts in {len(cells)} rows")
    return Column(
        name=name, role=role, kind="string", values=values.tobytes(), dictionary=tuple(codes), flags=_flags(null)
    )
