"""Telemetry to incident to case, all in one process: the agents alone, without Kafka, clock or files."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from river.datasets import Shuttle

from agents.detection.detect import Detect
from agents.detection.standard import Standard
from agents.ledger.decisions.execute import intent_id
from agents.received import Received
from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas import commands, policy, systems
from schemas.codec import frame
from schemas.signals import IncidentOpened, SignalRaised
from schemas.values import Category, Severity
from tests import ledgers, play
from tests.ledgers import Ledger
from tests.traffic import START, batch

Columns = dict[str, Any]
Fault = Callable[[Columns, np.random.Generator], None]
SIZE = 250
INSTANCES = {"1": ("v1-a",), "2": ("v2-a", "v2-b")}


def units(columns: Columns, _rng: np.random.Generator) -> None:
    """Send f1 in Fahrenheit."""
    columns["f1"] = columns["f1"] * 1.8 + 32


def stuck(columns: Columns, _rng: np.random.Generator) -> None:
    """Hold f7 still."""
    columns["f7"] = np.full_like(columns["f7"], 41.0)


def swapped(columns: Columns, _rng: np.random.Generator) -> None:
    """Exchange f7 and f9."""
    columns["f7"], columns["f9"] = columns["f9"], columns["f7"]


def latency(columns: Columns, _rng: np.random.Generator) -> None:
    """Answer 60 ms later."""
    columns["latency"] = columns["latency"] + 60


def nan_flood(columns: Columns, rng: np.random.Generator) -> None:
    """Lose half of f5 to NaN."""
    columns["f5"] = np.where(rng.random(SIZE) < 0.5, np.nan, columns["f5"])


FAULTS: dict[str, tuple[Fault, Category]] = {
    "units": (units, Category.DATA_DRIFT),
    "stuck": (stuck, Category.DATA_QUALITY),
    "swapped": (swapped, Category.DATA_DRIFT),
    "latency": (latency, Category.INFRASTRUCTURE),
    "nan flood": (nan_flood, Category.DATA_QUALITY),
}


def generated(rng: np.random.Generator) -> Iterator[Columns]:
    """Yield batches of nine independent normal features."""
    while True:
        made = {f"f{n}": rng.normal(40 + 5 * n, 2 + n, SIZE) for n in range(1, 10)}
        yield made | served(rng)


def shuttle(rng: np.random.Generator) -> Iterator[Columns]:
    """Yield batches of the Shuttle data that river bundles, in a random order."""
    rows = _shuttle()
    order = rng.permutation(len(rows))
    for start in range(0, len(rows) - SIZE, SIZE):
        part = rows[order[start : start + SIZE]]
        yield {f"f{n + 1}": part[:, n] for n in range(9)} | served(rng)


def served(rng: np.random.Generator) -> Columns:
    """Return what a server adds: class, confidence and latency (ms)."""
    classes = np.where(rng.random(SIZE) < 0.9, "normal", "anomaly").tolist()
    return {"prediction": classes, "confidence": rng.beta(30, 1, SIZE), "latency": rng.lognormal(1, 0.5, SIZE)}


_ROWS: list[np.ndarray[Any, np.dtype[np.float64]]] = []


def _shuttle() -> np.ndarray[Any, np.dtype[np.float64]]:
    if not _ROWS:
        _ROWS.append(np.array([[*x.values()] for x, _ in Shuttle()], dtype=np.float64))
    return _ROWS[0]


@dataclass
class Pipeline:
    """Detect, triage and a ledger, each fed with what the one before it said, a second of time a batch."""

    signals: list[Any] = field(default_factory=list)
    incidents: list[Any] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    offset: int = 0
    now: int = START

    def __post_init__(self) -> None:
        adopted = policy.read(ledgers.POLICY)
        self.ledger: Ledger = ledgers.genesis()
        digest = self.ledger.control.policy_digest
        declared = systems.read(ledgers.SYSTEMS)
        self.detect = Detect(Standard(digest, adopted.detection, declared))
        self.triage = Triage(Judge(digest, adopted.triage, declared))

    def run(self, data: Iterator[Columns], batches: int, fault: Fault | None, rng: np.random.Generator) -> None:
        """Serve each batch to both versions in turn; a fault is in version 2 alone."""
        for number in range(batches):
            for version, instances in INSTANCES.items():
                columns = dict(next(data))
                if fault is not None and version == "2":
                    fault(columns, rng)
                self._judge(columns, version, instances[number % len(instances)])

    def _judge(self, columns: Columns, version: str, instance: str) -> None:
        first = self.rows.get(instance, 0)
        self.rows[instance] = first + SIZE
        body = batch(columns, first, instance, model="shuttle", version=version)
        self.now += 1000
        self.offset += 1
        for event in self.detect.step(self._received("telemetry", self.offset, body)):
            self.signals.append(event)
            self._tell(self.triage.step(self._received("signals", len(self.signals), event)))
        self._tell(self.triage.tick(self.now))

    def _received(self, topic: str, offset: int, body: Any) -> Received:
        return Received(
            topic=topic,
            topic_id=f"{topic}-id",
            partition=0,
            offset=offset,
            timestamp=self.now,
            key=body.model.encode(),
            value=frame(body),
        )

    def _tell(self, told: list[object]) -> None:
        self.incidents += told
        self.ledger.at = self.now
        for incident in told:
            self.ledger.ask(incident, "triage")

    @property
    def opened(self) -> list[IncidentOpened]:
        """The incidents that were opened."""
        return [incident for incident in self.incidents if isinstance(incident, IncidentOpened)]

    @property
    def raised(self) -> list[SignalRaised]:
        """The signals that were raised."""
        return [signal for signal in self.signals if isinstance(signal, SignalRaised)]


SOURCES = {"generated": generated, "shuttle": shuttle}


def played(source: str, fault: Fault | None, seed: int = 11) -> Pipeline:
    """Warm up for 4,000 rows a version, and then serve 3,000 more with the fault."""
    rng = np.random.default_rng(seed)
    data, pipeline = SOURCES[source](rng), Pipeline()
    pipeline.run(data, 16, None, rng)
    assert not pipeline.raised, "nothing is raised before the fault"
    pipeline.run(data, 12, fault, rng)
    return pipeline


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_one_version_is_one_incident_of_its_category(name: str, source: str, seed: int) -> None:
    """Whatever breaks, one incident is opened, of the right category, naming version 2 alone; its case is declared."""
    fault, category = FAULTS[name]
    pipeline = played(source, fault, seed)
    (opened,) = pipeline.opened
    assert opened.category is category, [(s.detector, s.subject, s.score) for s in pipeline.raised]
    assert {(affected.model, affected.version) for affected in opened.affected} == {("shuttle", "2")}
    assert {signal.version for signal in pipeline.raised} == {"2"}
    (case,) = pipeline.ledger.state.cases.values()
    assert (case.incident, case.category, case.severity, case.phase) == (opened.id, category, Severity.SEV2, "declared")


@pytest.mark.parametrize("source", SOURCES)
def test_without_a_fault_there_is_no_incident(source: str) -> None:
    """Seven thousand ordinary rows a version open nothing."""
    pipeline = played(source, None)
    assert pipeline.opened == []
    assert pipeline.ledger.state.cases == {}


def test_the_same_telemetry_gives_the_same_ledger_byte_for_byte() -> None:
    """Two runs over the same rows say the same, so a backtest can be compared with what happened."""
    first, again = played("generated", units), played("generated", units)
    assert list(map(frame, first.signals)) == list(map(frame, again.signals))
    assert first.ledger.leaves == again.ledger.leaves


def test_the_incident_is_carried_to_resolution_by_the_agents_alone() -> None:
    """From the fault to a resolved case with two approvals, and every entry verifies from the leaves."""
    pipeline = played("shuttle", units)
    ledger = pipeline.ledger
    (incident,) = ledger.state.cases
    ledger.ask(commands.ProposePlan(incident=incident, attempt=1, steps=play.STEPS, dry_run="both move"), "remediation")
    plan = ledger.state.cases[incident].plan
    assert plan is not None
    ledger.ask(commands.RequestApproval(incident=incident, plan=plan.digest), "approval")
    for who in ("max", "mia"):
        ledger.ask(play.agreed(plan.digest, ledger.at, incident=incident), who)
    ledger.ask(play.evidence_kept(incident=incident), "evidence")
    for number, step in enumerate(play.STEPS):
        start = commands.StartAction(incident=incident, plan=plan.digest, step=number, executor="x-1", attempt=1)
        ledger.ask(start, "remediation")
        intent = intent_id(plan.digest, number)
        done = commands.ReportOutcome(
            incident=incident, intent=intent, outcome="done", read_back=step.desired, detail=""
        )
        ledger.ask(done, "remediation")
    ledger.ask(play.recovery(incident=incident), "recovery")
    assert ledger.state.cases[incident].phase == "resolved"
    verified = ledgers.read(ledger.leaves, ledger.notes, ledger.trust)
    assert [found.void for found in verified] == [""] * len(ledger.leaves)
