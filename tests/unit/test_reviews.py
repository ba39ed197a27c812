"""Single decisions that people review: which are chosen, who says what of them, and each way in which it is refused."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.closing import unfinished
from agents.ledger.decisions.review import MAX_ID, MAX_LABEL
from agents.ledger.subjects import REVIEWS_OVERDUE, wanted
from agents.roles import page
from agents.roles.review import Made, band_of, chosen, overdue, reliability
from schemas import commands as c
from schemas.case import reviews as r
from schemas.case.reviews import Band, ReviewVerdict
from schemas.oncall import AdoptOnCall
from schemas.values import Category, Role, Severity
from tests.chapters.paging import ONCALL
from tests.chapters.reviews import decide, queue
from tests.chapters.reviews import overdue as told_overdue
from tests.ledgers import INCIDENT, POLICY, START, Ledger, enrolment, genesis, names, reason
from tests.play import evidence, incident_opened, opened
from tests.story import LOW

DIGEST = "ab" * 32
OVERRIDE = ReviewVerdict.OVERRIDE


def made(number: int = 1, **changes: Any) -> Made:
    """Return a decision of the bad version that nobody need look at."""
    sure = Made(
        prediction=f"p-{number}",
        model="shuttle",
        version="2",
        at=START + number,
        confidence=0.99,
        risk=0.1,
        digest=DIGEST,
    )
    return replace(sure, **changes)


def with_reviewers(**changes: Any) -> Ledger:
    """Return a ledger with the incident declared, and two reviewers."""
    ledger = opened(**changes)
    for who in ("rio", "ria"):
        ledger.ask(c.EnrolKey(enrolment=enrolment(who, Role.REVIEWER)), "ada")
    return ledger


def strict(text: str, *reviewers: str) -> Ledger:
    """Return a ledger with a declared incident whose policy says this of reviews."""
    ledger = genesis(POLICY.replace(b"[reviews]\n", f"[reviews]\n{text}\n".encode()))
    for who in reviewers:
        ledger.ask(c.EnrolKey(enrolment=enrolment(who, Role.REVIEWER)), "ada")
    ledger.ask(incident_opened(), "triage")
    return ledger


def test_a_decision_is_queued_for_a_named_reviewer_with_a_due_time_in_turn() -> None:
    """Reviewers take turns, the due time follows the severity, and a revoked key takes no turn."""
    ledger = with_reviewers()
    for number in range(3):
        (queued,) = ledger.ask(queue(f"p-{number}"), "evidence")
        assert isinstance(queued, r.ReviewQueued)
        assert queued.due_at == ledger.at + 3_600_000
    turns = [review.assignee for review in ledger.case.reviews.waiting]
    assert set(turns) == {"p-rio", "p-ria"}
    assert turns[0] == turns[2] != turns[1]
    for who in ("rio", "ria"):
        key = enrolment(who).public_key
        revoked = next(name for name, held in ledger.control.keys.items() if held.public.raw == key)
        ledger.ask(c.RevokeKey(key=revoked, reason="left"), "ada")
    ledger.ask(queue("p-9"), "evidence")
    assert ledger.case.reviews.queued["p-9"].assignee == ""


def test_what_people_said_is_kept_and_ends_the_review() -> None:
    """An assignment, an uphold and an override each say who, and the second word on a decision is refused."""
    ledger = with_reviewers()
    ledger.ask(queue(), "evidence")
    ledger.ask(queue("p-2"), "evidence")
    assert names(ledger.ask(r.AssignReview(incident=INCIDENT, prediction="p-1", to="p-mia"), "rio")) == [
        "ReviewAssigned"
    ]
    assert names(ledger.ask(decide(), "mia")) == ["ReviewDecided"]
    assert names(ledger.later(5).ask(decide("p-2", OVERRIDE, label="no"), "rio")) == ["ReviewDecided"]
    first, second = ledger.case.reviews.queued.values()
    assert (first.assignee, first.verdict, first.label, first.decided_by) == ("p-mia", "uphold", "", "p-mia")
    assert (second.verdict, second.label, second.decided_at) == ("override", "no", START + 5000)
    assert reason(ledger.ask(decide("p-2"), "ria")) == "decided"
    assert ledger.case.reviews.waiting == ()


@pytest.mark.parametrize(
    ("body", "who", "why"),
    [
        (queue(""), "evidence", "bad_review"),
        (queue("x" * (MAX_ID + 1)), "evidence", "bad_review"),
        (queue("p-2", risk="x" * (MAX_LABEL + 1)), "evidence", "bad_review"),
        (queue("p-2", confidence=float("inf")), "evidence", "bad_review"),
        (queue("p-2", digest="ab"), "evidence", "bad_review"),
        (queue("p-2", version="1"), "evidence", "not_affected"),
        (queue("p-1", Band.RISKY), "evidence", "known_review"),
        (queue("p-2"), "rio", "wrong_role"),
        (decide(), "eva", "wrong_role"),
        (decide(), "evidence", "wrong_role"),
        (decide("p-9"), "rio", "unknown_review"),
        (decide(reason=" "), "rio", "bad_reason"),
        (decide(label="no"), "rio", "bad_label"),
        (decide(verdict=OVERRIDE), "rio", "bad_label"),
        (decide(verdict=OVERRIDE, label=" "), "rio", "bad_label"),
        (decide(verdict=OVERRIDE, label="x" * (MAX_LABEL + 1)), "rio", "bad_label"),
        (r.AssignReview(incident=INCIDENT, prediction="p-1", to="p-eva"), "mia", "no_reviewer"),
        (r.AssignReview(incident=INCIDENT, prediction="p-1", to="p-evidence"), "mia", "no_reviewer"),
        (r.AssignReview(incident=INCIDENT, prediction="p-1", to="p-nobody"), "mia", "no_reviewer"),
        (r.AssignReview(incident=INCIDENT, prediction="p-9", to="p-rio"), "mia", "unknown_review"),
        (r.ReportReviewOverdue(incident=INCIDENT, prediction="p-1", due_at=START), "evidence", "not_due"),
        (r.ReportReviewOverdue(incident=INCIDENT, prediction="p-1", due_at=START + 3_600_000), "evidence", "not_due"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(body: object, who: str, why: str) -> None:
    """A refused word changes nothing of what waits."""
    ledger = with_reviewers()
    ledger.ask(queue(), "evidence")
    before = ledger.case.reviews
    assert reason(ledger.ask(body, who)) == why
    assert ledger.case.reviews == before


def test_a_review_is_given_to_whom_it_is_not_yet() -> None:
    """Giving it to its reviewer once more is refused."""
    ledger = with_reviewers()
    ledger.ask(queue(), "evidence")
    own = ledger.case.reviews.queued["p-1"].assignee
    assert reason(ledger.ask(r.AssignReview(incident=INCIDENT, prediction="p-1", to=own), "mia")) == "held"


def test_by_policy_only_the_named_reviewer_decides() -> None:
    """Another one is refused until the review is assigned; where nobody is named, whoever may review does."""
    ledger = strict("anyone = false", "rio")
    ledger.ask(queue(), "evidence")
    assert reason(ledger.ask(decide(), "mia")) == "not_assigned"
    assert names(ledger.ask(decide(), "rio")) == ["ReviewDecided"]
    ledger = strict("anyone = false")
    ledger.ask(queue(), "evidence")
    assert names(ledger.ask(decide(), "mia")) == ["ReviewDecided"]


def test_the_queue_of_an_incident_is_bounded() -> None:
    """So many wait at a time, and so many are asked for in all."""
    ledger = strict("most_per_incident = 21", "rio")
    for number in range(20):
        ledger.ask(queue(f"p-{number}"), "evidence")
    assert reason(ledger.ask(queue("p-20"), "evidence")) == "too_much"
    ledger.ask(decide("p-0"), "rio")
    assert names(ledger.ask(queue("p-20", repeat=1), "evidence")) == ["ReviewQueued"]
    ledger.ask(decide("p-1"), "rio")
    assert reason(ledger.ask(queue("p-21"), "evidence")) == "too_much"


def test_an_overdue_review_is_told_once_escalates_and_ends_with_the_verdict() -> None:
    """At its due time the role tells it; people are paged until somebody decides, and the case does not close."""
    ledger = with_reviewers()
    ledger.ask(queue(), "evidence")
    due = ledger.case.reviews.queued["p-1"].due_at
    assert overdue(ledger.case, due - 1) == []
    (word,) = overdue(ledger.case, due)
    assert word == told_overdue(ledger)
    assert REVIEWS_OVERDUE not in wanted(ledger.control, ledger.case)
    assert names(ledger.later(3600).ask(word, "evidence")) == ["ReviewOverdue"]
    assert overdue(ledger.case, due + 1) == []
    assert reason(ledger.ask(replace(told_overdue(ledger), repeat=1), "evidence")) == "told"
    assert REVIEWS_OVERDUE in wanted(ledger.control, ledger.case)
    assert "decisions wait for a review: p-1" in unfinished(ledger.control, ledger.case)
    ledger.ask(decide(), "rio")
    assert REVIEWS_OVERDUE not in wanted(ledger.control, ledger.case)
    assert not any("review" in said for said in unfinished(ledger.control, ledger.case))


def about_reviews(ledger: Ledger) -> list[Any]:
    """Return what the paging role proposes beside the paging about the case itself."""
    proposed: list[Any] = page.proposals(ledger.control, ledger.case, {}, ledger.at)
    return [one for one in proposed if getattr(one, "subject", "")]


def test_people_are_paged_about_overdue_reviews_until_none_is() -> None:
    """Paging of its own begins beside that of the case, and ends with the last verdict."""
    ledger = with_reviewers()
    ledger.ask(AdoptOnCall(document=ONCALL), "ada")
    ledger.ask(queue(), "evidence")
    ledger.later(3600).ask(told_overdue(ledger), "evidence")
    first = about_reviews(ledger)
    assert [(type(one).__name__, one.subject) for one in first] == [("StartPaging", REVIEWS_OVERDUE)]
    assert "PagingStarted" in names(ledger.ask(first[0], "paging"))
    ledger.ask(decide(), "rio")
    last = about_reviews(ledger)
    assert [(one.subject, one.reason) for one in last] == [(REVIEWS_OVERDUE, "no review of a decision is overdue")]
    assert reason(ledger.ask(last[0], "paging")) == ""
    assert not ledger.case.pages.active(REVIEWS_OVERDUE)


@pytest.mark.parametrize(
    ("changes", "accuracy", "tier", "band"),
    [
        ({}, 1.0, "high", None),
        ({"confidence": 0.6}, 1.0, "high", Band.UNCERTAIN),
        ({"confidence": 0.61}, 1.0, "high", None),
        ({"confidence": None}, 1.0, "high", None),
        ({"risk": 0.5}, 1.0, "low", Band.RISKY),
        ({"risk": 0.5, "confidence": 0.1}, 1.0, "low", Band.RISKY),
        ({"risk": "Critical"}, 1.0, "low", Band.RISKY),
        ({"risk": "low"}, 0.5, "high", None),
        ({"risk": 0.5}, 0.89, "low", Band.UNRELIABLE),
        ({"risk": 0.5}, 0.9, "low", Band.RISKY),
        ({"risk": None}, 0.89, "high", Band.UNRELIABLE),
        ({"risk": None}, 0.89, "medium", None),
        ({"risk": None}, 0.95, "high", None),
    ],
)
def test_a_decision_goes_to_a_person_by_confidence_risk_and_reliability(
    changes: dict[str, Any], accuracy: float, tier: str, band: Band | None
) -> None:
    """Uncertain within the band, risky from the archive's bound on, unreliable where high risk meets a bad model."""
    policy = genesis().control.policy
    assert policy is not None
    assert band_of(made(**changes), policy, accuracy=accuracy, tier=tier) is band


