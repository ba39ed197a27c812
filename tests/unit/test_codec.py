"""The wire codec, and each published attack on Avro readers as a fixed input."""

import time
import tracemalloc
from dataclasses import dataclass
from typing import Any

import pytest

from schemas.avro import encode, fingerprint
from schemas.catalogue import CATALOGUE, Catalogue
from schemas.codec import LIMIT, body, frame, open_body, open_frame
from schemas.deadletter import DeadLetter
from schemas.errors import SchemaError
from schemas.reading import MAX_ITEMS
from schemas.signals import IncidentQuieted
from schemas.values import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Small:
    """A record whose every decision of encoding is visible."""

    number: int = 0
    flag: bool = False
    text: str = ""
    maybe: str | None = None
    names: tuple[str, ...] = ()
    mode: Mode = Mode.BATCH


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two small values, so that many fit in few bytes."""

    a: int
    b: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Arrays of everything cheap."""

    texts: tuple[str, ...] = ()
    maybes: tuple[str | None, ...] = ()
    grid: tuple[tuple[str, ...], ...] = ()
    pairs: tuple[Pair, ...] = ()


NO_FILES: dict[str, str] = {}
OWN = Catalogue([Small, Lists], {"Small": {1: 1}, "Lists": {1: 2}}, NO_FILES.__getitem__)
SMALL = b"\0\0\0\0\1"
LISTS = b"\0\0\0\0\2"
TAIL = b"\x0abatch"
QUIETED = IncidentQuieted(id="i", sequence=3, at=1_700_000_000_000, last_signal_at=1)


def varint(number: int) -> bytes:
    """Write a zigzag number in its shortest form."""
    zigzag, out = (number << 1) ^ (number >> 127), bytearray()
    while zigzag > 127:
        out.append(zigzag & 127 | 128)
        zigzag >>= 7
    return bytes([*out, zigzag])


def opened(value: Any) -> Any:
    """Open a value under the catalogue of this file."""
    return open_frame(value, None, catalogue=OWN)


def test_frame_is_zero_id_and_avro() -> None:
    """The five bytes of Confluent's wire format precede the plain encoding."""
    assert frame(Small(number=-1, flag=True, text="é", maybe="", names=("a",)), OWN) == (
        SMALL + b"\x01" + b"\x01" + b"\x04\xc3\xa9" + b"\x02\x00" + b"\x02\x02a\x00" + TAIL
    )
    assert opened(SMALL + b"\0\0\0\0\0" + TAIL) == Small()


def test_record_of_the_product_returns() -> None:
    """A record goes through its pinned id and back, when its topic allows it."""
    framed = frame(QUIETED)
    assert framed[:5] == CATALOGUE.prefix(IncidentQuieted)
    assert open_frame(framed, (DeadLetter, IncidentQuieted)) == QUIETED
    assert open_frame(framed, None) == QUIETED


def test_body_returns_under_its_fingerprint() -> None:
    """The ledger's form names record and schema."""
    name, schema, written = body(QUIETED)
    assert (name, schema, written) == ("IncidentQuieted", fingerprint(IncidentQuieted), encode(QUIETED))
    assert open_body(name, schema, written) == QUIETED


def test_record_without_an_id_is_not_written() -> None:
    """A class outside the catalogue has no frame."""
    with pytest.raises(SchemaError, match="make schemas"):
        frame(Small())
    with pytest.raises(SchemaError):
        frame("text")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "NoneType, not bytes"),
        ("text", "str, not bytes"),
        (b"", "too few"),
        (b"\0\0\0\0", "too few"),
        (b"\1\0\0\0\1aaaa", "begins with 0x01"),
        (b"Obj\1" + b"\0" * 600, "begins with 0x4f"),
        (b'{"a": 1}', "begins with 0x7b"),
        (b"\0\xff\xff\xff\xff", "4294967295 is not in the catalogue"),
        (SMALL + b"\0" * LIMIT, "the limit is"),
    ],
)
def test_value_that_is_no_frame_is_refused_unread(value: Any, said: str) -> None:
    """Wrong type, length, magic and id are each one reason; a compressed container is never unpacked."""
    with pytest.raises(SchemaError, match=said):
        opened(value)


def test_record_of_another_topic_is_refused() -> None:
    """A sound record on the wrong topic does not pass."""
    with pytest.raises(SchemaError, match="not a record of this topic"):
        open_frame(frame(QUIETED), (DeadLetter,))


