"""A case: one incident's record, rebuilt from its events. Response, approval and action stand side by side in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.ledger.regions import (
    assessment,
    clocks,
    contracts,
    course,
    deciding,
    glass,
    hold,
    learning,
    messages,
    paging,
    people,
    reviews,
)
from agents.ledger.regions import plan as plans
from agents.ledger.regions.assessment import Assessment
from agents.ledger.regions.clocks import Clocks
from agents.ledger.regions.contracts import Contracts
from agents.ledger.regions.course import Course
from agents.ledger.regions.deciding import Deciding
from agents.ledger.regions.glass import Glass
from agents.ledger.regions.hold import Hold
from agents.ledger.regions.learning import Learning
from agents.ledger.regions.messages import Messages
from agents.ledger.regions.paging import Pages
from agents.ledger.regions.people import People
from agents.ledger.regions.plan import Plan
from agents.ledger.regions.reviews import Reviews
from schemas import events as e
from schemas.case import response as r
from schemas.case.action import ActionFinished, ActionRestored, ActionStarted
from schemas.case.assessment import SeverityChanged
from schemas.evidence import EvidenceAttached
from schemas.signals import Affected, Reached
from schemas.values import Category, Severity


class Phase(StrEnum):
    """Where the response stands."""

    TRIAGE = "triage"
    DISMISSED = "dismissed"
    MERGED = "merged"
    DECLARED = "declared"
    CONTAINING = "containing"
    CONTAINED = "contained"
    INVESTIGATING = "investigating"
    REMEDIATING = "remediating"
    RECOVERING = "recovering"
    RESOLVED = "resolved"
    REVIEW = "review"
    CLOSED = "closed"

    @property
    def over(self) -> bool:
        """Whether the response has nothing more to do."""
        return self in {Phase.RESOLVED, Phase.REVIEW} or self.final

    @property
    def final(self) -> bool:
        """Whether people have nothing more to do either."""
        return self in {Phase.DISMISSED, Phase.MERGED, Phase.CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step being carried out; `outcome` is empty until it is known."""

    intent: str
    plan: str
    step: int
    purpose: str
    target: str
    desired: str
    precondition: str
    executor: str
    attempt: int
    lease_until: int
    started_at: int
    outcome: str = ""
    read_back: str = ""
    restored: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What is kept about the case, by the SHA-256 of its ciphertext."""

    kind: str
    digest: str
    rows: int
    summary: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One incident as its entries tell it.

    technique
        ATLAS id of the attack that was suspected last; empty where none was.
    """

    incident: str
    opened_at: int
    system: str
    severity: Severity
    category: Category
    title: str
    affected: tuple[Affected, ...]
    policy: str
    recurrence_of: str | None
    drill: bool = False
    blast_radius: tuple[Reached, ...] = ()
    sequence: int = 0
    phase: Phase = Phase.TRIAGE
    acknowledged: bool = False
    quiet: bool = False
    contained_at: int = 0
    plan: Plan | None = None
    plans: int = 0
    actions: Mapping[str, Action] = field(default_factory=dict)
    evidence: tuple[Attached, ...] = ()
    people: People = field(default_factory=People)
    pages: Pages = field(default_factory=Pages)
    learning: Learning = field(default_factory=Learning)
    course: Course = field(default_factory=Course)
    assessment: Assessment = field(default_factory=Assessment)
    hold: Hold = field(default_factory=Hold)
    deciding: Deciding = field(default_factory=Deciding)
    glass: Glass = field(default_factory=Glass)
    clocks: Clocks = field(default_factory=Clocks)
    contracts: Contracts = field(default_factory=Contracts)
    reviews: Reviews = field(default_factory=Reviews)
    messages: Messages = field(default_factory=Messages)
    owner_role: str = ""
    technique: str = ""

    def bad_versions(self, model: str) -> frozenset[str]:
        """Versions of a model that the incident names."""
        return frozenset(affected.version for affected in self.affected if affected.model == model)


_PHASE_AFTER: Mapping[type, Phase] = {
    e.CaseDeclared: Phase.DECLARED,
    e.CaseDismissed: Phase.DISMISSED,
    r.CaseMerged: Phase.MERGED,
    e.CaseContained: Phase.CONTAINED,
    r.CaseInvestigating: Phase.INVESTIGATING,
    e.CaseRecovering: Phase.RECOVERING,
    r.CaseRegressed: Phase.CONTAINING,
    e.CaseResolved: Phase.RESOLVED,
    r.CaseReviewed: Phase.REVIEW,
    r.CaseClosed: Phase.CLOSED,
    r.CaseReopened: Phase.DECLARED,
}
"""The phase that each event leads to; an action's beginning leads to one by the purpose of its step."""


