"""What is measured of incidents: five times under distinct names, recurrence, root causes, satisfaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from agents.metrics.distribution import Distribution, distribution
from agents.metrics.history import History
from schemas.case.learning import Milestone, MissedControl
from schemas.values import Category

DAY_MS = 86_400_000
RECURRENCE_DAYS = 180
"""Within how many days after its end an incident of the same cause, model and category is a recurrence, by default."""


class Measure(StrEnum):
    """A time of the response, from one milestone to another; respond and resolve are both called MTTR elsewhere."""

    DETECT = "detect"
    ACKNOWLEDGE = "acknowledge"
    CONTAIN = "contain"
    RESPOND = "respond"
    RESOLVE = "resolve"


SPANS: Mapping[Measure, tuple[Milestone, tuple[Milestone, ...]]] = {
    Measure.DETECT: (Milestone.OCCURRED, (Milestone.DETECTED,)),
    Measure.ACKNOWLEDGE: (Milestone.DETECTED, (Milestone.ACKNOWLEDGED,)),
    Measure.CONTAIN: (Milestone.DETECTED, (Milestone.CONTAINED,)),
    Measure.RESPOND: (Milestone.DETECTED, (Milestone.CONTAINED, Milestone.MITIGATED)),
    Measure.RESOLVE: (Milestone.DETECTED, (Milestone.RESOLVED,)),
}
"""From which milestone to which (the last of them) each time runs; one that is missing leaves the incident out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """An incident that came again: `code`, a model and the category are those of `before`."""

    incident: str
    before: str
    code: MissedControl
    category: Category
    days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """Ratings of responses from 1 to 5; `counts` has how many gave each."""

    count: int
    mean: float
    median: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is measured of some incidents; a rate is None where it would divide by nothing.

    times, recorded
        The times with people's corrections, and as the ledger recorded them.
    disordered
        How many times are left out because their end is before their beginning.
    recurrence_rate
        Recurrences among the incidents whose root cause is known.
    resolution_rate
        Resolved incidents with a root cause, an accepted post-mortem and every task done, among all that are resolved.
    break_glass_rate
        Incidents in which a glass was broken, among all.
    """

    incidents: int
    open: int
    resolved: int
    dismissed: int
    times: Mapping[Measure, Distribution | None]
    recorded: Mapping[Measure, Distribution | None]
    corrections: int
    disordered: int
    recurrences: tuple[Recurrence, ...]
    recurrence_rate: float | None
    resolution_rate: float | None
    satisfaction: Ratings | None
    break_glass_rate: float | None


def span(history: History, measure: Measure, *, corrected: bool = True) -> float | None:
    """Return one time of an incident in seconds; None where a milestone is missing. It may be negative: see Summary."""
    first, ends = SPANS[measure]
    began = history.reached(first, corrected=corrected)
    reached = [history.reached(end, corrected=corrected) for end in ends]
    known = [at for at in reached if at is not None]
    if began is None or len(known) < len(reached):
        return None
    return (max(known) - began) / 1000


def _times(found: Sequence[History], *, corrected: bool) -> tuple[dict[Measure, Distribution | None], int]:
    times, disordered = {}, 0
    for measure in Measure:
        every = [seconds for one in found if (seconds := span(one, measure, corrected=corrected)) is not None]
        times[measure] = distribution([seconds for seconds in every if seconds >= 0])
        disordered += sum(seconds < 0 for seconds in every)
    return times, disordered


def recurrences(found: Iterable[History], days: int = RECURRENCE_DAYS) -> list[Recurrence]:
    """Return each real incident that came again within so many days after the end of its newest like."""
    again: list[Recurrence] = []
    earlier: list[History] = []
    for one in sorted((history for history in found if history.real), key=lambda history: history.detected_at):
        likes = [like for before in earlier if (like := _like(one, before, days)) is not None]
        if likes:
            again.append(min(likes, key=lambda like: like.days))
        earlier.append(one)
    return again


def _like(one: History, before: History, days: int) -> Recurrence | None:
    ended = before.reached(Milestone.CLOSED) or before.reached(Milestone.RESOLVED)
    codes = sorted(one.codes & before.codes)
    if ended is None or not codes or not one.models & before.models or one.case.category != before.case.category:
        return None
    passed = (one.detected_at - ended) / DAY_MS
    if not 0 <= passed <= days:
        return None
    return Recurrence(
        incident=one.incident, before=before.incident, code=codes[0], category=one.case.category, days=passed
    )


def root_cause_resolved(history: History) -> bool:
    """Whether a resolved incident's root cause is known, its post-mortem accepted and every task of it done."""
    done = all(task.done_at for task in history.case.people.tasks.values())
    return bool(history.codes) and history.case.learning.accepted and done


def _ratings(found: Iterable[History]) -> Ratings | None:
    scores = sorted(score for one in found for score in one.case.learning.ratings.values())
    if not scores:
        return None
    middle = (scores[(len(scores) - 1) // 2] + scores[len(scores) // 2]) / 2
    counts = tuple(scores.count(score) for score in range(1, 6))
    return Ratings(count=len(scores), mean=sum(scores) / len(scores), median=middle, counts=counts)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def summary(found: Sequence[History], again: Iterable[Recurrence]) -> Summary:
    """Return what is measured of incidents; `again` are the recurrences of the whole ledger.

    Whoever wants drills gives drills alone: they are measured like any other incident, never beside them.
    """
    counted = [one for one in found if one.real or one.drill]
    resolved = [one for one in counted if one.reached(Milestone.RESOLVED) is not None]
    times, disordered = _times(counted, corrected=True)
    names = {one.incident for one in counted}
    own = tuple(recurrence for recurrence in again if recurrence.incident in names)
    return Summary(
        incidents=len(counted),
        open=sum(not one.case.phase.over for one in counted),
        resolved=len(resolved),
        dismissed=sum(one.case.phase.value == "dismissed" for one in found),
        times=times,
        recorded=_times(counted, corrected=False)[0],
        corrections=sum(len(one.corrected) for one in counted),
        disordered=disordered,
        recurrences=own,
        recurrence_rate=_share(len(own), sum(bool(one.codes) for one in counted)),
        resolution_rate=_share(sum(map(root_cause_resolved, resolved)), len(resolved)),
        satisfaction=_ratings(counted),
        break_glass_rate=_share(sum(one.broken > 0 for one in counted), len(counted)),
    )


def within(found: Iterable[History], since: int, until: int) -> list[History]:
    """Return those that were detected from `since` (ms) up to, and not at, `until`."""
    return [one for one in found if since <= one.detected_at < until]


GROUPS: Mapping[str, Callable[[History], str]] = {
    "category": lambda one: one.case.category.value,
    "severity": lambda one: one.case.severity.value,
    "system": lambda one: one.case.system,
}
"""By what incidents can be told apart."""


def grouped(found: Iterable[History], by: str) -> dict[str, list[History]]:
    """Return incidents by their group, the groups in order."""
    groups: dict[str, list[History]] = {}
    for one in found:
        groups.setdefault(GROUPS[by](one), []).append(one)
    return dict(sorted(groups.items()))
