"""Writers of Avro binary, compiled once for each record class; values are checked against their types."""

import struct
from collections.abc import Callable
from typing import Any, NoReturn

from schemas.errors import SchemaError
from schemas.reading import MAX_ITEMS
from schemas.shapes import MILLIS_MAX, MILLIS_MIN, Choice, Many, Maybe, Nested, Primitive, Shape, fields_of
from schemas.source import Source

Writer = Callable[[Any, Callable[[bytes], None]], None]

_LONG_MIN, _LONG_MAX = -(1 << 63), (1 << 63) - 1


def _varint(zigzag: int) -> bytes:
    out = bytearray()
    while zigzag > 127:
        out.append(zigzag & 127 | 128)
        zigzag >>= 7
    out.append(zigzag)
    return bytes(out)


_SMALL = tuple(_varint(value << 1) for value in range(4096))


def _long(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _size(value: int) -> bytes:
    return _SMALL[value] if value < 4096 else _varint(value << 1)


def _refuse(where: str, what: str, value: Any) -> NoReturn:
    raise SchemaError(f"{where} must be {what}, not {type(value).__name__} {value!r:.40}")


def _bad(why: str) -> NoReturn:
    raise SchemaError(why)


def _as_double(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(where, "a number", value)
    try:
        return float(value)
    except OverflowError:
        _refuse(where, "a double", value)


_NAMES: dict[str, Any] = {
    "bad": _bad,
    "refuse": _refuse,
    "pack": struct.Struct("<d").pack,
    "as_double": _as_double,
    "SMALL": _SMALL,
    "size": _size,
    "long": _long,
}


def writer(cls: type) -> Writer:
    """Return the function that hands the pieces of a record's encoding to `append`."""
    src = Source(_NAMES)
    src.add(0, "def run(o, a):")
    name = src.fresh(cls)
    src.add(1, f"if type(o) is not {name}: refuse('the record', '{cls.__name__}', o)")
    for field in fields_of(cls):
        src.add(1, f"v = o.{field.name}")
        _emit_write(src, 1, field.shape, "v", f"{cls.__name__}.{field.name}")
    return src.build()  # type: ignore[no-any-return]


def _emit_write(src: Source, depth: int, shape: Shape, var: str, where: str) -> None:
    match shape:
        case Maybe(of=inner):
            src.add(depth, f"if {var} is None: a(b'\\0')", "else:", "    a(b'\\2')")
            _emit_write(src, depth + 1, inner, var, where)
        case Many(of=inner):
            item = src.fresh()
            src.add(depth, f"if type({var}) is not tuple: refuse('{where}', 'a tuple', {var})")
            src.add(depth, f"if len({var}) > {MAX_ITEMS}: bad('{where} has more than {MAX_ITEMS} items')")
            src.add(depth, f"if {var}:", f"    a(size(len({var})))", f"    for {item} in {var}:")
            _emit_write(src, depth + 2, inner, item, where)
            src.add(depth, "a(b'\\0')")
        case Nested(of=cls):
            src.add(depth, f"{src.fresh(writer(cls))}({var}, a)")
        case Choice(of=enum):
            wanted = src.fresh(enum)
            src.add(depth, f"if type({var}) is not {wanted}: refuse('{where}', '{enum.__name__}', {var})")
            src.add(depth, f"w = {var}._value_.encode(); a(size(len(w))); a(w)")
        case Primitive(avro=kind, millis=millis):
            low, high = (MILLIS_MIN, MILLIS_MAX) if millis else (_LONG_MIN, _LONG_MAX)
            names = {"v": var, "where": where, "low": low, "high": high}
            src.add(depth, *(line.format_map(names) for line in _WRITE[kind]))


_WRITE = {
    "string": (
        "if type({v}) is not str: refuse('{where}', 'a str', {v})",
        "w = {v}.encode(); k = len(w)",
        "a(SMALL[k] if k < 4096 else size(k)); a(w)",
    ),
    "bytes": (
        "if type({v}) is not bytes: refuse('{where}', 'bytes', {v})",
        "k = len({v})",
        "a(SMALL[k] if k < 4096 else size(k)); a({v})",
    ),
    "long": (
        "if type({v}) is not int: refuse('{where}', 'an int', {v})",
        "if not {low} <= {v} <= {high}: refuse('{where}', 'between {low} and {high}', {v})",
        "a(SMALL[{v}] if 0 <= {v} < 4096 else long({v}))",
    ),
    "double": ("a(pack({v} if type({v}) is float else as_double({v}, '{where}')))",),
    "boolean": (
        "if type({v}) is not bool: refuse('{where}', 'a bool', {v})",
        "a(b'\\1' if {v} else b'\\0')",
    ),
}


def write_all(write: Writer, obj: object, prefix: bytes = b"") -> bytes:
    """Return the prefix and the record's encoding, or SchemaError where a value has another type."""
    pieces = [prefix]
    try:
        write(obj, pieces.append)
    except UnicodeEncodeError as error:
        raise SchemaError(f"{type(obj).__name__} holds a text that is not Unicode: {error.reason}") from None
    return b"".join(pieces)
