"""Reads thousands of single predictions at once where their bytes have one layout.

What a sender writes differs from record to record in the id, the time and the numbers; names, roles and categories
repeat byte for byte. A layout is learnt from a record that the ordinary reader accepted: which bytes are constant, and
where id, time and numbers stand. Records that equal it in every constant byte are taken apart by numpy; they are
exactly those that the ordinary reader would accept with the same names and texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.intake.piece import Cells, Group, Names, Piece, cell
from schemas.shapes import MILLIS_MAX, MILLIS_MIN
from schemas.telemetry import Inference

_HEADER = 5
Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where things stand in records of one length.

    constant, kept
        The bytes of the record it was learnt from, and 255 where a byte must equal it, else 0.
    identifier, time
        The first and the last byte, exclusive, of the id's text and of the time.
    numbers
        The bytes of all numbers, eight for each.
    texts
        For each value the cell that all such records share; numbers stand as None and are in `where`.
    where
        For each value its place among the numbers, -1 for a text or null.
    """

    names: Names
    constant: Bytes
    kept: Bytes
    identifier: tuple[int, int]
    time: tuple[int, int]
    numbers: NDArray[np.intp]
    texts: tuple[str | None, ...]
    where: tuple[int, ...]

    def match(self, records: Bytes) -> NDArray[np.bool_]:
        """Return which records (rows of bytes) have this layout."""
        same = np.logical_not(((records ^ self.constant) & self.kept).any(axis=1))
        first, end = self.identifier
        same &= (records[:, first:end] < 128).all(axis=1)
        first, end = self.time
        same &= (records[:, first : end - 1] >= 128).all(axis=1) & (records[:, end - 1] < 128)
        if end - first > 1:
            same &= records[:, end - 1] > 0
        at = self._times(records)
        return same & (at >= MILLIS_MIN) & (at <= MILLIS_MAX)

    def piece(self, records: Bytes, positions: NDArray[np.int64]) -> Piece:
        """Return the rows that the matching records hold."""
        first, end = self.identifier
        width = end - first
        text = records[:, first:end].tobytes().decode("ascii")
        ids = [text[i : i + width] for i in range(0, len(text), width)] if width else [""] * len(records)
        numbers = np.ascontiguousarray(records[:, self.numbers]).view("<f8").T.copy()
        pairs = zip(self.where, self.texts, strict=True)
        cells: tuple[Cells, ...] = tuple(text if at < 0 else numbers[at] for at, text in pairs)
        return Piece(self.names, positions, ids, self._times(records), cells)

    def _times(self, records: Bytes) -> NDArray[np.int64]:
        value = np.zeros(len(records), dtype=np.int64)
        for shift, byte in enumerate(range(*self.time)):
            value |= (records[:, byte].astype(np.int64) & 127) << (7 * shift)
        return (value >> 1) ^ -(value & 1)


def learn(value: bytes, record: Inference, names: Names) -> Layout | None:
    """Return the layout of a framed record that the ordinary reader accepted; None where it has none to learn."""
    if any(given.number is not None and given.text is not None for given in record.values):
        return None
    at = _HEADER
    for _ in range(4):  # model, version, instance and mode
        at = _skip_text(value, at)
    end = _skip_text(value, at)
    identifier = (end - len(record.prediction_id.encode()), end)
    time = (end, _skip_long(value, end))
    if time[1] - time[0] > 8:  # beyond the year 9999
        return None
    at = _skip_long(value, time[1])
    starts: list[int] = []
    where: list[int] = []
    for given in record.values:
        at = _skip_text(value, _skip_text(value, at)) + 1
        where.append(-1 if given.number is None else len(starts))
        if given.number is not None:
            starts.append(at)
            at += 8
        at += 1
        if given.text is not None:
            at = _skip_text(value, at)
    numbers = (np.array(starts, dtype=np.intp)[:, None] + np.arange(8)).ravel() if starts else np.empty(0, np.intp)
    kept = np.full(len(value), 255, dtype=np.uint8)
    kept[slice(*identifier)] = 0
    kept[slice(*time)] = 0
    kept[numbers] = 0
    texts = tuple(given.text for given in record.values)
    assert all(cell(given) is not None or given.text is None for given in record.values)
    constant = np.frombuffer(value, dtype=np.uint8)
    return Layout(names, constant, kept, identifier, time, numbers, texts, tuple(where))


def _skip_long(value: bytes, at: int) -> int:
    while value[at] > 127:
        at += 1
    return at + 1


def _skip_text(value: bytes, at: int) -> int:
    length = shift = 0
    while True:
        byte = value[at]
        at += 1
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return at + (length >> 1)


class Layouts:
    """The layouts known for records with one beginning and one length, the newest match first."""

    LIMIT = 24
    PAUSE = 64

    def __init__(self, group: Group) -> None:
        self.group = group
        self.known: list[Layout] = []
        self._pause = 0

    def worth(self) -> bool:
        """Whether to try: where texts differ from record to record hardly any two are alike; then it rests."""
        self._pause = max(self._pause - 1, 0)
        return self._pause == 0

    def judge(self, matched: int, records: int) -> None:
        """Take note of how many of the records had a layout."""
        if matched * 4 < records:
            self._pause = self.PAUSE

    def add(self, layout: Layout) -> None:
        """Remember one more; the one that matched least lately is forgotten."""
        self.known.insert(0, layout)
        del self.known[self.LIMIT :]

    def take(self, values: Sequence[bytes], positions: NDArray[np.int64]) -> tuple[list[Piece], NDArray[np.intp]]:
        """Return the rows of the records that have a known layout, and which records have none."""
        left = np.arange(len(values))
        records = np.frombuffer(b"".join(values), dtype=np.uint8).reshape(len(values), -1)
        pieces = []
        for layout in list(self.known):
            if not len(left):
                break
            part = records if len(left) == len(records) else records[left]
            same = layout.match(part)
            if same.all():
                pieces.append(layout.piece(part, positions[left]))
                left = left[:0]
            elif same.any():
                pieces.append(layout.piece(part[same], positions[left[same]]))
                left = left[~same]
            else:
                continue
            self.known.remove(layout)
            self.known.insert(0, layout)
        return pieces, left
