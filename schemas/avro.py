"""Avro for record classes: the schema of a class, its fingerprint, and its bytes.

The class is the source; the committed .avsc files are written from it (`make schemas`).
"""

from typing import Annotated, Any, TypeVar

import fastavro.schema

from schemas.errors import SchemaError
from schemas.reading import Reader, read_all, reader
from schemas.shapes import REQUIRED, Choice, Field, Many, Maybe, Primitive, Shape, fields_of
from schemas.writing import Writer, write_all, writer

Millis = Annotated[int, "timestamp-millis"]
"""Milliseconds since 1970-01-01T00:00:00Z."""

NAMESPACE = "headgate"

Schema = dict[str, Any]
Record = TypeVar("Record")

_WRITERS: dict[type, Writer] = {}
_READERS: dict[type, Reader[Any]] = {}
_FINGERPRINTS: dict[type, bytes] = {}


def schema_of(cls: type) -> Schema:
    """Return the Avro schema of a record class, as its .avsc file holds it."""
    return {"namespace": NAMESPACE, **_record(cls, {})}


def canonical(schema: Any) -> str:
    """Return the Parsing Canonical Form of a schema (Avro 1.12 specification)."""
    return str(fastavro.schema.to_parsing_canonical_form(schema))


def schema_fingerprint(schema: Any) -> bytes:
    """Return the 8-byte CRC-64-AVRO (Rabin) fingerprint of a schema, little-endian."""
    return bytes.fromhex(fastavro.schema.fingerprint(canonical(schema), "CRC-64-AVRO"))


def fingerprint(cls: type) -> bytes:
    """Return the 8-byte CRC-64-AVRO fingerprint of a record class."""
    if cls not in _FINGERPRINTS:
        _FINGERPRINTS[cls] = schema_fingerprint(schema_of(cls))
    return _FINGERPRINTS[cls]


def encode(obj: object) -> bytes:
    """Return the one Avro encoding of a record; SchemaError where a value is not of its declared type."""
    return write_all(writer_of(type(obj)), obj)


def decode(cls: type[Record], data: bytes) -> Record:
    """Return the record that the bytes encode; SchemaError unless they are exactly its one encoding."""
    return read_all(reader_of(cls), data, cls.__name__)


def writer_of(cls: type) -> Writer:
    """Return the compiled writer of a record class."""
    if cls not in _WRITERS:
        _WRITERS[cls] = writer(cls)
    return _WRITERS[cls]


def reader_of(cls: type[Record]) -> Reader[Record]:
    """Return the compiled reader of a record class's current schema."""
    if cls not in _READERS:
        _READERS[cls] = reader(schema_of(cls), cls)
    return _READERS[cls]


def _record(cls: type, seen: dict[str, type]) -> Schema:
    seen[cls.__name__] = cls
    schema: Schema = {"type": "record", "name": cls.__name__}
    doc = (cls.__doc__ or "").strip().split("\n", 1)[0]
    if doc and not doc.startswith(f"{cls.__name__}("):
        schema["doc"] = doc
    schema["fields"] = [_field(field, seen) for field in fields_of(cls)]
    return schema


def _field(field: Field, seen: dict[str, type]) -> Schema:
    schema: Schema = {"name": field.name, "type": _type(field.shape, seen)}
    match field.shape, field.default:
        case Maybe(), _:
            schema["default"] = None
        case Many(), ():
            schema["default"] = []
        case Primitive(avro="bytes"), bytes():
            schema["default"] = ""
        case Primitive(avro="double"), float() | int():
            schema["default"] = float(field.default)
        case Choice(), str():
            schema["default"] = str(field.default)
        case _, default if default is not REQUIRED:
            schema["default"] = default
    return schema


def _type(shape: Shape, seen: dict[str, type]) -> Any:
    match shape:
        case Primitive(avro=avro, millis=millis):
            return {"type": avro, "logicalType": "timestamp-millis"} if millis else avro
        case Choice():
            return "string"
        case Maybe(of=inner):
            return ["null", _type(inner, seen)]
        case Many(of=inner):
            return {"type": "array", "items": _type(inner, seen)}
        case _:
            return shape.of.__name__ if seen.get(shape.of.__name__) is shape.of else _nested(shape.of, seen)


def _nested(cls: type, seen: dict[str, type]) -> Schema:
    if cls.__name__ in seen:
        raise SchemaError(f"two classes are named {cls.__name__} in one record; rename one")
    return _record(cls, seen)
