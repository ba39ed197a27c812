"""Communication in the ledger: drafts, approval by another person, what was sent, and updates that were missed."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger import rules
from agents.ledger.decisions.communicate import MAX_AHEAD_MS, MAX_CHANNEL, MAX_MESSAGES, MAX_RECEIPT, MAX_TEXT
from agents.ledger.regions.messages import MessageState
from schemas import policy
from schemas.case.messages import Audience
from schemas.errors import PolicyError
from streams.view.message_lines import dues, lines, message_named, rows, texts_of
from streams.view.timeline import timeline
from tests.chapters.messages import draft, newest
from tests.drafting import HOUR, approve, drafted, missed, opened, sent
from tests.ledgers import START, names, reason
from tests.story import POLICY


def test_a_message_is_drafted_approved_by_another_and_sent() -> None:
    """Its digest names it from the draft to the receipt, and the timeline tells each step."""
    ledger, message = drafted()
    assert names(ledger.ask(approve(message), "mia")) == ["MessageApproved"]
    assert names(ledger.ask(sent(message), "max")) == ["MessageSent"]
    one = ledger.case.messages.by_digest[message]
    assert (one.state, one.author, one.approved_by, one.sent_at) == (MessageState.SENT, "p-max", "p-mia", ledger.at)
    said = " / ".join(line.sentence for line in timeline(ledger.verified, {}))
    assert f"message {message[:12]} sent to executive by mail" in said


def test_a_new_draft_takes_the_place_of_the_unsent_one_of_its_audience() -> None:
    """Also where that one was approved; a message that was sent, and those of others, stay as they are."""
    ledger, first = drafted()
    ledger.ask(approve(first), "mia")
    ledger.ask(draft(audience=Audience.VENDOR), "max")
    vendor = newest(ledger)
    ledger.ask(draft(repeat=1), "max")  # the same words once more have a digest of their own
    assert newest(ledger) != first
    known = ledger.case.messages.by_digest
    assert [known[one].state for one in (first, vendor)] == [MessageState.SUPERSEDED, MessageState.DRAFT]
    assert reason(ledger.ask(sent(first), "max")) == "superseded"
    assert reason(ledger.ask(approve(first, repeat=1), "mia")) == "superseded"
    ledger.ask(approve(newest(ledger)), "mia")
    ledger.ask(sent(newest(ledger)), "max")
    last = newest(ledger)
    ledger.ask(draft(repeat=2), "max")
    assert ledger.case.messages.by_digest[last].state is MessageState.SENT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"text": " "}, "bad_text"),
        ({"text": "x" * (MAX_TEXT + 1)}, "bad_text"),
        ({"next_update_by": START}, "bad_time"),
        ({"next_update_by": -1}, "bad_time"),
        ({"next_update_by": START + MAX_AHEAD_MS + 1}, "bad_time"),
    ],
)
def test_a_draft_that_says_nothing_too_much_or_promises_the_past_is_refused(changes: dict[str, Any], why: str) -> None:
    """Texts are bounded, and a promise lies ahead, within 30 days."""
    assert reason(opened().ask(draft(**changes), "max")) == why


def test_a_case_has_so_many_messages() -> None:
    """Else one person could fill the state."""
    ledger, message = drafted()
    many = {str(number): ledger.case.messages.by_digest[message] for number in range(MAX_MESSAGES)}
    full = replace(ledger.case, messages=replace(ledger.case.messages, by_digest=many))
    asked = ledger.state.ask(ledger.statement(draft(), "mia"))
    assert reason(rules.decide(rules.CURRENT, ledger.control, full, asked, ledger.at)) == "too_much"


@pytest.mark.parametrize(
    ("audience", "may", "may_not"),
    [
        (Audience.EXECUTIVE, "mia", "lea"),
        (Audience.LEGAL, "lea", "mia"),
        (Audience.CUSTOMER_SERVICE, "mia", "cleo"),
        (Audience.AFFECTED_USERS, "lea", "mia"),
        (Audience.PARTNERS, "cleo", "mia"),
        (Audience.VENDOR, "mia", "lea"),
    ],
)
def test_the_policy_names_the_role_that_approves_for_an_audience(audience: Audience, may: str, may_not: str) -> None:
    """As shipped: managers for those inside and the vendor, legal or compliance for those outside."""
    ledger, message = drafted(audience=audience)
    assert reason(ledger.ask(approve(message), may_not)) == "wrong_role"
    assert names(ledger.ask(approve(message), may)) == ["MessageApproved"]


def test_a_policy_may_name_other_approvers_but_only_people_who_may() -> None:
    """And at least one role, else nothing could ever be sent."""
    document = POLICY + b'[communication.approvers]\nvendor = ["legal"]\n'
    ledger = opened(document)
    ledger.ask(draft(audience=Audience.VENDOR), "max")
    assert reason(ledger.ask(approve(newest(ledger)), "mia")) == "wrong_role"
    assert not reason(ledger.ask(approve(newest(ledger)), "lea"))
    for roles in (b"[]", b'["triage"]', b'["staff"]'):
        with pytest.raises(PolicyError, match="approve"):
            policy.read(POLICY + b"[communication.approvers]\nvendor = " + roles)


def test_who_wrote_a_message_does_not_approve_it() -> None:
    """Nor does anybody twice, nor what is unknown, nor what promises a time that has passed."""
    ledger, message = drafted(next_update_by=START + HOUR)
    assert reason(ledger.ask(approve(message), "max")) == "same_person"
    assert reason(ledger.ask(approve("0" * 64), "mia")) == "unknown_message"
    ledger.later(3600)
    assert reason(ledger.ask(approve(message), "mia")) == "stale"
    ledger.ask(draft(), "max")
    assert not reason(ledger.ask(approve(newest(ledger)), "mia"))
    assert reason(ledger.ask(approve(newest(ledger), repeat=1), "mia")) == "as_it_was"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"channel": ""}, "bad_channel"),
        ({"channel": "x" * (MAX_CHANNEL + 1)}, "bad_channel"),
        ({"receipt": " "}, "bad_receipt"),
        ({"receipt": "x" * (MAX_RECEIPT + 1)}, "bad_receipt"),
    ],
)
def test_what_was_sent_has_a_channel_and_a_receipt(changes: dict[str, Any], why: str) -> None:
    """Both bounded."""
    ledger, message = drafted()
    ledger.ask(approve(message), "mia")
    assert reason(ledger.ask(sent(message, **changes), "max")) == why


def test_only_what_was_approved_is_recorded_as_sent_and_once() -> None:
    """A draft without the second person's word never counts."""
    ledger, message = drafted()
    assert reason(ledger.ask(sent("0" * 64), "max")) == "unknown_message"
    assert reason(ledger.ask(sent(message), "max")) == "not_approved"
    ledger.ask(approve(message), "mia")
    assert not reason(ledger.ask(sent(message, repeat=1), "max"))
    assert reason(ledger.ask(sent(message, repeat=2), "max")) == "sent"
    assert reason(ledger.ask(approve(message, repeat=1), "mia")) == "sent"


