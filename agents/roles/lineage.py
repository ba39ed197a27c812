"""Where the versions of an incident come from: which to ask the registry about, and what is said of them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agents.ledger.case import Case
from schemas.evidence import LINEAGE
from schemas.systems import Systems

MAX_VERSIONS = 8
"""Affected versions of a case that are asked about, in the order of the case."""
_MAX_SUMMARY = 2000
_SCHEME = "mlflow:"


class Asked(NamedTuple):
    """A version to ask about; `registered` is the registry's name of the model, `good` the version to fall back on."""

    model: str
    version: str
    registered: str
    good: str


def wanted(case: Case, systems: Systems) -> list[Asked]:
    """Return the versions to ask about, unless the newest lineage speaks of as many: those that joined since count."""
    pairs = list(dict.fromkeys((one.model, one.version) for one in case.affected))[:MAX_VERSIONS]
    told = [kept.rows for kept in case.evidence if kept.kind == LINEAGE]
    if told and told[-1] >= len(pairs):
        return []
    return [_asked(model, version, systems) for model, version in pairs]


def _asked(model: str, version: str, systems: Systems) -> Asked:
    found = systems.find(model)
    target = (found[2].registry or "") if found else ""
    registered = target.removeprefix(_SCHEME).partition("/")[0] if target.startswith(_SCHEME) else model
    return Asked(model, version, registered, (found[2].known_good or "") if found else "")


def report(incident: str, versions: Sequence[Mapping[str, Any]]) -> bytes:
    """Return what is known of the versions as JSON, the same bytes for the same facts."""
    document = {"kind": LINEAGE, "incident": incident, "versions": list(versions)}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def summary(versions: Sequence[Mapping[str, Any]]) -> str:
    """Return the lineage in a phrase a version; what is not known is said to be unknown, and why."""
    return "; ".join(_said(one) for one in versions)[:_MAX_SUMMARY]


def _said(one: Mapping[str, Any]) -> str:
    name = f"{one['model'][:60]} version {one['version'][:60]}"
    if "unknown" in one:
        return f"{name}: lineage unknown, {one['unknown']}"
    data = ", ".join(f"{found['name']} {found['digest']}" for found in one["data"]) or "unknown"
    signature = one["signature"][:12] or "unknown"
    return f"{name}: run {one['run']['id'] or 'unknown'}, data {data}, signature {signature}"
