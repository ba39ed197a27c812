"""The plan of a case and who has decided on it: the approval region, as its events tell it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from schemas import events as e
from schemas.case.action import ActionStarted
from schemas.case.approval import ApprovalsRecounted, DenialGiven, Impact, Needed
from schemas.commands import Step
from schemas.values import Role, Severity

QUORUM = "quorum"
_ENDS = {
    "denied": "rejected",
    "expired": "expired",
    "revoked": "revoked",
    "failed": "failed",
    "target_changed": "failed",
}


class PlanState(StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"
    PENDING = "pending"
    AUTHORISED = "authorised"
    EXECUTING = "executing"
    DONE = "done"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One person's approval, the key that signed it, and whose right it uses (empty: the person's own)."""

    principal: str
    key: str
    roles: tuple[Role, ...]
    on_behalf: str = ""
    stepped_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan, and who has decided on it; `digest` is SHA-256 of its PlanProposed bytes.

    basis
        The affected (model, version) pairs that it was made for.
    severity
        The severity by whose rule people were asked.
    """

    digest: str
    number: int
    proposer: str
    steps: tuple[Step, ...]
    impact: Impact | None = None
    excluded: tuple[str, ...] = ()
    basis: tuple[tuple[str, str], ...] = ()
    state: PlanState = PlanState.PROPOSED
    severity: Severity = Severity.SEV4
    role: str = ""
    needs: tuple[Needed, ...] = ()
    quorum: int = 0
    denials: int = 1
    step_up: bool = False
    decide_by: int = 0
    execute_within: int = 0
    execute_by: int = 0
    given: tuple[Given, ...] = ()
    denied_by: tuple[str, ...] = ()
    why: str = ""

    @property
    def approvals(self) -> tuple[str, ...]:
        """The persons whose approval stands, in the order in which they agreed."""
        return tuple(one.principal for one in self.given)

    @property
    def reversible(self) -> bool:
        """Whether every step can be undone; a plan that says nothing of it moves traffic and aliases alone."""
        return self.impact is None or self.impact.reversible

    @property
    def standing(self) -> str:
        """The plan's state in the words of approval, from pending and semi_granted to done or superseded."""
        match self.state:
            case PlanState.PROPOSED | PlanState.PENDING:
                return "semi_granted" if self.given else "pending"
            case PlanState.AUTHORISED:
                return "granted"
            case PlanState.ENDED:
                return _ENDS.get(self.why, "superseded")
        return self.state.value


def proposed(event: e.PlanProposed, digest: str, basis: tuple[tuple[str, str], ...]) -> Plan:
    """Return the plan that an event of these bytes proposes."""
    return Plan(
        digest=digest,
        number=event.number,
        proposer=event.proposer,
        steps=event.steps,
        impact=event.impact,
        excluded=event.excluded,
        basis=basis,
    )


def _agreed(plan: Plan, event: e.ApprovalGiven) -> Plan:
    given = Given(
        principal=event.principal,
        key=event.key,
        roles=event.roles,
        on_behalf=event.on_behalf,
        stepped_up=event.stepped_up,
    )
    return replace(plan, given=(*_without(plan, event.principal), given))


def _without(plan: Plan, principal: str) -> tuple[Given, ...]:
    return tuple(one for one in plan.given if one.principal != principal)


def _recounted(plan: Plan, event: ApprovalsRecounted, severity: Severity) -> Plan:
    return replace(
        plan,
        state=PlanState.PENDING if event.pending else plan.state,
        severity=severity,
        role=event.role,
        needs=event.needs,
        quorum=event.quorum,
        denials=event.denials,
        step_up=event.step_up,
        decide_by=event.decide_by,
        given=tuple(one for one in plan.given if one.principal in event.counted),
    )


def evolve(plan: Plan, event: object, severity: Severity) -> Plan:
    """Return the plan after an event; `severity` is the case's by then."""
    match event:
        case e.ApprovalRequested():
            return replace(
                plan,
                state=PlanState.PENDING,
                severity=severity,
                role=event.role,
                needs=event.needs,
                quorum=event.quorum,
                denials=event.denials,
                step_up=event.step_up,
                decide_by=event.decide_by,
                execute_within=event.execute_within,
            )
        case e.ApprovalGiven():
            return _agreed(plan, event)
        case e.ApprovalRevoked():
            return replace(plan, given=_without(plan, event.principal))
        case DenialGiven():
            return replace(plan, given=_without(plan, event.principal), denied_by=(*plan.denied_by, event.principal))
        case ApprovalsRecounted():
            return _recounted(plan, event, severity)
        case e.PlanAuthorised():
            return replace(plan, state=PlanState.AUTHORISED, execute_by=event.execute_by)
        case e.PlanEnded():
            return replace(plan, state=PlanState.ENDED, why=event.why)
        case ActionStarted(leave="quorum"):
            return replace(plan, state=PlanState.EXECUTING)
        case e.CaseRecovering():
            return replace(plan, state=PlanState.DONE)
    return plan
