"""The paging role's turn: pages go to real receivers, and what could not be sent is what is reported."""

from dataclasses import dataclass, field

from agents.oncall.decide import Refusal, decide
from agents.oncall.escalation import start
from agents.oncall.paging import Paging, evolve
from schemas import oncall
from schemas.case.paging import Command, PageReachedNobody, PageSent, ReportExhausted, ReportNobodyReached, ReportPage
from schemas.errors import EffectError
from schemas.escalation import CaseFacts, EscalationPolicy
from schemas.values import Category, Severity
from streams.oncall.pager import About, Pager
from streams.oncall.port import Page, Receipt
from streams.settings import DEPLOY
from tests.paging import FACTS, START

DOCUMENT = oncall.read((DEPLOY / "oncall.toml").read_bytes())
ABOUT = About(title="unequal treatment", severity="sev1")


@dataclass
class Recorder:
    """A receiver that keeps pages, and does not take those for somebody who is out."""

    name: str
    out: set[str] = field(default_factory=set)
    got: list[Page] = field(default_factory=list)

    def send(self, page: Page) -> Receipt:
        """Take the page, unless its person is out."""
        if page.person in self.out:
            raise EffectError(f"{page.person} is out", retryable=False)
        self.got.append(page)
        return Receipt(receiver=self.name, page=page.id)


def begun(facts: CaseFacts = FACTS) -> tuple[Paging, EscalationPolicy]:
    """Return paging that has begun under the shipped document."""
    (began,) = start(DOCUMENT, "d", facts, incident="i", subject="", at=START)
    policy = DOCUMENT.choose(facts)
    assert policy is not None
    return evolve(Paging(incident="i"), policy, began), policy


def decided(paging: Paging, policy: EscalationPolicy, asked: list[Command], now: int) -> Paging:
    """Have the ledger decide; it refuses nothing that the pager reports."""
    for command in asked:
        answer = decide(paging, policy, command, "paging", now)
        assert not isinstance(answer, Refusal), answer
        for event in answer:
            paging = evolve(paging, policy, event)
    return paging


def turn(pager: Pager, paging: Paging, policy: EscalationPolicy, facts: CaseFacts, now: int) -> list[Command]:
    """Let the pager act until nothing is due, as the ledger follows each report."""
    asked: list[Command] = []
    while command := pager.act(paging, policy, DOCUMENT, facts, ABOUT, now):
        asked.append(command)
        paging = decided(paging, policy, [command], now)
    return asked


def test_a_turn_pages_everybody_who_is_due_and_reports_what_was_sent() -> None:
    """On call, legal and ethics each get one page that says what it is about; the ledger accepts the reports."""
    chat = Recorder("webhook")
    paging, policy = begun()
    asked = turn(Pager({"webhook": chat}, (), lambda _: None), paging, policy, FACTS, START)
    assert [(page.person, page.step, page.title) for page in chat.got] == [
        ("alan", 0, ABOUT.title),
        ("alan", 1, ABOUT.title),
        ("grace", 1, ABOUT.title),
    ]
    assert len({page.id for page in chat.got}) == 3
    assert all(isinstance(command, ReportPage) for command in asked)
    assert decided(paging, policy, asked, START).awaited == ("alan", "grace")


def test_a_turn_that_was_not_reported_sends_the_same_pages_under_the_same_ids_later() -> None:
    """A crash between sending and reporting: a second later the same ids go out again; the next round has others."""
    chat = Recorder("webhook")
    pager = Pager({"webhook": chat}, (), lambda _: None)
    paging, policy = begun()
    turn(pager, paging, policy, FACTS, START)
    asked = turn(pager, paging, policy, FACTS, START + 1000)
    first, again = ([page.id for page in chat.got[at : at + 3]] for at in (0, 3))
    assert first == again
    after = decided(paging, policy, asked, START + 1000)
    turn(pager, after, policy, FACTS, START + 700_000)
    assert not {page.id for page in chat.got[6:]} & {*first, *again}


def test_whom_no_receiver_takes_a_page_for_is_reported() -> None:
    """Nobody of legal reached is said as such; where one of several is not reached, the page says who."""
    facts = CaseFacts(severity=Severity.SEV1, category=Category.ATTACK, tier="high", clock_percent=100)
    paging, policy = begun(facts)
    chat, terminal = Recorder("webhook", {"alan"}), Recorder("terminal", {"alan"})
    asked = turn(Pager({"webhook": chat, "terminal": terminal}, (), lambda _: None), paging, policy, facts, START)
    missed, also, partly = asked
    assert isinstance(missed, ReportNobodyReached)
    assert isinstance(also, ReportNobodyReached)
    assert missed.why == "alan: nobody took the page: webhook: alan is out; terminal: alan is out"
    assert isinstance(partly, ReportPage)
    assert (partly.persons, partly.unreached) == (("grace",), ("alan",))
    assert decided(paging, policy, asked, START).paged[0].person == "grace"


def test_when_nobody_at_all_can_be_reached_it_is_recorded_and_the_final_role_is_tried_again() -> None:
    """All receivers are down: each target is said, the end too; ten minutes later, up again, the executive is told."""
    facts = CaseFacts(severity=Severity.SEV2, category=Category.DATA_DRIFT, tier="high")
    paging, policy = begun(facts)
    chat = Recorder("webhook", {"ada", "grace", "alan"})
    pager = Pager({"webhook": chat}, (), lambda _: None)
    asked = turn(pager, paging, policy, facts, START)
    paging = decided(paging, policy, asked, START)
    later = START + 300_000
    while paging.due is not None and not paging.final:
        later = max(later, paging.due)
        asked = turn(pager, paging, policy, facts, later)
        paging = decided(paging, policy, asked, later)
        last = asked[-1]
        if isinstance(last, ReportExhausted) and not last.persons:
            assert last.why.startswith("nobody could be reached; not reached: grace:")
            chat.out.clear()
    assert paging.final == ("grace", "alan")
    assert [page.person for page in chat.got] == ["grace", "alan"]
    assert PageReachedNobody not in {type(command) for command in asked}
    assert PageSent not in {type(command) for command in asked}
