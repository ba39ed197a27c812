"""What holds of the codec for every record and for any bytes."""

import io
import math
from contextlib import suppress
from typing import Any

import fastavro
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.avro import decode, encode, schema_of
from schemas.catalogue import CLASSES, RECORDS
from schemas.codec import body, frame, open_body, open_frame
from schemas.errors import SchemaError
from tests.strategies import records

PARSED = {cls: fastavro.parse_schema(schema_of(cls)) for cls in CLASSES}

IDS = st.sampled_from([number for number, _ in RECORDS])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_record_returns_as_it_went(cls: type) -> None:
    """Each record with any values goes through the wire and the ledger unchanged, and fastavro reads the same."""

    @given(records(cls))
    def holds(obj: Any) -> None:
        framed = frame(obj)
        again = open_frame(framed, (cls,))
        assert frame(again) == framed
        assert open_body(*body(obj)) == again or _has_nan(again)
        assert again == obj or _has_nan(obj)
        read = fastavro.schemaless_reader(io.BytesIO(framed[5:]), PARSED[cls], None)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, PARSED[cls], read)
        assert out.getvalue() == framed[5:]

    holds()


@given(st.binary(max_size=400))
def test_any_bytes_are_a_record_or_a_schema_error(value: bytes) -> None:
    """Nothing but SchemaError leaves the codec."""
    with suppress(SchemaError):
        open_frame(value, None)


@given(IDS, st.binary(max_size=400))
def test_what_is_read_is_written_again_byte_for_byte(number: int, rest: bytes) -> None:
    """Bytes that are accepted are the one encoding of what they say."""
    value = b"\0" + number.to_bytes(4, "big") + rest
    with suppress(SchemaError):
        assert frame(open_frame(value, None)) == value


@given(st.data())
def test_changed_record_is_refused_or_is_another_canonical_record(data: st.DataObject) -> None:
    """A byte changed, cut or added never makes a value with two encodings, and never another error."""
    cls = data.draw(st.sampled_from(CLASSES))
    written = bytearray(encode(data.draw(records(cls))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(written)))
        end = at + data.draw(st.integers(0, 2))
        written[at:end] = data.draw(st.binary(max_size=2))
    with suppress(SchemaError):
        assert encode(decode(cls, bytes(written))) == bytes(written)


@given(st.text(max_size=20), st.binary(max_size=10), st.binary(max_size=50))
def test_any_body_is_a_record_or_a_schema_error(name: str, schema: bytes, written: bytes) -> None:
    """The ledger's form is as strict as the wire's."""
    with suppress(SchemaError):
        open_body(name, schema, written)


def _has_nan(obj: Any) -> bool:
    if isinstance(obj, float):
        return math.isnan(obj)
    if isinstance(obj, tuple):
        return any(_has_nan(item) for item in obj)
    return hasattr(obj, "__slots__") and any(_has_nan(getattr(obj, name)) for name in obj.__slots__)
