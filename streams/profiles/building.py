"""Builds a reference profile from a table: its rows go through live detection, which learns from them and no more."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import decode as columns_of
from agents.detection.detect import ACCEPTED, Detect
from agents.detection.findings import findings
from agents.detection.material import Gathering
from agents.detection.reference import Finding, Reference, distilled
from agents.detection.standard import Standard
from agents.detection.unit import UnitState
from schemas.avro import decode
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.selection import Selected
from schemas.telemetry import InferenceBatch, LabelBatch
from schemas.thresholds import Thresholds
from streams.backtest.clock import Clock, clock_of
from streams.backtest.judging import Reference as Rows
from streams.backtest.layout import Layout
from streams.backtest.records import Sender
from streams.backtest.table import Block, Values

LEAST = 200
_BATCH = 500
_CELLS = 1_000_000
_LATE = 604_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What a profile is built for, and under which thresholds of which policy."""

    model: str
    version: str
    policy: str
    selected: Selected


def build(path: Path, layout: Layout, recipe: Recipe) -> Reference:
    """Return the profile of the newest rows of a table, as many as a monitor can learn from (20,000, fewer if wide).

    Raises
    ------
    SchemaError
        The file cannot be read, lacks a column, or has too few rows.
    """
    rows = Rows.of(path, layout)
    if rows.rows < LEAST:
        raise SchemaError(f"{path} has {rows.rows} rows; a profile is learnt from {LEAST} at least")
    block, clock, back = _ordered(rows)
    thresholds = recipe.selected.thresholds
    detect = Detect(Standard(recipe.policy, _learning(thresholds, rows.rows)))
    gathering, seen = Gathering(), hashlib.sha256()
    for record in Sender(rows.layout, clock, _BATCH, version=recipe.version).send([block]):
        detect.step(record)
        seen.update(record.value)
        body = open_frame(record.value, ACCEPTED)
        if isinstance(body, InferenceBatch):
            gathering.take(columns_of(body))
        elif isinstance(body, LabelBatch):
            gathering.label(body.prediction_ids, body.labels)
    ((_, _, state),) = detect.dirty()
    (monitor,) = decode(UnitState, state[1:]).monitors
    learnt, unsteady = distilled(monitor, thresholds)
    material = gathering.material()
    text = f"{back} rows of the file were older than the row before them; they were learnt in the order of their times"
    disorder = (Finding(kind="order", subject="time", value=back, summary=text),) if back else ()
    return Reference(
        model=recipe.model,
        version=recipe.version,
        source=seen.hexdigest(),
        policy=recipe.policy,
        rows=material.rows,
        at_from=int(material.at.min()),
        at_to=int(material.at.max()),
        findings=(*disorder, *findings(material, thresholds.psi, thresholds.quality.stuck_rows), *unsteady),
        learnt=learnt,
    )


def _learning(selected: Thresholds, rows: int) -> Thresholds:
    """Return the thresholds under which exactly these rows are learnt from, however old the first of them are."""
    changes = {"reference_rows": rows, "reference_cells": _CELLS, "reference_seconds": 0, "reference_tries": 0}
    return Thresholds.model_validate(selected.model_dump(exclude={"when"}) | changes | {"late_seconds": _LATE})


def _ordered(rows: Rows) -> tuple[Block, Clock, int]:
    """Return all rows in the order of their time, the clock that tells it, and how many were older than the one before.

    A training file often stands in no order, and what depends on the row before would be learnt wrongly.
    """
    first = rows.blocks[0]
    columns = {name: _joined([block.columns[name] for block in rows.blocks]) for name in first.columns}
    times = None if rows.layout.time is None else columns[rows.layout.time]
    cells = None if times is None else times.texts if times.numbers is None else times.numbers
    clock = clock_of(cells)
    at = clock.read(cells, first.first_row, rows.rows)
    order = np.argsort(at, kind="stable")
    sorted_columns = {name: _reordered(values, order) for name, values in columns.items()}
    back = int(np.count_nonzero(np.diff(at) < 0))
    return Block(first.first_row, rows.rows, sorted_columns), clock, back


def _joined(parts: Sequence[Values]) -> Values:
    numbers = [part.numbers for part in parts if part.numbers is not None]
    count = [len(part.texts) if part.numbers is None else len(part.numbers) for part in parts]
    flags = [
        np.zeros(size, dtype=np.uint8) if part.flags is None else part.flags
        for size, part in zip(count, parts, strict=True)
    ]
    texts = [text for part in parts for text in part.texts]
    return Values(np.concatenate(numbers) if numbers else None, texts, np.concatenate(flags))


def _reordered(values: Values, order: NDArray[np.int64]) -> Values:
    numbers = None if values.numbers is None else values.numbers[order]
    texts = [values.texts[row] for row in order.tolist()] if values.numbers is None else []
    return Values(numbers, texts, None if values.flags is None else values.flags[order])
