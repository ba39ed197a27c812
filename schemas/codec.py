"""Records as bytes: Confluent's wire framing for topics (0x00, schema id, Avro), and bodies for the ledger.

A value is judged before it is decoded (size, magic, id, allowed on this topic), and every way to fail is a
SchemaError. The schema id is not authenticated: what may act on a record checks its signature as well.
"""

from collections.abc import Sequence
from typing import Any

from schemas import avro
from schemas.avro import fingerprint
from schemas.catalogue import CATALOGUE, Catalogue
from schemas.errors import SchemaError
from schemas.reading import read_all
from schemas.writing import write_all

__all__ = ["LIMIT", "body", "fingerprint", "frame", "open_body", "open_frame"]

LIMIT = 1_048_576
"""Bytes of a framed record, unless the topic says otherwise."""

_HEADER = 5


def frame(obj: object, catalogue: Catalogue = CATALOGUE) -> bytes:
    """Return a record in wire format; SchemaError where it has no pinned id or a value of a wrong type."""
    return write_all(avro.writer_of(type(obj)), obj, catalogue.prefix(type(obj)))


def open_frame(
    value: bytes | None,
    allowed: Sequence[type] | None,
    limit: int = LIMIT,
    catalogue: Catalogue = CATALOGUE,
) -> Any:
    """Return the record in a framed value.

    Parameters
    ----------
    value
        What Kafka holds.
    allowed
        Classes that may stand on this topic; None allows every record.
    limit
        Bytes; a longer value is refused unread.
    catalogue
        Where schema ids are looked up.
    """
    if not isinstance(value, bytes):
        raise SchemaError(f"the value is {type(value).__name__}, not bytes")
    if len(value) > limit:
        raise SchemaError(f"the value has {len(value)} bytes; the limit is {limit}")
    if len(value) < _HEADER:
        raise SchemaError(f"the value has {len(value)} bytes, too few for a schema id")
    if value[0] != 0:
        raise SchemaError(f"the value begins with 0x{value[0]:02x}, not with 0x00 of the Avro wire format")
    cls, read = catalogue.by_id(int.from_bytes(value[1:_HEADER], "big"))
    if allowed is not None and cls not in allowed:
        raise SchemaError(f"{cls.__name__} is not a record of this topic")
    return read_all(read, value, cls.__name__, _HEADER)


def body(obj: object) -> tuple[str, bytes, bytes]:
    """Return a record for the ledger: its name, the fingerprint of its schema, and its Avro bytes."""
    return type(obj).__name__, fingerprint(type(obj)), avro.encode(obj)


def open_body(name: str, schema: bytes, data: bytes, catalogue: Catalogue = CATALOGUE) -> Any:
    """Return the record that `body` described, read under the schema that wrote it."""
    if len(data) > LIMIT:
        raise SchemaError(f"the body has {len(data)} bytes; the limit is {LIMIT}")
    cls, read = catalogue.by_fingerprint(name, schema)
    return read_all(read, data, cls.__name__)
