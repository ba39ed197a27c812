"""A command as its decision sees it: what is asked, and who proved to be asking."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from agents.ledger.control import Control, Enrolled
from agents.ledger.founding import founder
from schemas import commands
from schemas.codec import body as encode_body
from schemas.codec import open_body
from schemas.errors import KeyRefusedError, SchemaError
from schemas.keys import PrivateKey, preimage
from schemas.ledger import MAX_COMMAND_BYTES, Command
from schemas.values import Role

TOPIC_OF: Mapping[str, str] = {
    **{record.__name__: "commands" for record in commands.RECORDS},
    "IncidentOpened": "incidents",
    "IncidentGrew": "incidents",
    "IncidentQuieted": "incidents",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An authentic command.

    statement
        SHA-256 of what was signed, hexadecimal: the same statement is decided once.
    """

    kind: str
    incident: str
    body: object
    principal: str
    key: str
    roles: frozenset[Role]
    statement: str


def _acting(control: Control, body: object, key: str) -> tuple[Enrolled, frozenset[Role]]:
    """Return the key in force and what its principal is trusted with; before the genesis, the founder's."""
    if not control.genesis:
        if not isinstance(body, commands.EstablishLedger):
            raise KeyRefusedError("the first command of a ledger must establish it")
        return founder(body, key), frozenset({Role.ADMIN})
    enrolled = control.keys.get(key)
    if enrolled is None:
        raise KeyRefusedError(f"key {key:.40} is not enrolled")
    if enrolled.revoked:
        raise KeyRefusedError(f"key {key} was revoked")
    return enrolled, control.roles.get(enrolled.principal, frozenset())


def authenticate(control: Control, command: Command) -> Asked:
    """Return what is asked once the signature, the key, the origin and the topic prove who asks.

    Raises
    ------
    KeyRefusedError
        The key is unknown or revoked, the signature does not verify, or the statement is for another place.
    SchemaError
        The body is not what its kind says.
    """
    if len(command.body) > MAX_COMMAND_BYTES:
        raise SchemaError(f"a command's body has at most {MAX_COMMAND_BYTES} bytes")
    if TOPIC_OF.get(command.kind) != command.topic:
        raise KeyRefusedError(f"{command.kind:.40} is not a command of the topic {command.topic:.40}")
    if command.scheme != "ed25519":
        raise KeyRefusedError(f"signature scheme {command.scheme:.40} is not known")
    if command.origin != control.genesis:
        raise KeyRefusedError("the command names another ledger")
    body = open_body(command.kind, command.fingerprint, command.body)
    if incident_of(body) != command.incident:
        raise KeyRefusedError("the command's body names another incident than its envelope")
    enrolled, roles = _acting(control, body, command.key)
    # The fingerprint is signed too: under another schema the same bytes could say something else.
    data = command.fingerprint + command.body
    signed = preimage(command.origin, command.topic, command.kind, command.incident, data)
    enrolled.public.verify(command.signature, signed)
    return Asked(
        kind=command.kind,
        incident=command.incident,
        body=body,
        principal=enrolled.principal,
        key=command.key,
        roles=roles,
        statement=hashlib.sha256(command.key.encode() + signed).hexdigest(),
    )


def incident_of(body: object) -> str:
    """Return the incident that a command's body speaks of; empty for a command about the ledger itself."""
    found = getattr(body, "incident", getattr(body, "id", ""))
    return found if isinstance(found, str) else ""


def sign(body: object, origin: str, key: PrivateKey) -> Command:
    """Return the signed statement; the same body, origin and key give the same bytes."""
    kind, fingerprint, data = encode_body(body)
    incident, topic = incident_of(body), TOPIC_OF[kind]
    return Command(
        origin=origin,
        topic=topic,
        kind=kind,
        incident=incident,
        fingerprint=fingerprint,
        body=data,
        scheme="ed25519",
        key=key.key_id,
        signature=key.sign(preimage(origin, topic, kind, incident, fingerprint + data)),
    )
