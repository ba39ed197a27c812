"""The way of a prediction as lines for a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

from agents.triage.reports import reporter_named
from streams.view.explained import lines as explained
from streams.view.incident_view import EXERCISE
from streams.view.rendering import clean, when


def lines(told: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines that tell a prediction's way."""
    if told["archived"]:
        yield from (line for line in explained(dict(told)) if not line.startswith("Incident"))
        for decision in told["decisions"]:
            yield f"Telemetry  {_place(decision.get('telemetry'))}"
    else:
        yield f"Prediction {clean(told['prediction_id'])}: no row is kept; {told['detail']}"
    if told["ledger"] is None:
        yield "Ledger     could not be read: incidents, reviews and proofs are left out"
        return
    if not told["incidents"]:
        yield "Incidents  none counted it, and nobody reviewed it"
    for incident in told["incidents"]:
        yield ""
        yield from map(clean, _incident(incident))
    ledger = told["ledger"]
    proven = sum(len(incident["entries"]) for incident in told["incidents"])
    yield ""
    yield f"{proven} entries proven: in the tree of {ledger['size']} entries with root {ledger['root']}"
    yield "--json has each one's path; `headgate audit show INDEX` has its bytes"


def _place(place: Mapping[str, Any] | None) -> str:
    if place is None:
        return "the record is no longer in Kafka, or Kafka does not answer; source and position above name the row"
    return f"{place['topic']} partition {place['partition']} offset {place['offset']}, row {place['row']}"


def _incident(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"Incident   {told['incident']} ({told['severity'].upper()} {told['category']}, {told['phase']})"
    yield f"           {told['title']}"
    if told["drill"]:
        yield f"           {EXERCISE}"
    for one in told["counted"]:
        yield f"Counted by {one['detector']} of {one['subject']}: {reporter_named(one['summary'], {})}"
        yield f"           window {when(one['window_from'])} to {when(one['window_to'])}, {one['rows']} rows"
    if not told["counted"]:
        yield "Counted by no window that the ledger cites; it falls into the incident's time, version and instance"
    plan = told["plan"]
    if plan is not None:
        yield f"Plan       {plan['number']}, {plan['state']}, digest {plan['digest'][:16]}"
        yield f"Approved   by {', '.join(plan['approvals']) or 'nobody'}; {plan['quorum']} are needed"
    for one in told["actions"]:
        yield f"Action     {one['target']} to {one['desired']}: {one['outcome'] or 'under way'}"
    if (review := told["review"]) is not None:
        yield f"Review     {_review(review)}"
    for one in told["messages"]:
        yield f"Message    {one['number']} to {one['audience']}: {one['state']}"
    for one in told["reports"]:
        yield f"Clock      {one['clock']}: {one['state']}" + (f", receipt {one['receipt']}" if one["receipt"] else "")
    for one in told["entries"]:
        said = "; ".join(event["says"] for event in one["events"])
        yield f"{one['index']:>9}  {when(one['at'])}  {said}"


def _review(review: Mapping[str, Any]) -> str:
    if review["verdict"] is None:
        late = ", OVERDUE" if review["overdue"] else ""
        return f"waits for {review['assignee'] or 'a reviewer'} until {when(review['due_at'])}{late}"
    label = f", the right outcome is {review['label']}" if review["label"] else ""
    return f"{review['decided_by']}: {review['verdict']}{label}; {review['reason']}"
