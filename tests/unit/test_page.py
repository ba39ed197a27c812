"""Paging in the ledger and the role that drives it: begun, held, climbed, answered and ended."""

import pytest

from agents.ledger.subjects import wanted
from schemas.case import paging as p
from schemas.case.paging import PagingState
from schemas.case.response import Merge
from schemas.case.silences import AddSilence, Aspect, Matcher
from schemas.commands import Acknowledge
from schemas.oncall import AdoptOnCall
from streams.ledger.keyring import Identity
from streams.roles.paging import PagingRole
from streams.settings import load_settings
from tests import play
from tests.chapters.paging import ONCALL
from tests.ledgers import INCIDENT, Ledger, key_of, names, reason


@pytest.fixture
def role() -> PagingRole:
    """The paging role, which pages to its terminal."""
    return PagingRole(load_settings({}), Identity("paging", "p-paging", key_of("paging")))


def adopted() -> Ledger:
    """Return a ledger with an open case and an on-call document."""
    ledger = play.opened()
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    return ledger


def serve(role: PagingRole, ledger: Ledger, seconds: float = 0) -> list[str]:
    """Let the role act until it proposes nothing more, and return what was recorded."""
    ledger.later(seconds)
    told: list[str] = []
    for _ in range(20):
        events = [event for body in role.proposals(ledger.state, ledger.at) for event in ledger.ask(body, "paging")]
        if not events:
            return told
        told += names(events)
    raise AssertionError(f"the role never rests: {told}")


def test_a_page_that_nobody_answers_climbs_to_the_final_role(
    role: PagingRole, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each step in its time, one that does not count and one that reaches nobody told as such, each page sent once."""
    ledger = adopted()
    assert serve(role, ledger) == ["PagingStarted", "PageSent"]
    assert serve(role, ledger, 30) == []
    assert serve(role, ledger, 30) == ["PageSkipped"]
    assert serve(role, ledger, 60) == ["PageReachedNobody"]
    assert serve(role, ledger, 10) == ["EscalationExhausted"]
    assert serve(role, ledger, 3600) == []
    active = ledger.case.pages.active()
    assert active is not None
    assert (active.paging.state, active.paging.final) == (PagingState.EXHAUSTED, ("mia",))
    said = capsys.readouterr()
    assert (said.out + said.err).count("max") == 1


def test_an_acknowledgement_stops_it_and_expires(role: PagingRole) -> None:
    """One word of a person acknowledges the case and answers the page; not followed up, it is sent again."""
    ledger = adopted()
    serve(role, ledger)
    assert names(ledger.ask(Acknowledge(incident=INCIDENT, note="mine"), "max")) == [
        "CaseAcknowledged",
        "PageAcknowledged",
    ]
    assert reason(ledger.ask(Acknowledge(incident=INCIDENT, note="again", repeat=1), "max")) == ""
    assert serve(role, ledger, 59) == []
    assert serve(role, ledger, 1) == ["AcknowledgeExpired", "PageSent"]


def test_paging_ends_with_the_case(role: PagingRole) -> None:
    """Nobody is paged about what is over; while it is not, nobody may end it."""
    ledger = adopted()
    ledger.ask(play.incident_opened(id="other"), "triage")
    serve(role, ledger)
    assert reason(ledger.ask(p.EndPaging(incident=INCIDENT, reason="tired"), "paging")) == "wanted"
    assert names(ledger.ask(Merge(incident=INCIDENT, into="other", reason="one fault"), "max")) == ["CaseMerged"]
    assert serve(role, ledger) == ["PagingResolved"]
    assert ledger.case.pages.active() is None


def test_a_silence_holds_paging_and_its_end_lets_it_begin(role: PagingRole) -> None:
    """That nobody is paged is recorded once, with the reason; what still stands when the silence ends is paged."""
    ledger = play.opened()
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    silence = AddSilence(
        matchers=(Matcher(aspect=Aspect.MODEL, value="shuttle"),),
        starts_at=ledger.at,
        until=ledger.at + 600_000,
        rule="",
        zone="",
        window_seconds=0,
        reason="maintenance",
    )
    ledger.ask(silence, "max")
    assert serve(role, ledger) == ["PagingHeld"]
    assert serve(role, ledger, 300) == []
    assert serve(role, ledger, 301) == ["PagingStarted", "PageSent"]


def test_without_a_document_nobody_is_paged(role: PagingRole) -> None:
    """Nothing is proposed, and what is asked all the same is refused with the way out."""
    ledger = play.opened()
    assert serve(role, ledger) == []
    assert reason(ledger.ask(p.StartPaging(incident=INCIDENT), "paging")) == "no_oncall"
    assert reason(ledger.ask(AdoptOnCall(document=b"version = 1"), "ada")) == "bad_oncall"


def test_only_what_is_due_may_be_reported() -> None:
    """A page that no policy calls for, or one about nothing, is refused."""
    ledger = adopted()
    page = p.ReportPage(
        incident=INCIDENT, step=0, round=0, target="user:max", persons=("max",), important=True, at=ledger.at
    )
    assert reason(ledger.ask(page, "paging")) == "not_paging"
    assert reason(ledger.ask(p.StartPaging(incident=INCIDENT, subject="clock:x:50"), "paging")) == "not_wanted"
    assert wanted(ledger.control, ledger.case) == ("",)


def test_a_page_is_not_sent_again_because_the_clock_leaps(role: PagingRole, capsys: pytest.CaptureFixture[str]) -> None:
    """A drill's clock may gain a day before the ledger follows: what was sent is still waited for in real seconds."""
    ledger = adopted()
    for body in role.proposals(ledger.state, ledger.at):
        ledger.ask(body, "paging")
    sent = role.proposals(ledger.state, ledger.at)
    again = role.proposals(ledger.state, ledger.at + 86_400_000)
    assert sent
    assert all(body in again for body in sent)
    said = capsys.readouterr()
    assert (said.out + said.err).count("max") == 1
