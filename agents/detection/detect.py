"""Telemetry in, signals out: the monitors of one partition, as a pure processor that a loop runs."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from agents.detection.columns import check_name, check_positions, decode
from agents.detection.guard import FUTURE_MS, PAST_MS, times
from agents.detection.joined import Joined
from agents.detection.standard import Standard
from agents.detection.unit import Unit
from agents.detection.wording import observed, said, scored, told_apart
from agents.received import Received
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.probing import MAX_PROBES
from schemas.telemetry import MAX_ROWS, HealthSample, InferenceBatch, LabelBatch, ProbeResult, ScoreBatch
from schemas.values import Mode

ACCEPTED = (InferenceBatch, LabelBatch, HealthSample, ScoreBatch, ProbeResult)
"""What a telemetry topic may hold."""

MAX_DIGEST = 64
"""Characters of an answer's digest or form."""

MAX_REQUESTS = 1_000_000_000
_LATEST = 250_000_000_000_000  # a record's time outside [0, this] could not be said in any signal

Events = list[object]


class Detect:
    """Monitors by model; one record in, events out, and the same events for the same records.

    Parameters
    ----------
    standard
        What it judges by.
    """

    def __init__(self, standard: Standard) -> None:
        self._standard = standard
        self._units: dict[str, Unit] = {}
        self._dirty: dict[str, None] = {}
        self._opened: tuple[bytes | None, Any] = (None, None)

    def unit_of(self, record: Received) -> str:
        """Return the unit of state that a record belongs to; SchemaError where it cannot be decoded."""
        return _unit_name(record, self._open(record).model)

    def step(self, record: Received) -> Events:
        """Judge a record; one at or before what its unit has seen changes nothing and says nothing.

        Raises
        ------
        SchemaError
            The record is not what it claims to be, or needs one monitor more than policy allows; nothing changed.
        """
        body = self._open(record)
        if not 0 <= record.timestamp <= _LATEST:
            record = replace(record, timestamp=min(max(record.timestamp, 0), _LATEST))
        name = _unit_name(record, body.model)
        unit = self._units.get(name) or Unit(body.model, self._standard)
        if record.offset <= unit.offset:
            return []
        unit.judge_from(record.offset)
        match body:
            case InferenceBatch():
                events = self._rows(unit, body, record)
            case LabelBatch():
                events = self._labels(unit, body, record)
            case HealthSample():
                events = self._health(unit, body, record)
            case ProbeResult():
                events = self._probed(unit, body, record)
            case _:
                events = self._scores(unit, body, record)
        unit.offset = record.offset
        self._units[name] = unit
        self._dirty[name] = None
        return told_apart(events)

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """Return name, offset seen and state of the units that changed since the last call."""
        names, self._dirty = list(self._dirty), {}
        return [(name, self._units[name].offset, self._units[name].state()) for name in names]

    def restore(self, unit: str, offset: int, body: bytes) -> None:
        """Go on where that state stood; SchemaError where the bytes are no state of this program."""
        self._units[unit] = Unit.of_state(offset, body, self._standard)
        self._dirty.pop(unit, None)

    def forget(self, unit: str | None = None) -> None:
        """Drop one unit, or all."""
        for name in list(self._units) if unit is None else [unit]:
            self._units.pop(name, None)
            self._dirty.pop(name, None)

    def _open(self, record: Received) -> Any:
        # The loop asks for the unit and then for the step: the same value is decoded once.
        if self._opened[0] is not record.value:
            body = open_frame(record.value, allowed=ACCEPTED)
            check_name("model", body.model)
            self._opened = (record.value, body)
        body = self._opened[1]
        if record.key != body.model.encode("utf-8", "surrogatepass"):
            raise SchemaError("the record's key is not its model id, so it may stand in the wrong partition")
        return body

    def _admit(self, unit: Unit, version: str, mode: Mode) -> None:
        check_name("version", version)
        if unit.has(version, mode):
            return
        count = sum(len(other.monitors) for other in self._units.values())
        limit = self._standard.thresholds.max_monitors
        if count >= limit:
            raise SchemaError(
                f"{limit} monitors are running in this partition and no more are allowed: "
                f"version {version[:80]!r} in mode {mode.value} is not judged; raise max_monitors or retire a version"
            )

    def _rows(self, unit: Unit, batch: InferenceBatch, record: Received) -> Events:
        rows = decode(batch)
        self._admit(unit, rows.version, rows.mode)
        fresh = rows.between(unit.marks.fresh_rows(rows), rows.rows)
        if not fresh.rows:
            return []
        monitor = unit.monitor(fresh.version, fresh.mode)
        early = unit.labels.remember(fresh, times(fresh, record.timestamp))
        changes = monitor.update(fresh, record.timestamp) + monitor.series.update(fresh, record.timestamp)
        events: Events = [said(change, batch.model, monitor, record, self._standard.policy) for change in changes]
        events += [scored(fresh, told, record) for told in monitor.series.told]
        for joined in early:
            events += self._labelled(unit, joined, record)
        if monitor.observed():
            events.append(observed(batch.model, monitor, record, unit.labels.tally))
        return events

    def _labels(self, unit: Unit, batch: LabelBatch, record: Received) -> Events:
        count = _same_length(batch.prediction_ids, batch.labels, batch.at)
        check_name("source", batch.source)
        check_positions(batch.first_position, count)
        seen = unit.marks.fresh(f"labels/{batch.source}", batch.first_position, count)
        events: Events = []
        for joined in unit.labels.join(batch.prediction_ids[seen:], batch.labels[seen:], batch.at[seen:]):
            events += self._labelled(unit, joined, record)
        return events

    def _labelled(self, unit: Unit, joined: Joined, record: Received) -> Events:
        if not unit.has(joined.target.version, joined.target.mode):
            return []
        monitor = unit.monitor(joined.target.version, joined.target.mode)
        changes = monitor.labelled(joined, record.timestamp)
        return [said(change, unit.model, monitor, record, self._standard.policy) for change in changes]

    def _health(self, unit: Unit, sample: HealthSample, record: Received) -> Events:
        check_name("instance", sample.instance, empty=True)
        if not 0 <= sample.failures <= sample.requests <= MAX_REQUESTS:
            raise SchemaError(f"{sample.failures} of {sample.requests} requests failed: that cannot be")
        self._admit(unit, sample.version, Mode.REALTIME)
        monitor = unit.monitor(sample.version, Mode.REALTIME)
        saturation = sample.saturation if sample.saturation is not None and math.isfinite(sample.saturation) else None
        changes = monitor.health(sample.instance, sample.requests, sample.failures, record.timestamp, saturation)
        return [said(change, sample.model, monitor, record, self._standard.policy) for change in changes]

    def _scores(self, unit: Unit, batch: ScoreBatch, record: Received) -> Events:
        check_name("judge", batch.judge)
        check_name("instance", batch.instance, empty=True)
        _same_length(batch.prediction_ids, batch.scores, batch.at)
        self._admit(unit, batch.version, Mode.REALTIME)
        values = np.array(batch.scores, dtype=np.float64)
        if not ((values >= 0) & (values <= 1)).all():
            raise SchemaError(f"a score of the judge {batch.judge[:80]!r} is not between 0 and 1")
        monitor = unit.monitor(batch.version, Mode.REALTIME)
        if not monitor.accepts(f"score:{batch.judge}"):
            raise SchemaError(f"the model has as many judges as are watched; {batch.judge[:80]!r} is one more")
        changes = monitor.feed(f"score:{batch.judge}", values, record.timestamp, batch.prediction_ids)
        return [said(change, unit.model, monitor, record, self._standard.policy) for change in changes]

    def _probed(self, unit: Unit, run: ProbeResult, record: Received) -> Events:
        lengths = [*map(len, run.exact), *map(len, run.coarse), len(run.probe_set), len(run.fingerprint)]
        if not 0 < len(run.exact) == len(run.coarse) <= MAX_PROBES or max(lengths) > MAX_DIGEST:
            raise SchemaError(
                f"{len(run.exact)} answers with {len(run.coarse)} forms: as many of each, 1 to {MAX_PROBES}, "
                f"of at most {MAX_DIGEST} characters"
            )
        self._admit(unit, run.version, Mode.REALTIME)
        monitor = unit.monitor(run.version, Mode.REALTIME)
        at = min(max(run.at, record.timestamp - PAST_MS), record.timestamp + FUTURE_MS)
        changes = monitor.probed(replace(run, at=at))
        return [said(change, unit.model, monitor, record, self._standard.policy) for change in changes]


def _unit_name(record: Received, model: str) -> str:
    return f"{record.topic_id}/{model}"


def _same_length(ids: Sequence[str], values: Sequence[object], at: Sequence[int]) -> int:
    if not len(ids) == len(values) == len(at) <= MAX_ROWS:
        raise SchemaError(f"{len(ids)} ids, {len(values)} values, {len(at)} times: as many of each, at most {MAX_ROWS}")
    return len(ids)
