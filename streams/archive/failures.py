"""Labelled failure cases: the frozen rows that judged signals rest on, with what people said of the signals."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from agents.metrics.history import History
from schemas.case.learning import Finding
from schemas.errors import HeadgateError, SchemaError
from schemas.signals import Evidence
from streams.archive import parquet
from streams.archive.explain import Archive
from streams.archive.store import SealedStore

_WINDOW = "window"
_ID = "prediction_id"


def failures(found: Sequence[History], store: SealedStore, archive: Archive | None, model: str = "") -> pa.Table:
    """Return a row for each frozen prediction and each judged signal of its window; duplicates and drills are left out.

    Columns of the prediction are called `role/name`, as in the archive; those of the verdict by their plain names.
    `in_window` says whether the prediction was made in the window that raised the signal, `label` what turned out to be
    true, where the archive has it.

    Raises
    ------
    HeadgateError
        A file is gone, or models have columns of one name and different types: then one `model` at a time can be had.
    """
    tables = [table for one in found if not one.drill for table in _of_case(one, store, model)]
    if not tables:
        raise HeadgateError("no frozen row belongs to a judged signal; `headgate incidents judge` judges one")
    try:
        whole = pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise HeadgateError(f"the models' columns differ in type, so name one with --model: {error}") from None
    return whole.append_column("label", _labels(whole, archive))


def _of_case(history: History, store: SealedStore, model: str) -> Iterator[pa.Table]:
    verdicts = history.case.learning.verdicts
    for attached in history.case.evidence:
        if attached.kind != _WINDOW and not attached.kind.startswith(f"{_WINDOW}-"):
            continue
        for window in _windows(store.get(attached.digest, history.incident)):
            judged = [
                (history.evidence[signal], verdicts[signal])
                for signal in window["signals"]
                if signal in history.evidence and verdicts.get(signal, Finding.DUPLICATE) is not Finding.DUPLICATE
            ]
            if not judged or (model and window["model"] != model):
                continue
            for file in window["files"]:
                rows = parquet.read(store.get(file["digest"], history.incident))
                yield from (_told(parquet.plain(rows), history, window["model"], *one) for one in judged)


def _windows(manifest: bytes) -> list[dict[str, Any]]:
    try:
        return list(json.loads(manifest)["windows"])
    except (ValueError, KeyError, TypeError):
        raise SchemaError("the evidence is no manifest of frozen rows") from None


def _told(rows: pa.Table, history: History, model: str, found: Evidence, finding: Finding) -> pa.Table:
    said = {
        "incident": history.incident,
        "model": model,
        "signal": found.signal,
        "finding": finding.value,
        "category": found.category.value,
        "detector": found.detector,
        "statistic": found.statistic,
        "subject": found.subject,
        "root_causes": ",".join(sorted(history.codes)),
    }
    for name, value in said.items():
        rows = rows.append_column(name, pa.array([value] * rows.num_rows, type=pa.string()))
    at = _times(rows)
    inside = pc.and_(pc.greater_equal(at, found.window_from), pc.less_equal(at, found.window_to))
    return rows.append_column("in_window", inside)


def _times(rows: pa.Table) -> Any:
    """Return when each prediction was made (ms): its own time where it has one, else when the broker had it."""
    received = rows.column("received_at")
    own = next((rows.column(name) for name in rows.column_names if name.startswith("at/")), None)
    return received if own is None else pc.coalesce(own.cast(pa.int64(), safe=False), received)


def _labels(rows: pa.Table, archive: Archive | None) -> pa.Array:
    """Return the label of each row as text, null where none is known; labels are kept beside the rows, by their id."""
    name = next((name for name in rows.column_names if name.startswith(f"{_ID}/")), None)
    if archive is None or name is None:
        return pa.nulls(rows.num_rows, pa.string())
    said: dict[tuple[str, str], str | None] = {}
    tables: dict[str, Any] = {}
    asked = list(zip(rows.column("model").to_pylist(), rows.column(name).to_pylist(), strict=True))
    for model, identifier in dict.fromkeys(asked):
        if identifier is not None:
            said[model, identifier] = _label(model, str(identifier), archive, tables)
    return pa.array([said.get(key) for key in asked], type=pa.string())


def _label(model: str, identifier: str, archive: Archive, tables: dict[str, Any]) -> str | None:
    for place in archive.index.find(identifier):
        if (place.kind, place.model) == ("labels", model) and place.expired_at is None:
            if place.digest not in tables:
                tables[place.digest] = archive.table(place)
            label = parquet.row(tables[place.digest], place.row).get("label")
            return None if label is None else str(label)
    return None
