"""Schemas derived from classes, their fingerprints, and what the linter refuses."""

import io
import json
import math
import re
from dataclasses import dataclass, make_dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import fastavro
import pytest

from schemas.avro import Millis, canonical, decode, encode, schema_fingerprint, schema_of
from schemas.errors import SchemaError
from schemas.reading import MAX_ITEMS


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place."""

    x: float
    y: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """One field of each allowed type.

    Details are not part of the schema.
    """

    text: str
    raw: bytes
    count: int
    ratio: float
    flag: bool
    at: Millis
    colour: Colour
    place: Point
    maybe: str | None
    maybe_place: Point | None = None
    names: tuple[str, ...] = ()
    places: tuple[Point, ...] = ()
    maybe_many: tuple[int, ...] | None = None
    many_maybe: tuple[float | None, ...] = ()
    grid: tuple[tuple[int, ...], ...] = ()
    shade: Colour = Colour.BLUE
    empty: bytes = b""
    zero: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """A record without fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A record that contains itself."""

    left: "Tree | None"


FULL = Everything(
    text="ünï",
    raw=b"\0\xff",
    count=-(1 << 63),
    ratio=1.5,
    flag=True,
    at=1_700_000_000_000,
    colour=Colour.RED,
    place=Point(x=1.0),
    maybe=None,
    maybe_place=Point(x=2.0, y=3.0),
    names=("a" * 200, ""),
    places=(Point(x=0.0), Point(x=-0.0)),
    maybe_many=(1, -1, (1 << 63) - 1, 64, 4096, 1 << 40),
    many_maybe=(None, 1.0),
    grid=((1, 2), ()),
)


def record(**types: Any) -> type:
    """Make a record class with the given fields."""
    return make_dataclass("Made", types.items(), frozen=True, slots=True, kw_only=True)


def test_every_allowed_type_returns_as_it_went() -> None:
    """A record with all types decodes to an equal record."""
    assert decode(Everything, encode(FULL)) == FULL


def test_bytes_are_those_of_the_second_implementation() -> None:
    """Fastavro, given our schema, writes the same bytes and reads the same values."""
    schema = fastavro.parse_schema(schema_of(Everything))
    read: Any = fastavro.schemaless_reader(io.BytesIO(encode(FULL)), schema, None)
    again = io.BytesIO()
    fastavro.schemaless_writer(again, schema, read)
    assert again.getvalue() == encode(FULL)
    assert read["text"] == FULL.text
    assert read["maybe_many"] == list(FULL.maybe_many or ())
    assert read["place"] == {"x": 1.0, "y": 0.5}


def test_schema_states_name_doc_types_and_defaults() -> None:
    """The schema holds the first docstring line, logical types and defaults, and names a nested record once."""
    schema = schema_of(Everything)
    fields = {field["name"]: field for field in schema["fields"]}
    assert (schema["namespace"], schema["name"], schema["doc"]) == (
        "headgate",
        "Everything",
        "One field of each allowed type.",
    )
    assert fields["at"]["type"] == {"type": "long", "logicalType": "timestamp-millis"}
    assert fields["colour"] == {"name": "colour", "type": "string"}
    assert fields["shade"]["default"] == "blue"
    assert fields["maybe"] == {"name": "maybe", "type": ["null", "string"], "default": None}
    assert fields["place"]["type"]["name"] == "Point"
    assert fields["maybe_place"]["type"] == ["null", "Point"]
    assert fields["empty"]["default"] == ""
    assert fields["names"]["default"] == []


def test_nan_and_infinities_are_doubles_like_others() -> None:
    """NaN and infinities survive."""
    assert math.isnan(decode(Point, encode(Point(x=math.nan))).x)
    assert decode(Point, encode(Point(x=-math.inf))).x == -math.inf


def test_whole_number_is_written_as_a_double() -> None:
    """An int where a float is declared is converted, as the type checker allows it."""
    assert decode(Point, encode(Point(x=3))) == Point(x=3.0)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, "1"),
        (int, True),
        (int, 1.0),
        (int, 1 << 63),
        (int, -(1 << 63) - 1),
        (Millis, 253_402_300_800_000),
        (Millis, -62_135_596_800_001),
        (float, "1"),
        (float, True),
        (float, 10**400),
        (bool, 1),
        (str, b"a"),
        (str, None),
        (str, Colour.RED),
        (str, "\ud800"),
        (bytes, "a"),
        (bytes, bytearray(b"a")),
        (Colour, "red"),
        (Point, None),
        (Point, {"x": 1.0}),
        (tuple[int, ...], [1]),
        (tuple[int, ...], (1, "2")),
        (tuple[int, ...], (0,) * (MAX_ITEMS + 1)),
        (str | None, 1),
    ],
)
def test_value_of_another_type_is_refused_when_written(kind: Any, value: Any) -> None:
    """A wrong value is a SchemaError, before a byte leaves."""
    with pytest.raises(SchemaError):
        encode(record(field=kind)(field=value))


@pytest.mark.parametrize(
    "kind",
    [
        None,
        Any,
        object,
        Decimal,
        dict[str, int],
        list[int],
        set[int],
        tuple[int, str],
        int | str,
        int | str | None,
        complex,
        tuple[Nothing, ...],
        tuple[None, ...],
        Tree,
        tuple[record(inner=Nothing), ...],  # type: ignore[misc]
    ],
)
def test_dangerous_type_is_refused_at_definition(kind: Any) -> None:
    """Maps, unions, recursion, decimals and arrays of nothing never get a schema."""
    with pytest.raises(SchemaError):
        schema_of(record(field=kind))


def test_class_that_can_change_is_refused() -> None:
    """Only frozen, slotted, keyword-only dataclasses are records."""
    choices: tuple[dict[str, Any], ...] = (
        {"slots": True, "kw_only": True},
        {"frozen": True, "kw_only": True},
        {"frozen": True, "slots": True},
    )
    for options in choices:
        with pytest.raises(SchemaError):
            schema_of(make_dataclass("Loose", [("a", int)], **options))
    with pytest.raises(SchemaError):
        schema_of(int)


def test_two_classes_of_one_name_in_a_record_are_refused() -> None:
    """A nested name stands for one class."""
    other = make_dataclass("Point", [("z", int)], frozen=True, slots=True, kw_only=True)
    with pytest.raises(SchemaError, match="rename one"):
        schema_of(record(a=Point, b=other))


def test_canonical_forms_and_fingerprints_are_those_of_apache_avro(data: Path) -> None:
    """All published cases of canonical form, and their Rabin fingerprints."""
    text = (data / "vectors" / "avro" / "schema-tests.txt").read_text(encoding="utf-8")
    cases = fingerprints = 0
    for case in re.split(r"^// \d+\n", text, flags=re.MULTILINE)[1:]:
        given = re.search(r"^<<INPUT(?: (.*)|\n([\s\S]*?)\nINPUT)$", case, flags=re.MULTILINE)
        form = re.search(r"^<<canonical (.*)", case, flags=re.MULTILINE)
        assert given
        assert form
        schema = json.loads(given[1] or given[2])
        assert canonical(schema) == form[1]
        cases += 1
        if wanted := re.search(r"^<<fingerprint (-?\d+)", case, flags=re.MULTILINE):
            assert schema_fingerprint(schema) == int(wanted[1]).to_bytes(8, "little", signed=True)
            fingerprints += 1
    assert (cases, fingerprints) == (34, 26)
