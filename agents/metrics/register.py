"""The risk register: incidents of one system, category and missed control are one risk that has come true so often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.metrics.history import History
from agents.metrics.measures import RECURRENCE_DAYS, recurrences, root_cause_resolved
from schemas.ids import derive
from schemas.values import Severity

UNKNOWN = "unknown"
"""Stands for the control while no root cause is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One line of the register.

    risk
        Its id: the same system, category and control give the same.
    severity
        The worst so far.
    treated
        Whether the root cause of every occurrence is resolved: known, accepted, every task done.
    """

    risk: str
    system: str
    category: str
    control: str
    severity: Severity
    occurrences: int
    recurrences: int
    first_at: int
    last_at: int
    open_incidents: int
    open_actions: int
    owner_role: str
    treated: bool
    incidents: tuple[str, ...]


def register(found: Sequence[History], days: int = RECURRENCE_DAYS) -> list[Risk]:
    """Return the risks that came true, the worst first; drills and dismissed candidates are none."""
    again = {one.incident for one in recurrences(found, days)}
    risks: dict[tuple[str, str, str], list[History]] = {}
    for one in found:
        if one.real:
            for control in sorted(map(str, one.codes)) or [UNKNOWN]:
                risks.setdefault((one.case.system, one.case.category.value, control), []).append(one)
    rows = [_risk(key, own, again) for key, own in risks.items()]
    return sorted(rows, key=lambda row: (row.severity.rank, -row.occurrences, row.system, row.category, row.control))


def _risk(key: tuple[str, str, str], own: Sequence[History], again: Iterable[str]) -> Risk:
    system, category, control = key
    tasks = [task for one in own for task in one.case.people.tasks.values()]
    return Risk(
        risk=derive("risk", *key)[:16],
        system=system,
        category=category,
        control=control,
        severity=min((one.case.severity for one in own), key=lambda severity: severity.rank),
        occurrences=len(own),
        recurrences=len({one.incident for one in own} & set(again)),
        first_at=min(one.detected_at for one in own),
        last_at=max(one.detected_at for one in own),
        open_incidents=sum(not one.case.phase.over for one in own),
        open_actions=sum(not task.done_at for task in tasks),
        owner_role=own[-1].opened.owner_role,
        treated=all(root_cause_resolved(one) for one in own),
        incidents=tuple(one.incident for one in own),
    )
