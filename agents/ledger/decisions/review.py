"""Decide on reviews of single decisions: which are queued, whose each is, what was said, and what is overdue."""

import math
from hashlib import sha256

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.reviews import Review
from schemas.authority import permitted
from schemas.case import reviews as r
from schemas.case.reviews import ReviewVerdict
from schemas.values import Role

MAX_ID = 256
MAX_LABEL = 200
_DIGEST_DIGITS = 64


def reviewers(control: Control) -> tuple[str, ...]:
    """Return the principals of the role reviewer whose key is in force, in the order of their ids."""
    active = {key.principal for key in control.keys.values() if not key.revoked}
    return tuple(sorted(who for who, roles in control.roles.items() if Role.REVIEWER in roles and who in active))


def _next_reviewer(control: Control, case: Case) -> str:
    """Return whose turn it is; the first turn differs from case to case, and each review of a case moves it on."""
    found = reviewers(control)
    if not found:
        return ""
    first = int.from_bytes(sha256(case.incident.encode("utf-8", "surrogatepass")).digest()[:4])
    return found[(first + len(case.reviews.queued)) % len(found)]


def _sound(body: r.QueueReview) -> bool:
    bounded = (body.prediction, body.model, body.version)
    finite = body.confidence is None or math.isfinite(body.confidence)
    named = all(0 < len(text) <= MAX_ID for text in bounded) and len(body.risk) <= MAX_LABEL
    return named and finite and len(body.digest) == _DIGEST_DIGITS


def _queue(control: Control, case: Case, asked: Asked, body: r.QueueReview, at: int) -> list[object]:
    policy = control.policies[case.policy].reviews
    if not _sound(body):
        return refuse(
            asked,
            "bad_review",
            f"a review names prediction, model and version in 1 to {MAX_ID} characters, a finite confidence, a risk of "
            f"at most {MAX_LABEL} characters and a digest of {_DIGEST_DIGITS} digits",
        )
    if body.version not in case.bad_versions(body.model):
        return refuse(asked, "not_affected", "the incident does not name this version")
    if body.prediction in case.reviews.queued:
        return refuse(asked, "known_review", "this decision is or was reviewed already")
    if len(case.reviews.waiting) >= policy.most_open:
        return refuse(asked, "too_much", f"at most {policy.most_open} reviews of an incident wait at a time")
    if len(case.reviews.queued) >= policy.most_per_incident:
        return refuse(asked, "too_much", f"an incident has at most {policy.most_per_incident} reviews")
    return [
        r.ReviewQueued(
            incident=case.incident,
            prediction=body.prediction,
            model=body.model,
            version=body.version,
            band=body.band,
            confidence=body.confidence,
            risk=body.risk,
            digest=body.digest,
            assignee=_next_reviewer(control, case),
            due_at=at + policy.due_seconds[case.severity] * 1000,
        )
    ]


def _assign(control: Control, asked: Asked, body: r.AssignReview, review: Review) -> list[object]:
    roles = control.roles.get(body.to, frozenset())
    if not permitted(roles, "DecideReview"):
        return refuse(asked, "no_reviewer", "a review is given to an enrolled reviewer or ML manager")
    if review.assignee == body.to:
        return refuse(asked, "held", "the review is this person's already")
    assigned = r.ReviewAssigned(
        incident=body.incident, prediction=body.prediction, assignee=body.to, by=asked.principal
    )
    return [assigned]


def _decided(control: Control, case: Case, asked: Asked, body: r.DecideReview, review: Review) -> list[object]:
    policy = control.policies[case.policy].reviews
    if not policy.anyone and review.assignee not in {"", asked.principal}:
        return refuse(asked, "not_assigned", "by policy only the reviewer who was named decides; assign it anew")
    if body.verdict is ReviewVerdict.OVERRIDE and not 0 < len(body.label.strip()) <= len(body.label) <= MAX_LABEL:
        return refuse(asked, "bad_label", f"an override says the right outcome, in 1 to {MAX_LABEL} characters")
    if body.verdict is ReviewVerdict.UPHOLD and body.label:
        return refuse(asked, "bad_label", "what is upheld is right as it is; only an override names another outcome")
    return [
        r.ReviewDecided(
            incident=case.incident,
            prediction=body.prediction,
            model=review.model,
            principal=asked.principal,
            verdict=body.verdict,
            label=body.label,
            reason=body.reason,
        )
    ]


def _overdue(asked: Asked, body: r.ReportReviewOverdue, review: Review, at: int) -> list[object]:
    if review.overdue:
        return refuse(asked, "told", "that it is overdue was told already")
    if body.due_at != review.due_at or at < review.due_at:
        return refuse(asked, "not_due", f"the review is due at {review.due_at} ms")
    told = r.ReviewOverdue(
        incident=body.incident, prediction=body.prediction, assignee=review.assignee, due_at=review.due_at
    )
    return [told]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about a review, or None where it is none."""
    if isinstance(asked.body, r.QueueReview):
        return _queue(control, case, asked, asked.body, at)
    if not isinstance(asked.body, r.AssignReview | r.DecideReview | r.ReportReviewOverdue):
        return None
    review = case.reviews.queued.get(asked.body.prediction)
    if review is None:
        return refuse(asked, "unknown_review", "no decision of this id waits for a review")
    if review.verdict is not None:
        return refuse(asked, "decided", f"somebody has decided to {review.verdict.value} it")
    match asked.body:
        case r.AssignReview():
            return _assign(control, asked, asked.body, review)
        case r.DecideReview():
            return unsaid(asked, asked.body.reason) or _decided(control, case, asked, asked.body, review)
        case r.ReportReviewOverdue():
            return _overdue(asked, asked.body, review, at)
