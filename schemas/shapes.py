"""What a record's fields may hold, read from a frozen dataclass, and the linter that refuses the rest.

Left out on purpose: maps, unions other than `T | None`, recursion, `decimal`, and arrays whose items take no
bytes. Each of them lets a few hostile bytes cost gigabytes, minutes or the process in some Avro reader.
"""

import dataclasses
import math
from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from schemas.errors import SchemaError

_PRIMITIVES: dict[Any, str] = {str: "string", bytes: "bytes", int: "long", float: "double", bool: "boolean"}

MILLIS_MIN, MILLIS_MAX = -62_135_596_800_000, 253_402_300_799_999
"""The years 1 to 9999: what Python's datetime, and so every plain fastavro consumer, can hold."""

REQUIRED = dataclasses.MISSING
"""Stands for a field without a default."""


@dataclass(frozen=True, slots=True)
class Primitive:
    """A value of one Avro primitive type, `millis` where the long is a point in time."""

    avro: str
    millis: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One member of a string enumeration, a plain string on the wire."""

    of: type[StrEnum]


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value or null."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Many:
    """A tuple of values."""

    of: "Shape"


@dataclass(frozen=True, slots=True)
class Nested:
    """Another record."""

    of: type


Shape = Primitive | Choice | Maybe | Many | Nested


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a record; `default` is `REQUIRED` where there is none."""

    name: str
    shape: Shape
    default: Any


def fields_of(cls: type) -> tuple[Field, ...]:
    """Return the fields of a record class in order; SchemaError where the class breaks the rules above."""
    return _fields_of(cls, ())


def least_bytes(shape: Shape) -> int:
    """Return the size of the smallest value of a shape."""
    match shape:
        case Primitive(avro="double"):
            return 8
        case Nested(of=cls):
            return sum(least_bytes(field.shape) for field in fields_of(cls))
        case _:
            return 1


def _fields_of(cls: type, outer: tuple[type, ...]) -> tuple[Field, ...]:
    name = cls.__name__
    if cls in outer:
        raise SchemaError(f"{name} contains itself; a record may not be recursive")
    frozen = dataclasses.is_dataclass(cls) and cls.__dataclass_params__.frozen  # type: ignore[attr-defined]
    if not frozen or "__slots__" not in vars(cls):
        raise SchemaError(f"{name} must be a dataclass with frozen=True, slots=True and kw_only=True")
    hints = get_type_hints(cls, include_extras=True)
    found = []
    for field in dataclasses.fields(cls):
        where = f"{name}.{field.name}"
        if not field.kw_only:
            raise SchemaError(f"{where} must be keyword only: declare {name} with kw_only=True")
        if field.default_factory is not dataclasses.MISSING:
            raise SchemaError(f"{where} has a default_factory; give it a plain default")
        shape = _shape(hints[field.name], where, (*outer, cls))
        _check_default(shape, field.default, where)
        found.append(Field(field.name, shape, field.default))
    return tuple(found)


def _shape(hint: Any, where: str, outer: tuple[type, ...]) -> Shape:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return Primitive("long", millis=True) if args == (int, "timestamp-millis") else _shape(args[0], where, outer)
    if hint in _PRIMITIVES:
        return Primitive(_PRIMITIVES[hint])
    if origin in (Union, UnionType):
        return _maybe(args, where, outer)
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        return _many(args[0], where, outer)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Choice(hint)
    if not isinstance(hint, type) or not dataclasses.is_dataclass(hint):
        raise SchemaError(f"{where} has type {hint}, which no record may hold; see schemas/shapes.py")
    _fields_of(hint, outer)
    return Nested(hint)


def _many(hint: Any, where: str, outer: tuple[type, ...]) -> Shape:
    item = _shape(hint, where, outer)
    if least_bytes(item) == 0:
        raise SchemaError(f"{where} is an array of items that take no bytes, so its length has no limit")
    return Many(item)


def _maybe(args: tuple[Any, ...], where: str, outer: tuple[type, ...]) -> Shape:
    others = [arg for arg in args if arg is not NoneType]
    if len(others) != 1 or len(args) != 2:
        raise SchemaError(f"{where} is a union; only `T | None` is allowed")
    return Maybe(_shape(others[0], where, outer))


def _check_default(shape: Shape, default: Any, where: str) -> None:
    if default is REQUIRED:
        return
    match shape:
        case Maybe():
            fits = default is None
        case Many():
            fits = default == ()
        case Choice(of=enum):
            fits = type(default) is enum
        case Primitive(avro="double"):
            fits = type(default) in (float, int) and math.isfinite(default)
        case Primitive(avro="bytes"):
            fits = default == b""
        case Primitive(avro=avro, millis=millis):
            fits = _PRIMITIVES.get(type(default)) == avro and (not millis or MILLIS_MIN <= default <= MILLIS_MAX)
        case _:
            fits = False
    if not fits:
        raise SchemaError(f"{where} has the default {default!r}, which Avro cannot state for its type")
