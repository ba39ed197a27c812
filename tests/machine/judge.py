"""The rules of a case told a second time, over what was asked and what followed: it fails where they are broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.closing import unfinished
from agents.ledger.control import Control
from agents.ledger.regions.clocks import ClockState
from agents.ledger.targets import movable
from schemas import events as e
from schemas.case import approval as a
from schemas.case import by_hand as b
from schemas.case import glass as g
from schemas.case import hold as h
from schemas.case import response as r
from schemas.case.action import ActionStarted
from schemas.case.clocks import ClockReopened
from schemas.values import Role
from tests.machine.world import World

LEGAL: Mapping[Phase | None, frozenset[Phase]] = {
    None: frozenset({Phase.TRIAGE, Phase.DECLARED}),
    Phase.TRIAGE: frozenset({Phase.DECLARED, Phase.DISMISSED, Phase.MERGED}),
    Phase.DECLARED: frozenset(
        {
            Phase.CONTAINING,
            Phase.CONTAINED,
            Phase.INVESTIGATING,
            Phase.REMEDIATING,
            Phase.MERGED,
            Phase.DISMISSED,
        }
    ),
    Phase.CONTAINING: frozenset({Phase.CONTAINED, Phase.REMEDIATING, Phase.RECOVERING, Phase.DISMISSED}),
    Phase.CONTAINED: frozenset(
        {Phase.CONTAINING, Phase.INVESTIGATING, Phase.REMEDIATING, Phase.RECOVERING, Phase.DISMISSED}
    ),
    Phase.INVESTIGATING: frozenset(
        {Phase.CONTAINING, Phase.CONTAINED, Phase.REMEDIATING, Phase.RECOVERING, Phase.DISMISSED}
    ),
    Phase.REMEDIATING: frozenset({Phase.CONTAINING, Phase.CONTAINED, Phase.RECOVERING, Phase.DISMISSED}),
    Phase.RECOVERING: frozenset({Phase.RESOLVED, Phase.CONTAINING}),
    Phase.RESOLVED: frozenset({Phase.REVIEW, Phase.DECLARED}),
    Phase.REVIEW: frozenset({Phase.CLOSED, Phase.DECLARED}),
    Phase.CLOSED: frozenset({Phase.DECLARED}),
    Phase.DISMISSED: frozenset(),
    Phase.MERGED: frozenset(),
}
"""Every transition that there may be; `declared` never leads to `recovering`."""


@dataclass(slots=True)
class _Plan:
    """What people said of one plan, as the events tell."""

    barred: set[str]
    irreversible: bool
    steps: tuple[Any, ...]
    quorum: int = 99
    needs: tuple[a.Needed, ...] = ()
    agreed: dict[str, tuple[str, frozenset[Role]]] = field(default_factory=dict)
    authorised: bool = False
    begun: bool = False

    def asked_for(self, event: e.ApprovalRequested | a.ApprovalsRecounted) -> None:
        """Take what is asked for now; after a recount, only those who are named still agree."""
        self.quorum, self.needs = event.quorum, event.needs
        if isinstance(event, a.ApprovalsRecounted):
            self.agreed = {who: found for who, found in self.agreed.items() if who in event.counted}
            self.authorised = self.authorised and not event.pending


@dataclass(slots=True)
class Judge:
    """What is known of the cases of one world, from their events alone; `seen` counts events by their names."""

    world: World
    plans: dict[str, _Plan] = field(default_factory=dict)
    barred: dict[str, set[str]] = field(default_factory=dict)
    broken: dict[tuple[str, str, int], int] = field(default_factory=dict)
    clocks: dict[str, dict[int, tuple[str, bool]]] = field(default_factory=dict)
    released: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)
    by_hand: dict[str, set[str]] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    phases: set[tuple[str, str]] = field(default_factory=set)

    def judge(self, asked: Asked, events: list[object], before: Case | None, control: Control) -> None:
        """Judge one decision; `before` and `control` are as they were when it was made."""
        after = self.world.case(asked.incident)
        if not events:
            assert asked.kind == "IncidentOpened"
            assert before is not None
            return
        for event in events:
            name = type(event).__name__
            self.seen[name] = self.seen.get(name, 0) + 1
        if isinstance(events[0], e.Refused):
            assert len(events) == 1
            assert events[0].reason != "defect", asked
            assert _same(before, after)
            return
        self._moved(events, before, after)
        for event in events:
            self._proposed(event, before, control)
            self._decided(event, control)
            self._people(event, asked, before, control)
            self._hands(event, asked, before, control)
        if after is not None:
            self._standing(after, again=any(isinstance(event, ClockReopened) for event in events))

    def _moved(self, events: list[object], before: Case | None, after: Case | None) -> None:
        if after is None or (before is not None and before.phase is after.phase):
            return
        was = before.phase if before else None
        through = any(isinstance(event, e.CaseContained) for event in events) and after.phase is Phase.RECOVERING
        assert after.phase in LEGAL[was] or (through and Phase.CONTAINED in LEGAL[was]), (was, after.phase)
        self.phases.add((was.value if was else "", after.phase.value))

    def _proposed(self, event: object, before: Case | None, control: Control) -> None:
        """Note who may not decide on which plan."""
        if isinstance(event, e.PlanProposed):
            after = self.world.state.cases[event.incident]
            assert after.plan is not None
            policy = control.policies[after.policy].persons
            barred = self.barred.get(event.incident, set()) | {*event.excluded, event.proposer, *policy.excluded}
            irreversible = event.impact is not None and not event.impact.reversible
            self.plans[after.plan.digest] = _Plan(barred, irreversible, event.steps)
        elif isinstance(event, a.PersonExcluded):
            self.barred.setdefault(event.incident, set()).add(event.principal)
            if before is not None and before.plan is not None:
                self.plans[before.plan.digest].barred.add(event.principal)

    def _decided(self, event: object, control: Control) -> None:
        """Judge what people decided on a plan, and what was begun."""
        plan = self.plans.get(getattr(event, "plan", ""))
        if plan is None:
            return
        match event:
            case e.ApprovalRequested() | a.ApprovalsRecounted():
                plan.asked_for(event)
            case e.ApprovalGiven():
                assert not {event.principal, event.on_behalf} & plan.barred, event
                assert event.principal not in plan.agreed
                assert not any(role.service for role in control.roles[event.principal])
                plan.agreed[event.principal] = (event.key, frozenset(event.roles))
            case e.ApprovalRevoked() | a.DenialGiven():
                plan.agreed.pop(event.principal, None)
            case e.PlanAuthorised():
                self._quorum(plan, control)
                plan.authorised = True
            case e.PlanEnded():
                plan.authorised = plan.begun = False
            case ActionStarted():
                self._begun(event, plan, control)

    def _quorum(self, plan: _Plan, control: Control) -> None:
        """Assert that enough persons agree whose keys are in force, none of them barred."""
        counted = {
            who: roles
            for who, (key, roles) in plan.agreed.items()
            if who not in plan.barred and not control.keys[key].revoked
        }
        assert len(counted) >= plan.quorum, plan
        for need in plan.needs:
            assert sum(need.role in roles for roles in counted.values()) >= need.count, plan

    def _begun(self, event: ActionStarted, plan: _Plan, control: Control) -> None:
        """Assert that what begins was agreed to, or is a reversible containment that something else lets begin."""
        if event.leave == "quorum":
            assert plan.authorised, event
            if not plan.begun:
                self._quorum(plan, control)
            plan.begun = True
            return
        assert plan.steps[event.step].purpose == "contain"
        assert not plan.irreversible
        if event.leave == "break_glass":
            assert self.broken[event.incident, event.plan, event.step] > self.world.state.control.at
        else:
            assert event.leave == "standing"

    def _people(self, event: object, asked: Asked, before: Case | None, control: Control) -> None:
        """Judge what people decided on the case."""
        match event:
            case g.GlassBroken():
                self.broken[event.incident, event.plan, event.step] = event.until
            case h.EvidenceHeld():
                self.released[event.incident] = []
            case h.ReleaseAgreed():
                self.released[event.incident].append((event.principal, Role.LEGAL in asked.roles))
            case h.HoldReleased():
                agreed = self.released[event.incident]
                assert len({who for who, _ in agreed}) >= 2
                assert any(legal for _, legal in agreed)
            case r.CaseMerged():
                assert event.into != event.incident
                assert not self.world.state.cases[event.into].phase.over
            case r.CaseClosed():
                assert before is not None
                self._closed(before, asked, control)

    def _hands(self, event: object, asked: Asked, before: Case | None, control: Control) -> None:
        """Judge what people did without a plan: they dismissed a declared case, or put it right by hand."""
        match event:
            case e.CaseDismissed() if before is not None and before.phase is not Phase.TRIAGE:
                assert not any(role.service for role in asked.roles)
                assert not any(not action.outcome for action in before.actions.values())
            case b.ContainedByHand() | b.RemediedByHand():
                assert before is not None
                purposes = {"contain"} if isinstance(event, b.ContainedByHand) else {"contain", "remediate"}
                assert not any(one.purpose in purposes for one in movable(before, control.systems))
                self.by_hand.setdefault(event.incident, set()).add(event.principal)
            case r.CaseRegressed() | r.CaseReopened():
                self.by_hand.pop(event.incident, None)
            case b.RecoveryJudged():
                assert self.by_hand[event.incident]
                assert event.principal not in self.by_hand[event.incident]

    def _closed(self, case: Case, asked: Asked, control: Control) -> None:
        """Assert that nothing was left to do."""
        assert not any(role.service for role in asked.roles)
        assert unfinished(control, case) == ()
        assert all(task.done_at for task in case.people.tasks.values())
        assert not case.hold.stands
        assert all(one.verdict is not None for one in case.glass.broken + case.glass.used)
        assert not case.clocks.running
        if case.severity in control.policies[case.policy].closing.post_mortem:
            assert case.learning.accepted

    def _standing(self, case: Case, *, again: bool) -> None:
        """Assert what holds of a case at any time; `again` when somebody said that an ended clock is to run."""
        assert case.severity is case.assessment.severity, case
        assert (case.incident in self.world.state.control.open) is not case.phase.over
        assert bool(case.course.over_at) is case.phase.over or case.course.over_at == 0
        clocks = {one.number: (one.clock, one.state is ClockState.RUNNING) for one in case.clocks.counted}
        assert len(clocks) == len(case.clocks.counted)
        for number, (clock, running) in self.clocks.get(case.incident, {}).items():
            assert clocks[number][0] == clock, "a clock was lost"
            assert running or again or not clocks[number][1], "a clock that had ended runs again by itself"
        self.clocks[case.incident] = clocks


def _same(before: Case | None, after: Case | None) -> bool:
    if before is None or after is None:
        return before is after
    return replace(before, sequence=0) == replace(after, sequence=0)
