"""One case under any sequence of commands: the rules of approval and action hold, told a second time by a judge."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from agents.ledger.case import Phase
from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas import events as e
from schemas import signals as s
from schemas.case import action
from schemas.values import Role
from tests import ledgers, play, story
from tests.ledgers import INCIDENT, read, reason
from tests.play import STEPS

REACHED: set[str] = set()
LEGAL = {
    Phase.TRIAGE: {Phase.DECLARED, Phase.DISMISSED},
    Phase.DECLARED: {Phase.CONTAINING, Phase.REMEDIATING},
    Phase.CONTAINING: {Phase.CONTAINED, Phase.RECOVERING},
    Phase.CONTAINED: {Phase.REMEDIATING, Phase.CONTAINING, Phase.RECOVERING},
    Phase.REMEDIATING: {Phase.RECOVERING, Phase.CONTAINING},
    Phase.RECOVERING: {Phase.RESOLVED},
    Phase.RESOLVED: set(),
    Phase.DISMISSED: set(),
}
MANAGERS = {"max": "p-max", "max-2": "p-max", "mia": "p-mia", "bob": "p-bob"}
WHO = st.sampled_from(["max", "max-2", "mia", "bob", "eva", "cleo", "ada", "remediation", "approval"])


class Judge:
    """The rules of approval and action told a second time, over events alone."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.forget()

    def forget(self) -> None:
        """Begin anew: a plan takes nothing from the one before."""
        self.proposer, self.quorum = "", 99
        self.agreed: set[str] = set()
        self.authorised = False
        self.done: set[int] = set()
        self.under_way: dict[str, int] = {}

    def see(self, event: object) -> None:
        """Take the next event, and fail where it may not be."""
        self.seen.add(type(event).__name__)
        self.on_decision(event)
        self.on_action(event)

    def on_decision(self, event: object) -> None:
        """Judge what people decided."""
        match event:
            case e.PlanProposed():
                self.forget()
                self.proposer = event.proposer
            case e.ApprovalRequested():
                self.quorum = event.quorum
            case e.ApprovalGiven():
                assert event.principal in MANAGERS.values()
                assert event.principal not in self.agreed
                self.agreed.add(event.principal)
            case e.ApprovalRevoked():
                self.agreed.remove(event.principal)
            case e.PlanAuthorised():
                assert len(self.agreed - {self.proposer}) >= self.quorum
                self.authorised = True
            case e.PlanEnded():
                self.authorised = False

    def on_action(self, event: object) -> None:
        """Judge what was done."""
        match event:
            case action.ActionStarted():
                assert self.authorised
                assert set(range(event.step)) <= self.done
                self.under_way[event.intent] = event.step
            case action.ActionFinished(outcome="done"):
                step = self.under_way[event.intent]
                assert event.read_back == STEPS[step].desired
                self.done.add(step)
            case e.CaseContained():
                assert {n for n, step in enumerate(STEPS) if step.purpose == "contain"} <= self.done
            case e.CaseRecovering():
                assert set(range(len(STEPS))) <= self.done
            case e.CaseResolved():
                assert event.version != "2"
                assert event.clear_rows >= 1000


