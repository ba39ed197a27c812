"""Triage, killed at work: each fault is one incident, opened once, however often triage dies over it."""

import random
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from schemas.codec import frame
from schemas.ids import derive
from schemas.signals import SignalRaised
from schemas.values import Category, Position
from streams.kafka import Record
from streams.settings import Settings
from tests.crew import Crew, Feed, Killing, kill_at_work
from tests.feed import cleared, observed, raised
from tests.plain import Seen, wait_until
from tests.sensors import Judged

pytestmark = pytest.mark.broker

SUBJECTS = ("f1", "f2", "f3")


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


class Faults:
    """Signals as detect writes them: a fault of a model of its own every few turns, its signals mixed with others'."""

    def __init__(self, crew: Crew, dice: random.Random) -> None:
        self._crew, self._dice = crew, dice
        self._later: list[tuple[int, object]] = []
        self.first: dict[str, str] = {}
        self.sent = 0

    def act(self, number: int) -> None:
        """Begin a fault now and then; send what is due of those that are under way, and a word of a monitor."""
        if number % 6 == 0:
            self._begin(number)
        due = [said for at, said in self._later if at <= number]
        self._later = [(at, said) for at, said in self._later if at > number]
        self._send(observed("a", model=f"quiet{number % 3}"), *due)

    def finish(self) -> None:
        """Send what is left."""
        self._send(*(said for _, said in sorted(self._later, key=lambda later: later[0])))
        self._later = []

    def _begin(self, number: int) -> None:
        model, now = f"m{number:05}", int(time.time() * 1000)
        source = Position(topic_id="telemetry-topic", partition=0, offset=number)
        signals = [
            replace(raised(subject, Category.DATA_DRIFT, model=model, source=source), at=now, first_bad_at=now)
            for subject in SUBJECTS
        ]
        self.first[model] = signals[0].id
        self._send(signals[0])
        for place, signal in enumerate(signals[1:], 1):
            self._later.append((number + self._dice.randrange(1, 4) * place, signal))
        self._later.append((number + 9, signals[0]))  # detect was killed too, and says it again
        self._later.append((number + 12, self._again(signals[0])))

    def _again(self, signal: SignalRaised) -> object:
        """Return the signal's end, or its next level."""
        return cleared(signal, signal.source.offset + 1) if self._dice.random() < 0.5 else signal

    def _send(self, *said: object) -> None:
        model_of = [str(getattr(one, "model", "")) for one in said]
        topic = self._crew.topic("signals")
        self._crew.send(*(Record(topic, model.encode(), frame(one)) for model, one in zip(model_of, said, strict=True)))
        self.sent += len(said)


def deduplicated(told: list[Seen]) -> dict[tuple[str, int], Seen]:
    """Return what triage told by incident and sequence; a repeat must be the same record."""
    found: dict[tuple[str, int], Seen] = {}
    for seen in told:
        first = found.setdefault((seen.value["id"], seen.value["sequence"]), seen)
        assert first.raw == seen.raw, "a repeat is the same record"
    return found


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_each_fault_is_one_incident_through_kills(crew: Crew, kills: int) -> None:
    """SIGKILLs with signals behind no manifest: as many incidents as faults, each opened and registered once."""
    faults, judged = Faults(crew, random.Random(4)), Judged(crew, "triage", "signals")
    incidents = crew.tape("incidents")
    killing = Killing("triage", lambda: faults.sent, lambda given: min(given, judged.through()))
    crew.start("triage")
    with Feed(faults.act, every=0.05):
        kill_at_work(crew, killing, random.Random(12), kills)
    faults.finish()
    wait_until(lambda: judged.through() >= faults.sent, "all signals are judged")
    expected = {derive("incident", first): model for model, first in faults.first.items()}
    wait_until(lambda: {seen.value["id"] for seen in incidents.read()} >= expected.keys(), "each fault has an incident")
    wait_until(lambda: len(crew.audit.events("CaseOpened")) >= len(expected), "each incident is registered")
    told = deduplicated(incidents.read())
    opened = [seen.value for seen in told.values() if seen.name == "IncidentOpened"]
    assert sorted(body["id"] for body in opened) == sorted(expected)
    for body in opened:
        assert [affected["model"] for affected in body["affected"]] == [expected[body["id"]]]
        assert body["sequence"] == 1
    cases = crew.audit.events("CaseOpened")
    assert sorted(case["incident"] for case in cases) == sorted(expected), "registered exactly once"
    assert crew.tape("deadletter").read() == []
