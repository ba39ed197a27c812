"""The demonstration from beginning to end. It writes requests and approvals; all else is the product's own doing."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition

from agents.ledger.case import Case, Phase
from agents.ledger.fold import Trust, Verified
from agents.ledger.regions.plan import PlanState
from schemas.codec import open_frame
from schemas.commands import Approve
from schemas.errors import HeadgateError
from schemas.signals import MonitorObserved, SignalCleared, SignalRaised
from schemas.topics import BY_NAME, full_name
from schemas.values import Role
from streams.demo.faults import Fault
from streams.demo.proof import audited, packaged
from streams.demo.stage import Stage
from streams.demo.summary import Summary
from streams.demo.timeline import Timeline
from streams.kafka import Clients
from streams.ledger.genesis import ask, enrol, enrolment, key_of
from streams.ledger.reader import LedgerReader
from streams.local.stack import CORE, Stack
from streams.settings import Settings
from streams.view.signing_in import names_of

WARM_ROWS = 5000
QUIET_ROWS = 6000
_WITHIN = 120.0
PEOPLE = ("ana", "ben")


@dataclass(slots=True)
class Story:
    """One telling: set up, warm up, break, watch, approve, recover, prove."""

    settings: Settings
    stack: Stack
    stage: Stage
    timeline: Timeline
    trust: Trust | None = None
    _reader: LedgerReader | None = None
    _signals: Consumer | None = None
    _observed: dict[str, MonitorObserved] = field(default_factory=dict)
    _cases: dict[str, Case] = field(default_factory=dict)
    fault_at: int | None = None

    def set_up(self) -> None:
        """Start everything, and enrol two people who may approve."""
        say = self.timeline.say
        self.stack.start_broker()
        say(f"Kafka runs on {self.settings.brokers}")
        self.trust = trust = self.stack.begin_ledger()
        say(f"ledger begun, genesis {trust.genesis[:16]}…; its trust file is {self.settings.var}/trust.json")
        self.stage.train()
        say("versions 1 and 2 trained and registered in MLflow; the alias champion points at 2")
        self.stage.serve()
        assert self.stage.gateway is not None
        say(f"three model servers behind Envoy on {self.stage.gateway.url}; each version gets half of the traffic")
        self.stack.environ = {
            "HEADGATE_ENVOY_ADMIN": self.stage.gateway.admin,
            "HEADGATE_MLFLOW_URI": self.stage.registry,
        }
        self.stack.start_roles(CORE)
        self.stack.adopt(trust)
        admin = key_of(self.settings, "admin")
        for name in PEOPLE:
            enrol(self.settings, trust, admin, enrolment(key_of(self.settings, name), Role.ML_MANAGER))
        self._reader = LedgerReader(Clients(self.settings), self.settings.ledger, trust)
        self._signals = Clients(self.settings).reader(end_of_partition=False)
        self._signals.assign([TopicPartition(full_name(self.settings.ledger, "signals"), 0, 0)])
        self._until("policy and systems are adopted", self._adopted)
        say("policy and systems adopted; two people enrolled as ml_manager, each with a key of their own")

    def warm_up(self) -> None:
        """Send requests until each version's monitor knows what is normal."""
        self.stage.start_traffic()
        self.timeline.say("requests flow; the monitors learn what is normal")
        self._until("monitors have seen enough", self._warm, progress=self._warm_share)
        self.timeline.say(f"both versions are watched: {self._rows()} rows judged, nothing raised")

    def run(self, fault: Fault) -> dict[str, object]:
        """Tell the story with this fault, and return the summary."""
        self.set_up()
        self.warm_up()
        if fault is Fault.NONE:
            enough = self._rows() + QUIET_ROWS
            self._until("nothing happens", lambda: self._rows() >= enough)
        else:
            self._break(fault)
        return self._prove()

    def _break(self, fault: Fault) -> None:
        self.stage.break_it(fault)
        self.fault_at = int(time.time() * 1000)
        self.timeline.fault(f"version 2's feature pipeline breaks: {fault.value}")
        self._until("an incident is opened", lambda: bool(self._cases))
        self._until("people are asked", lambda: self._plan_is(PlanState.PENDING))
        incident, case = next(iter(self._cases.items()))
        assert case.plan is not None
        assert self.trust is not None
        for name in PEOPLE:
            person = key_of(self.settings, name)
            self.timeline.say(f"{name} signs the plan {case.plan.digest[:12]}…", kind="person")
            body = Approve(
                incident=incident,
                plan=case.plan.digest,
                reason="seen, and agreed",
                confirmed=case.plan.digest[:8],
                confirmed_at=int(time.time() * 1000),
            )
            ask(self.settings, self.trust, person, [body])
        self._until("the incident is resolved", lambda: self._phase_is(Phase.RESOLVED))

    def _prove(self) -> dict[str, object]:
        """Stop the traffic, export and verify the ledger, pack the incident's evidence, and write the summary."""
        self.stage.stop_traffic()
        assert self.trust is not None
        summary = Summary()
        audit = audited(self.settings, self.trust, summary)
        self.timeline.say(f"ledger exported: {audit['entries']} entries, every decision executed again")
        document = summary.document(self.fault_at, self.stage.counts(), audit)
        if self._cases:
            incident = next(iter(self._cases))
            document["evidence"] = packaged(self.settings, self.trust, incident, names_of(self.settings))
            self.timeline.say(f"evidence package of {incident[:8]} built, and judged by its own verifier")
        (self.settings.var / "summary.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        return document

    def _until(self, what: str, holds: Callable[[], bool], progress: Callable[[], float] | None = None) -> None:
        """Wait for a condition, telling what happens meanwhile."""
        deadline = time.monotonic() + _WITHIN
        with self.timeline.waiting(what) as advance:
            while not holds():
                self._listen()
                self.stack.keep()
                if progress is not None:
                    advance(progress())
                if time.monotonic() > deadline:
                    raise HeadgateError(
                        f"waited {_WITHIN:.0f} s in vain: {what}; the logs are in {self.settings.var}/log"
                    )

    def _listen(self) -> None:
        assert self._reader is not None
        assert self._signals is not None
        for found in self._reader.poll(0.1):
            self._tell(found)
        for message in self._signals.consume(1000, 0):
            if message.error() is None:
                self._hear(open_frame(message.value(), BY_NAME["signals"].records))

    def _tell(self, found: Verified) -> None:
        for event in found.events:
            self.timeline.event(found, event)
        if found.case is not None:
            self._cases[found.case.incident] = found.case

    def _hear(self, said: object) -> None:
        match said:
            case MonitorObserved():
                self._observed[said.version] = said
            case SignalRaised():
                self.timeline.signal(said)
            case SignalCleared():
                self.timeline.cleared(said)

    def _adopted(self) -> bool:
        assert self._reader is not None
        control = self._reader.fold.state.control
        managers = [roles for roles in control.roles.values() if Role.ML_MANAGER in roles]
        return control.policy is not None and bool(control.systems.systems) and len(managers) == len(PEOPLE)

    def _warm(self) -> bool:
        versions = [self._observed.get(version) for version in ("1", "2")]
        return all(seen is not None and seen.clear_rows >= WARM_ROWS for seen in versions)

    def _warm_share(self) -> float:
        return min((self._observed[v].clear_rows if v in self._observed else 0) / WARM_ROWS for v in ("1", "2"))

    def _rows(self) -> int:
        return sum(seen.rows for seen in self._observed.values())

    def _plan_is(self, state: PlanState) -> bool:
        return any(case.plan is not None and case.plan.state is state for case in self._cases.values())

    def _phase_is(self, phase: Phase) -> bool:
        return any(case.phase is phase for case in self._cases.values())


def fresh(settings: Settings) -> Settings:
    """Return settings for a demonstration of its own, in an empty var/demo."""
    directory = settings.var / "demo"
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    return settings.model_copy(update={"var": directory.absolute(), "ledger": f"demo-{int(time.time())}"})
