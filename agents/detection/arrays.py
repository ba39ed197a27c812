"""Arrays as bytes of a state record, and back within known bounds."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError


def pack(array: NDArray[Any], dtype: str = "<f8") -> bytes:
    """Return the array's items in C order as little-endian bytes."""
    return np.ascontiguousarray(array, dtype=np.dtype(dtype)).tobytes()


def unpack(data: bytes, shape: tuple[int, ...], dtype: str = "<f8") -> NDArray[Any]:
    """Return a writable array of a shape; SchemaError where the bytes are not exactly that many items."""
    kind = np.dtype(dtype)
    count = 1
    for size in shape:
        count *= size
    if len(data) != count * kind.itemsize:
        raise SchemaError(f"a state holds {len(data)} bytes where {count} items of {dtype} belong")
    return np.frombuffer(data, dtype=kind).reshape(shape).copy()


def integers(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return an array that equals this one, the same for all who ask for the same few numbers: nobody may write it."""
    return _integers(tuple(values.tolist()))


@lru_cache(maxsize=1024)
def _integers(values: tuple[int, ...]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
