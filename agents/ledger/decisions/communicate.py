"""Decide on communication: drafts, their approval by another person, what was sent, and updates that were missed."""

from agents.ledger import updates
from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from agents.ledger.regions.messages import Message, MessageState
from schemas.case import messages as m

MAX_MESSAGES = 500
MAX_TEXT = 8_000
MAX_CHANNEL = 64
MAX_RECEIPT = 300
MAX_AHEAD_MS = 30 * 86_400_000


def _draft(case: Case, asked: Asked, body: m.DraftMessage, at: int) -> list[object]:
    if not 0 < len(body.text.strip()) <= len(body.text) <= MAX_TEXT:
        return refuse(asked, "bad_text", f"a message has 1 to {MAX_TEXT} characters")
    if body.next_update_by and not at < body.next_update_by <= at + MAX_AHEAD_MS:
        return refuse(asked, "bad_time", "the next update is promised for later than now, within 30 days; 0 is none")
    if len(case.messages.by_digest) >= MAX_MESSAGES:
        return refuse(asked, "too_much", f"a case has at most {MAX_MESSAGES} messages")
    drafted = m.MessageDrafted(
        incident=case.incident,
        number=len(case.messages.by_digest) + 1,
        audience=body.audience,
        text=body.text,
        next_update_by=body.next_update_by,
        principal=asked.principal,
    )
    return [drafted]


def _unsent(case: Case, asked: Asked, digest: str) -> Message | list[object]:
    """Return the message that is named, or the refusal where it cannot be sent any more."""
    message = case.messages.by_digest.get(digest)
    if message is None:
        return refuse(asked, "unknown_message", "the case has no such message; `headgate messages list` names them")
    if message.state is MessageState.SUPERSEDED:
        return refuse(asked, "superseded", "a newer draft for this audience took its place")
    if message.state is MessageState.SENT:
        return refuse(asked, "sent", "this message was sent already")
    return message


def _approve(control: Control, case: Case, asked: Asked, body: m.ApproveMessage, at: int) -> list[object]:
    message = _unsent(case, asked, body.message)
    if isinstance(message, list):
        return message
    if message.state is MessageState.APPROVED:
        return refuse(asked, "as_it_was", "this message is approved already")
    if message.author == asked.principal:
        return refuse(asked, "same_person", "who wrote a message does not approve it; another person does")
    roles = control.policies[case.policy].communication.approvers_of(message.audience)
    if not asked.roles & set(roles):
        named = " or ".join(role.value for role in roles)
        return refuse(asked, "wrong_role", f"what {message.audience.value} is told is approved by {named}")
    if 0 < message.next_update_by <= at:
        return refuse(asked, "stale", "the update that it promises would be late already; draft it anew")
    return [
        m.MessageApproved(
            incident=case.incident, message=body.message, audience=message.audience, principal=asked.principal
        )
    ]


def _record(case: Case, asked: Asked, body: m.RecordSent) -> list[object]:
    message = _unsent(case, asked, body.message)
    if isinstance(message, list):
        return message
    if message.state is not MessageState.APPROVED:
        return refuse(asked, "not_approved", "nobody has approved this message")
    if not 0 < len(body.channel.strip()) <= len(body.channel) <= MAX_CHANNEL:
        return refuse(asked, "bad_channel", f"say in 1 to {MAX_CHANNEL} characters how it was sent, such as mail")
    if not 0 < len(body.receipt.strip()) <= len(body.receipt) <= MAX_RECEIPT:
        return refuse(asked, "bad_receipt", f"a receipt has 1 to {MAX_RECEIPT} characters")
    sent = m.MessageSent(
        incident=case.incident,
        message=body.message,
        audience=message.audience,
        channel=body.channel,
        receipt=body.receipt,
        principal=asked.principal,
    )
    return [sent]


def _missed(control: Control, case: Case, asked: Asked, body: m.ReportUpdateMissed, at: int) -> list[object]:
    due = updates.due(control, case, body.audience)
    if due is None or at < due:
        return refuse(asked, "not_due", "no update is overdue for this audience")
    if updates.stands(control, case, body.audience):
        return refuse(asked, "told", "that this update was missed is told already")
    if body.due != due:
        return refuse(asked, "moved", f"the update was due at {due} ms")
    return [m.UpdateMissed(incident=case.incident, audience=body.audience, due=due)]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about communication, or None where it is none."""
    match asked.body:
        case m.DraftMessage():
            return _draft(case, asked, asked.body, at)
        case m.ApproveMessage():
            return _approve(control, case, asked, asked.body, at)
        case m.RecordSent():
            return _record(case, asked, asked.body)
        case m.ReportUpdateMissed():
            return _missed(control, case, asked, asked.body, at)
    return None
