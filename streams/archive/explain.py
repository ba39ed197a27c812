"""Rebuilds one prediction from the archive: what was decided, by which version, from what, and what came of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from agents.archive.choose import reasons, sampled
from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.triage.reports import reporter_named
from schemas.events import CaseContained, CaseDismissed, CaseGrew, CaseOpened, CaseQuieted, CaseResolved
from schemas.policy import ArchivePolicy
from schemas.signals import Affected, Evidence
from schemas.values import Mode
from streams.archive import parquet
from streams.archive.evidence import evidence_store
from streams.archive.index import ArchiveIndex, Found
from streams.archive.retention import folder
from streams.archive.store import SealedStore
from streams.ledger.keyring import archive_key
from streams.settings import Settings

_SINGLE = ("prediction", "confidence", "risk", "latency", "trace_id")
_TOLD_APART = frozenset({*_SINGLE, "feature", "explanation", "group", "prediction_id", "at"})


@dataclass(slots=True)
class _Span:
    affected: tuple[Affected, ...]
    evidence: list[Evidence]
    first: int
    ended: int | None = None


class Windows:
    """When and where each incident was seen, gathered from the ledger: from its first bad row until it was over."""

    def __init__(self) -> None:
        self._spans: dict[str, _Span] = {}

    def take(self, verified: Iterable[Verified]) -> None:
        """Look at entries of the ledger."""
        for found in verified:
            for event in found.events:
                self._look(event, 0 if found.entry is None else found.entry.at)

    def _look(self, event: object, at: int) -> None:
        match event:
            case CaseOpened():
                self._spans[event.incident] = _Span(event.affected, list(event.evidence), event.first_bad_at)
            case CaseGrew():
                span = self._spans[event.incident]
                span.affected, span.ended = event.affected, None
                span.evidence += event.evidence
            case CaseQuieted():
                self._spans[event.incident].ended = event.last_signal_at
            case CaseContained() | CaseResolved() | CaseDismissed():
                span = self._spans[event.incident]
                span.ended = at if span.ended is None else span.ended

    def of(self, model: str, version: str, instance: str, at: int) -> list[str]:
        """Return the incidents that a prediction falls into: model, version, instance and time."""
        return [name for name, span in self._spans.items() if _falls(span, (model, version, instance), at)]


def _falls(span: _Span, whose: tuple[str, str, str], at: int) -> bool:
    model, version, instance = whose
    named = any(
        (a.model, a.version) == (model, version) and (not a.instances or instance in a.instances) for a in span.affected
    )
    own = [item for item in span.evidence if (item.model, item.version) == (model, version)]
    first = min((min(item.window_from, item.first_bad_at) for item in own), default=span.first)
    last = max((item.window_to for item in own), default=first)
    return named and first <= at and (span.ended is None or at <= max(last, span.ended))


class Archive:
    """What is kept, for reading."""

    def __init__(self, settings: Settings) -> None:
        key = archive_key(settings.keys_directory)
        self._rows = SealedStore(settings.archive_directory / "rows", key)
        self._evidence = evidence_store(settings, key)
        self.index = ArchiveIndex(settings.archive_directory, key)

    def read(self, found: Found) -> dict[str, Any]:
        """Return the row at a place; KeyRefusedError where its file was changed, HeadgateError where it is gone."""
        return parquet.row(self.table(found), found.row)

    def table(self, found: Found) -> pa.Table:
        """Return the table that a place is in; the same errors."""
        kind, _, incident = found.kind.partition("/")
        below = (incident,) if kind == "evidence" else (folder(found.model), found.day)
        store = self._evidence if kind == "evidence" else self._rows
        return parquet.read(store.get(found.digest, *below))


def explain(
    archive: Archive,
    identifier: str,
    windows: Windows | None,
    state: LedgerState | None,
    names: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """Return all that is known of a prediction id; `archived` is false, with a reason, where nothing is kept.

    Parameters
    ----------
    windows, state
        What the ledger says; None where it cannot be read, and then `incidents` is None.
    """
    places = archive.index.find(identifier)
    kept = [place for place in places if place.expired_at is None]
    if not any(place.kind == "rows" or place.kind.startswith("evidence/") for place in kept):
        policy = state.control.policy.archive if state and state.control.policy else None
        return {"prediction_id": identifier, "archived": False, **_why_not(identifier, places, policy)}
    decisions: dict[tuple[str, int], dict[str, Any]] = {}
    told: dict[str, list[dict[str, Any]]] = {"labels": [], "scores": []}
    for place in kept:
        row = archive.read(place)
        if place.kind in told:
            told[place.kind].append(
                {name: value for name, value in row.items() if name not in ("values", "prediction_id")}
            )
            continue
        decision = decisions.setdefault((row["source"], row["position"]), _decision(place.model, row))
        decision["kept_for"] = sorted({*decision["kept_for"], *reasons(row["kept_for"])})
    for decision in decisions.values():
        decision["incidents"] = (
            None if windows is None or state is None else _incidents(decision, windows, state, names)
        )
    every = list(decisions.values())
    return {"prediction_id": identifier, "archived": True, "decisions": every, **told}


def _decision(model: str, row: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, dict[str, Any]] = row["values"]
    by_role = {value["role"]: value["value"] for value in values.values()}
    at = by_role.get("at")
    return {
        "model": model,
        "version": row["version"],
        "instance": row["instance"],
        "mode": row["mode"],
        "shadow": row["mode"] == Mode.SHADOW.value,
        "at": row["received_at"] if at is None else at,
        "received_at": row["received_at"],
        "source": row["source"],
        "position": row["position"],
        "kept_for": [],
        **{role: by_role.get(role) for role in _SINGLE},
        "inputs": _of(values, "feature"),
        "groups": _of(values, "group"),
        "explanations": _of(values, "explanation"),
        "other": {name: value["value"] for name, value in values.items() if value["role"] not in _TOLD_APART},
        "unusable": sorted(name for name, value in values.items() if value.get("wrong_type")),
    }


def _of(values: dict[str, dict[str, Any]], role: str) -> dict[str, Any]:
    return {name: value["value"] for name, value in values.items() if value["role"] == role}


def _incidents(
    decision: dict[str, Any], windows: Windows, state: LedgerState, names: Mapping[str, str]
) -> list[dict[str, Any]]:
    found = windows.of(decision["model"], decision["version"], decision["instance"], decision["at"])
    cases = [state.cases[incident] for incident in found if incident in state.cases]
    return [
        {
            "incident": c.incident,
            "title": reporter_named(c.title, names),
            "phase": c.phase.value,
            "severity": c.severity.value,
        }
        for c in cases
    ]


def _why_not(identifier: str, places: list[Found], policy: ArchivePolicy | None) -> dict[str, str]:
    expired = [place for place in places if place.expired_at is not None]
    if expired:
        gone = expired[-1]
        day = datetime.fromtimestamp((gone.expired_at or 0) / 1000, UTC).date().isoformat()
        return {
            "reason": "expired",
            "detail": f"the prediction of {gone.model} came on {gone.day} and was deleted on {day}, as policy asks",
        }
    if policy is not None and not sampled(identifier, policy.sample):
        return {
            "reason": "sampled_out",
            "detail": f"no such prediction is kept; its id is not in the sample of {policy.sample:.1%}, so it was kept "
            "only if it was of high risk, in shadow mode, of a tier that is kept whole, or in an incident",
        }
    return {
        "reason": "unknown",
        "detail": "no such prediction was seen; one that has just been made is found when its file is closed, "
        + (f"within {policy.close_seconds} seconds" if policy else "which policy says"),
    }
