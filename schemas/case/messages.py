"""What is told to whom about a case: drafts, their approval, what was sent, and updates that were missed."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class Audience(StrEnum):
    """Who is told; each has words of its own."""

    EXECUTIVE = "executive"
    LEGAL = "legal"
    CUSTOMER_SERVICE = "customer_service"
    AFFECTED_USERS = "affected_users"
    PARTNERS = "partners"
    VENDOR = "vendor"


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftMessage:
    """Write what an audience is to be told; it replaces the audience's draft that was not sent.

    next_update_by
        Until when the reader is promised to hear again (ms); 0 promises nothing.
    """

    incident: str
    audience: Audience
    text: str
    next_update_by: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveMessage:
    """Agree to exactly the draft with this digest; never by its author."""

    incident: str
    message: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSent:
    """Say that the approved draft with this digest was sent, unaltered; `receipt` shows it."""

    incident: str
    message: str
    channel: str
    receipt: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUpdateMissed:
    """An update was due at `due` (ms), and nothing newer was sent to the audience."""

    incident: str
    audience: Audience
    due: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDrafted:
    """What an audience is to be told, whole: an approval binds SHA-256 of exactly these bytes."""

    incident: str
    number: int
    audience: Audience
    text: str
    next_update_by: Millis
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageApproved:
    """A person other than its author agreed to the draft."""

    incident: str
    message: str
    audience: Audience
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent:
    """The approved draft went to its audience."""

    incident: str
    message: str
    audience: Audience
    channel: str
    receipt: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateMissed:
    """The audience waits for a word since `due` (ms)."""

    incident: str
    audience: Audience
    due: Millis


COMMANDS = (DraftMessage, ApproveMessage, RecordSent, ReportUpdateMissed)
EVENTS = (MessageDrafted, MessageApproved, MessageSent, UpdateMissed)
