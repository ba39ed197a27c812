"""Committed schemas agree with the classes, and later versions with earlier ones."""

import json
import re
from dataclasses import make_dataclass
from typing import Any

import pytest

from schemas import avro
from schemas.catalogue import CATALOGUE, CLASSES, RECORDS, Catalogue
from schemas.codec import body, frame, open_body, open_frame
from schemas.compatibility import differences, draft, findings, text_of
from schemas.errors import SchemaError

NO_FILES: dict[str, str] = {}


def made(name: str = "Made", **fields: Any) -> Any:
    """Make a record class; a value (type, default) gives a default."""
    entries = [(key, *spec) if isinstance(spec, tuple) else (key, spec) for key, spec in fields.items()]
    return make_dataclass(name, entries, frozen=True, slots=True, kw_only=True)


def catalogue(*versions: Any) -> Catalogue:
    """Make a catalogue in which the last class is the current one and all are committed."""
    files = {f"Made.{n}.avsc": text_of(avro.schema_of(cls)) for n, cls in enumerate(versions, 1)}
    return Catalogue(versions[-1:], {"Made": {n: 100 + n for n in range(1, len(versions) + 1)}}, files.__getitem__)


V1 = made(a=int, gone=(str, "x"))
V2 = made(a=int, gone=(str, "x"), b=(float, 1.0))
V3 = made(b=(float, 1.0), a=int, c=str | None)


def test_committed_schemas_agree_with_their_classes() -> None:
    """Every class equals its newest .avsc, every id is pinned once, every version is compatible."""
    assert findings(CATALOGUE) == []
    assert len(RECORDS) == len(CLASSES) == len({number for number, _ in RECORDS})


def test_nothing_is_left_to_generate() -> None:
    """The draft of a catalogue in order is empty."""
    plan = draft(CATALOGUE, None)
    assert (plan.files, plan.gone, plan.versions) == ({}, [], CATALOGUE.versions)


def test_compatible_changes_are_no_finding() -> None:
    """Fields that come and go with a default, and another order, are allowed."""
    assert findings(catalogue(V1, V2, V3)) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (made(a=int), made(a=int, b=int), "b was added without a default"),
        (made(a=int, b=int), made(a=int), "b was removed but had no default"),
        (made(a=int), made(a=float), "a changed its type from long to double"),
        (made(a=int), made(a=avro.Millis), "from long to timestamp-millis"),
        (made(a=int), made(a=int | None), "from long to long or null"),
        (made(a=(int, 1)), made(a=(int, 2)), "a changed its default"),
        (made(a=tuple[int, ...]), made(a=tuple[str, ...]), r"a\[\] changed its type"),
        (made(a=made("In", x=int)), made(a=made("In", x=str)), "a.x changed its type"),
        (made(a=made("In", x=int)), made(a=made("Out", x=int)), "was a In and is a Out"),
        (made(a=made("In", x=int)), made(a=made("In", x=int, y=int)), "a.y was added"),
        (made(a=made("In", x=int) | None), made(a=made("In", x=str) | None), "a.x changed its type"),
    ],
)
def test_incompatible_change_is_named(old: Any, new: Any, said: str) -> None:
    """Each forbidden change is one readable sentence, and stops `generate` once released."""
    assert re.search(said, differences(avro.schema_of(old), avro.schema_of(new))[0])
    assert findings(catalogue(old, new)) != []
    with pytest.raises(SchemaError, match="cannot change so"):
        draft(_changed(old, new), None)


def test_class_that_left_its_file_behind_is_a_finding() -> None:
    """A class and its .avsc that differ, a record without an id and an id without a class are all named."""
    assert "run `make schemas`" in findings(_changed(V1, V2))[0]
    assert "has no schema id" in findings(Catalogue([V1], {}, NO_FILES.__getitem__))[0]
    assert "no class" in findings(Catalogue([], {"Made": {1: 1}}, NO_FILES.__getitem__))[0]
    assert "skips a version" in findings(Catalogue([V1], {"Made": {2: 1}}, NO_FILES.__getitem__))[0]


def test_missing_or_broken_file_is_a_finding() -> None:
    """An .avsc that is absent or no JSON is one sentence."""

    def absent(name: str) -> str:
        raise FileNotFoundError(name)

    assert "cannot be read" in findings(Catalogue([V1], {"Made": {1: 1}}, absent))[0]
    assert "cannot be read" in findings(Catalogue([V1], {"Made": {1: 1}}, lambda _: "{"))[0]


