"""Plays the roles that a test of other roles does without: same commands, same keys, from what the ledger says."""

from dataclasses import replace

from agents.ledger.case import Case, Phase
from agents.ledger.decisions.execute import intent_id
from agents.ledger.regions.plan import PlanState
from agents.ledger.state import LedgerState
from schemas import commands as c
from schemas.codec import frame
from schemas.signals import Affected, MonitorObserved
from schemas.values import Mode, Position
from streams.kafka import Record
from tests.crew import Crew
from tests.plain import Audit
from tests.play import evidence, incident_opened, step

ALL = frozenset({"triage", "remediation", "approval", "people", "recovery"})


class Understudy:
    """Each turn it does for every open case the next thing that one of its roles would do.

    Parameters
    ----------
    crew
        Where it plays.
    roles
        Which of ALL it plays; `people` are the two who approve.
    """

    def __init__(self, crew: Crew, roles: frozenset[str]) -> None:
        self._crew, self._roles = crew, roles
        self._audit = Audit(crew.tape, crew.trust)
        self._keys = {role: crew.identity(role) for role in roles - {"people"}}
        self._sent: set[tuple[str, str]] = set()
        self._words: dict[str, int] = {}

    def turn(self) -> None:
        """Look at the ledger, and act."""
        state = self._audit.state()
        for incident in sorted(state.active):
            case = state.cases[incident]
            self._plan(case)
            self._decide(case)
            self._execute(case)
            if case.phase is Phase.RECOVERING:
                self._survive(state, case)

    def incident(self, number: int) -> str:
        """Open an incident of version 2 of a model of its own, and return its id."""
        name, model = f"incident-{number:04}", f"m{number}"
        affected, facts = (Affected(model=model, version="2"),), (evidence(model=model),)
        opened = replace(incident_opened(), id=name, affected=affected, evidence=facts)
        self._crew.announce(opened, self._keys["triage"])
        return name

    def _once(self, role: str, name: str, body: object) -> None:
        if role in self._roles and (role, name) not in self._sent:
            self._sent.add((role, name))
            self._crew.ask(self._keys[role], body)

    def _plan(self, case: Case) -> None:
        if case.phase is Phase.DECLARED and case.plan is None:
            model = case.affected[0].model
            steps = tuple(step(target=f"envoy:{model}-{part}") for part in ("a", "b"))
            body = c.ProposePlan(incident=case.incident, attempt=1, steps=steps, dry_run="both move")
            self._once("remediation", f"plan {case.incident}", body)

    def _decide(self, case: Case) -> None:
        if case.plan is None:
            return
        if case.plan.state is PlanState.PROPOSED:
            body = c.RequestApproval(incident=case.incident, plan=case.plan.digest)
            self._once("approval", case.plan.digest, body)
        if case.plan.state is PlanState.PENDING and "people" in self._roles and case.plan.digest not in self._words:
            self._words[case.plan.digest] = 1
            for person in self._crew.people:
                self._crew.ask(person, c.Approve(incident=case.incident, plan=case.plan.digest, reason="agreed"))

    def _execute(self, case: Case) -> None:
        plan = case.plan
        if plan is None or plan.state not in {PlanState.AUTHORISED, PlanState.EXECUTING}:
            return
        for number, wanted in enumerate(plan.steps):
            intent = intent_id(plan.digest, number)
            action = case.actions.get(intent)
            if action is None:
                body = c.StartAction(incident=case.incident, plan=plan.digest, step=number, executor="x", attempt=1)
                self._once("remediation", f"start {intent}", body)
                return
            if not action.outcome:
                done = c.ReportOutcome(
                    incident=case.incident, intent=intent, outcome="done", read_back=wanted.desired, detail=""
                )
                self._once("remediation", f"done {intent}", done)
                return

    def _survive(self, state: LedgerState, case: Case) -> None:
        """Say what detect says of the version that survives: 100 clear rows more each turn."""
        model = case.affected[0].model
        rows = self._words[model] = self._words.get(model, 0) + 100
        word = MonitorObserved(
            id=f"{model}-{rows}",
            at=state.control.at,
            model=model,
            version="1",
            mode=Mode.REALTIME,
            rows=rows,
            clear_rows=rows,
            raised=(),
            instances=("a",),
            source=Position(topic_id="T", partition=0, offset=rows),
        )
        self._crew.send(Record(self._crew.topic("signals"), model.encode(), frame(word)))
        if rows >= 300:
            report = c.ReportRecovery(
                incident=case.incident, model=model, version="1", clear_rows=rows, observation=word.id
            )
            self._once("recovery", case.incident, report)