def _opened(event: e.CaseOpened) -> Case:
    return Case(
        incident=event.incident,
        opened_at=event.at,
        system=event.system,
        severity=event.severity,
        category=event.category,
        title=event.title,
        affected=event.affected,
        policy=event.policy,
        recurrence_of=event.recurrence_of,
        drill=event.drill,
        owner_role=event.owner_role,
        blast_radius=event.blast_radius,
        technique=event.technique or "",
    )


def _started(case: Case, event: ActionStarted, at: int) -> Case:
    purpose = case.plan.steps[event.step].purpose if case.plan else ""
    action = Action(
        intent=event.intent,
        plan=event.plan,
        step=event.step,
        purpose=purpose,
        target=event.target,
        desired=event.desired,
        precondition=event.precondition,
        executor=event.executor,
        attempt=event.attempt,
        lease_until=event.lease_until,
        started_at=at,
    )
    phase = Phase.CONTAINING if purpose == "contain" else Phase.REMEDIATING
    return replace(case, actions={**case.actions, event.intent: action}, phase=phase)


def _on_action(case: Case, event: object, at: int) -> Case:
    match event:
        case ActionStarted():
            return _started(case, event, at)
        case ActionFinished():
            action = replace(case.actions[event.intent], outcome=event.outcome, read_back=event.read_back)
            return replace(case, actions={**case.actions, event.intent: action})
        case ActionRestored():
            action = case.actions[event.intent]
            action = replace(action, restored=action.restored + 1, read_back=event.read_back)
            return replace(case, actions={**case.actions, event.intent: action})
    return case


def _on_response(case: Case, event: object, at: int) -> Case:
    match event:
        case e.CaseGrew():
            return replace(
                case,
                severity=event.severity,
                category=event.category,
                affected=event.affected,
                blast_radius=event.blast_radius,
                technique=event.technique or case.technique,
                title=event.title or case.title,
                quiet=False,
            )
        case e.CaseQuieted():
            return replace(case, quiet=True)
        case e.CaseAcknowledged():
            return replace(case, acknowledged=True)
        case e.CaseContained():
            return replace(case, contained_at=at)
        case r.CaseReopened():
            return replace(case, plan=None, acknowledged=False, contained_at=0)
        case r.CaseSplit():
            return replace(case, affected=event.remaining)
        case SeverityChanged():
            return replace(case, severity=event.severity)
        case EvidenceAttached(kind=kind, digest=digest, rows=rows, summary=summary):
            attached = Attached(kind=kind, digest=digest, rows=rows, summary=summary, at=at)
            return replace(case, evidence=(*case.evidence, attached))
    return case


def evolve(case: Case | None, event: object, at: int, digest: str = "") -> Case | None:
    """Return the case after an event of the entry decided at `at`.

    Parameters
    ----------
    digest
        SHA-256 of the event's bytes: the name of a plan, of a post-mortem and of a message.
    """
    if isinstance(event, e.CaseOpened):
        opened = _opened(event)
        began = course.evolve(opened.course, event, at)
        return replace(
            opened,
            course=began,
            assessment=assessment.evolve(opened.assessment, event),
            learning=learning.evolve(opened.learning, event, digest),
        )
    if case is None:
        return None
    if isinstance(event, e.PlanProposed):
        basis = tuple(sorted({(affected.model, affected.version) for affected in case.affected}))
        return replace(case, plan=plans.proposed(event, digest, basis), plans=event.number)
    moved = _on_action(_on_response(case, event, at), event, at)
    moved = replace(
        moved,
        phase=_PHASE_AFTER.get(type(event), moved.phase),
        people=people.evolve(moved.people, event, at),
        pages=paging.evolve(moved.pages, event),
        learning=learning.evolve(moved.learning, event, digest),
        course=course.evolve(moved.course, event, at),
        assessment=assessment.evolve(moved.assessment, event),
        hold=hold.evolve(moved.hold, event),
        deciding=deciding.evolve(moved.deciding, event),
        glass=glass.evolve(moved.glass, event, at),
        clocks=contracts.met(clocks.evolve(moved.clocks, event, at), event, at),
        contracts=contracts.evolve(moved.contracts, event),
        reviews=reviews.evolve(moved.reviews, event, at),
        messages=messages.evolve(moved.messages, event, at, digest),
    )
    if moved.plan is None:
        return moved
    return replace(moved, plan=plans.evolve(moved.plan, event, moved.severity))
