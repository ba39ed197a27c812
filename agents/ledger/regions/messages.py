"""The communication region of a case: drafts, what was sent to whom, and which updates were told as missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from schemas.case import messages as m
from schemas.case.messages import Audience
from schemas.case.response import CaseReopened
from schemas.events import CaseDeclared


class MessageState(StrEnum):
    """Where a message stands; the last two are terminal."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message without its text, which its event holds."""

    number: int
    audience: Audience
    author: str
    next_update_by: int
    drafted_at: int
    state: MessageState = MessageState.DRAFT
    approved_by: str = ""
    sent_at: int = 0
    sent_by: str = ""
    channel: str = ""
    receipt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages by digest in the order of their drafts, and for each audience the due time that was told as missed.

    declared_at, since
        When it was declared, and when it was last declared or taken up again: audiences must hear from then on (ms).
    last
        Digest of the newest message that was sent to an audience.
    """

    by_digest: Mapping[str, Message] = field(default_factory=dict)
    declared_at: int = 0
    since: int = 0
    last: Mapping[Audience, str] = field(default_factory=dict)
    missed: Mapping[Audience, int] = field(default_factory=dict)

    def last_sent(self, audience: Audience) -> Message | None:
        """Return the newest message that was sent to an audience, or None."""
        return self.by_digest.get(self.last.get(audience, ""))


def _drafted(messages: Messages, event: m.MessageDrafted, at: int, digest: str) -> Messages:
    gone = MessageState.SUPERSEDED
    before = {
        name: replace(one, state=gone)
        if one.audience is event.audience and one.state in {MessageState.DRAFT, MessageState.APPROVED}
        else one
        for name, one in messages.by_digest.items()
    }
    drafted = Message(
        number=event.number,
        audience=event.audience,
        author=event.principal,
        next_update_by=event.next_update_by,
        drafted_at=at,
    )
    return replace(messages, by_digest={**before, digest: drafted})


def _sent(messages: Messages, event: m.MessageSent, at: int) -> Messages:
    sent = replace(
        messages.by_digest[event.message],
        state=MessageState.SENT,
        sent_at=at,
        sent_by=event.principal,
        channel=event.channel,
        receipt=event.receipt,
    )
    return replace(
        messages,
        by_digest={**messages.by_digest, event.message: sent},
        last={**messages.last, event.audience: event.message},
        missed={audience: due for audience, due in messages.missed.items() if audience is not event.audience},
    )


def evolve(messages: Messages, event: object, at: int, digest: str) -> Messages:
    """Return the region after an event of the entry decided at `at` (ms); `digest` (SHA-256) names a draft."""
    match event:
        case CaseDeclared():
            return replace(messages, declared_at=at, since=at)
        case CaseReopened():
            return replace(messages, since=at)
        case m.MessageDrafted():
            return _drafted(messages, event, at, digest)
        case m.MessageApproved():
            agreed = replace(
                messages.by_digest[event.message], state=MessageState.APPROVED, approved_by=event.principal
            )
            return replace(messages, by_digest={**messages.by_digest, event.message: agreed})
        case m.MessageSent():
            return _sent(messages, event, at)
        case m.UpdateMissed():
            return replace(messages, missed={**messages.missed, event.audience: event.due})
    return messages
