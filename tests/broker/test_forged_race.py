"""A forged entry in the moment between the registrar's entry and its checkpoint, or between two of its entries."""

import secrets
import threading
from collections.abc import Sequence

import pytest

from agents.ledger import rules
from agents.ledger.asked import sign
from agents.ledger.fold import Trust
from schemas import commands as c
from schemas import events as e
from schemas.avro import encode
from schemas.codec import body as encode_body
from schemas.codec import frame
from schemas.keys import PrivateKey
from schemas.ledger import AuditEntry, EventBody
from schemas.topics import full_name
from schemas.values import Position, Role
from streams.kafka import AwaitedProducer, Clients, Header
from streams.ledger.genesis import ask, begin
from streams.ledger.keyring import load
from streams.ledger.reader import LedgerReader
from streams.ledger.registrar import Registrar, SteppedDownError
from streams.settings import Settings
from streams.stop import Stop
from tests.plant import wait_for

pytestmark = pytest.mark.broker

MALLORY = PrivateKey.generate(secrets.token_bytes(32))


def forged(index: int, genesis: str) -> bytes:
    """Return an entry that names the index and would make the attacker's key an administrator's."""
    body = c.EnrolKey(enrolment=c.Enrolment(principal="p-mallory", public_key=MALLORY.public.raw, roles=(Role.ADMIN,)))
    name, fingerprint, data = encode_body(e.KeyEnrolled(enrolment=body.enrolment))
    entry = AuditEntry(
        index=index,
        follows=index - 1,
        at=1_900_000_000_000,
        rules=rules.CURRENT,
        policy="",
        source=Position(topic_id="", partition=0, offset=-1),
        command=encode(sign(body, genesis, MALLORY)),
        outcome="accepted",
        events=(EventBody(type=name, fingerprint=fingerprint, body=data),),
    )
    return frame(entry)


class Raced(AwaitedProducer):
    """The registrar's own producer, and an attacker whose entry comes right after a record of the topic `after`."""

    def __init__(self, settings: Settings, trust: Trust, after: str) -> None:
        super().__init__(Clients(settings))
        self._after, self._audit = full_name(settings.ledger, after), full_name(settings.ledger, "audit")
        self._trust = trust
        self._entries = 0
        self.index = -1
        self.armed = False

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> int:
        """Send, and let the attacker follow at once, one time."""
        offset = super().send(topic, key, value, headers, partition)
        if topic == self._audit:
            self._entries = offset + 1
        if self.armed and topic == self._after:
            self.armed, self.index = False, self._entries
            assert super().send(self._audit, b"x", forged(self.index, self._trust.genesis)) == self.index
        return offset


@pytest.mark.parametrize("after", ["audit", "checkpoints"])
def test_no_checkpoint_ever_covers_a_forged_entry_as_genuine(settings: Settings, after: str) -> None:
    """Whoever comes in between is seen before the tree is signed: step down, take over, void, decide again, verify."""
    trust = begin(settings)
    admin = load(settings.keys_directory, "admin")
    reader = LedgerReader(Clients(settings), settings.ledger, trust)
    stop, errors = Stop(), list[BaseException]()

    def serve(registrar: Registrar) -> threading.Thread:
        def run() -> None:
            try:
                registrar.run(stop, "registrar-1")
            except SteppedDownError as error:
                errors.append(error)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def registrar() -> Registrar:
        keys = settings.keys_directory
        return Registrar(settings, trust, load(keys, "registrar"), load(keys, "log"))

    def holds(number: int) -> bool:
        reader.poll(0.05)
        found = reader.fold.state.control.roles.get(f"p-{number}", frozenset())
        return Role.ML_MANAGER in found

    def enrol(number: int) -> None:
        public = PrivateKey.generate(secrets.token_bytes(32)).public.raw
        body = c.Enrolment(principal=f"p-{number}", public_key=public, roles=(Role.ML_MANAGER,))
        ask(settings, trust, admin, [c.EnrolKey(enrolment=body)])

    first, producer = registrar(), Raced(settings, trust, after)
    first._producer = producer  # the attacker is as quick as can be
    serving = serve(first)
    enrol(0)
    wait_for(lambda: holds(0), "the registrar decides")
    producer.armed = True
    enrol(1)
    enrol(2)
    serving.join(30)
    assert len(errors) == 1, "the registrar stepped down"
    assert producer.index > 0
    second = serve(registrar())
    wait_for(lambda: holds(1) and holds(2), "its successor decides what was asked")
    stop.requested = True
    second.join(20)
    assert len(errors) == 1
    control = reader.fold.state.control
    reader.close()
    assert "p-mallory" not in control.roles
    fresh = LedgerReader(Clients(settings), settings.ledger, trust)
    voids = {found.index for found in fresh.catch_up() if found.void}
    fresh.close()
    assert producer.index in voids