def test_reliability_is_the_lowest_accuracy_that_the_signals_state() -> None:
    """Measured by labels or estimated without them; other signals say nothing of it."""
    labels = evidence(category=Category.PERFORMANCE, statistic="share", value=0.2)
    guess = evidence(signal="s-2", category=Category.PERFORMANCE, statistic="estimated_accuracy", value=0.85)
    other = evidence(signal="s-3", category=Category.PERFORMANCE, statistic="mean", value=9.0)
    assert reliability(opened(evidence=(guess, other)).case) == {"shuttle": 0.85}
    assert reliability(opened(evidence=(labels, guess)).case) == {"shuttle": 0.8}
    assert reliability(opened().case) == {}


def test_the_worst_and_newest_are_chosen_within_the_room_and_each_once() -> None:
    """High risk before uncertainty, the newest first; what is queued, of another version or a repeat is left out."""
    ledger = strict("most_per_incident = 4", "rio")
    uncertain = [made(number, confidence=0.5) for number in range(1, 6)]
    others = [made(9, risk=0.9), made(10, version="1", risk=0.9), made(11), made(12, prediction="")]
    rows = [*uncertain, *uncertain, *others]
    found = chosen(ledger.control, ledger.case, rows)
    assert [one.prediction for one in found] == ["p-9", "p-5", "p-4", "p-3"]
    assert found == chosen(ledger.control, ledger.case, rows[::-1])
    assert all(names(ledger.ask(one, "evidence")) == ["ReviewQueued"] for one in found)
    assert chosen(ledger.control, ledger.case, rows) == []


def test_only_a_declared_incident_that_runs_asks_for_reviews() -> None:
    """A candidate asks for none, by the role and by the registrar, nor one that is over."""
    ledger = genesis()
    ledger.ask(c.AdoptSystems(document=LOW), "ada")
    affected = (replace(incident_opened().affected[0], model="small"),)
    ledger.ask(incident_opened(affected=affected), "triage")
    rows = [made(model="small", confidence=0.5)]
    assert ledger.case.severity is Severity.SEV4
    assert chosen(ledger.control, ledger.case, rows) == []
    assert reason(ledger.ask(queue(model="small"), "evidence")) == "illegal_transition"
    ledger.ask(c.Declare(incident=INCIDENT, reason="it is one"), "max")
    assert [one.prediction for one in chosen(ledger.control, ledger.case, rows)] == ["p-1"]
