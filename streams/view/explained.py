"""An explained prediction as lines for a terminal."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from streams.view.rendering import clean


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the lines that tell of a prediction that is archived."""
    yield from map(clean, _lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for number, decision in enumerate(found["decisions"]):
        if number:
            yield ""
        yield from _decision(found["prediction_id"], decision)
    for label in found["labels"]:
        yield f"Label      {label['label']}, known {_time(label['at'])}"
    for score in found["scores"]:
        yield f"Score      {score['judge']} {score['score']:.4g}, {_time(score['at'])}"
    if not found["labels"]:
        yield "Label      none is known"


def _decision(identifier: str, decision: dict[str, Any]) -> Iterator[str]:
    yield f"Prediction {identifier}" + ("  SHADOW: it was logged, and decided nothing" if decision["shadow"] else "")
    instance = f", instance {decision['instance']}" if decision["instance"] else ""
    by = f"{decision['model']} version {decision['version']}{instance}"
    yield f"Decided    {_time(decision['at'])} by {by} ({decision['mode']})"
    yield f"Outcome    {_value(decision['prediction'])}"
    for role in ("confidence", "risk", "latency", "trace_id"):
        if decision[role] is not None:
            yield f"{role.capitalize():10} {_value(decision[role])}"
    for title, name in (("Group", "groups"), ("Input", "inputs"), ("Because", "explanations"), ("Also", "other")):
        for column, value in decision[name].items():
            wrong = "  (a value of the wrong type)" if column in decision["unusable"] else ""
            yield f"{title:10} {column} = {_value(value)}{wrong}"
    yield f"Kept as    {', '.join(decision['kept_for'])}; {decision['source']} position {decision['position']}"
    if decision["incidents"] is None:
        yield "Incidents  the ledger could not be read"
    for incident in decision["incidents"] or ():
        stands = f"{incident['severity'].upper()}, {incident['phase']}"
        yield f"Incident   {incident['incident']} ({stands}): {incident['title']}"


def _value(value: object) -> str:
    if value is None:
        return "missing"
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:2000])


def _time(at: int) -> str:
    return datetime.fromtimestamp(min(max(at, 0), 253_402_300_799_000) / 1000, UTC).isoformat(" ", "milliseconds")
