"""Decisions that people review, as the evidence store holds them: to choose from, to look at, and to export."""

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from agents.ledger.case import Case
from agents.ledger.regions.reviews import Review
from agents.roles.review import Made
from schemas.errors import HeadgateError, SchemaError
from schemas.values import Mode
from streams.archive import parquet
from streams.archive.evidence import KIND
from streams.archive.store import SealedStore


def kept_windows(case: Case) -> list[str]:
    """Return the digests of the manifests of a case's frozen predictions."""
    return [kept.digest for kept in case.evidence if kept.kind == KIND or kept.kind.startswith(f"{KIND}-")]


def decisions(store: SealedStore, incident: str, manifest: str) -> list[Made]:
    """Return the decisions that a manifest names, without those in shadow mode, which nobody felt.

    Raises
    ------
    HeadgateError
        A file is gone, or was changed.
    SchemaError
        The manifest is none.
    """
    try:
        windows = json.loads(store.get(manifest, incident))["windows"]
        files = [(window["model"], file["digest"]) for window in windows for file in window["files"]]
    except (ValueError, KeyError, TypeError):
        raise SchemaError("the evidence is no manifest of frozen rows") from None
    return [made for model, digest in files for made in _made(parquet.read(store.get(digest, incident)), model, digest)]


def row_of(store: SealedStore, incident: str, review: Review) -> dict[str, Any]:
    """Return the row that a review is of; HeadgateError where it is not on this machine."""
    table, number = _place(store, incident, review)
    return parquet.row(table, number)


def outcome(row: dict[str, Any]) -> str:
    """Return what was predicted as a label says it; SchemaError where the row has no prediction."""
    found = next((value["value"] for value in row["values"].values() if value["role"] == "prediction"), None)
    if isinstance(found, float):
        if not math.isfinite(found):
            found = None
        elif found.is_integer():
            found = int(found)
    if found is None:
        raise SchemaError("the row has no prediction that can be used")
    return str(found)


def export(cases: Iterable[Case], store: SealedStore) -> pa.Table:
    """Return a row for each decided review: the decision as it was kept, and what was said of it.

    Columns of the decision are called `role/name`, as in the archive; `label` is what is true of it by the verdict.

    Raises
    ------
    HeadgateError
        Nothing was decided, a file is gone, or models have columns of one name and different types.
    """
    tables = [
        _told(store, case.incident, review)
        for case in cases
        for review in case.reviews.queued.values()
        if review.verdict is not None
    ]
    if not tables:
        raise HeadgateError("no review is decided yet; `headgate reviews` lists what waits")
    try:
        return pa.concat_tables(tables, promote_options="permissive")
    except pa.ArrowException as error:
        raise HeadgateError(f"columns of one name differ in type, so name one incident: {error}") from None


def _told(store: SealedStore, incident: str, review: Review) -> pa.Table:
    table, number = _place(store, incident, review)
    row = parquet.plain(table.slice(number, 1))
    verdict = "" if review.verdict is None else review.verdict.value
    said = {
        "incident": incident,
        "model": review.model,
        "band": review.band.value,
        "verdict": verdict,
        "label": review.label or outcome(parquet.row(table, number)),
        "reason": review.reason,
        "reviewer": review.decided_by,
    }
    for name, value in said.items():
        row = row.append_column(name, pa.array([value], type=pa.string()))
    return row.append_column("decided_at", pa.array([review.decided_at], type=pa.int64()))


def _place(store: SealedStore, incident: str, review: Review) -> tuple[pa.Table, int]:
    table = parquet.read(store.get(review.digest, incident))
    name = _with_role(table, "prediction_id")
    number = -1 if name is None else pc.index(_texts(table, name), review.prediction).as_py()
    if number < 0:
        raise HeadgateError("the file of the evidence store does not hold this decision")
    return table, number


def _made(table: pa.Table, model: str, digest: str) -> Iterator[Made]:
    ids = _with_role(table, "prediction_id")
    if ids is None:
        return
    columns = (
        _texts(table, ids).to_pylist(),
        table.column("version").to_pylist(),
        table.column("mode").to_pylist(),
        _cells(table, _with_role(table, "at")),
        table.column("received_at").to_pylist(),
        _cells(table, _with_role(table, "confidence")),
        _cells(table, _with_role(table, "risk")),
    )
    for name, version, mode, at, received, confidence, risk in zip(*columns, strict=True):
        if name is None or mode == Mode.SHADOW.value:
            continue
        when = _number(at)
        yield Made(
            prediction=name,
            model=model,
            version=version,
            at=received if when is None else int(when),
            confidence=_number(confidence),
            risk=risk if isinstance(risk, str) else _number(risk),
            digest=digest,
        )


def _with_role(table: pa.Table, role: str) -> str | None:
    return next((name for name in table.column_names if name.startswith(f"{role}/")), None)


def _texts(table: pa.Table, name: str) -> Any:
    return table.column(name).cast(pa.string())


def _cells(table: pa.Table, name: str | None) -> list[Any]:
    return [None] * table.num_rows if name is None else table.column(name).to_pylist()


def _number(cell: object) -> float | None:
    if isinstance(cell, int | float) and math.isfinite(cell):
        return float(cell)
    return None
