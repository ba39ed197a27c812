"""The beginning of a ledger: keys, topics, the first leaf, its checkpoint, and the trust file for everybody else."""

import hashlib
import secrets
from pathlib import Path

from agents.ledger.asked import sign
from agents.ledger.fold import Fold, Trust
from agents.ledger.state import LedgerState, compose
from schemas import policy, systems
from schemas.avro import encode
from schemas.codec import frame
from schemas.commands import AdoptPolicy, AdoptSystems, EnrolKey, Enrolment, EstablishLedger
from schemas.documents import digest
from schemas.errors import LedgerError, PolicyError
from schemas.note import Verifier
from schemas.note import sign as sign_note
from schemas.topics import full_name
from schemas.values import Position, Role
from streams.clock import now_ms
from streams.kafka import AwaitedProducer, Clients, Record, end_offset
from streams.ledger.keyring import SERVICES, Identity, create, load, trust_path, write_trust
from streams.ledger.reader import LedgerReader
from streams.ledger.signed_size import SignedSize
from streams.settings import Settings
from streams.topic_admin import TopicAdmin

_NOWHERE = Position(topic_id="", partition=0, offset=-1)


def key_of(settings: Settings, name: str) -> Identity:
    """Return a key of this machine, made where there is none."""
    directory = settings.keys_directory
    return load(directory, name) if (directory / f"{name}.pem").exists() else create(directory, name)


def enrolment(identity: Identity, *roles: Role) -> Enrolment:
    """Return what enrols a key."""
    return Enrolment(principal=identity.principal, public_key=identity.key.public.raw, roles=roles)


def begin(settings: Settings) -> Trust:
    """Create topics and keys, and write the first leaf; LedgerError if the ledger has one already.

    This is the only entry that a registrar does not write: nobody is enrolled yet who could ask for it.
    """
    clients = Clients(settings)
    TopicAdmin(clients.admin(), settings).apply()
    audit = full_name(settings.ledger, "audit")
    if end_offset(clients.admin(), audit) > 0:
        raise LedgerError(f"{audit} holds a ledger already; its trust file comes from whoever began it")
    admin, log = key_of(settings, "admin"), key_of(settings, "log")
    nonce = secrets.token_bytes(16)
    verifier = Verifier(f"{settings.ledger}-{nonce.hex()[:16]}", log.key.public)
    body = EstablishLedger(
        ledger=settings.ledger,
        log_key=verifier.to_vkey(),
        enrolments=(
            enrolment(admin, Role.ADMIN),
            *(enrolment(key_of(settings, name), Role(name)) for name in SERVICES),
        ),
        nonce=nonce,
    )
    state, command = LedgerState(), encode(sign(body, "", admin.key))
    composed = compose(state, state.ask(command), command, _NOWHERE, 0, now_ms())
    assert composed is not None
    leaf = frame(composed[0])
    trust = Trust(genesis=hashlib.sha256(leaf).hexdigest(), log=verifier)
    producer = AwaitedProducer(clients)
    if producer.send(audit, b"", leaf) != 0:
        raise LedgerError(f"somebody else began {audit} at the same moment; delete the topics and begin again", 0)
    fold = Fold(trust)
    fold.add_leaf(0, leaf)
    checkpoint = fold.next_checkpoint(verifier.name)
    SignedSize(settings.state_directory / "signed.json").keep(checkpoint)
    note = sign_note(checkpoint, verifier.name, log.key)
    producer.send(full_name(settings.ledger, "checkpoints"), settings.ledger.encode(), note.encode())
    write_trust(trust_path(settings), trust)
    return trust


def adopt(
    settings: Settings, trust: Trust, admin: Identity, policy_file: Path | None, systems_file: Path | None
) -> list[str]:
    """Ask the registrar to adopt documents, where they differ from those in force; return their digests."""
    reader = LedgerReader(Clients(settings), settings.ledger, trust)
    reader.catch_up()
    control = reader.fold.state.control
    reader.close()
    bodies: list[object] = []
    asked: list[str] = []
    if policy_file is not None:
        document = read_document(policy_file)
        policy.read(document, str(policy_file))
        if digest(document) != control.policy_digest:
            bodies.append(AdoptPolicy(document=document))
            asked.append(digest(document))
    if systems_file is not None:
        document = read_document(systems_file)
        systems.read(document, str(systems_file))
        if digest(document) != control.systems_digest:
            bodies.append(AdoptSystems(document=document))
            asked.append(digest(document))
    ask(settings, trust, admin, bodies)
    return asked


def enrol(settings: Settings, trust: Trust, admin: Identity, new: Enrolment) -> None:
    """Ask the registrar to enrol a key."""
    ask(settings, trust, admin, [EnrolKey(enrolment=new)])


def ask(settings: Settings, trust: Trust, who: Identity, bodies: list[object]) -> None:
    """Send signed commands, and return when Kafka has them."""
    topic = full_name(settings.ledger, "commands")
    records = []
    for body in bodies:
        command = sign(body, trust.genesis, who.key)
        records.append(Record(topic, command.incident.encode(), frame(command)))
    AwaitedProducer(Clients(settings)).send_all(records)


def read_document(path: Path) -> bytes:
    """Return a document's bytes; PolicyError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(1_000_000)
    except OSError as error:
        raise PolicyError(f"{path} cannot be read: {error.strerror}") from None
