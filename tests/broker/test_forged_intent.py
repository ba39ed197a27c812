"""An attacker with write access to every topic, and none of the keys: nothing moves, and the ledger goes on."""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.ledger import rules
from agents.ledger.asked import sign
from agents.ledger.case import Case
from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas import events as e
from schemas.avro import encode
from schemas.case import action
from schemas.codec import body as encode_body
from schemas.codec import frame
from schemas.keys import PrivateKey
from schemas.ledger import AuditEntry, EventBody
from schemas.merkle import Frontier, leaf_hash
from schemas.note import Checkpoint
from schemas.note import sign as sign_note
from schemas.values import Position
from streams.kafka import AwaitedProducer, Record, end_offset
from streams.ledger.genesis import ask, key_of
from streams.local.gateway import Envoy, Route, Version
from streams.settings import Settings
from streams.targets.envoy import EnvoyTarget
from tests.plant import Plant, wait_for
from tests.play import incident_opened

pytestmark = pytest.mark.broker

TARGET = "envoy:shuttle"
BEFORE, AFTER = '{"1":50,"2":50}', '{"1":100,"2":0}'
SYSTEMS = b"""version = 1
[systems.radiator]
scope = "Classifies the state of a radiator"
tier = "high"
[systems.radiator.models.shuttle]
versions = ["1", "2"]
known_good = "1"
traffic = "envoy:shuttle"
"""
ROLES = ("registrar", "remediation", "approval,recovery,projector")


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Envoy]:
    """Envoy with half of the traffic for each version."""
    versions = {version: Version(50, ("127.0.0.1:9",)) for version in ("1", "2")}
    with Envoy((Route("shuttle", versions),), tmp_path / "gateway") as envoy:
        yield envoy


class Watch:
    """Every state that the target was ever seen in."""

    def __init__(self, gateway: Envoy) -> None:
        self.seen: list[str] = []
        self._target = EnvoyTarget(gateway.admin)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            state = self._target.observe(TARGET).state
            if self.seen[-1:] != [state]:
                self.seen.append(state)

    def close(self) -> None:
        """Stop looking."""
        self._ended.set()
        self._thread.join(5)
        self._target.close()


@pytest.fixture
def watch(gateway: Envoy) -> Iterator[Watch]:
    """Somebody who looks at the target all the time."""
    made = Watch(gateway)
    yield made
    made.close()


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str], gateway: Envoy, tmp_path: Path) -> Iterator[Plant]:
    """The roles that follow the ledger, with one incident whose plan waits for its approvals."""
    (tmp_path / "systems.toml").write_bytes(SYSTEMS)
    with Plant(settings, environ) as made:
        made.start(ROLES, {"HEADGATE_ENVOY_ADMIN": gateway.admin}, systems=tmp_path / "systems.toml")
        made.announce(incident_opened(at=int(time.time() * 1000)))
        wait_for(lambda: pending(made), "the plan waits for approvals")
        yield made


def event_body(event: object) -> EventBody:
    """Return an event as an entry holds it."""
    name, fingerprint, data = encode_body(event)
    return EventBody(type=name, fingerprint=fingerprint, body=data)


def case_of(plant: Plant) -> Case:
    """Return the one case."""
    (case,) = plant.cases().values()
    return case


def pending(plant: Plant) -> bool:
    """Whether a plan waits for approvals."""
    return any(case.plan is not None and case.plan.state == "pending" for case in plant.cases().values())


