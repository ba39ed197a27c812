"""Hypothesis strategies for every record, derived from the shapes of its fields."""

from typing import Any

from hypothesis import strategies as st

from schemas.shapes import MILLIS_MAX, MILLIS_MIN, Choice, Many, Maybe, Nested, Primitive, Shape, fields_of

LONGS = st.integers(min_value=-(1 << 63), max_value=(1 << 63) - 1)

_PRIMITIVES: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(max_size=40),
    "bytes": st.binary(max_size=40),
    "long": st.one_of(st.integers(0, 300), LONGS),
    "double": st.floats(),
    "boolean": st.booleans(),
}


def records(cls: type, **fixed: Any) -> st.SearchStrategy[Any]:
    """Build records of a class with any values that its types allow; `fixed` gives some fields."""
    drawn = {
        field.name: st.just(fixed[field.name]) if field.name in fixed else values(field.shape)
        for field in fields_of(cls)
    }
    return st.builds(cls, **drawn)


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Build values of one shape."""
    match shape:
        case Primitive(millis=True):
            return st.integers(MILLIS_MIN, MILLIS_MAX)
        case Primitive(avro=kind):
            return _PRIMITIVES[kind]
        case Choice(of=enum):
            return st.sampled_from(enum)
        case Maybe(of=inner):
            return st.none() | values(inner)
        case Many(of=inner):
            return st.lists(values(inner), max_size=4).map(tuple)
        case Nested(of=cls):
            return records(cls)
