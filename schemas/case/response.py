"""How people lead the response: investigate, merge, split, reopen, regress, review, close; commands and events."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis
from schemas.signals import Affected, Evidence
from schemas.values import Category


class Dismissal(StrEnum):
    """Why a candidate is no incident; after the resolution reasons of Netflix Dispatch's cases."""

    FALSE_POSITIVE = "false_positive"
    BENIGN = "benign"
    DUPLICATE = "duplicate"
    INSUFFICIENT_INFORMATION = "insufficient_information"
    OPERATIONAL_ERROR = "operational_error"
    PLANNED_CHANGE = "planned_change"
    OUT_OF_SCOPE = "out_of_scope"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Investigate:
    """Look for the cause now: the harm has stopped, or there is nothing to contain."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Say that the case is part of another one, `into`, which is open; nothing more is done on this one."""

    incident: str
    into: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Absorb:
    """Record on the other case that `merged` was merged into it."""

    incident: str
    merged: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Take signals that are of another fault out of the case; `OpenSplit` then opens the case that they begin."""

    incident: str
    signals: tuple[str, ...]
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSplit:
    """Open the case, `incident`, of the signals that left `origin`."""

    incident: str
    origin: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeFollowing:
    """Let the case, `incident`, grow by what was raised since it was split from `origin`, of the fault that left it."""

    incident: str
    origin: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Regress:
    """Go back from recovering to containing, because the survivors do not recover."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRegression:
    """A surviving version raised something while it was watched: the recovery failed."""

    incident: str
    model: str
    version: str
    observation: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reopen:
    """Take up again what was resolved, under review or closed."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginReview:
    """Begin to learn from a resolved incident."""

    incident: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """End the case; refused with everything that is still to be done."""

    incident: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseInvestigating:
    """People look for the cause."""

    incident: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMerged:
    """The case is part of another one, and goes on there."""

    incident: str
    into: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAbsorbed:
    """Another case goes on in this one."""

    incident: str
    merged: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSplit:
    """Signals left the case, and are to open the case `into`, judged by the same policy.

    evidence, affected, category, first_bad_at
        What leaves, and what it touches.
    remaining
        What the case still touches.
    aware_at
        The earliest that somebody was aware of the case that they leave: statutory clocks count from it.
    """

    incident: str
    number: int
    into: str
    principal: str
    reason: str
    system: str
    category: Category
    evidence: tuple[Evidence, ...]
    affected: tuple[Affected, ...]
    first_bad_at: Millis
    remaining: tuple[Affected, ...]
    policy: str
    aware_at: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalsFollowed:
    """Detection told the case of signals whose fault had left it: they wait to be told to the case `into`."""

    incident: str
    into: str
    evidence: tuple[Evidence, ...]
    affected: tuple[Affected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingTaken:
    """What waited for the case from its origin was told to it."""

    incident: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRegressed:
    """The recovery failed, and the harm is to be contained once more; `by` is a principal."""

    incident: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReopened:
    """The case is taken up again, for the `number`-th time; it stands where it was declared, and has no plan."""

    incident: str
    number: int
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReviewed:
    """People began to learn from it."""

    incident: str
    principal: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed:
    """Nothing is left to do."""

    incident: str
    principal: str
    note: str


COMMANDS = (
    Investigate,
    Merge,
    Absorb,
    Split,
    OpenSplit,
    TakeFollowing,
    Regress,
    ReportRegression,
    Reopen,
    BeginReview,
    Close,
)
EVENTS = (
    CaseInvestigating,
    CaseMerged,
    CaseAbsorbed,
    CaseSplit,
    SignalsFollowed,
    FollowingTaken,
    CaseRegressed,
    CaseReopened,
    CaseReviewed,
    CaseClosed,
)
