"""Roles as real processes that a test kills at work, and starts again."""

import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import pytest

from agents.ledger.asked import sign
from agents.ledger.statement import signed_headers
from schemas.codec import frame
from schemas.commands import AdoptPolicy, AdoptSystems, EnrolKey
from schemas.values import Role
from streams.kafka import AwaitedProducer, Clients, Record
from streams.ledger.genesis import begin, enrolment
from streams.ledger.keyring import Identity, create, load
from streams.local.child import Child
from streams.settings import Settings
from tests.plain import WITHIN, Audit, Tape, wait_until

PEOPLE = ("mia", "max")

# Small windows, short waits: what takes an hour in a factory takes a second here.
POLICY = b"""version = 1
[detection]
reference_rows = 400
window_rows = 100
floor_rows = 50
observe_every_rows = 1
[triage]
gather_ms = 300
quiet_seconds = 600
[[severity]]
name = "all"
severity = "sev2"
declare = true
[approval.sev1]
[approval.sev2]
quorum = 2
decide_within = 3600
[approval.sev3]
[approval.sev4]
[recovery]
clear_rows = 200
[remediation]
lease_seconds = 5
"""
_WAITING = 3
SYSTEMS = b"version = 1\n"


class Crew:
    """A ledger of a test's own, and the roles that run on it; a context manager that ends them.

    Parameters
    ----------
    settings, environ
        The fixtures of these names.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self.settings = settings
        self.environ = dict(environ)
        self.clients = Clients(settings)
        self.trust = begin(settings)
        self.people = [create(settings.keys_directory, name) for name in PEOPLE]
        self.running: dict[str, Child] = {}
        self._roles: dict[str, str] = {}
        self._tapes: list[Tape] = []
        self._senders = threading.local()
        self.audit = Audit(self.tape, self.trust)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self.running.values():
            child.kill()
        for tape in self._tapes:
            tape.close()

    def open(self, policy: bytes = POLICY, systems: bytes = SYSTEMS) -> Self:
        """Start a registrar, and wait until documents and people are in the ledger."""
        self.start("registrar")
        admin = self.identity("admin")
        self.ask(admin, AdoptPolicy(document=policy), AdoptSystems(document=systems))
        self.ask(admin, *(EnrolKey(enrolment=enrolment(person, Role.ML_MANAGER)) for person in self.people))
        keys = {person.key.key_id for person in self.people}
        wait_until(lambda: keys <= self.audit.state().control.keys.keys(), "the ledger is ready")
        return self

    def topic(self, name: str) -> str:
        """Return Kafka's name of a topic."""
        return f"{self.settings.ledger}.{name}.v1"

    def tape(self, name: str) -> Tape:
        """Return a new reader of a topic."""
        self._tapes.append(Tape(self.settings.brokers, self.topic(name)))
        return self._tapes[-1]

    def identity(self, name: str) -> Identity:
        """Return a key of this ledger."""
        return load(self.settings.keys_directory, name)

    def start(self, role: str, instance: str | None = None) -> Child:
        """Start a role in a process of its own, as an operator does; again where it was killed."""
        name = instance or role
        self._roles[name] = role
        command = [sys.executable, "-m", "streams", "run", role, "--instance", name]
        self.running[name] = Child(command, self.log(name), self.environ)
        return self.running[name]

    def kill(self, name: str) -> None:
        """End a role's process as a power cut would; it must have run."""
        child = self.running[name]
        assert child.alive(), f"{name} ended by itself:\n{self.log(name).read_text('utf-8')[-3000:]}"
        assert child.kill() == -9

    def hold(self, name: str) -> None:
        """Keep a role's process from going on (SIGSTOP)."""
        self.running[name].process.send_signal(signal.SIGSTOP)

    def let_go(self, name: str) -> None:
        """Let it go on."""
        self.running[name].process.send_signal(signal.SIGCONT)

    def again(self, name: str) -> Child:
        """Start a role that was killed, under its name."""
        return self.start(self._roles[name], name)

    def log(self, name: str) -> Path:
        """Return the file with what a role has said."""
        folder = self.settings.var / "log"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"

    def send(self, *records: Record) -> list[int]:
        """Write records, and return their offsets when Kafka has them; each thread has a producer of its own."""
        if not hasattr(self._senders, "producer"):
            self._senders.producer = AwaitedProducer(self.clients)
        offsets: list[int] = self._senders.producer.send_all(records)
        return offsets

    def ask(self, who: Identity, *bodies: object) -> list[bytes]:
        """Send signed commands, and return the signature of each."""
        commands = [sign(body, self.trust.genesis, who.key) for body in bodies]
        self.send(*(Record(self.topic("commands"), made.incident.encode(), frame(made)) for made in commands))
        return [made.signature for made in commands]

    def announce(self, incident: Any, who: Identity) -> bytes:
        """Write an incident as triage does, and return its signature."""
        headers = signed_headers(incident, self.trust.genesis, who.key)
        self.send(Record(self.topic("incidents"), incident.id.encode(), frame(incident), headers))
        return dict(headers)["headgate-signature"]


class Feed:
    """Does something again and again in a thread, at a pace, until it is left; what it raised is raised then."""

    def __init__(self, act: Callable[[int], None], every: float) -> None:
        self._act, self._every = act, every
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="feed", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(WITHIN)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        number = 0
        try:
            while not self._ended.wait(self._every):
                self._act(number)
                number += 1
        except BaseException as error:  # noqa: BLE001 - it is raised where the feed is left
            self._error = error


class Killing(NamedTuple):
    """How a role is killed at work.

    given
        Returns what was asked of the role so far.
    done
        Of what was given, returns how much is done; read when the process is dead.
    """

    name: str
    given: Callable[[], int]
    done: Callable[[int], int]
    gap: float = 0.4


def kill_at_work(crew: Crew, killing: Killing, dice: random.Random, wanted: int = 10) -> None:
    """Kill a role at so many seeded moments at which it had left work undone, and start it again each time.

    A quick role has rarely anything to do: it is held still until work waits for it, and killed while it does that.
    Whether some was left undone is known when the process is dead; only such kills count.
    """
    counted = 0
    for _ in range(4 * wanted):
        if dice.random() > 0.2:  # else it is killed while it starts
            before = killing.done(killing.given())
            wait_until(lambda then=before: killing.done(killing.given()) > then, f"{killing.name} works")  # type: ignore[misc]
            time.sleep(dice.uniform(0, killing.gap))  # the stimulus: a seeded moment
        crew.hold(killing.name)
        wait_until(lambda: killing.done(given := killing.given()) <= given - _WAITING, f"{killing.name} has work")
        given = killing.given()
        crew.let_go(killing.name)
        time.sleep(dice.uniform(0, 0.03))  # the stimulus: a seeded moment of that work
        crew.kill(killing.name)
        counted += killing.done(given) < given
        crew.again(killing.name)
        if counted == wanted:
            return
    pytest.fail(f"{killing.name} was killed {4 * wanted} times, and only {counted} times at work")
