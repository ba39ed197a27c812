"""Arrays as bytes of a state record, and back within known bounds."""

from functools import lru_cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from schemas.errors import SchemaError

Item = TypeVar("Item", bound=np.generic)


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


def finite(data: bytes, shape: tuple[int, ...], *, least: float = -np.inf) -> NDArray[np.float64]:
    """Return a writable array of a shape; SchemaError also where an item is no finite number, or below the least."""
    found: NDArray[np.float64] = unpack(data, shape)
    if not (np.isfinite(found) & (found >= least)).all():
        raise SchemaError("a state holds numbers that nothing measured")
    return found


def common(array: NDArray[Item]) -> NDArray[Item]:
    """Return an array that equals this one, the same for all who ask for the same bytes: nobody may write it."""
    found: NDArray[Item] = _common(array.tobytes(), array.dtype.str, array.shape)
    return found


@lru_cache(maxsize=1024)
def _common(data: bytes, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()
