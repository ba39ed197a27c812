"""What a backtest found: as JSON, and what differs between two policies."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from streams.backtest.layout import unmarked
from streams.backtest.trial import Incident, Signal, Trial

Tell = Callable[[int], Any]
"""Says a moment (ms) as the data tells time."""

MAX_FEATURES = 50


@dataclass(frozen=True, slots=True)
class Known:
    """A span in which something is known to have been wrong, in milliseconds; `end` is exclusive."""

    start: int
    end: int


def signal_document(signal: Signal, tell: Tell) -> dict[str, Any]:
    """Return a signal for JSON."""
    raised = signal.raised
    return {
        "id": raised.id,
        "at": tell(raised.at),
        "category": raised.category.value,
        "detector": raised.detector,
        "subject": unmarked(raised.subject),
        "statistic": raised.statistic,
        "baseline": raised.baseline,
        "value": raised.value,
        "threshold": raised.threshold,
        "score": raised.score,
        "model": raised.model,
        "version": raised.version,
        "instance": raised.instance,
        "first_bad_at": tell(raised.first_bad_at),
        "cleared_at": None if signal.cleared_at is None else tell(signal.cleared_at),
        "rows": raised.rows,
        "technique": raised.technique,
        "summary": raised.summary,
    }


def features_of(incident: Incident) -> list[str]:
    """Return the subjects of an incident's evidence that are of its own category, the weightiest first."""
    own = [entry for entry in incident.last.evidence if entry.category is incident.last.category]
    names = [unmarked(entry.subject) for entry in own or incident.last.evidence]
    return list(dict.fromkeys(names))[:MAX_FEATURES]


def incident_document(incident: Incident, trial: Trial, tell: Tell) -> dict[str, Any]:
    """Return an incident for JSON."""
    opened = incident.opened
    return {
        "id": opened.id,
        "category": incident.last.category.value,
        "severity": trial.severity(incident),
        "opened_at": tell(opened.at),
        "features": features_of(incident),
        "title": opened.title,
        "first_bad_at": tell(opened.first_bad_at),
        "quieted_at": None if incident.quieted_at is None else tell(incident.quieted_at),
        "affected": [
            {"model": entry.model, "version": entry.version, "instances": list(entry.instances)}
            for entry in incident.last.affected
        ],
        "evidence": [entry.summary for entry in incident.last.evidence[:5]],
        "technique": opened.technique,
        "recurrence_of": opened.recurrence_of,
    }


def document(trial: Trial, tell: Tell, rows: int, known: Sequence[Known] = ()) -> dict[str, Any]:
    """Return all that one policy found."""
    judged = trial.judged
    return {
        "signals": [signal_document(signal, tell) for signal in trial.signals],
        "incidents": [incident_document(incident, trial, tell) for incident in trial.incidents],
        "rows": rows,
        "policy": {"digest": judged.digest, "fitted": list(judged.fitted)},
        "refused": trial.refused[:20],
        "cost": cost(trial, rows, known),
    }


def cost(trial: Trial, rows: int, known: Sequence[Known]) -> dict[str, Any]:
    """Return what a policy costs in false alarms: as configured, and as seen where it is known what was wrong."""
    configured = trial.judged.policy.detection.rows_between_false_alarms
    found: dict[str, Any] = {
        "incidents": len(trial.incidents),
        "signals": len(trial.signals),
        "incidents_per_100000_rows": round(1e5 * len(trial.incidents) / max(rows, 1), 3),
        "rows_between_false_alarms_configured": configured,
        "false_alarms_expected": rows / configured,
    }
    if known:
        at = sorted(incident.opened.at for incident in trial.incidents)
        hits = [[time for time in at if span.start <= time < span.end] for span in known]
        inside = {time for hit in hits for time in hit}
        found["known"] = {
            "faults": len(known),
            "found": sum(bool(hit) for hit in hits),
            "missed": sum(not hit for hit in hits),
            "false_alarms": sum(time not in inside for time in at),
            "delays_seconds": [(hit[0] - span.start) / 1000 for hit, span in zip(hits, known, strict=True) if hit],
        }
    return found


def difference(mine: Trial, other: Trial, tell: Tell, rows: int, known: Sequence[Known] = ()) -> dict[str, Any]:
    """Return what another policy would have done differently.

    Incidents are the same when their category is, and neither opened before the other's first bad row and after its
    end; of what both opened, `delay_seconds` is how much later the other did.
    """
    left = list(other.incidents)
    both, only = [], []
    for incident in mine.incidents:
        twin = next((candidate for candidate in left if _same(incident, candidate)), None)
        if twin is None:
            only.append(incident_document(incident, mine, tell))
            continue
        left.remove(twin)
        both.append(
            {
                "category": incident.last.category.value,
                "ids": [incident.opened.id, twin.opened.id],
                "opened_at": [tell(incident.opened.at), tell(twin.opened.at)],
                "delay_seconds": (twin.opened.at - incident.opened.at) / 1000,
                "severity": [mine.severity(incident), other.severity(twin)],
            }
        )
    return {
        "both": both,
        "only_policy": only,
        "only_compare": [incident_document(incident, other, tell) for incident in left],
        "signals": [len(mine.signals), len(other.signals)],
        "cost": [cost(mine, rows, known), cost(other, rows, known)],
        "settings": settings(mine, other),
    }


def settings(mine: Trial, other: Trial) -> dict[str, list[Any]]:
    """Return the settings that differ, by their place in the policy document."""
    first, second = (_flat(trial.judged.policy.model_dump(mode="json")) for trial in (mine, other))
    names = sorted(first.keys() | second.keys())
    return {name: [first.get(name), second.get(name)] for name in names if first.get(name) != second.get(name)}


def row_text(document: dict[str, Any]) -> list[str]:
    """Return an incident's document as cells of a table for people."""
    shown = document["features"]
    features = ", ".join(shown[:4]) + (f" and {len(shown) - 4} more" if len(shown) > 4 else "")
    return [str(document["opened_at"]), document["category"], document["severity"], features, document["title"]]


def _same(one: Incident, two: Incident) -> bool:
    if one.last.category is not two.last.category:
        return False
    spans = [(i.opened.first_bad_at, max(i.quieted_at or 2**62, i.opened.at)) for i in (one, two)]
    return all(a[0] <= b[1] for a, b in (*pairwise(spans), *pairwise(spans[::-1])))


def _flat(value: Any, place: str = "") -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            name: v
            for key, item in value.items()
            for name, v in _flat(item, f"{place}.{key}" if place else key).items()
        }
    return {place: value}