def test_released_record_gets_a_new_version_and_id() -> None:
    """A compatible change after release leaves version 1 alone."""
    plan = draft(_changed(V1, V2), None)
    assert plan.versions == {"Made": {1: 101, 2: 102}}
    assert list(plan.files) == ["Made.2.avsc"]


def test_unreleased_record_is_overwritten_and_a_lost_one_removed() -> None:
    """Before its release a version may still change, keeping its id."""
    plan = draft(_changed(V1, made(other=int)), frozenset())
    assert plan.versions == {"Made": {1: 101}}
    assert json.loads(plan.files["Made.1.avsc"])["fields"][0]["name"] == "other"
    lost = draft(Catalogue([], {"Made": {1: 1}}, NO_FILES.__getitem__), frozenset())
    assert (lost.versions, lost.gone) == ({}, ["Made.1.avsc"])
    assert draft(Catalogue([], {"Made": {1: 1}}, NO_FILES.__getitem__), frozenset({"Made.1.avsc"})).gone == []


def test_new_record_gets_the_next_id() -> None:
    """Ids are never used twice."""

    def read(name: str) -> str:
        if name != "Made.1.avsc":
            raise FileNotFoundError(name)
        return text_of(avro.schema_of(V1))

    plan = draft(Catalogue([V1, made("New", a=int)], {"Made": {1: 101}}, read), None)
    assert plan.versions == {"Made": {1: 101}, "New": {1: 102}}


def test_new_documentation_alone_makes_no_new_version() -> None:
    """Bytes do not depend on the docstring, so the file is rewritten in place."""
    documented = made(a=int, gone=(str, "x"))
    documented.__doc__ = "Now with a meaning."
    plan = draft(_changed(V1, documented), None)
    assert list(plan.files) == ["Made.1.avsc"]


def test_bytes_of_an_earlier_version_are_read_into_the_current_class() -> None:
    """Lost fields are dropped, gained ones take their defaults, and null stands where nothing was written."""
    old = catalogue(V1)
    both = catalogue(V1, V2, V3)
    assert open_frame(frame(V1(a=7, gone="y"), old), [V3], catalogue=both) == V3(a=7, b=1.0, c=None)
    name, fingerprint, written = body(V2(a=7, b=2.0))
    assert open_body(name, fingerprint, written, both) == V3(a=7, b=2.0, c=None)


def test_bytes_of_an_earlier_nested_record_are_read() -> None:
    """Resolution reaches into nested and repeated records, dropped ones included."""
    inner_1, inner_2 = made("In", x=int, y=(str, "q")), made("In", x=int, z=(bool, True))
    first = made(a=inner_1, b=tuple[inner_1, ...], c=inner_1 | None, d=(tuple[inner_1, ...], ()))
    second = made(a=inner_2, b=tuple[inner_2, ...], c=inner_2 | None)
    written = frame(
        first(a=inner_1(x=1), b=(inner_1(x=2, y="r"),), c=inner_1(x=3), d=(inner_1(x=4),)), catalogue(first)
    )
    read = open_frame(written, None, catalogue=catalogue(first, second))
    assert read == second(a=inner_2(x=1), b=(inner_2(x=2),), c=inner_2(x=3))


def test_earlier_version_that_cannot_be_resolved_is_refused() -> None:
    """A field without default that old bytes lack, or one of another type, is a SchemaError and not a guess."""
    old = frame(V1(a=1), catalogue(V1))
    for current in (
        made(a=int, new=int),
        made(a=str),
        made(a=int | None, gone=tuple[str, ...]),
        made(a=tuple[int, ...]),
        made(a=V2),
    ):
        with pytest.raises(SchemaError):
            open_frame(old, None, catalogue=catalogue(V1, current))
    complicated = made(a=V2 | None, b=tuple[int, ...], c=made("In", x=int))
    for current in (made(a=V2), made(b=int), made(c=int)):
        with pytest.raises(SchemaError):
            open_frame(b"\0" + (101).to_bytes(4, "big"), None, catalogue=catalogue(complicated, current))


def test_one_name_for_two_classes_and_one_id_for_two_records_are_refused() -> None:
    """A catalogue is a map in both directions."""
    with pytest.raises(SchemaError, match="rename one"):
        Catalogue([V1, V2], {}, NO_FILES.__getitem__)
    with pytest.raises(SchemaError, match="gives id 1"):
        Catalogue([V1], {"Made": {1: 1}, "Other": {1: 1}}, NO_FILES.__getitem__)


def _changed(old: Any, new: Any) -> Catalogue:
    """Make a catalogue whose class changed after its schema was committed."""
    return Catalogue([new], {"Made": {1: 101}}, lambda _: text_of(avro.schema_of(old)))
