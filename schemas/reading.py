"""Readers of Avro binary, compiled once for each record class.

A reader accepts a value's one canonical encoding and nothing else: shortest varints, booleans 0 and 1,
null-union branches 0 and 1, arrays in one block of positive count. So `encode(decode(b)) == b` holds without
a second pass, array counts are bounded before anything is allocated, and there is one error type. fastavro,
which accepts all of those and takes twice as long to read a record, write it again and compare, stands beside
this in the tests as the second implementation.
"""

import struct
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from schemas.errors import SchemaError
from schemas.shapes import (
    MILLIS_MAX,
    MILLIS_MIN,
    REQUIRED,
    Choice,
    Field,
    Many,
    Maybe,
    Nested,
    Primitive,
    Shape,
    fields_of,
)
from schemas.source import Source

MAX_ITEMS = 65_536
"""Items in one array, on both sides."""

Record = TypeVar("Record")
Reader = Callable[[bytes, int, int], tuple[Record, int]]

_BROKEN = (IndexError, struct.error, UnicodeDecodeError, ValueError, TypeError, MemoryError, RecursionError)


def _read_more(data: bytes, at: int, first: int) -> tuple[int, int]:
    """Return the rest of a varint of several bytes (the first is read) and where it ends."""
    value, shift = first & 127, 7
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if byte == 0 or value >= 1 << 64:
                raise SchemaError("a number is not in its shortest form or exceeds 64 bits")
            return value, at
        shift += 7
        if shift > 63:
            raise SchemaError("a number is longer than 10 bytes")


def _bad(why: str) -> NoReturn:
    raise SchemaError(why)


def _read_alike(data: bytes, at: int, count: int) -> tuple[list[str], int] | None:
    """Return so many ASCII texts of one length below 64 and where they end, or None where they are not such.

    Prediction ids are, thousands at a time; read one by one they cost more than all that is done with them.
    """
    length = data[at]
    step = (length >> 1) + 1
    end = at + count * step
    block = data[at:end]
    if length > 127 or length & 1 or len(block) != count * step or block[::step] != bytes((length,)) * count:
        return None
    if not block.isascii():
        return None
    # A line a text, its length the break before it: one split makes them all.
    lines = bytearray(block)
    lines[::step] = b"\n" * count
    if lines.count(b"\n") != count:
        return None
    return lines.decode("ascii").split("\n")[1:], end


_NAMES: dict[str, Any] = {
    "more": _read_more,
    "bad": _bad,
    "alike": _read_alike,
    "double": struct.Struct("<d").unpack_from,
}


def reader(schema: dict[str, Any], cls: type[Record]) -> Reader[Record]:
    """Return the function that reads `cls` from bytes written under `schema`, which may be an earlier one.

    Fields that the class lost are read and dropped; those it gained take their defaults.
    """
    read: Reader[Record] = _record_reader(schema, cls, {})
    return read


def _record_reader(schema: dict[str, Any], cls: Any, known: dict[str, Any]) -> Any:
    known[schema["name"]] = schema
    ours = {} if cls is None else {field.name: field for field in fields_of(cls)}
    src = Source(_NAMES)
    src.add(0, "def run(b, p, n):")
    arguments = []
    for entry in schema["fields"]:
        field = ours.pop(entry["name"], None)
        name = _emit_read(src, 1, entry["type"], field.shape if field else None, known)
        if field:
            arguments.append(f"{field.name}={name}")
    arguments += [_missing(field, schema["name"]) for field in ours.values() if field.default is REQUIRED]
    built = "None" if cls is None else f"{src.fresh(cls)}({', '.join(arguments)})"
    src.add(1, "if p > n: bad('the bytes end inside the record')", f"return {built}, p")
    return src.build()


def _missing(field: Field, name: str) -> str:
    if isinstance(field.shape, Maybe):
        return f"{field.name}=None"
    raise SchemaError(f"{name}.{field.name} has no default, so bytes written before it cannot be read")


def _emit_read(src: Source, depth: int, avro: Any, shape: Shape | None, known: dict[str, Any]) -> str:
    """Add the lines that read one value; return the name of the variable that holds it."""
    out = src.fresh()
    if isinstance(avro, list):
        if shape is not None and not isinstance(shape, Maybe):
            raise SchemaError("a field that may be null must stay so")
        src.add(depth, "k = b[p]; p += 1", f"if k == 0: {out} = None", "elif k == 2:")
        inner = _emit_read(src, depth + 1, avro[1], shape.of if shape else None, known)
        src.add(depth + 1, f"{out} = {inner}")
        src.add(depth, "else: bad('a value that may be null has no such branch')")
        return out
    kind = avro["type"] if isinstance(avro, dict) else avro
    if kind == "array":
        _emit_read_array(src, depth, avro["items"], shape, known, out)
    elif kind == "record" or kind in known:
        _emit_read_nested(src, depth, avro if kind == "record" else known[kind], shape, known, out)
    else:
        _emit_read_primitive(src, depth, kind, shape, out)
        if shape == Primitive("long", millis=True):
            bound = f"if not {MILLIS_MIN} <= {out} <= {MILLIS_MAX}"
            src.add(depth, f"{bound}: bad('a time is outside the years 1 to 9999')")
    return out


