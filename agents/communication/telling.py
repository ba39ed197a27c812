"""What drafts of all audiences share: the record that they are made from, and how times and states are said."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

from agents.communication.vendors import touched, vendors_of
from agents.ledger.case import Case, Phase
from agents.reports.words import when
from agents.triage.narrative import clip
from schemas.inventory import Vendor
from schemas.systems import System, Systems

Part = tuple[str, tuple[str, ...]]
"""A heading and what stands under it."""

UNKNOWN = "unknown"
MOST = 10
_STOPPED = "The harm has been stopped."
_STATED = "People of ours say that the harm has been stopped."
_PROGRESS: Mapping[Phase, str] = MappingProxyType(
    {
        Phase.TRIAGE: "It is being looked at; whether anything went wrong is not decided.",
        Phase.DISMISSED: "People looked at it and decided that it was no incident.",
        Phase.MERGED: "It turned out to be a part of another incident, of which we write apart.",
        Phase.DECLARED: "People are working on it; nothing has been changed yet.",
        Phase.CONTAINING: "The harm is being stopped.",
        Phase.CONTAINED: "The cause has not been put right yet.",
        Phase.INVESTIGATING: "People look for the cause.",
        Phase.REMEDIATING: "The cause is being put right.",
        Phase.RECOVERING: "The cause was put right, and it is being watched whether that holds.",
        Phase.RESOLVED: "It is over.",
        Phase.REVIEW: "It is over, and people work out what to learn from it.",
        Phase.CLOSED: "It is over and closed.",
    }
)
_LONGEST = 100


@dataclass(frozen=True, kw_only=True)
class Told:
    """The record as a draft sees it at `now` (ms); `next_update_by` is 0 where nothing is promised."""

    case: Case
    systems: Systems
    now: int
    next_update_by: int = 0

    @property
    def drill(self) -> bool:
        """Whether the case is an exercise."""
        return self.case.drill

    @property
    def over(self) -> bool:
        """Whether the failure is over; one that goes on in another incident is not."""
        return self.case.phase.over and self.case.phase is not Phase.MERGED

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
    """Return the first items as a list, each within bounds; unknown where there is none."""
    more = f" and {len(items) - MOST} more" if len(items) > MOST else ""
    return ", ".join(clip(item, _LONGEST) for item in items[:MOST]) + more if items else UNKNOWN


def progress(case: Case) -> str:
    """Return how far the response is; whether its end was read back, or people say so, is said with it."""
    said = _PROGRESS[case.phase]
    stopped = _STATED if case.course.contained_by else _STOPPED
    return f"{stopped} {said}" if case.contained_at and not case.phase.over else said


def since(told: Told) -> tuple[str, ...]:
    """Return when it began, was noticed, was stopped and was over."""
    case = told.case
    lines = [
        f"It began: {moment(case.course.first_bad_at)}, as far as is known.",
        f"We noticed it: {moment(case.opened_at)}.",
    ]
    if case.contained_at:
        lines.append(f"It was stopped: {moment(case.contained_at)}.")
    if told.over:
        lines.append(f"It was over: {moment(case.course.over_at)}.")
    return tuple(lines)


def next_word(told: Told) -> Part:
    """Return when the reader hears again."""
    if told.next_update_by:
        said = f"By {moment(told.next_update_by)}."
    elif told.over:
        said = "This is the last word, unless something changes."
    else:
        said = "unknown: no time is promised. We write when more is known."
    return "When you hear from us again", (said,)


def as_of(told: Told) -> str:
    """Return as of when the draft speaks."""
    return f"As of {moment(told.now)}."