@pytest.mark.parametrize(
    ("name", "written", "said"),
    [
        ("negative union index", b"\0\0\0\1" + b"\0" + TAIL, "no such branch"),
        ("union index out of range", b"\0\0\0\4" + b"\0" + TAIL, "no such branch"),
        ("over-long union index", b"\0\0\0\x80\0" + b"\0" + TAIL, "no such branch"),
        ("boolean 2", b"\0\2\0\0\0" + TAIL, "boolean"),
        ("over-long varint", b"\x80\0\0\0\0\0" + TAIL, "shortest form"),
        ("wrapped varint", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f" + b"\0\0\0\0" + TAIL, "exceeds 64 bits"),
        ("endless varint", b"\x80" * 40, "longer than 10 bytes"),
        ("trailing bytes", b"\0\0\0\0\0" + TAIL + b"\0", "1 bytes follow"),
        ("block with a size", b"\0\0\0\0" + b"\1\4\2a\0" + TAIL, "own size"),
        ("lying block size", b"\0\0\0\0" + b"\1\x7e\2a\0" + TAIL, "own size"),
        ("two blocks", b"\0\0\0\0" + b"\2\2a\2\2b\0" + TAIL, "several blocks"),
        ("unknown choice", b"\0\0\0\0\0" + b"\2x", "no Mode"),
        ("choice that is a member's name", b"\0\0\0\0\0" + b"\x0aBATCH", "no Mode"),
        ("text that is not UTF-8", b"\0\0\2\xff\0\0" + TAIL, "not UTF-8"),
        ("surrogate", b"\0\0\6\xed\xa0\x80\0\0" + TAIL, "not UTF-8"),
        ("negative length", b"\0\0\1\0\0" + TAIL, "length is negative"),
        ("huge text", b"\0\0" + varint(1 << 40) + b"\0\0" + TAIL, "longer than what is left"),
        ("huge text of 64 bits", b"\0\0" + varint((1 << 63) - 1), "longer than what is left"),
        ("huge array", b"\0\0\0\0" + varint(1 << 28) + b"\0" + TAIL, "more items than there are bytes"),
        ("array of 64 bits", b"\0\0\0\0" + varint((1 << 63) - 1), "more items than there are bytes"),
        ("nothing", b"", "end inside"),
        ("a cut record", b"\0\0\0\0\0" + TAIL[:-1], "longer than what is left"),
        ("a cut array", b"\0\0\0\0\2\2a", "end inside"),
    ],
)
def test_attack_on_the_reader_is_refused(name: str, written: bytes, said: str) -> None:
    """Each input that other readers accept, or die of, is a SchemaError here."""
    with pytest.raises(SchemaError, match=said):
        opened(SMALL + written)
    assert name


@pytest.mark.parametrize("count", [MAX_ITEMS + 1, LIMIT - 100])
@pytest.mark.parametrize("where", [0, 1, 2, 3])
def test_array_longer_than_any_of_ours_is_refused_before_it_is_built(where: int, count: int) -> None:
    """A count above the bound costs nothing, though there is a byte for each item."""
    value = (LISTS + b"\0" * where + varint(count) + b"\0" * (LIMIT - 50))[:LIMIT]
    with pytest.raises(SchemaError, match="more than"):
        opened(value)


@pytest.mark.parametrize(
    "value",
    [
        LISTS + varint(MAX_ITEMS) + b"\0" * (MAX_ITEMS + 1) + b"\0\0\0",
        LISTS + b"\0" + varint(MAX_ITEMS) + b"\0" * (MAX_ITEMS + 1) + b"\0\0",
        LISTS + b"\0\0\0" + varint(MAX_ITEMS) + b"\0" * (2 * MAX_ITEMS + 1),
        LISTS + b"\0\0" + varint(2) + (varint(MAX_ITEMS) + b"\0" * (MAX_ITEMS + 1)) * 2 + b"\0\0",
    ],
)
def test_densest_record_stays_within_bounds(value: bytes) -> None:
    """The records with the most objects a byte take at most 64 bytes for each byte: 64 MiB at the limit."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        opened(value)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 64 * len(value)


def test_densest_record_takes_little_time() -> None:
    """A value of nearly 1 MiB that is all empty texts is read within a second of a busy machine."""
    value = LISTS + b"\0\0" + varint(15) + (varint(MAX_ITEMS) + b"\0" * (MAX_ITEMS + 1)) * 15 + b"\0\0"
    begin = time.process_time()
    opened(value)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("name", "schema", "written", "said"),
    [
        ("IncidentQuieted", b"\0" * 8, b"", "no schema of"),
        ("IncidentQuieted", b"", b"", "no schema of"),
        ("Nobody", b"\0" * 8, b"", "no schema of"),
        ("IncidentQuieted", fingerprint(IncidentQuieted), b"", "end inside"),
        ("IncidentQuieted", fingerprint(IncidentQuieted), b"\0" * (LIMIT + 1), "the limit is"),
    ],
)
def test_body_that_is_not_what_it_says_is_refused(name: str, schema: bytes, written: bytes, said: str) -> None:
    """Unknown names and fingerprints, and bytes that do not fit, are SchemaErrors."""
    with pytest.raises(SchemaError, match=said):
        open_body(name, schema, written)


def test_record_that_no_class_reads_is_refused() -> None:
    """An id whose class is gone is known but unreadable."""
    with pytest.raises(SchemaError, match="no class reads"):
        open_frame(SMALL, None, catalogue=Catalogue([], {"Small": {1: 1}}, NO_FILES.__getitem__))
