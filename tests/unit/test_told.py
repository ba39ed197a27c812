"""People are paged about broken glasses and overdue reviews, and told once that they are asked for a rating."""

from typing import Any

from agents.ledger.subjects import RATING, wanted
from agents.roles import page
from schemas.case import glass as g
from schemas.case import paging as p
from schemas.case.glass import Justified
from schemas.oncall import AdoptOnCall
from tests import play
from tests.chapters.paging import PEOPLE
from tests.ledgers import INCIDENT, Ledger, names, reason
from tests.unit.test_glass import GLASS, STANDING, follow, judge, smash, waiting

DAY = 86_400
ONCALL = (
    PEOPLE
    + b"""[people.cleo]
name = "Cleo"
principal = "p-cleo"
contacts = ["terminal"]
[roles]
ml_manager = ["user:mia"]
staff = ["user:max"]
compliance = ["user:cleo"]
[[policies]]
name = "all"
final = "ml_manager"
steps = [{ targets = ["user:max"] }]
"""
)


def begin(ledger: Ledger) -> dict[str, p.PagingStarted]:
    """Let what should be paged about begin, and what is overdue be told; return how each began."""
    found: dict[str, p.PagingStarted] = {}
    for _ in range(2):
        for body in page.proposals(ledger.control, ledger.case, ledger.state.cases, ledger.at):
            for event in ledger.ask(body, "paging"):
                if isinstance(event, p.PagingStarted):
                    found[event.subject] = event
    return found


def first(event: p.PagingStarted) -> tuple[Any, bool]:
    """Return whom the first step pages, and whether that wakes them up."""
    step = p_policy(event).steps[0]
    return step.targets, step.important


def p_policy(event: p.PagingStarted) -> Any:
    """Return the policy that stands in the record."""
    from schemas.escalation import EscalationPolicy

    return EscalationPolicy.model_validate_json(event.escalation)


def test_a_broken_glass_pages_at_once_those_who_must_know() -> None:
    """Compliance, before the document's own first step; until it is reviewed, and not only shown."""
    ledger = waiting(GLASS)
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    smash(ledger)
    begun = begin(ledger)
    assert first(begun["glass:1"]) == (("user:cleo",), True)
    assert p_policy(begun["glass:1"]).steps[1].targets == ("user:max",)
    judge(ledger, "cleo")
    assert "glass:1" not in wanted(ledger.control, ledger.case)
    begin(ledger)
    assert ledger.case.pages.active("glass:1") is None


def test_an_overdue_review_of_a_broken_glass_pages_those_who_may_do_it() -> None:
    """It is recorded once, not before it is due, and the escalation goes on from the reviewers."""
    ledger = waiting(GLASS)
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    smash(ledger)
    late = g.ReportGlassOverdue(incident=INCIDENT, number=1, standing=False, repeat=5)
    assert reason(ledger.ask(late, "paging")) == "not_due"
    assert "glass:1:overdue" not in begin(ledger)
    begun = begin(ledger.later(DAY))
    assert first(begun["glass:1:overdue"]) == (("role:compliance", "role:ml_manager"), True)
    assert reason(ledger.ask(g.ReportGlassOverdue(incident=INCIDENT, number=1, standing=False, repeat=9), "paging"))
    judge(ledger, "cleo")
    begin(ledger)
    assert ledger.case.pages.active("glass:1:overdue") is None


def test_an_overdue_review_of_a_standing_approval_pages_its_reviewer() -> None:
    """Its use pages nobody by itself, as the policy approved it; that nobody looked at it afterwards does."""
    ledger = waiting(STANDING)
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    assert "StandingApprovalUsed" in follow(ledger)
    assert not [subject for subject in begin(ledger) if subject.startswith("glass")]
    begun = begin(ledger.later(DAY))
    assert first(begun["glass:standing-1:overdue"]) == (("role:ml_manager",), True)
    review = g.ReviewStanding(incident=INCIDENT, number=1, verdict=Justified.JUSTIFIED, note="as meant")
    assert names(ledger.ask(review, "max")) == ["StandingReviewed"]
    assert "glass:standing-1:overdue" not in wanted(ledger.control, ledger.case)


def test_those_who_are_asked_for_a_rating_are_told_once() -> None:
    """A page that wakes nobody up goes to the roles that are asked; it ends as it is sent, and does not begin again."""
    ledger = play.resolved()
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    begun = begin(ledger)
    assert first(begun[RATING]) == (("role:ml_manager", "role:staff"), False)
    for target, person in (("role:ml_manager", "mia"), ("role:staff", "max")):
        sent = p.ReportPage(
            incident=INCIDENT,
            subject=RATING,
            step=0,
            round=0,
            target=target,
            persons=(person,),
            important=False,
            at=ledger.at,
        )
        assert names(ledger.ask(sent, "paging")) == ["PageSent"]
    begin(ledger)
    assert ledger.case.pages.active(RATING) is None
    assert RATING not in begin(ledger.later(DAY))
