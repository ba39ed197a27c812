"""Single decisions are queued, given to somebody, overdue, upheld and overridden."""

from schemas import commands as c
from schemas.case import reviews as r
from schemas.case.reviews import Band, ReviewVerdict
from schemas.values import Role
from tests.ledgers import INCIDENT, Ledger, enrolment
from tests.play import opened


def queue(prediction: str = "p-1", band: Band = Band.UNCERTAIN, **changes: object) -> r.QueueReview:
    """Ask for a review of a decision of the bad version."""
    said: dict[str, object] = {"confidence": 0.55, "risk": "", "digest": "ab" * 32, "model": "shuttle", "version": "2"}
    return r.QueueReview(incident=INCIDENT, prediction=prediction, band=band, **(said | changes))  # type: ignore[arg-type]


def decide(prediction: str = "p-1", verdict: ReviewVerdict = ReviewVerdict.UPHOLD, **changes: str) -> r.DecideReview:
    """Say what is true of a decision."""
    said = {"label": "", "reason": "the file says the same"} | changes
    return r.DecideReview(incident=INCIDENT, prediction=prediction, verdict=verdict, **said)  # type: ignore[arg-type]


def overdue(ledger: Ledger, prediction: str = "p-1") -> r.ReportReviewOverdue:
    """Tell that nobody decided in time."""
    due = ledger.case.reviews.queued[prediction].due_at
    return r.ReportReviewOverdue(incident=INCIDENT, prediction=prediction, due_at=due)


def waiting() -> Ledger:
    """Return a ledger whose incident has two decisions to be reviewed."""
    ledger = opened()
    ledger.ask(queue(), "evidence")
    ledger.ask(queue("p-2", Band.RISKY), "evidence")
    return ledger


def tell(ledger: Ledger) -> None:
    """Let a reviewer and a manager look at two decisions, one of them too late."""
    ledger.ask(c.EnrolKey(enrolment=enrolment("rio", Role.REVIEWER)), "ada")
    ledger.ask(queue(), "evidence")
    ledger.ask(queue("p-2", Band.RISKY, confidence=None, risk="0.9"), "evidence")
    ledger.ask(r.AssignReview(incident=INCIDENT, prediction="p-2", to="p-mia"), "rio")
    ledger.later(3600).ask(overdue(ledger), "evidence")
    ledger.ask(decide(), "rio")
    ledger.ask(decide("p-2", ReviewVerdict.OVERRIDE, label="no", reason="the applicant was another one"), "mia")
