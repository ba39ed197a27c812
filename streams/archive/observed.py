"""The shape of models' inputs before a fault and during it: out of telemetry, the archive, and what incidents froze."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from confluent_kafka import KafkaException

from agents.archive.choose import INCIDENT, SAMPLE, TIER
from agents.detection.columns import Rows
from agents.drills.culprit import column
from agents.drills.observed import LEAST, Observed, Seen, Shape, Texts, numbers, texts
from agents.ledger.case import Case
from schemas.errors import HeadgateError
from schemas.topics import full_name
from schemas.values import Mode
from streams.archive import parquet
from streams.archive.evidence import evidence_store
from streams.archive.explain import Archive
from streams.archive.parquet import Kept
from streams.archive.reviewed import kept_windows
from streams.archive.window import read_window
from streams.kafka import Clients
from streams.ledger.keyring import archive_key
from streams.settings import Settings

_GROUPS = 2
_DURING_MS = 60_000
_BEFORE_MS = 86_400_000
_FAIR = INCIDENT | SAMPLE | TIER
"""Reasons to keep a row that say nothing of its values."""


def observed(settings: Settings, case: Case, clients: Clients | None = None) -> dict[str, Observed]:
    """Return what the rows of each affected model say; a model of which too few can be read here is missing.

    Telemetry that Kafka still has says most, then the archive's sample, then what was frozen with the incident. Without
    `clients` Kafka is left out.
    """
    found: dict[str, Observed] = {}
    for model in dict.fromkeys(one.model for one in case.affected):
        sources = (
            list(_live(settings, clients, case, model)) if clients is not None else [],
            list(_sampled(settings, case, model)),
            list(_frozen(settings, case, model)),
        )
        told = [_observed(_joined(tables), _since(case, model)) for tables in sources if tables]
        if any(one.features for one in told):
            found[model] = _best(told)
    return found


def _best(told: list[Observed]) -> Observed:
    """Return of each input what the first source says that knows it before and during, or else at all."""
    features: dict[str, Seen] = {}
    for one in told:
        for name, seen in one.features.items():
            known = features.get(name)
            if known is None or (seen.before and seen.during and not (known.before and known.during)):
                features[name] = seen
    return Observed(
        features=features,
        groups=next((one.groups for one in told if one.groups), {}),
        outcomes=next((one.outcomes for one in told if one.outcomes), ()),
    )


def _live(settings: Settings, clients: Clients, case: Case, model: str) -> Iterator[pa.Table]:
    """Yield telemetry of the affected versions around the first bad row; nothing where Kafka has it no more."""
    topic = full_name(settings.ledger, "telemetry")
    for version in dict.fromkeys(one.version for one in case.affected if one.model == model):
        signals = [one for one in case.course.signals if (one.model, one.version) == (model, version)]
        longer = [replace(one, window_to=max(one.window_to, one.first_bad_at + _DURING_MS)) for one in signals]
        if not longer:
            continue
        try:
            window = read_window(clients, topic, longer)
        except (HeadgateError, KafkaException, KeyError):
            return
        yield from _tables([*((rows, window.first - 1) for rows in window.before), *window.rows])


def _tables(batches: list[tuple[Rows, int]]) -> Iterator[pa.Table]:
    """Yield the rows of batches, and when each came, as the archive would keep them."""
    parts: dict[parquet.Signature, list[Kept]] = {}
    for rows, at in batches:
        if rows.rows:
            why = np.full(rows.rows, INCIDENT, dtype=np.uint8)
            parts.setdefault(parquet.signature(rows), []).append(Kept(rows.counted(), why, at))
    for group in parts.values():
        yield parquet.plain(parquet.read(parquet.write(group)))


def _sampled(settings: Settings, case: Case, model: str) -> Iterator[pa.Table]:
    """Yield what the archive kept of the model from a day before the first bad row until a while after it."""
    since = _since(case, model)
    try:
        archive = Archive(settings)
        for place in archive.index.files(model, since - _BEFORE_MS, since + _DURING_MS):
            yield parquet.plain(archive.table(place))
    except HeadgateError:
        return  # there is no archive here, or a file of it is gone or was changed: other sources say what they can


def _frozen(settings: Settings, case: Case, model: str) -> Iterator[pa.Table]:
    """Yield what was frozen with the incident; what is gone from this machine, or was changed, is passed."""
    store = evidence_store(settings, archive_key(settings.keys_directory))
    for manifest in kept_windows(case):
        try:
            windows = json.loads(store.get(manifest, case.incident))["windows"]
            files = [file["digest"] for window in windows if window["model"] == model for file in window["files"]]
        except (HeadgateError, ValueError, KeyError, TypeError):
            continue
        for digest in files:
            try:
                yield parquet.plain(parquet.read(store.get(digest, case.incident)))
            except HeadgateError:
                continue


def _joined(tables: list[pa.Table]) -> pa.Table:
    """Return the rows that decided something, without those chosen for being strange, of tables with equal columns."""
    same = [table for table in tables if table.schema.equals(tables[0].schema, check_metadata=False)]
    rows = pa.concat_tables(same)
    rows = rows.filter(pc.not_equal(rows.column("mode"), Mode.SHADOW.value))
    fair = rows.filter(pc.greater(pc.bit_wise_and(rows.column("kept_for"), pa.scalar(_FAIR, pa.uint8())), 0))
    return fair if fair.num_rows >= 2 * LEAST else rows


def _since(case: Case, model: str) -> int:
    """Return when the model's first bad row was (ms)."""
    return min((one.first_bad_at for one in case.course.signals if one.model == model), default=case.opened_at)


def _observed(rows: pa.Table, since: int) -> Observed:
    bad = np.asarray(_times(rows)) >= since
    every = np.ones(len(bad), dtype=np.bool_)
    features: dict[str, Seen] = {}
    groups: dict[str, Any] = {}
    outcomes: tuple[str, ...] = ()
    for field, cells in zip(rows.schema, rows.columns, strict=True):
        role, _, name = field.name.partition("/")
        if role == "feature":
            before, during = _shape(cells, ~bad), _shape(cells, bad)
            if before is not None or during is not None:
                features.setdefault(column(name), Seen(before=before, during=during))
        elif role == "group" and len(groups) < _GROUPS and isinstance(shape := _shape(cells, every), Texts):
            groups[column(name)] = shape.shares
        elif role == "prediction" and not outcomes and isinstance(shape := _shape(cells, every), Texts):
            outcomes = tuple(sorted(shape.shares, key=lambda value: (-shape.shares[value], value))[:2])
    return Observed(features=features, groups=groups, outcomes=outcomes)


def _times(rows: pa.Table) -> Any:
    received = rows.column("received_at")
    own = next((rows.column(name) for name in rows.column_names if name.startswith("at/")), None)
    return received if own is None else pc.coalesce(own.cast(pa.int64(), safe=False), received)


def _shape(cells: pa.ChunkedArray, chosen: Any) -> Shape | None:
    picked = cells.filter(pa.array(chosen))
    if pa.types.is_string(cells.type):
        return texts(picked.to_pylist())
    return numbers(np.array(picked.cast(pa.float64(), safe=False).to_pylist(), dtype=np.float64))
