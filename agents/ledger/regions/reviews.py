"""The reviews region of a case: which of its decisions people look at, whose each is, and what they said."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.case import reviews as r
from schemas.case.reviews import Band, ReviewVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One decision that a person looks at; `verdict` is None while it waits, `overdue` once that was told."""

    prediction: str
    model: str
    version: str
    band: Band
    confidence: float | None
    risk: str
    digest: str
    assignee: str
    due_at: int
    queued_at: int
    overdue: bool = False
    verdict: ReviewVerdict | None = None
    label: str = ""
    reason: str = ""
    decided_by: str = ""
    decided_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviews:
    """Reviews by prediction id, in the order in which they were queued."""

    queued: Mapping[str, Review] = field(default_factory=dict)

    @property
    def waiting(self) -> tuple[Review, ...]:
        """Those that nobody has decided."""
        return tuple(review for review in self.queued.values() if review.verdict is None)

    @property
    def overdue(self) -> tuple[Review, ...]:
        """Those that wait and whose due time has passed, as was told."""
        return tuple(review for review in self.waiting if review.overdue)


def _with(reviews: Reviews, review: Review) -> Reviews:
    return replace(reviews, queued={**reviews.queued, review.prediction: review})


def evolve(reviews: Reviews, event: object, at: int) -> Reviews:
    """Return the region after an event of the entry decided at `at` (ms); others leave it as it is."""
    match event:
        case r.ReviewQueued():
            return _with(
                reviews,
                Review(
                    prediction=event.prediction,
                    model=event.model,
                    version=event.version,
                    band=event.band,
                    confidence=event.confidence,
                    risk=event.risk,
                    digest=event.digest,
                    assignee=event.assignee,
                    due_at=event.due_at,
                    queued_at=at,
                ),
            )
        case r.ReviewAssigned():
            return _with(reviews, replace(reviews.queued[event.prediction], assignee=event.assignee))
        case r.ReviewOverdue():
            return _with(reviews, replace(reviews.queued[event.prediction], overdue=True))
        case r.ReviewDecided():
            decided = replace(
                reviews.queued[event.prediction],
                verdict=event.verdict,
                label=event.label,
                reason=event.reason,
                decided_by=event.principal,
                decided_at=at,
            )
            return _with(reviews, decided)
    return reviews
