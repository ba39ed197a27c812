"""When a drill's incident reached what is judged, and which of the cases that opened are the fault's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from agents.drills.played import Happened, Played
from agents.ledger.case import Case
from schemas import events as e
from schemas.case.paging import EscalationExhausted, PageAcknowledged
from schemas.case.response import CaseClosed, CaseReviewed
from schemas.drills import Scenario, Within
from schemas.spans import written
from schemas.values import Category

_REACHES: Mapping[type, str] = MappingProxyType(
    {
        e.CaseOpened: "opened",
        e.CaseAcknowledged: "acknowledged",
        PageAcknowledged: "acknowledged",
        e.CaseDeclared: "declared",
        e.ApprovalRequested: "planned",
        e.PlanAuthorised: "approved",
        e.CaseContained: "contained",
        e.CaseRecovering: "recovering",
        e.CaseResolved: "resolved",
        CaseReviewed: "review",
        CaseClosed: "closed",
        EscalationExhausted: "exhausted",
    }
)
_MINUTE_MS = 59_950  # what rounds to a minute
_JUDGED = ("acknowledged", "declared", "planned", "approved", "contained", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """How long something took, in milliseconds by the drill's clock; None where its beginning or end did not come.

    An alarm before the fault is not its detection.

    limit
        The longest that it may take (ms), or None where the file says nothing.
    """

    name: str
    since: str
    took: int | None
    limit: int | None

    @property
    def kept(self) -> bool:
        """Whether it came in time, or nobody said by when."""
        return self.limit is None or (self.took is not None and self.took <= self.limit)


def spoken(ms: int) -> str:
    """Return a length of time as people write it: tenths of a second below a minute, else its two largest units."""
    if abs(ms) < _MINUTE_MS:
        return f"{round(ms / 1000, 1):g}s"
    return written(timedelta(seconds=round(ms / 1000)))


def reached(happened: Iterable[Happened], incident: str) -> dict[str, int]:
    """Return when an incident first reached each moment (ms); absent is what it did not reach."""
    found: dict[str, int] = {}
    for one in happened:
        moment = _REACHES.get(type(one.event))
        if moment is not None and one.incident == incident:
            found[moment] = min(found.get(moment, one.at), one.at)
    return found


def touched(scenario: Scenario) -> frozenset[str]:
    """Return the models that a fault of the file can reach: its own, and all that read them, however indirectly."""
    found = {fault.model for step in scenario.steps for fault in step.faults}
    reads = {
        name: {*model.depends_on, *_read(scenario, name)}
        for system in scenario.systems.values()
        for name, model in system.models.items()
    }
    while further := {name for name, sources in reads.items() if sources & found} - found:
        found |= further
    return frozenset(found)


def _read(scenario: Scenario, model: str) -> Iterable[str]:
    return (one.reads for one in scenario.served[model].features.values() if one.reads)


def own(played: Played) -> tuple[Case, ...]:
    """Return the cases that the faults or a person's report explain; any other one is a false alarm."""
    models = touched(played.scenario)
    reports = {
        one.incident
        for one in played.happened
        if isinstance(one.event, e.CaseOpened) and one.event.category is Category.HUMAN_REPORT
    }
    return tuple(
        case
        for case in played.cases
        if case.incident in reports
        or case.category is Category.HUMAN_REPORT
        or (_after(played, case) and any(affected.model in models for affected in case.affected))
    )


def _after(played: Played, case: Case) -> bool:
    return played.faulty and played.fault_at is not None and _opened_at(played, case) >= played.fault_at


def _opened_at(played: Played, case: Case) -> int:
    return reached(played.happened, case.incident).get("opened", case.opened_at)


def times(played: Played, main: Case | None) -> tuple[Took, ...]:
    """Return how long each took: detection from the first fault on, all else from the opening on."""
    at = reached(played.happened, main.incident) if main is not None else {}
    within, opened = played.scenario.expect.within, at.get("opened")
    found = [_took("opened", "the first fault", played.fault_at, opened, within)]
    found += [_took(name, "the opening", opened, at.get(name), within) for name in _JUDGED]
    return tuple(found)


_LIMITS = {
    "opened": "detect",
    "acknowledged": "acknowledge",
    "declared": "declare",
    "contained": "contain",
    "resolved": "resolve",
}


def _took(name: str, since: str, begun: int | None, ended: int | None, within: Within) -> Took:
    limit = getattr(within, _LIMITS[name]) if name in _LIMITS else None
    return Took(
        name=name,
        since=since,
        took=ended - begun if begun is not None and ended is not None and begun <= ended else None,
        limit=None if limit is None else round(limit.total_seconds() * 1000),
    )
