"""What was told to whom on an incident, for a terminal: messages as rows, and what is due next."""

from collections.abc import Iterator, Mapping
from typing import Any

from agents.ledger import updates
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.fold import Verified
from schemas.case.messages import Audience, MessageDrafted
from schemas.errors import HeadgateError
from streams.view.rendering import clean, when

SHORTEST = 8


def rows(case: Case, texts: Mapping[int, str], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each message of a case with its text, in the order of the drafts."""
    return [
        {
            "message": digest,
            "number": one.number,
            "audience": one.audience.value,
            "state": one.state.value,
            "author": names.get(one.author, one.author),
            "approved_by": names.get(one.approved_by, one.approved_by),
            "drafted_at": one.drafted_at,
            "sent_at": one.sent_at,
            "sent_by": names.get(one.sent_by, one.sent_by),
            "channel": one.channel,
            "receipt": one.receipt,
            "next_update_by": one.next_update_by,
            "text": texts.get(one.number, ""),
        }
        for digest, one in case.messages.by_digest.items()
    ]


def texts_of(entries: Iterator[Verified]) -> dict[int, str]:
    """Return the text of each message by its number."""
    return {
        event.number: event.text for found in entries for event in found.events if isinstance(event, MessageDrafted)
    }


def message_named(case: Case, prefix: str) -> str:
    """Return the digest of the message that is named by its number or by the beginning of its digest."""
    digests = case.messages.by_digest
    found = [
        digest
        for digest, one in digests.items()
        if prefix == str(one.number) or (len(prefix) >= SHORTEST and digest.startswith(prefix))
    ]
    if len(found) != 1:
        what = f"{len(found)} messages are called" if found else "no message is called"
        raise HeadgateError(f"{what} {clean(prefix[:80])}; `headgate messages list` shows their numbers")
    return found[0]


def dues(control: Control, case: Case) -> list[tuple[int, Audience, bool]]:
    """Return when each audience must hear next (ms), and whether that was told as missed; the earliest first."""
    found = [
        (at, audience, updates.stands(control, case, audience))
        for audience in Audience
        if (at := updates.due(control, case, audience)) is not None
    ]
    return sorted(found, key=lambda one: (one[0], one[1].value))


def lines(control: Control, case: Case) -> Iterator[str]:
    """Yield one line: how many messages went out, and which update is due next or was missed; none where none is."""
    sent = sum(1 for one in case.messages.by_digest.values() if one.sent_at)
    owed = dues(control, case)
    if not case.messages.by_digest and not owed:
        return
    late = [audience.value for _, audience, told in owed if told]
    said = [f"{sent} sent"]
    if owed:
        said.append(f"next update due {when(owed[0][0])} to {owed[0][1].value}")
    if late:
        said.append(f"MISSED: {', '.join(late)}")
    yield f"messages     {'; '.join(said)}"
