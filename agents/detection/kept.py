"""Predictions that are kept until their labels come, as an array; and the keys that their ids are found by."""

from collections.abc import Sequence
from typing import TypeVar
from zlib import adler32, crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import MAX_NAME, Cells, Floats, Rows
from agents.detection.compiled import compiled

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


def usable_of(ids: Cells, made: Cells, sizes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows have an id (of so many characters) and a prediction that a label can be compared with."""
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


def keys_of(names: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return what ids are found by, whose upper half is what the sample is chosen by, and each one's characters."""
    text = "".join(names)
    sizes = np.fromiter(map(len, names), np.int64, len(names))
    if not text.isascii():
        return np.array([_key(name.encode()) for name in names], dtype=np.uint64), sizes
    return _keys(np.frombuffer(text.encode() or b"\0", dtype=np.uint8), sizes.cumsum(), _CRC), sizes


def _key(name: bytes) -> int:
    return crc32(name) << 32 | adler32(name)


def _polynomial() -> NDArray[np.uint32]:
    """Return the remainder of each byte, as every CRC-32 of RFC 1952 has it."""
    found = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        found = np.where(found & 1, found >> 1 ^ np.uint32(0xEDB88320), found >> 1).astype(np.uint32)
    return found


_CRC = _polynomial()


@compiled
def _keys(text: NDArray[np.uint8], ends: NDArray[np.int64], table: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return the same as `_key` of each name; they stand behind one another, and `ends` says where each ends."""
    found, first = np.empty(len(ends), dtype=np.uint64), 0
    for i in range(len(ends)):
        crc, low, high = np.uint32(0xFFFFFFFF), 1, 0
        for at in range(first, ends[i]):
            byte = int(text[at])
            crc = np.uint32(crc >> np.uint32(8)) ^ table[(crc ^ np.uint32(byte)) & np.uint32(255)]
            low += byte
            high += low
        adler = np.uint64(high % 65521 << 16 | low % 65521)
        found[i] = np.uint64(crc ^ np.uint32(0xFFFFFFFF)) << np.uint64(32) | adler
        first = ends[i]
    return found


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
