"""A quarter of incidents against the quarter before: counts, medians, recurrences, root causes, open actions."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agents.metrics.history import History
from agents.metrics.measures import GROUPS, RECURRENCE_DAYS, Summary, grouped, recurrences, summary, within
from schemas.case.learning import Finding, MissedControl
from schemas.errors import HeadgateError

_QUARTER = re.compile(r"([12]\d{3})Q([1-4])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarter:
    """A quarter of a year in UTC: from `since` (ms) up to, and not at, `until`."""

    name: str
    since: int
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAction:
    """A task that is not done."""

    incident: str
    task: str
    title: str
    owner: str
    due_at: int
    overdue: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """What a quarter was like.

    groups
        Counts by severity, category and system, in this quarter and in the one before.
    causes
        The controls that should have caught root causes, and how many incidents each; the most frequent first.
    findings
        How many signals people judged true, false, benign or duplicate.
    """

    quarter: Quarter
    before: Quarter
    now: Summary
    then: Summary
    drills: Summary
    groups: Mapping[str, Mapping[str, tuple[int, int]]]
    causes: tuple[tuple[MissedControl, int], ...]
    findings: Mapping[Finding, int]
    actions: tuple[OpenAction, ...]


def _begin(year: int, number: int) -> int:
    year, number = year + (number - 1) // 4, (number - 1) % 4 + 1
    return int(datetime(year, 3 * number - 2, 1, tzinfo=UTC).timestamp() * 1000)


def quarter(name: str) -> Quarter:
    """Return the quarter that is called like 2026Q4; HeadgateError for another text."""
    found = _QUARTER.fullmatch(name.upper())
    if found is None:
        raise HeadgateError(f"{name[:40]!r} is no quarter; write 2026Q4")
    year, number = int(found[1]), int(found[2])
    return Quarter(name=found[0], since=_begin(year, number), until=_begin(year, number + 1))


def preceding(after: Quarter) -> Quarter:
    """Return the quarter before."""
    year, number = int(after.name[:4]), int(after.name[5])
    return quarter(f"{year - 1}Q4" if number == 1 else f"{year}Q{number - 1}")


def quarter_of(at: int) -> Quarter:
    """Return the quarter of a moment (ms)."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    return quarter(f"{moment.year}Q{(moment.month + 2) // 3}")


def open_actions(found: Iterable[History], at: int) -> list[OpenAction]:
    """Return the tasks that are not done, those first that were due first; `at` (ms) says what is overdue."""
    tasks = (
        OpenAction(
            incident=one.incident,
            task=name,
            title=task.title,
            owner=task.owner,
            due_at=task.due_at,
            overdue=task.due_at < at,
        )
        for one in found
        if one.real
        for name, task in one.case.people.tasks.items()
        if not task.done_at
    )
    return sorted(tasks, key=lambda action: (action.due_at, action.incident, action.task))


def _counts(now: Sequence[History], then: Sequence[History]) -> dict[str, dict[str, tuple[int, int]]]:
    counts = {}
    for by in GROUPS:
        here, there = grouped(now, by), grouped(then, by)
        counts[by] = {name: (len(here.get(name, ())), len(there.get(name, ()))) for name in sorted({*here, *there})}
    return counts


def trend(found: Sequence[History], asked: Quarter, at: int, days: int = RECURRENCE_DAYS) -> Trend:
    """Return what a quarter was like, as the ledger knows it at `at` (ms)."""
    before = preceding(asked)
    again = recurrences(found, days)
    every = within(found, asked.since, asked.until)
    now = [one for one in every if not one.drill]
    then = [one for one in within(found, before.since, before.until) if not one.drill]
    real, was = [one for one in now if one.real], [one for one in then if one.real]
    causes = Counter(code for one in real for code in sorted(one.codes))
    findings = Counter(finding for one in now for finding in one.case.learning.verdicts.values())
    return Trend(
        quarter=asked,
        before=before,
        now=summary(now, again),
        then=summary(then, again),
        drills=summary([one for one in every if one.drill], again),
        groups=_counts(real, was),
        causes=tuple(sorted(causes.items(), key=lambda item: (-item[1], item[0]))),
        findings={finding: findings[finding] for finding in Finding},
        actions=tuple(open_actions(found, at)),
    )
