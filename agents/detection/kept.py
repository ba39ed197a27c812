"""Predictions that are kept until their labels come, as an array; and the keys that their ids are found by."""

from collections.abc import Iterable, Sequence
from typing import TypeVar
from zlib import adler32, crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import MAX_NAME, Cells, Floats, Rows

TEXT, WHOLE, NUMBER = range(3)

KINDS = {"string": TEXT, "long": WHOLE, "double": NUMBER}

KEPT = np.dtype(
    [
        ("key", "<u8"),
        ("at", "<i8"),
        ("value", "<f8"),
        ("confidence", "<f8"),
        ("target", "<i4"),
        ("group", "<i4"),
        ("kind", "u1"),
        ("state", "u1"),
    ]
)
"""A prediction that is kept; `value` is its number, or the code of its string."""

WHOLE_SAMPLE = 2**32
"""The cut below which every hash is."""

Name = TypeVar("Name")


def usable_of(ids: Cells, made: Cells) -> NDArray[np.bool_]:
    """Return which rows have an id and a prediction that a label can be compared with."""
    sizes = np.fromiter(map(len, ids.dictionary or ("",)), np.int64)
    usable: NDArray[np.bool_] = ((sizes > 0) & (sizes <= MAX_NAME))[ids.values]
    for cells in (ids, made):
        if cells.flags is not None:
            usable = usable & (cells.flags == 0)
    if KINDS[made.kind] == NUMBER:
        usable = usable & np.isfinite(made.values)
    return usable


def confidence_of(rows: Rows, chosen: NDArray[np.int64]) -> Floats:
    """Return the confidence of the chosen rows, NaN where there is none."""
    sure = rows.with_role("confidence")
    if sure is None or sure.text:
        return np.full(len(chosen), np.nan)
    found: Floats = np.clip(sure.values[chosen].astype(np.float64), -1e9, 1e9)
    if sure.flags is not None:
        found[sure.flags[chosen] != 0] = np.nan
    return found


def hashes_of(names: Sequence[str]) -> NDArray[np.uint32]:
    """Return what the sample is chosen by, id by id."""
    return np.fromiter(map(crc32, map(str.encode, names)), np.uint32, len(names))


def keys_of(names: Iterable[str]) -> NDArray[np.uint64]:
    """Return what an id is found by; its upper half is what the sample is chosen by."""
    encoded = [name.encode() for name in names]
    keys = [crc32(name) << 32 | adler32(name) for name in encoded]
    return np.array(keys, dtype=np.uint64)


def compact(
    names: dict[Name, int], codes: NDArray[np.float64] | NDArray[np.int32], used: NDArray[np.bool_]
) -> tuple[dict[Name, int], NDArray[np.float64] | NDArray[np.int32]]:
    """Return only the names that the used codes name, and the codes into those."""
    own = np.unique(codes[used].astype(np.int64))
    if len(own) == len(names):
        return names, codes
    listed = list(names)
    renamed = codes.copy()
    renamed[used] = np.searchsorted(own, codes[used])
    return {listed[code]: i for i, code in enumerate(own.tolist())}, renamed
