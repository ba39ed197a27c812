"""When an audience must hear again, and that a missed update is told once and pages people until it comes."""

from agents.ledger import updates
from agents.ledger.closing import unfinished
from agents.ledger.decisions.page import facts
from agents.ledger.subjects import wanted
from schemas.case import paging as p
from schemas.case.messages import Audience
from schemas.case.paging import PagingState
from schemas.case.response import Merge
from schemas.oncall import AdoptOnCall
from streams.ledger.keyring import Identity
from streams.roles.paging import PagingRole
from streams.settings import load_settings
from streams.view.message_lines import lines
from tests import play
from tests.chapters.messages import send
from tests.chapters.paging import ONCALL
from tests.drafting import EVERY, HOUR, approve, drafted, missed, opened, sent
from tests.ledgers import INCIDENT, START, Ledger, genesis, key_of, names, reason
from tests.story import LOW


def test_the_first_update_is_due_by_policy_from_the_declaration() -> None:
    """And each next one from the last message; a promise that ends earlier counts before it."""
    ledger = opened()
    assert updates.due(ledger.control, ledger.case, Audience.EXECUTIVE) == START + 2 * HOUR
    assert updates.due(ledger.control, ledger.case, Audience.LEGAL) is None
    ledger.later(1800)
    send(ledger, "max", "mia")
    assert updates.due(ledger.control, ledger.case, Audience.EXECUTIVE) == ledger.at + 2 * HOUR
    promised = ledger.at + HOUR
    send(ledger, "max", "mia", next_update_by=promised, repeat=1)
    assert updates.due(ledger.control, ledger.case, Audience.EXECUTIVE) == promised
    send(ledger, "mia", "lea", audience=Audience.LEGAL, next_update_by=promised)
    assert updates.due(ledger.control, ledger.case, Audience.LEGAL) == promised


def test_a_candidate_and_a_case_that_is_over_owe_nothing_by_policy() -> None:
    """Nobody has to hear of what is no incident yet; once the response is over only promises count."""
    low = genesis(EVERY.replace(b'severity = "sev4"', b'severity = "sev2"'), LOW)
    low.ask(play.incident_opened(affected=(play.Affected(model="small", version="2"),)), "triage")
    assert updates.due(low.control, low.case, Audience.EXECUTIVE) is None
    ledger = opened()
    ledger.ask(play.incident_opened(id="other"), "triage")
    promised = START + HOUR
    send(ledger, "max", "mia", next_update_by=promised)
    ledger.ask(Merge(incident=INCIDENT, into="other", reason="one fault"), "max")
    assert updates.due(ledger.control, ledger.case, Audience.EXECUTIVE) is None


def test_a_missed_update_is_told_once_for_its_due_time() -> None:
    """Not before it is due, not for another time, not twice; and a newer message ends it."""
    ledger = opened()
    due = START + 2 * HOUR
    assert reason(ledger.ask(missed(due), "paging")) == "not_due"
    ledger.later(7200)
    assert reason(ledger.ask(missed(due - 1), "paging")) == "moved"
    assert names(ledger.ask(missed(due, repeat=1), "paging")) == ["UpdateMissed"]
    assert reason(ledger.ask(missed(due, repeat=2), "paging")) == "told"
    assert updates.missed(ledger.control, ledger.case) == (Audience.EXECUTIVE,)
    assert "MISSED: executive" in next(lines(ledger.control, ledger.case))
    send(ledger, "max", "mia")
    assert updates.missed(ledger.control, ledger.case) == ()
    assert "MISSED" not in next(lines(ledger.control, ledger.case))
    ledger.later(7200)
    assert names(ledger.ask(missed(ledger.at), "paging")) == ["UpdateMissed"]


def test_a_message_that_promised_what_has_passed_is_missed_anew() -> None:
    """It was sent late: the update before it came, and the one that it promises is overdue at once."""
    ledger, message = drafted(next_update_by=START + HOUR)
    ledger.ask(approve(message), "mia")
    ledger.later(7200)
    ledger.ask(missed(ledger.at), "paging")
    ledger.ask(sent(message), "max")
    assert updates.missed(ledger.control, ledger.case) == ()
    assert names(ledger.ask(missed(START + HOUR), "paging")) == ["UpdateMissed"]


def serve(ledger: Ledger, role: PagingRole) -> list[str]:
    """Let the paging role act until it proposes nothing more, and return what was recorded."""
    told: list[str] = []
    for _ in range(20):
        events = [event for body in role.proposals(ledger.state, ledger.at) for event in ledger.ask(body, "paging")]
        if not events:
            return told
        told += names(events)
    raise AssertionError(f"the role never rests: {told}")


def test_a_missed_update_pages_people_until_it_comes() -> None:
    """The role has it recorded, pages about `update:executive` with the case's facts, and stops with the message."""
    ledger = opened()
    role = PagingRole(load_settings({}), Identity("paging", "p-paging", key_of("paging")))
    ledger.later(7199)
    assert serve(ledger, role) == []
    assert serve(ledger.later(1), role) == ["UpdateMissed"]
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    assert serve(ledger, role) == ["PagingStarted", "PagingStarted", "PageSent", "PageSent"]
    subject = "update:executive"
    assert subject in wanted(ledger.control, ledger.case)
    assert facts(ledger.control, ledger.case, subject) == facts(ledger.control, ledger.case, "")
    assert reason(ledger.ask(p.EndPaging(incident=INCIDENT, subject=subject, reason="no"), "paging")) == "wanted"
    send(ledger, "max", "mia")
    assert "PagingResolved" in serve(ledger, role)
    assert ledger.case.pages.active(subject) is None
    assert ledger.case.pages.subjects[subject].paging.state is PagingState.RESOLVED
    assert ledger.case.pages.active() is not None


def test_a_promise_keeps_a_case_from_being_closed() -> None:
    """A last message that promises none is what closing waits for."""
    ledger = opened()
    send(ledger, "mia", "lea", audience=Audience.AFFECTED_USERS, next_update_by=START + HOUR)
    assert any("promised to affected_users" in said for said in unfinished(ledger.control, ledger.case))
    send(ledger, "mia", "lea", audience=Audience.AFFECTED_USERS, repeat=1)
    assert not any("promised" in said for said in unfinished(ledger.control, ledger.case))
