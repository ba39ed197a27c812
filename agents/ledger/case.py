"""A case: one incident's record, rebuilt from its events. Response, approval and action stand side by side in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from agents.ledger.regions import learning, people
from agents.ledger.regions.learning import Learning
from agents.ledger.regions.people import People
from schemas import events as e
from schemas.commands import Step
from schemas.evidence import EvidenceAttached
from schemas.signals import Affected, Reached
from schemas.values import Category, Severity


class Phase(StrEnum):
    """Where the response stands."""

    TRIAGE = "triage"
    DISMISSED = "dismissed"
    DECLARED = "declared"
    CONTAINING = "containing"
    CONTAINED = "contained"
    REMEDIATING = "remediating"
    RECOVERING = "recovering"
    RESOLVED = "resolved"

    @property
    def over(self) -> bool:
        """Whether the response has nothing more to do."""
        return self in {Phase.DISMISSED, Phase.RESOLVED}

    @property
    def final(self) -> bool:
        """Whether people have nothing more to do either."""
        return self is Phase.DISMISSED


class PlanState(StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"
    PENDING = "pending"
    AUTHORISED = "authorised"
    EXECUTING = "executing"
    DONE = "done"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan, and who has decided on it; `digest` is SHA-256 of its PlanProposed bytes."""

    digest: str
    number: int
    proposer: str
    steps: tuple[Step, ...]
    state: PlanState = PlanState.PROPOSED
    role: str = ""
    quorum: int = 0
    decide_by: int = 0
    execute_within: int = 0
    execute_by: int = 0
    approvals: tuple[str, ...] = ()
    why: str = ""


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
    """One incident as its entries tell it."""

    incident: str
    opened_at: int
    system: str
    severity: Severity
    category: Category
    title: str
    affected: tuple[Affected, ...]
    policy: str
    recurrence_of: str | None
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
    learning: Learning = field(default_factory=Learning)
    owner_role: str = ""

    def bad_versions(self, model: str) -> frozenset[str]:
        """Versions of a model that the incident names."""
        return frozenset(affected.version for affected in self.affected if affected.model == model)


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
        owner_role=event.owner_role,
        blast_radius=event.blast_radius,
    )


def _decided_on(plan: Plan, event: object) -> Plan:
    match event:
        case e.ApprovalRequested():
            return replace(
                plan,
                state=PlanState.PENDING,
                role=event.role,
                quorum=event.quorum,
                decide_by=event.decide_by,
                execute_within=event.execute_within,
            )
        case e.ApprovalGiven():
            return replace(plan, approvals=(*plan.approvals, event.principal))
        case e.ApprovalRevoked():
            return replace(plan, approvals=tuple(p for p in plan.approvals if p != event.principal))
        case e.PlanAuthorised():
            return replace(plan, state=PlanState.AUTHORISED, execute_by=event.execute_by)
        case e.PlanEnded():
            return replace(plan, state=PlanState.ENDED, why=event.why)
        case e.ActionStarted():
            return replace(plan, state=PlanState.EXECUTING)
        case e.CaseRecovering():
            return replace(plan, state=PlanState.DONE)
    return plan


def _started(case: Case, event: e.ActionStarted, at: int) -> Case:
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
        case e.ActionStarted():
            return _started(case, event, at)
        case e.ActionFinished():
            action = replace(case.actions[event.intent], outcome=event.outcome, read_back=event.read_back)
            return replace(case, actions={**case.actions, event.intent: action})
        case e.ActionRestored():
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
                quiet=False,
            )
        case e.CaseQuieted():
            return replace(case, quiet=True)
        case e.CaseAcknowledged():
            return replace(case, acknowledged=True)
        case e.CaseDeclared():
            return replace(case, phase=Phase.DECLARED)
        case e.CaseDismissed():
            return replace(case, phase=Phase.DISMISSED)
        case e.CaseContained():
            return replace(case, phase=Phase.CONTAINED, contained_at=at)
        case e.CaseRecovering():
            return replace(case, phase=Phase.RECOVERING)
        case e.CaseResolved():
            return replace(case, phase=Phase.RESOLVED)
        case EvidenceAttached(kind=kind, digest=digest, rows=rows, summary=summary):
            attached = Attached(kind=kind, digest=digest, rows=rows, summary=summary, at=at)
            return replace(case, evidence=(*case.evidence, attached))
    return case


def evolve(case: Case | None, event: object, at: int, digest: str = "") -> Case | None:
    """Return the case after an event of the entry decided at `at`.

    Parameters
    ----------
    digest
        SHA-256 of the event's bytes: the name of a plan and of a post-mortem.
    """
    if isinstance(event, e.CaseOpened):
        return replace(_opened(event), learning=learning.evolve(Learning(), event, digest))
    if case is None:
        return None
    if isinstance(event, e.PlanProposed):
        plan = Plan(digest=digest, number=event.number, proposer=event.proposer, steps=event.steps)
        return replace(case, plan=plan, plans=event.number)
    moved = _on_action(_on_response(case, event, at), event, at)
    moved = replace(moved, people=people.evolve(moved.people, event, at))
    moved = replace(moved, learning=learning.evolve(moved.learning, event, digest))
    return moved if moved.plan is None else replace(moved, plan=_decided_on(moved.plan, event))