class Attacker:
    """Writes what only the registrar should, as well as anybody can who has no key of this ledger."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.key = PrivateKey.generate(secrets.token_bytes(32))
        self.forged: list[int] = []
        self._producer = AwaitedProducer(plant.clients)
        plan = case_of(plant).plan
        assert plan is not None
        self.plan = plan

    def leaves(self) -> list[bytes]:
        """Return every leaf that stands on the topic now."""
        end = end_offset(self.plant.clients.admin(), self.plant.topic("audit"))
        wait_for(lambda: len(self.plant.read("audit")) >= end, "the topic is read to its end")
        return [message.value() or b"" for message in self.plant.read("audit")]

    def entry(self, index: int, command: bytes) -> AuditEntry:
        """Return the entry that would authorise the plan and start its first step, if anybody believed it."""
        now, (step, *_) = int(time.time() * 1000), self.plan.steps
        incident, plan = case_of(self.plant).incident, self.plan.digest
        authorised = e.PlanAuthorised(incident=incident, plan=plan, execute_by=now + 600_000)
        started = action.ActionStarted(
            incident=incident,
            intent=intent_id(plan, 0),
            plan=plan,
            step=0,
            target=step.target,
            desired=step.desired,
            precondition=step.precondition,
            executor="x-1",
            attempt=1,
            lease_until=now + 600_000,
        )
        bodies = [event_body(event) for event in (authorised, started)]
        return AuditEntry(
            index=index,
            follows=index - 1,
            at=now,
            rules=rules.CURRENT,
            policy=self.plant.ledger.state.control.policy_digest,
            source=Position(topic_id="", partition=0, offset=-1),
            command=command,
            outcome="accepted",
            events=tuple(bodies),
        )

    def approval(self) -> bytes:
        """Return an approval that is signed, with a key that nobody enrolled."""
        body = c.Approve(incident=case_of(self.plant).incident, plan=self.plan.digest, reason="forged")
        return encode(sign(body, self.plant.trust.genesis, self.key))

    def forge(self) -> int:
        """Append the entry at the right next index."""
        index = len(self.leaves())
        offset = self.write(frame(self.entry(index, self.approval())))
        assert offset == index, "it stands where it says that it stands"
        self.forged.append(offset)
        return offset

    def write(self, leaf: bytes) -> int:
        """Append a leaf."""
        return self._producer.send(self.plant.topic("audit"), b"incident-1", leaf)

    def checkpoint(self) -> None:
        """Sign the tree as it stands with the attacker's own key, under the log's name."""
        tree = Frontier()
        for leaf in self.leaves():
            tree.append(leaf_hash(leaf))
        name = self.plant.trust.log.name
        note = sign_note(Checkpoint(name, tree.size, tree.root()), name, self.key)
        self.plant.send("checkpoints", note.encode(), b"x")

    def flood(self, ended: threading.Event) -> None:
        """Write entries until told to end: half name their own index, half the one they have if another comes first."""
        following, topic = len(self.leaves()), self.plant.topic("audit")
        approval = self.approval()
        while not ended.is_set():
            entries = [self.entry(following + number + number % 2, approval) for number in range(10)]
            offsets = self._producer.send_all(Record(topic, b"x", frame(entry)) for entry in entries)
            self.forged += offsets
            following = offsets[-1] + 1


def acknowledge(plant: Plant, note: str) -> Callable[[], bool]:
    """Have a person say something genuine; what is returned tells whether it is decided."""
    incident, before = case_of(plant).incident, case_of(plant).sequence
    body = c.Acknowledge(incident=incident, note=note)
    ask(plant.settings, plant.trust, key_of(plant.settings, "mia"), [body])
    return lambda: case_of(plant).sequence > before


def kept(plant: Plant) -> bool:
    """Have the supervisor start again what has ended."""
    plant.stack.keep()
    return True


def say(plant: Plant, note: str) -> None:
    """Have a person say something genuine, and the supervisor keep the roles until it is decided."""
    decided = acknowledge(plant, note)
    wait_for(lambda: kept(plant) and decided(), "the registrar, or its successor, decides what is asked")


def approved(plant: Plant, watch: Watch) -> None:
    """After all of it a real approval moves the target, and the ledger verifies."""
    assert set(watch.seen) == {BEFORE}
    plant.approve("incident-1")
    wait_for(lambda: kept(plant) and watch.seen == [BEFORE, AFTER], "two signatures move it")


def voids(plant: Plant) -> dict[int, str]:
    """Return the void leaves of the verified ledger, with the reason."""
    return {void["index"]: void["why"] for void in plant.verified()["voids"]}


def test_an_intent_forged_at_the_right_index_moves_nothing_and_is_named_void(plant: Plant, watch: Watch) -> None:
    """The registrar steps down at it, its successor names it void and decides what was asked; all verifies."""
    attacker = Attacker(plant)
    offset = attacker.forge()
    attacker.checkpoint()
    say(plant, "after the forgery")
    assert plant.stack.child("registrar").pid != plant.pids["registrar"], "the registrar stepped down"
    assert case_of(plant).plan is not None
    assert not case_of(plant).actions
    approved(plant, watch)
    assert voids(plant)[offset] == "a later registrar named it void"
    assert set(plant.ended()) == {"registrar"}


def test_a_genuine_entry_written_again_is_void_and_disturbs_nobody(plant: Plant, watch: Watch) -> None:
    """Every entry of the ledger replayed, and an old checkpoint with them: no process ends, none of them counts."""
    attacker = Attacker(plant)
    leaves, notes = attacker.leaves(), [message.value() for message in plant.read("checkpoints")]
    replayed = [attacker.write(leaf) for leaf in leaves]
    for note in notes:
        plant.send("checkpoints", note, b"x")
    say(plant, "after the replay")
    approved(plant, watch)
    assert set(replayed) <= voids(plant).keys()
    assert plant.ended() == {}


def work_during_a_flood(plant: Plant, attacker: Attacker, note: str) -> None:
    """Ask something genuine while forged entries come; when they end, it is decided."""
    ended = threading.Event()
    flood = threading.Thread(target=attacker.flood, args=(ended,))
    flood.start()
    try:
        decided = acknowledge(plant, note)
        wait_for(lambda: decided() or not plant.stack.child("registrar").alive(), "it is decided, or one steps down")
    finally:
        ended.set()
        flood.join(20)
    wait_for(lambda: kept(plant) and decided(), "what was asked during the flood is decided")


def test_a_flood_of_forged_entries_beside_genuine_work_breaks_no_ledger(plant: Plant, watch: Watch) -> None:
    """Forged entries land before, between and after the registrar's own, and none is ever covered as genuine."""
    attacker = Attacker(plant)
    for number in range(3):
        work_during_a_flood(plant, attacker, f"during flood {number}")
    say(plant, "after the floods")  # the last forged entry may have ended the registrar that decided
    approved(plant, watch)
    assert set(attacker.forged) <= voids(plant).keys()


def test_a_take_over_that_nobody_enrolled_has_signed_voids_nothing(plant: Plant, watch: Watch) -> None:
    """A forged take-over that declares the whole ledger void, and one replayed, leave every genuine entry standing."""
    attacker = Attacker(plant)
    size = len(attacker.leaves())
    command = encode(sign(c.TakeOver(epoch=99, void_from=1), plant.trust.genesis, attacker.key))
    body = event_body(e.RegistrarTookOver(epoch=99, void_from=1))
    entry = attacker.entry(size, command)
    attacker.write(frame(replace(entry, events=(body,))))
    say(plant, "after the take-over")
    approved(plant, watch)
    assert min(voids(plant)) == size