def _emit_read_nested(
    src: Source, depth: int, schema: dict[str, Any], shape: Shape | None, known: dict[str, Any], out: str
) -> None:
    if shape is not None and not isinstance(shape, Nested):
        raise SchemaError(f"a field that holds {schema['name']} must keep its type")
    inner = src.fresh(_record_reader(schema, shape.of if shape else None, known))
    src.add(depth, f"{out}, p = {inner}(b, p, n)")


def _emit_read_array(src: Source, depth: int, items: Any, shape: Shape | None, known: dict[str, Any], out: str) -> None:
    if shape is not None and not isinstance(shape, Many):
        raise SchemaError("a field that holds an array must keep its type")
    item_list, count = src.fresh(), src.fresh()
    src.add(
        depth,
        f"{item_list} = []",
        "k = b[p]; p += 1",
        "if k:",
        "    if k > 127: k, p = more(b, p, k)",
        "    if k & 1: bad('an array is written in a block of its own size')",
        f"    {count} = k >> 1",
        f"    if {count} > n - p: bad('an array claims more items than there are bytes')",
        f"    if {count} > {MAX_ITEMS}: bad('an array has more than {MAX_ITEMS} items')",
    )
    if items == "string" and (shape is None or shape.of == Primitive("string")):
        src.add(
            depth + 1,
            f"f = alike(b, p, {count}) if {count} > 7 else None",
            f"if f is not None: {item_list}, p = f; {count} = 0",
        )
    src.add(depth + 1, f"for _ in range({count}):")
    inner = _emit_read(src, depth + 2, items, shape.of if shape else None, known)
    src.add(depth + 2, f"{item_list}.append({inner})")
    src.add(depth + 1, "if b[p]: bad('an array is written in several blocks')", "p += 1")
    src.add(depth, f"{out} = tuple({item_list})")


def _emit_read_primitive(src: Source, depth: int, kind: str, shape: Shape | None, out: str) -> None:
    fits = shape is None or (isinstance(shape, Primitive) and shape.avro == kind)
    if not fits and not (isinstance(shape, Choice) and kind == "string"):
        raise SchemaError(f"a field of type {kind} must keep its type")
    if kind == "double":
        src.add(depth, f"{out} = double(b, p)[0]; p += 8")
        return
    if kind == "boolean":
        src.add(depth, f"{out} = b[p]; p += 1", f"if {out} > 1: bad('a boolean is neither 0 nor 1')")
        src.add(depth, f"{out} = {out} == 1")
        return
    src.add(depth, "k = b[p]; p += 1", "if k > 127: k, p = more(b, p, k)")
    if kind == "long":
        src.add(depth, f"{out} = (k >> 1) ^ -(k & 1)")
        return
    src.add(depth, "if k & 1: bad('a length is negative')", "e = p + (k >> 1)")
    src.add(depth, "if e > n: bad('a text or byte string is longer than what is left')")
    src.add(depth, f"{out} = b[p:e]{'.decode()' if kind == 'string' else ''}; p = e")
    if isinstance(shape, Choice):
        table, text = src.fresh({str(member): member for member in shape.of}), src.fresh()
        src.add(depth, f"{text} = {out}; {out} = {table}.get({text})")
        src.add(depth, f"if {out} is None: bad(f'{{{text}!r:.40}} is no {shape.of.__name__}')")


def read_all(read: Reader[Record], data: bytes, name: str, at: int = 0) -> Record:
    """Return the record that fills the bytes from `at` to their end, or SchemaError."""
    try:
        obj, end = read(data, at, len(data))
    except SchemaError as error:
        raise SchemaError(f"not a {name}: {error}") from None
    except _BROKEN as error:
        raise SchemaError(f"not a {name}: {_said(error)}") from None
    if end != len(data):
        raise SchemaError(f"not a {name}: {len(data) - end} bytes follow the record")
    return obj


def _said(error: BaseException) -> str:
    if isinstance(error, IndexError | struct.error):
        return "the bytes end inside the record"
    if isinstance(error, UnicodeDecodeError):
        return "a text is not UTF-8"
    return f"{type(error).__name__} {error}"