class OneCase(RuleBasedStateMachine):
    """People and services do anything they can think of to one case; the ledger is the witness."""

    @initialize(low=st.booleans())
    def begin(self, low: bool) -> None:
        """Open a case, as a candidate or declared."""
        self.ledger = ledgers.genesis(story.POLICY, story.LOW if low else story.SYSTEMS)
        for who in ("max-2", "bob"):
            enrolment = ledgers.enrolment(who, Role.ML_MANAGER, principal=MANAGERS[who])
            self.ledger.ask(c.EnrolKey(enrolment=enrolment), "ada")
        model = "small" if low else "shuttle"
        affected = (s.Affected(model=model, version="2"),)
        self.ledger.ask(play.incident_opened(affected=affected), "triage")
        self.number, self.judged, self.judge = 0, 0, Judge()

    def ask(self, body: Any, who: str) -> None:
        """Ask it in words that were not used before, and watch the phase."""
        self.number += 1
        if hasattr(body, "repeat"):
            body = replace(body, repeat=self.number)
        before = self.ledger.case
        found = self.ledger.ask(body, who)
        after = self.ledger.case
        assert reason(found) != "defect"
        if after.phase is not before.phase:
            assert after.phase in LEGAL[before.phase] or {"CaseContained", "CaseRecovering"} <= set(
                ledgers.names(found)
            )
        if reason(found):
            assert replace(after, sequence=0) == replace(before, sequence=0)

    def digest(self) -> str:
        """Return the current plan's digest, or one that names nothing."""
        return self.ledger.case.plan.digest if self.ledger.case.plan else "0" * 64

    @rule(seconds=st.sampled_from([1, 11, 601, 3601]))
    def wait(self, seconds: int) -> None:
        """Let time pass, or go back."""
        self.ledger.later(seconds if self.number % 5 else -seconds)

    @rule(kind=st.sampled_from([c.Declare, c.Dismiss]), who=WHO, often=st.integers(0, 5))
    def respond(self, kind: type, who: str, often: int) -> None:
        """Declare, or seldom dismiss."""
        if kind is c.Declare or often == 0:
            self.ask(kind(incident=INCIDENT, reason=""), who)

    @rule(who=st.sampled_from(["remediation", "remediation", "remediation", "max"]), right=st.booleans())
    def propose(self, who: str, right: bool) -> None:
        """Propose the next plan, or a stale one."""
        self.ask(play.proposal(attempt=self.ledger.case.plans + int(right), dry_run=str(self.number)), who)

    @rule(who=st.sampled_from(["approval", "approval", "approval", "max"]))
    def request(self, who: str) -> None:
        """Ask for approval."""
        self.ask(c.RequestApproval(incident=INCIDENT, plan=self.digest()), who)

    @rule(who=WHO)
    def approve(self, who: str) -> None:
        """Agree."""
        self.ask(c.Approve(incident=INCIDENT, plan=self.digest(), reason=str(self.number)), who)

    @rule(far=st.integers(1, 9))
    def hurry(self, far: int) -> None:
        """Do what comes next, more or less far: so that most runs get to actions."""
        if self.ledger.case.phase is Phase.TRIAGE:
            self.ask(c.Declare(incident=INCIDENT, reason=""), "max")
        todo: list[Callable[[], None]] = [
            lambda: self.propose("remediation", right=True),
            lambda: self.request("approval"),
            lambda: self.approve("max"),
            lambda: self.approve("mia"),
            lambda: self.start(0, "x-1", 1),
            lambda: self.report(0, "done", shown=True),
            lambda: self.start(1, "x-1", 1),
            lambda: self.report(1, "done", shown=True),
        ]
        for act in todo[:far]:
            act()

    @rule(kind=st.sampled_from([c.Deny, c.RevokeApproval]), who=WHO)
    def object(self, kind: type, who: str) -> None:
        """Refuse, or take an approval back."""
        self.ask(kind(incident=INCIDENT, plan=self.digest(), reason=str(self.number)), who)

    @rule(to_decide=st.booleans())
    def expire(self, to_decide: bool) -> None:
        """Say that a deadline passed."""
        plan = self.ledger.case.plan
        deadline = 0 if plan is None else plan.decide_by if to_decide else plan.execute_by
        self.ask(c.ExpirePlan(incident=INCIDENT, plan=self.digest(), deadline=deadline), "approval")

    @rule(step=st.integers(0, 2), executor=st.sampled_from(["x-1", "x-2"]), ahead=st.integers(0, 1))
    def start(self, step: int, executor: str, ahead: int) -> None:
        """Start a step, or take it up again."""
        known = self.ledger.case.actions.get(intent_id(self.digest(), step))
        attempt = (known.attempt if known else 0) + ahead
        body = c.StartAction(incident=INCIDENT, plan=self.digest(), step=step, executor=executor, attempt=attempt)
        self.ask(body, "remediation")

    @rule(step=st.integers(0, 1), outcome=st.sampled_from(["done", "done", "done", "failed"]), shown=st.booleans())
    def report(self, step: int, outcome: str, shown: bool) -> None:
        """Report an outcome, true or not."""
        body = c.ReportOutcome(
            incident=INCIDENT,
            intent=intent_id(self.digest(), step),
            outcome=outcome,
            read_back=STEPS[step].desired if shown else "{}",
            detail=str(self.number),
        )
        self.ask(body, "remediation")

    @rule(version=st.sampled_from(["1", "2"]), rows=st.sampled_from([0, 1000]))
    def recover(self, version: str, rows: int) -> None:
        """Report that a version is clear."""
        body = play.recovery(version=version, clear_rows=rows, observation=str(self.number))
        self.ask(body, "recovery")

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        """Send what was sent before: it adds nothing."""
        entries = [each.entry for each in self.ledger.verified if each.entry][1:]
        size = len(self.ledger.leaves)
        assert self.ledger.submit(data.draw(st.sampled_from(entries)).command) == []
        assert len(self.ledger.leaves) == size

    @invariant()
    def what_was_authorised_had_its_quorum(self) -> None:
        """Distinct managers, none of them the proposer, as many as were asked for; and no action without."""
        for each in self.ledger.verified[self.judged :]:
            for event in each.events:
                self.judge.see(event)
        self.judged = len(self.ledger.verified)

    @invariant()
    def time_never_goes_back(self) -> None:
        """Each entry is as late as the one before, or later."""
        times = [each.entry.at for each in self.ledger.verified if each.entry]
        assert times == sorted(times)

    def teardown(self) -> None:
        """A fresh reader finds the same."""
        if hasattr(self, "ledger"):
            REACHED.update(self.judge.seen)
            assert read(self.ledger.leaves, self.ledger.notes, self.ledger.trust) == self.ledger.verified


def test_no_sequence_of_commands_gets_around_the_rules() -> None:
    """Whatever is asked in whatever order: quorum before action, proof before done, no illegal transition."""
    REACHED.clear()
    run_state_machine_as_test(
        OneCase,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
    assert {"PlanAuthorised", "ActionStarted", "CaseContained", "CaseRecovering"} <= REACHED
