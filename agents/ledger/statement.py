"""Signed statements as they stand on their topics: a Command whole, an incident with its signature in the headers."""

from collections.abc import Sequence

from agents.ledger.asked import TOPIC_OF, sign
from schemas.codec import body as encode_body
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.keys import SIGNATURE_SIZE, PrivateKey
from schemas.ledger import MAX_COMMAND_BYTES, Command
from schemas.signals import IncidentGrew, IncidentOpened, IncidentQuieted

ORIGIN, KEY, SIGNATURE = "headgate-origin", "headgate-key", "headgate-signature"
Headers = Sequence[tuple[str, bytes | None]]


def headers_of(command: Command) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that authenticate an incident whose value is a plain Avro record, for any subscriber."""
    return (
        (ORIGIN, command.origin.encode()),
        (KEY, command.key.encode()),
        (SIGNATURE, command.signature),
    )


def signed_headers(incident: object, origin: str, key: PrivateKey) -> tuple[tuple[str, bytes], ...]:
    """Sign an incident record and return its headers."""
    return headers_of(sign(incident, origin, key))


def _header(headers: Headers, name: str, limit: int) -> bytes:
    found = [value for key, value in headers if key == name]
    if len(found) != 1 or found[0] is None or len(found[0]) > limit:
        raise SchemaError(f"the record needs exactly one header {name} of at most {limit} bytes")
    return found[0]


def _ascii(value: bytes, name: str) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError:
        raise SchemaError(f"the header {name} is not ASCII") from None


def command_of(topic: str, value: bytes | None, headers: Headers) -> Command:
    """Return the statement in a record of ``commands`` or ``incidents``; SchemaError where there is none."""
    if topic == "commands":
        command: Command = open_frame(value, (Command,), 2 * MAX_COMMAND_BYTES)
        return command
    found = open_frame(value, (IncidentOpened, IncidentGrew, IncidentQuieted), 2 * MAX_COMMAND_BYTES)
    kind, fingerprint, data = encode_body(found)
    return Command(
        origin=_ascii(_header(headers, ORIGIN, 64), ORIGIN),
        topic=TOPIC_OF[kind],
        kind=kind,
        incident=found.id,
        fingerprint=fingerprint,
        body=data,
        scheme="ed25519",
        key=_ascii(_header(headers, KEY, 64), KEY),
        signature=_header(headers, SIGNATURE, SIGNATURE_SIZE),
    )
