"""The registrar, killed at work: every statement is decided once, in order, and the ledger verifies."""

import random
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from schemas.commands import Acknowledge
from streams.kafka import topic_id
from streams.settings import Settings
from tests.crew import Crew, Feed, Killing, kill_at_work
from tests.plain import Audit, Entry, wait_until
from tests.play import incident_opened

pytestmark = pytest.mark.broker


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


class Client:
    """Sends statements, some of them twice, and keeps the list of what it sent to each topic."""

    def __init__(self, crew: Crew) -> None:
        self.crew = crew
        self.sent: dict[str, list[bytes]] = {"incidents": [], "commands": []}
        self._triage, self._person = crew.identity("triage"), crew.people[0]
        self._audit = Audit(crew.tape, crew.trust)
        self._acknowledged: set[str] = set()
        self._lock = threading.Lock()

    def act(self, number: int) -> None:
        """Open an incident, repeat an earlier one now and then, and acknowledge what the ledger has opened."""
        self._note("incidents", self._open(number))
        if number % 5 == 0:
            assert self._open(number // 2) in self.sent["incidents"]
        for incident in sorted(self._audit.state().active - self._acknowledged)[:3]:
            self._acknowledged.add(incident)
            (signature,) = self.crew.ask(self._person, Acknowledge(incident=incident, note="mine"))
            self._note("commands", signature)

    def count(self) -> int:
        """Return how many statements were sent."""
        with self._lock:
            return sum(map(len, self.sent.values()))

    def _open(self, number: int) -> bytes:
        return self.crew.announce(replace(incident_opened(), id=f"incident-{number:05}"), self._triage)

    def _note(self, topic: str, signature: bytes) -> None:
        with self._lock:
            self.sent[topic].append(signature)


def decided(crew: Crew, topic: str) -> list[bytes]:
    """Return the signatures of the statements that were read from a topic and decided, in the ledger's order."""
    source = topic_id(crew.clients.admin(), crew.topic(topic))
    return [entry.command["signature"] for entry in crew.audit.read() if entry.source == source]


def check(crew: Crew, client: Client, administered: int) -> list[Entry]:
    """Every statement that was sent is decided once, accepted, and in its order."""
    total = client.count() + administered
    wait_until(lambda: sum(len(decided(crew, topic)) for topic in client.sent) >= total, "all is decided")
    assert decided(crew, "incidents") == client.sent["incidents"]
    assert decided(crew, "commands")[administered:] == client.sent["commands"]
    entries = crew.audit.read()
    assert {entry.outcome for entry in entries} == {"accepted"}
    again = Audit(crew.tape, crew.trust)  # the whole ledger, verified once more from its first byte
    assert again.read() == entries
    assert again.fold.next_offset == again.fold.size, "a checkpoint covers everything"
    return entries


@pytest.mark.parametrize("kills", [10, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(900)])])
def test_every_statement_is_decided_once_through_kills(crew: Crew, kills: int) -> None:
    """SIGKILLs with statements undecided: each is decided exactly once, in order, under a ledger that verifies."""
    administered, client = len(decided(crew, "commands")), Client(crew)

    def done(given: int) -> int:
        return min(given, sum(len(decided(crew, topic)) for topic in client.sent) - administered)

    with Feed(client.act, every=0.03):
        kill_at_work(crew, Killing("registrar", client.count, done), random.Random(3), kills)
    entries = check(crew, client, administered)
    epochs = [body["epoch"] for entry in entries for name, body in entry.events if name == "RegistrarTookOver"]
    assert epochs == list(range(1, len(epochs) + 1))
    assert len(epochs) >= kills / 2, "it took over again and again"


def test_a_stand_by_takes_over_from_a_registrar_that_stays_dead(crew: Crew) -> None:
    """Two registrars: the active one is killed for good, and the other decides what is left, and what comes."""
    administered, client = len(decided(crew, "commands")), Client(crew)
    crew.start("registrar", "stand-by")
    wait_until(lambda: "standing by" in crew.log("stand-by").read_text("utf-8"), "the second stands by")
    with Feed(client.act, every=0.03):
        wait_until(lambda: client.count() > 40, "work arrives")
        crew.hold("registrar")
        given = client.count()
        wait_until(lambda: client.count() > given + 5, "it is given more")
        crew.kill("registrar")
        left = client.count() - sum(len(decided(crew, topic)) for topic in client.sent) + administered
        assert left > 0, "it was killed at work"
        wait_until(lambda: "taking over" in crew.log("stand-by").read_text("utf-8"), "the second takes over")
        wait_until(lambda: client.count() > given + 40, "work goes on")
    check(crew, client, administered)
