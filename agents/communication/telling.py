"""What drafts of all audiences share: the record that they are made from, and how times and states are said."""

from dataclasses import dataclass
from functools import cached_property

from agents.communication.vendors import touched, vendors_of
from agents.ledger.case import Case
from agents.reports.words import when
from schemas.inventory import Vendor
from schemas.systems import System, Systems

Part = tuple[str, tuple[str, ...]]
"""A heading and what stands under it."""

UNKNOWN = "unknown"
MOST = 10


@dataclass(frozen=True, kw_only=True)
class Told:
    """The record as a draft sees it at `now` (ms); `next_update_by` is 0 where nothing is promised."""

    case: Case
    systems: Systems
    now: int
    next_update_by: int = 0

    @cached_property
    def touched(self) -> dict[str, System]:
        """The declared systems of which a model is affected."""
        return touched(self.case, self.systems)

    @cached_property
    def vendors(self) -> dict[str, Vendor]:
        """The vendors of these systems."""
        return vendors_of(self.case, self.systems)


def moment(at: int) -> str:
    """Return a point in time, or that it is unknown."""
    return when(at) if at > 0 else UNKNOWN


def some(items: list[str]) -> str:
    """Return the first items as a list; unknown where there is none."""
    more = f" and {len(items) - MOST} more" if len(items) > MOST else ""
    return ", ".join(items[:MOST]) + more if items else UNKNOWN


def since(told: Told) -> tuple[str, ...]:
    """Return when it began, was noticed, was stopped and was over."""
    case = told.case
    lines = [
        f"It began: {moment(case.course.first_bad_at)}, as far as is known.",
        f"We noticed it: {moment(case.opened_at)}.",
    ]
    if case.contained_at:
        lines.append(f"It was stopped: {moment(case.contained_at)}.")
    if case.phase.over:
        lines.append(f"It was over: {moment(case.course.over_at)}.")
    return tuple(lines)


def next_word(told: Told) -> Part:
    """Return when the reader hears again."""
    if told.next_update_by:
        said = f"By {moment(told.next_update_by)}."
    elif told.case.phase.over:
        said = "This is the last word, unless something changes."
    else:
        said = "unknown: no time is promised. We write when more is known."
    return "When you hear from us again", (said,)


def as_of(told: Told) -> str:
    """Return as of when the draft speaks."""
    return f"As of {moment(told.now)}."
