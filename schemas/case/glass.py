"""Containment before the quorum: approved in advance by policy, or by a person who breaks the glass; reviewed after."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis
from schemas.values import Role


class Justified(StrEnum):
    """What a reviewer says of a step that began without the quorum."""

    JUSTIFIED = "justified"
    NOT_JUSTIFIED = "not_justified"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Let one reversible containing step of the plan with this digest start now, for so many minutes at most."""

    incident: str
    plan: str
    step: int
    reason: str
    minutes: int
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewBreakGlass:
    """Judge the `number`-th broken glass of the case, as somebody who had no part in it."""

    incident: str
    number: int
    verdict: Justified
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewStanding:
    """Judge the `number`-th use of a standing approval on the case."""

    incident: str
    number: int
    verdict: Justified
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportGlassOverdue:
    """The `number`-th broken glass, or use of a standing approval, should have been reviewed by now."""

    incident: str
    number: int
    standing: bool
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassOverdue:
    """Nobody reviewed a broken glass, or a use of a standing approval, in time; told once."""

    incident: str
    number: int
    standing: bool
    review_by: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassBroken:
    """One step may start without the quorum until `until`; `tell` are the principals who must know at once."""

    incident: str
    number: int
    plan: str
    step: int
    principal: str
    key: str
    reason: str
    until: Millis
    review_by: Millis
    tell: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassReviewed:
    """Somebody who had no part in it judged a broken glass."""

    incident: str
    number: int
    principal: str
    verdict: Justified
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingApprovalUsed:
    """Containing steps of a plan begin because a rule of the policy approves them in advance."""

    incident: str
    number: int
    rule: str
    plan: str
    steps: tuple[int, ...]
    at: Millis
    review_by: Millis
    reviewer: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingReviewed:
    """A use of a standing approval was judged."""

    incident: str
    number: int
    principal: str
    verdict: Justified
    note: str


COMMANDS = (BreakGlass, ReviewBreakGlass, ReviewStanding, ReportGlassOverdue)
EVENTS = (GlassBroken, GlassReviewed, StandingApprovalUsed, StandingReviewed, GlassOverdue)
