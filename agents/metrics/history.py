"""One incident's history as metrics read it: when each milestone was reached, as recorded and as corrected."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from agents.ledger.case import Case, Phase
from agents.ledger.fold import Verified
from schemas import events as e
from schemas.case import learning as s
from schemas.case.glass import GlassBroken
from schemas.case.learning import CauseKind, Milestone, MissedControl
from schemas.case.response import CaseClosed, CaseReopened
from schemas.signals import Evidence

_REACHED: Mapping[type, Milestone] = {
    e.CaseOpened: Milestone.DETECTED,
    e.CaseAcknowledged: Milestone.ACKNOWLEDGED,
    e.CaseDeclared: Milestone.DECLARED,
    e.CaseContained: Milestone.CONTAINED,
    e.CaseRecovering: Milestone.MITIGATED,
    e.CaseResolved: Milestone.RESOLVED,
    CaseClosed: Milestone.CLOSED,
}
_ENDS = frozenset({Milestone.RESOLVED, Milestone.CLOSED})
_NO_INCIDENT = frozenset({Phase.DISMISSED, Phase.MERGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """When a milestone was in truth (ms), who says so and why."""

    at: int
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What became of one incident.

    case
        The case as it stands.
    recorded, corrected
        When each milestone was reached (ms), and what people said of it later: both are kept.
    evidence
        The newest word of each signal, by its name.
    broken
        How often a glass was broken.
    dismissal
        Why it was dismissed; empty where it was not.
    """

    opened: e.CaseOpened
    case: Case
    recorded: Mapping[Milestone, int]
    corrected: Mapping[Milestone, Correction] = field(default_factory=dict)
    evidence: Mapping[str, Evidence] = field(default_factory=dict)
    causes: Mapping[str, s.CauseRecorded] = field(default_factory=dict)
    post_mortem: s.PostMortemWritten | None = None
    broken: int = 0
    dismissal: str = ""

    @property
    def incident(self) -> str:
        """Its id."""
        return self.case.incident

    @property
    def drill(self) -> bool:
        """Whether it was played, not suffered."""
        return self.case.drill

    @property
    def real(self) -> bool:
        """Whether it was an incident: neither dismissed, nor merged into another one, nor a drill."""
        return self.case.phase not in _NO_INCIDENT and not self.drill

    @property
    def models(self) -> frozenset[str]:
        """The models that it touches."""
        return frozenset(affected.model for affected in self.case.affected)

    @property
    def codes(self) -> frozenset[MissedControl]:
        """The controls that should have caught its root causes."""
        return frozenset(cause.code for cause in self.causes.values() if cause.kind is CauseKind.ROOT)

    @property
    def detected_at(self) -> int:
        """When the case opened (ms); this one orders and selects, so no correction moves it."""
        return self.recorded[Milestone.DETECTED]

    def reached(self, milestone: Milestone, *, corrected: bool = True) -> int | None:
        """Return when a milestone was reached (ms), by the newest correction where one is asked for and made.

        An end that the ledger does not show was not reached, whatever was said of it.
        """
        if milestone in _ENDS and milestone not in self.recorded:
            return None
        said = self.corrected.get(milestone) if corrected else None
        return self.recorded.get(milestone) if said is None else said.at


def _opened(event: e.CaseOpened, case: Case, at: int) -> History:
    evidence = {item.signal: item for item in event.evidence}
    recorded = {Milestone.DETECTED: at}
    if event.first_bad_at > 0:
        recorded[Milestone.OCCURRED] = event.first_bad_at
    if evidence:
        recorded[Milestone.FIRST_SIGNAL] = min(item.window_to for item in event.evidence)
    return History(opened=event, case=case, recorded=recorded, evidence=evidence)


def _evolve(history: History, event: object, at: int) -> History:
    milestone = _REACHED.get(type(event))
    if milestone is not None and (milestone in _ENDS or milestone not in history.recorded):
        return replace(history, recorded={**history.recorded, milestone: at})
    match event:
        case e.CaseGrew():
            newer = {item.signal: item for item in event.evidence}
            return replace(history, evidence={**history.evidence, **newer})
        case s.MilestoneCorrected():
            said = Correction(at=event.at, principal=event.principal, reason=event.reason)
            return replace(history, corrected={**history.corrected, event.milestone: said})
        case s.CauseRecorded():
            return replace(history, causes={**history.causes, event.cause: event})
        case s.PostMortemWritten():
            return replace(history, post_mortem=event)
        case e.CaseDismissed():
            return replace(history, dismissal=str(event.reason))
    if isinstance(event, CaseReopened):
        goes_on = {name: when for name, when in history.recorded.items() if name not in _ENDS}
        return replace(history, recorded=goes_on)
    if isinstance(event, GlassBroken):
        return replace(history, broken=history.broken + 1)
    return history


def histories(entries: Iterable[Verified]) -> list[History]:
    """Return the history of each case that verified entries tell of, in the order in which they opened."""
    found: dict[str, History] = {}
    for verified in entries:
        if verified.entry is None or verified.case is None:
            continue
        at, incident = verified.entry.at, verified.case.incident
        for event in verified.events:
            if isinstance(event, e.CaseOpened):
                found[incident] = _opened(event, verified.case, at)
            elif incident in found:
                found[incident] = _evolve(found[incident], event, at)
        if incident in found:
            found[incident] = replace(found[incident], case=verified.case)
    return list(found.values())
