"""What another policy would have made of an incident: both policies judge its models' telemetry again, side by side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from agents.ledger.case import Case
from agents.received import Received
from schemas.systems import Systems
from streams.backtest import report
from streams.backtest.trial import Incident, Judged, Trial

Tell = report.Tell


@dataclass(frozen=True, slots=True)
class Replayed:
    """The two trials, the one by the case's own policy first, and how many predictions they judged."""

    own: Trial
    other: Trial
    rows: int


def replay(
    records: Iterable[tuple[Received, int]],
    case: Case,
    rules: tuple[Judged, Judged],
    systems: Systems,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Judge the records of the case's models under its own policy and under another one."""
    models = {affected.model.encode() for affected in case.affected}
    own, other = (Trial(rule, systems) for rule in rules)
    rows = 0
    for record, count in records:
        if record.key not in models:
            continue
        rows += count
        progress(rows)
        own.take(record)
        other.take(record)
    own.end()
    other.end()
    return Replayed(own, other, rows)


def found_in(trial: Trial, case: Case) -> Incident | None:
    """Return the first incident of the case's models that a trial opened once the harm had begun, or None."""
    models = {affected.model for affected in case.affected}
    since = case.course.first_bad_at
    later = [one for one in trial.incidents if one.opened.at >= since]
    mine = (one for one in later if models & {each.model for each in one.last.affected})
    return min(mine, key=lambda one: one.opened.at, default=None)


def says(case: Case, found: Replayed) -> str:
    """Return in a sentence what the replay shows: whether, and how much earlier or later, it would have been found."""
    own, other = found_in(found.own, case), found_in(found.other, case)
    name = found.other.judged.digest[:12]
    over = f"over {found.rows} predictions of its models"
    noise = len(found.other.incidents) - len(found.own.incidents)
    cost = f"; {abs(noise)} incidents {'more' if noise > 0 else 'fewer'} in all" if noise else ""
    if other is None:
        also = "; nor does its own policy in this replay" if own is None else ""
        return f"policy {name} would not have found it {over}{also}{cost}"
    if own is None:
        return f"policy {name} would have found it, which its own policy does not in this replay, {over}{cost}"
    apart = (other.opened.at - own.opened.at) / 1000
    when = "at the same time" if not apart else f"{abs(apart):.0f} s {'later' if apart > 0 else 'earlier'}"
    return f"policy {name} would have found it {when}, as {found.other.severity(other)}, {over}{cost}"


def document(case: Case, found: Replayed, span: tuple[str, str], tell: Tell) -> dict[str, Any]:
    """Return the result for keeping: what either policy found, and what differs."""
    result = report.document(found.other, tell, found.rows)
    own = found_in(found.own, case)
    return result | {
        "incident": case.incident,
        "from": span[0],
        "to": span[1],
        "shows": says(case, found),
        "own_policy": {"digest": found.own.judged.digest, "opened_at": tell(own.opened.at) if own else None},
        "compare": report.difference(found.own, found.other, tell, found.rows),
    }