@pytest.mark.parametrize("who", ["ada", "remediation", "paging"])
def test_only_responders_write_and_send(who: str) -> None:
    """An administrator or a service tells nobody anything; and no person reports a missed update."""
    ledger, message = drafted()
    assert reason(ledger.ask(draft(repeat=1), who)) == "wrong_role"
    assert reason(ledger.ask(approve(message), who)) == "wrong_role"
    assert reason(ledger.ask(sent(message), who)) == "wrong_role"
    assert reason(ledger.ask(missed(START), "max")) == "wrong_role"


def test_messages_are_listed_named_and_due_for_people() -> None:
    """By number or by the beginning of the digest; with the text, and the earliest due first."""
    ledger, message = drafted(text="It is contained.")
    (row,) = rows(ledger.case, texts_of(iter(ledger.verified)), {"p-max": "max"})
    assert (row["text"], row["author"], row["state"]) == ("It is contained.", "max", "draft")
    assert message_named(ledger.case, "1") == message_named(ledger.case, message[:8]) == message
    with pytest.raises(Exception, match="no message is called 2"):
        message_named(ledger.case, "2")
    assert dues(ledger.control, ledger.case) == [(START + 2 * HOUR, Audience.EXECUTIVE, False)]
    assert "next update due 2023-11-15 00:13:20Z to executive" in next(lines(ledger.control, ledger.case))
    quiet = opened(POLICY)
    assert list(lines(quiet.control, quiet.case)) == []
