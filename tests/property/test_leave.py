"""No step starts without the quorum, a standing rule or a broken glass that holds at that very moment."""

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from schemas import commands as c
from schemas import events as e
from schemas.case import approval as a
from schemas.case import glass as g
from schemas.case.action import ActionStarted
from schemas.delegation import Delegate, Delegated, DelegationRevoked, RevokeDelegation
from schemas.policy import read as read_policy
from schemas.values import Category, Role, Severity
from tests import ledgers, play
from tests.chapters.approval import POLICY as CHAPTER
from tests.ledgers import INCIDENT, SYSTEMS, enrolment, key_of
from tests.play import STEPS, agreed

POLICY = (
    CHAPTER[: CHAPTER.index(b"[remediation]")]
    .replace(b'name = "high"\nseverity = "sev2"', b'name = "high"\nseverity = "sev3"')
    .replace(
        b'[[severity]]\nname = "other"',
        b'[[severity]]\nname = "loss"\nseverity = "sev2"\ncategories = ["performance"]\n[[severity]]\nname = "other"',
    )
    .replace(b'severities = ["sev2"]', b'severities = ["sev2", "sev3"]')
    .replace(b"per_day = 1", b"per_day = 2")
)
RULES = read_policy(POLICY)
KEYS = {"max": "p-max", "mia": "p-mia", "bob": "p-bob", "bob-2": "p-bob", "cleo": "p-cleo", "eva": "p-eva"}
ROLES = {
    "p-max": {Role.ML_MANAGER},
    "p-mia": {Role.ML_MANAGER},
    "p-bob": {Role.ML_MANAGER, Role.COMPLIANCE},
    "p-cleo": {Role.COMPLIANCE},
    "p-eva": {Role.ML_ENGINEER},
}
WHO = st.sampled_from(sorted(KEYS))
SEEN: set[str] = set()


class Judge:
    """The rule told a second time, over events alone and without the code that decides."""

    def __init__(self) -> None:
        self.revoked: set[str] = set()
        self.lent: dict[tuple[str, str], str] = {}
        self.excluded: set[str] = set()
        self.severity = Severity.SEV3
        self.glasses: list[g.GlassBroken] = []
        self.used: dict[str, tuple[int, ...]] = {}
        self.plan = ""
        self.given: dict[str, e.ApprovalGiven] = {}
        self.begun = self.authorised = False
        self.until = 0

    def see(self, event: object, at: int) -> None:
        """Take the next event, decided at `at`; fail where a step starts that nothing entitles."""
        self._keep(event)
        self._on_plan(event)
        if isinstance(event, ActionStarted):
            SEEN.add(event.leave)
            assert event.plan == self.plan
            holds = {"quorum": self._quorum, "standing": self._standing, "break_glass": self._glass}
            assert holds[event.leave](event, at)

    def _keep(self, event: object) -> None:
        match event:
            case e.KeyRevoked():
                self.revoked.add(event.key)
            case Delegated():
                self.lent[event.principal, event.to] = event.key
            case DelegationRevoked():
                del self.lent[event.principal, event.to]
            case a.PersonExcluded():
                self.excluded.add(event.principal)
            case e.CaseGrew() | e.CaseOpened():
                self.severity = event.severity
            case g.GlassBroken():
                self.glasses.append(event)
            case g.StandingApprovalUsed():
                self.used[event.plan] = event.steps

    def _on_plan(self, event: object) -> None:
        match event:
            case e.PlanProposed():
                self.plan, self.given, self.begun, self.authorised = "", {}, False, False
            case e.ApprovalRequested():
                self.plan = event.plan
            case e.ApprovalGiven():
                assert event.principal not in self.excluded
                self.given[event.principal] = event
            case e.ApprovalRevoked() | a.DenialGiven():
                self.given.pop(event.principal, None)
            case e.PlanAuthorised():
                self.authorised, self.until = True, event.execute_by
            case a.ApprovalsRecounted():
                self.authorised = self.authorised and not event.pending
            case e.PlanEnded():
                self.authorised = self.begun = False

    def _stands(self, given: e.ApprovalGiven) -> bool:
        for_whom = {given.principal, given.on_behalf} if given.on_behalf else {given.principal}
        lent = not given.on_behalf or self.lent.get((given.on_behalf, given.principal), "") not in {"", *self.revoked}
        return given.key not in self.revoked and lent and not for_whom & self.excluded

    def _quorum(self, _event: ActionStarted, at: int) -> bool:
        """Whether some distinct persons fill the places that the severity's rule asks for now, or it had begun so."""
        if self.begun:
            return True
        asked = RULES.approval[self.severity]
        standing = [given for given in self.given.values() if self._stands(given)]
        voices = {given.on_behalf or given.principal for given in standing}
        places = [factor.role for factor in asked.needs for _ in range(factor.count)]
        filled = any(
            all(role in given.roles for role, given in zip(places, order, strict=True))
            for order in permutations(standing, len(places))
        )
        held = all(set(given.roles) <= ROLES[given.on_behalf or given.principal] for given in standing)
        fresh = all(given.stepped_up for given in standing) or not asked.step_up
        self.begun = self.authorised and at < self.until and filled and held and fresh
        return self.begun and len(voices) == len(standing) >= asked.persons

    def _standing(self, event: ActionStarted, _at: int) -> bool:
        return event.step in self.used.get(event.plan, ()) and STEPS[event.step].purpose == "contain"

    def _glass(self, event: ActionStarted, at: int) -> bool:
        return STEPS[event.step].purpose == "contain" and any(
            (one.plan, one.step) == (event.plan, event.step) and at < one.until and one.key not in self.revoked
            for one in self.glasses
        )


