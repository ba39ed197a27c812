"""Choose the decisions of an incident that people look at, and tell which reviews are overdue."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.review import MAX_ID, MAX_LABEL
from schemas.case.reviews import Band, QueueReview, ReportReviewOverdue
from schemas.policy import Policy
from schemas.systems import STRICTEST_TIER
from schemas.values import Category

_ORDER = (Band.UNRELIABLE, Band.RISKY, Band.UNCERTAIN)
_HIGH = "high"
AGAIN_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One decision that was kept: when it was made (ms), what was stated of it, and the file that holds it.

    risk
        A number, a word, or None where none was stated.
    """

    prediction: str
    model: str
    version: str
    at: int
    confidence: float | None
    risk: float | str | None
    digest: str


def open_for(case: Case) -> bool:
    """Whether the incident runs, so that its decisions are looked at."""
    return not case.phase.over and case.phase is not Phase.TRIAGE


def reliability(case: Case) -> Mapping[str, float]:
    """Return the lowest accuracy of each model that the case's signals state, measured by labels or estimated."""
    found: dict[str, float] = {}
    for signal in case.course.signals:
        if signal.category is not Category.PERFORMANCE:
            continue
        match signal.statistic:
            case "estimated_accuracy":
                accuracy = signal.value
            case "share":  # of wrong predictions
                accuracy = 1 - signal.value
            case _:
                continue
        found[signal.model] = min(accuracy, found.get(signal.model, 1.0))
    return found


def band_of(made: Made, policy: Policy, *, accuracy: float, tier: str) -> Band | None:
    """Return why a person should look at a decision, or None.

    Parameters
    ----------
    accuracy
        Of its model, as far as the case says; 1 where it says nothing.
    tier
        Of its model: a decision that states no risk has that of its tier.
    """
    match made.risk:
        case None:
            risky, high = False, tier == _HIGH
        case str(word):
            risky = high = word.lower() in policy.archive.risks
        case number:
            risky = high = number >= policy.archive.risk
    if high and accuracy < policy.reviews.reliability:
        return Band.UNRELIABLE
    if risky:
        return Band.RISKY
    low, top = policy.reviews.uncertain_from, policy.reviews.uncertain_to
    if made.confidence is not None and low <= made.confidence <= top:
        return Band.UNCERTAIN
    return None


def chosen(control: Control, case: Case, rows: Sequence[Made]) -> list[QueueReview]:
    """Return what is to be reviewed now: high risk of unreliable models first, then risk, each the newest first."""
    policy = control.policies[case.policy]
    limits, reviews = policy.reviews, case.reviews
    room = min(limits.most_open - len(reviews.waiting), limits.most_per_incident - len(reviews.queued))
    if not open_for(case) or room <= 0:
        return []
    accuracy, tiers = reliability(case), _tiers(control, case)
    found: dict[str, tuple[int, int, Made, Band]] = {}
    for made in rows:
        known = made.prediction in reviews.queued or made.prediction in found
        if known or made.version not in case.bad_versions(made.model) or not _fits(made):
            continue
        band = band_of(made, policy, accuracy=accuracy.get(made.model, 1.0), tier=tiers[made.model])
        if band is not None:
            found[made.prediction] = (_ORDER.index(band), -made.at, made, band)
    ranked = sorted(found.values(), key=lambda one: (one[0], one[1], one[2].prediction))
    decided = len(reviews.queued) - len(reviews.waiting)
    return [_queue(case.incident, made, band, decided) for _, _, made, band in ranked[:room]]


def overdue(case: Case, now: int) -> list[object]:
    """Return the word on each review that is overdue at `now` (ms) and was not told."""
    return [
        ReportReviewOverdue(
            incident=case.incident,
            prediction=review.prediction,
            due_at=review.due_at,
            # Said again ever more seldom: a clock that runs fast, or many reviews, must not flood the ledger.
            repeat=((now - review.due_at) // AGAIN_MS).bit_length(),
        )
        for review in case.reviews.waiting
        if not review.overdue and review.due_at <= now
    ]


def _tiers(control: Control, case: Case) -> dict[str, str]:
    declared = {each.model: control.systems.find(each.model) for each in case.affected}
    return {model: known[1].tier if known else STRICTEST_TIER for model, known in declared.items()}


def _fits(made: Made) -> bool:
    return 0 < len(made.prediction) <= MAX_ID


def _queue(incident: str, made: Made, band: Band, repeat: int) -> QueueReview:
    risk = "" if made.risk is None else str(made.risk)
    return QueueReview(
        incident=incident,
        prediction=made.prediction,
        model=made.model,
        version=made.version,
        band=band,
        confidence=made.confidence,
        risk=risk[:MAX_LABEL],
        digest=made.digest,
        repeat=repeat,
    )
