"""The paging region of a case: what is asked, and what happened.

`subject` says what about the incident people are paged for: empty for the incident itself, or for instance
``clock:ai_act_art73`` for a statutory clock; each subject escalates by itself. `step` counts from 0; the number of the
policy's steps stands for the final role. `due` is when time alone acts next if nobody acknowledges.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class PagingState(StrEnum):
    """Where paging stands."""

    IDLE = "idle"
    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingStarted:
    """Somebody must look: by this policy of the on-call document with this digest, whatever is adopted later.

    `escalation` is the policy itself as JSON, so that the record needs no other document to be understood.
    """

    incident: str
    subject: str = ""
    policy: str
    digest: str
    escalation: bytes
    at: Millis
    due: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSent:
    """These persons were paged; ``webhook:<receiver>`` among them is a machine that was told.

    unreached
        Others of the target whom no receiver would take a page for.
    """

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    persons: tuple[str, ...]
    important: bool
    at: Millis
    due: Millis
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReachedNobody:
    """A target of a step led to nobody who could be reached."""

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    why: str
    at: Millis
    due: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSkipped:
    """A step did not apply (`target` is empty then), or these persons of a target knew already."""

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    persons: tuple[str, ...]
    why: str
    at: Millis
    due: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PageAcknowledged:
    """Somebody took it; `stops` says whether the escalation stops, or others must acknowledge too."""

    incident: str
    subject: str = ""
    person: str
    note: str
    stops: bool
    at: Millis
    due: Millis | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeExpired:
    """Who acknowledged did not follow it up in time; the step where it stood pages again."""

    incident: str
    subject: str = ""
    step: int
    round: int
    persons: tuple[str, ...]
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationExhausted:
    """Nobody answered; the final role was told, which is these persons."""

    incident: str
    subject: str = ""
    role: str
    persons: tuple[str, ...]
    why: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingResolved:
    """Nobody need be paged about it any more."""

    incident: str
    subject: str = ""
    by: str
    reason: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PagingHeld:
    """Nobody is paged for now: another incident explains this one, or a silence covers it."""

    incident: str
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPaging:
    """Begin to page people about a subject by the first policy that matches."""

    incident: str
    subject: str = ""
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldPaging:
    """Record why nobody is paged about a case for now; `by` is the incident that explains it, if one does."""

    incident: str
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPaging:
    """Page nobody any more about a subject that is over."""

    incident: str
    subject: str = ""
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """These persons of a target were paged, at this time of the paging role."""

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    persons: tuple[str, ...]
    important: bool
    at: Millis
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportNobodyReached:
    """A target led to nobody, or no receiver took the page."""

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    why: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPageSkipped:
    """A step did not apply (`target` empty), or these persons of a target knew already."""

    incident: str
    subject: str = ""
    step: int
    round: int
    target: str
    persons: tuple[str, ...]
    why: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAcknowledgeExpired:
    """The time of an acknowledgement is over."""

    incident: str
    subject: str = ""
    step: int
    round: int
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportExhausted:
    """Nobody answered; these persons of the final role were told."""

    incident: str
    subject: str = ""
    role: str
    persons: tuple[str, ...]
    why: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgePage:
    """Say that one is on it."""

    incident: str
    note: str
    subject: str = ""
    repeat: int = 0


EVENTS = (
    PagingStarted,
    PageSent,
    PageReachedNobody,
    PageSkipped,
    PageAcknowledged,
    AcknowledgeExpired,
    EscalationExhausted,
    PagingResolved,
    PagingHeld,
)
COMMANDS = (
    StartPaging,
    HoldPaging,
    EndPaging,
    ReportPage,
    ReportNobodyReached,
    ReportPageSkipped,
    ReportAcknowledgeExpired,
    ReportExhausted,
    AcknowledgePage,
)

Event = (
    PagingStarted
    | PageSent
    | PageReachedNobody
    | PageSkipped
    | PageAcknowledged
    | AcknowledgeExpired
    | EscalationExhausted
    | PagingResolved
)
Command = (
    ReportPage | ReportNobodyReached | ReportPageSkipped | ReportAcknowledgeExpired | ReportExhausted | AcknowledgePage
)