class Leave(RuleBasedStateMachine):
    """People decide, stand in, are excluded and lose keys, in any order; remediation tries to start all the while."""

    @initialize(standing=st.booleans(), first=st.sampled_from(["agree", "smash", "start"]))
    def begin(self, standing: bool, first: str) -> None:
        """Open an incident, with or without standing rules, and make a first move."""
        policy = POLICY if standing else POLICY.replace(b'target_kinds = ["envoy"]', b'target_kinds = ["none"]')
        self.ledger, self.number, self.judged, self.judge = ledgers.genesis(policy, SYSTEMS), 0, 0, Judge()
        for who, roles in (("bob", (Role.ML_MANAGER,)), ("bob-2", (Role.COMPLIANCE,))):
            self.ledger.ask(c.EnrolKey(enrolment=enrolment(who, *roles, principal="p-bob")), "ada")
        self.ledger.ask(play.incident_opened(), "triage")
        self.plan()
        moves: dict[str, Callable[[], None]] = {
            "agree": lambda: self.agree(["max", "cleo"], 2, 1),
            "smash": lambda: self.smash("mia", 0),
            "start": lambda: self.start(0, 1, done=True),
        }
        moves[first]()

    def ask(self, body: Any, who: str) -> None:
        """Ask it, unless the key was revoked."""
        if key_of(who).key_id not in self.judge.revoked:
            assert ledgers.reason(self.ledger.ask(body, who)) != "defect"
            self.watch()

    def digest(self) -> str:
        """Return the current plan's digest."""
        return self.ledger.plan

    def fresh(self) -> int:
        """Return a number that no statement had before."""
        self.number += 1
        return self.number

    @rule()
    def plan(self) -> None:
        """Propose the next plan where one is due, and ask people."""
        self.ask(play.proposal(attempt=self.ledger.case.plans + 1, dry_run=str(self.fresh())), "remediation")
        self.ask(c.RequestApproval(incident=INCIDENT, plan=self.digest()), "approval")

    @rule(who=WHO, confirmed=st.booleans())
    def approve(self, who: str, confirmed: bool) -> None:
        """Agree, with a fresh confirmation or without."""
        body = agreed(self.digest(), self.ledger.at, repeat=self.fresh())
        self.ask(body if confirmed else replace(body, confirmed=""), who)

    @rule(order=st.permutations(["max", "cleo", "bob"]), many=st.integers(1, 3), began=st.integers(0, 2))
    def agree(self, order: list[str], many: int, began: int) -> None:
        """Let several agree at once to a plan, so that it is often authorised, and begin it."""
        self.plan()
        for who in order[:many]:
            self.approve(who, confirmed=True)
        for step in range(began):
            self.start(step, 1, done=True)

    @rule(who=WHO, kind=st.sampled_from([c.Deny, c.RevokeApproval]))
    def object(self, who: str, kind: Callable[..., object]) -> None:
        """Refuse, or take back."""
        self.ask(kind(incident=INCIDENT, plan=self.digest(), reason="no", repeat=self.fresh()), who)

    @rule(who=st.sampled_from(["max", "mia", "bob"]), to=st.sampled_from(["p-eva", "p-mia"]), back=st.booleans())
    def lend(self, who: str, to: str, back: bool) -> None:
        """Lend the right to decide, or take it back."""
        until = self.ledger.at + 600_000
        lent = Delegate(to=to, until=until, reason="away", repeat=self.fresh())
        self.ask(RevokeDelegation(to=to, reason="back", repeat=self.fresh()) if back else lent, who)

    @rule(who=st.sampled_from(["bob", "bob-2", "max"]), seldom=st.integers(0, 3))
    def lose(self, who: str, seldom: int) -> None:
        """Revoke a key."""
        if seldom == 0:
            self.ask(c.RevokeKey(key=key_of(who).key_id, reason="lost"), "ada")

    @rule(person=st.sampled_from(["p-max", "p-bob"]), seldom=st.integers(0, 3))
    def exclude(self, person: str, seldom: int) -> None:
        """Exclude a person."""
        if seldom == 0:
            self.ask(a.ExcludePerson(incident=INCIDENT, principal=person, reason="released it"), "mia")

    @rule(seldom=st.integers(0, 2))
    def worsen(self, seldom: int) -> None:
        """Let the severity rise."""
        if seldom == 0:
            grew = play.incident_grew(sequence=self.fresh(), category=Category.PERFORMANCE)
            self.ask(grew, "triage")

    @rule(who=st.sampled_from(["max", "mia", "cleo"]), step=st.integers(0, 1))
    def smash(self, who: str, step: int) -> None:
        """Break the glass for a plan of today, and try to use it."""
        self.plan()
        body = g.BreakGlass(
            incident=INCIDENT, plan=self.digest(), step=step, reason="harm", minutes=5, repeat=self.fresh()
        )
        self.ask(body, who)
        self.start(step, 1, done=True)

    @rule(step=st.integers(0, 1), attempt=st.integers(1, 2), done=st.booleans())
    def start(self, step: int, attempt: int, done: bool) -> None:
        """Try to start a step, and perhaps finish it."""
        body = c.StartAction(
            incident=INCIDENT, plan=self.digest(), step=step, executor="x", attempt=attempt, repeat=self.fresh()
        )
        self.ask(body, "remediation")
        if done:
            play.finish(self.ledger, step)
            self.watch()

    @rule(seconds=st.sampled_from([1, 11, 301, 601]))
    def wait(self, seconds: int) -> None:
        """Let time pass; the approval role recounts and expires meanwhile."""
        self.ledger.later(seconds)
        self.ask(a.RecountApprovals(incident=INCIDENT, plan=self.digest(), repeat=self.fresh()), "approval")

    def watch(self) -> None:
        """Show the judge what is new."""
        for each in self.ledger.verified[self.judged :]:
            for event in each.events:
                self.judge.see(event, each.entry.at if each.entry else 0)
        self.judged = len(self.ledger.verified)

    @invariant()
    def every_start_was_entitled(self) -> None:
        """The judge has seen all, and has not failed."""
        if hasattr(self, "ledger"):
            self.watch()


def test_nothing_starts_that_nothing_entitles() -> None:
    """Whatever people and services do in whatever order; and each of the three ways is reached."""
    SEEN.clear()
    run_state_machine_as_test(
        Leave,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert {"quorum", "standing", "break_glass"} == SEEN
