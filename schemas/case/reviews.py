"""People look at single decisions of a model while an incident runs, and uphold or override them."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class Band(StrEnum):
    """Why a decision is looked at: its confidence, its risk, or a high risk while the model is unreliable."""

    UNCERTAIN = "uncertain"
    RISKY = "risky"
    UNRELIABLE = "unreliable"


class ReviewVerdict(StrEnum):
    """What a person says of a decision."""

    UPHOLD = "uphold"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueReview:
    """Ask that a person looks at one decision.

    prediction
        The id of the prediction.
    confidence
        As the model stated it; None where it stated none.
    risk
        As it was stated, a number or a word; empty where none was.
    digest
        The file of the evidence store that holds the row: SHA-256 of its ciphertext, so that nobody guesses at inputs.
    """

    incident: str
    prediction: str
    model: str
    version: str
    band: Band
    confidence: float | None
    risk: str
    digest: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignReview:
    """Give an open review to a person."""

    incident: str
    prediction: str
    to: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReview:
    """Uphold or override a decision; `label` is the right outcome of one that is overridden, else empty."""

    incident: str
    prediction: str
    verdict: ReviewVerdict
    label: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReviewOverdue:
    """The due time of a review has passed, and nobody has decided."""

    incident: str
    prediction: str
    due_at: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewQueued:
    """A decision waits for a person; `assignee` is empty where nobody is enrolled as a reviewer."""

    incident: str
    prediction: str
    model: str
    version: str
    band: Band
    confidence: float | None
    risk: str
    digest: str
    assignee: str
    due_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAssigned:
    """A review is somebody's from now on."""

    incident: str
    prediction: str
    assignee: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDecided:
    """A person upheld or overrode a decision: what is true of it is a label from now on."""

    incident: str
    prediction: str
    model: str
    principal: str
    verdict: ReviewVerdict
    label: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewOverdue:
    """Nobody decided in time; told once."""

    incident: str
    prediction: str
    assignee: str
    due_at: Millis


COMMANDS = (QueueReview, AssignReview, DecideReview, ReportReviewOverdue)
EVENTS = (ReviewQueued, ReviewAssigned, ReviewDecided, ReviewOverdue)
