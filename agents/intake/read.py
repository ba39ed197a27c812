"""Raw records of the inbound topic into pieces; what is none is refused with its place and the reason."""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.intake.layout import Layouts, learn
from agents.intake.piece import MAX_RECORD_BYTES, Group, Loose, Piece, check
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.telemetry import Inference

_MAX_KNOWN = 4096
_WORTH = 4  # fewer records than this are read one by one: numpy's calls cost more
_GIVE_UP = (
    8  # layouts learnt in a row from records that are alike in beginning and length, before the rest is read singly
)

Place = tuple[int, int]
"""Partition and offset."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is no prediction, by its index among those that were given."""

    index: int
    error: SchemaError


@dataclass(slots=True)
class _Alike:
    """Records of one partition with the same beginning and length."""

    values: list[bytes]
    indices: list[int]


class InferenceReader:
    """Reads framed `Inference` records in bulk; remembers how its senders lay them out."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[int, bytes], Layouts] = OrderedDict()

    def read(
        self, places: Sequence[Place], values: Sequence[bytes | None]
    ) -> tuple[list[tuple[Group, Piece]], list[Refusal]]:
        """Return the rows of the records, and what was refused."""
        offsets = np.array([offset for _, offset in places], dtype=np.int64)
        found: list[tuple[Group, Piece]] = []
        refused: list[Refusal] = []
        loose = Loose()
        for (partition, length, beginning), alike in _sorted(places, values, refused).items():
            single: Iterable[int] = range(len(alike.values))
            if len(alike.values) >= _WORTH:
                single = self._bulk(partition, (length, beginning), alike, offsets, found)
            for i in single:
                index = alike.indices[i]
                try:
                    loose.add(partition, int(offsets[index]), _open(alike.values[i]))
                except SchemaError as error:
                    refused.append(Refusal(index, error))
        found += loose.pieces()
        return found, sorted(refused, key=lambda refusal: refusal.index)

    def read_singly(
        self, places: Sequence[Place], values: Sequence[bytes | None]
    ) -> tuple[list[tuple[Group, Piece]], list[Refusal]]:
        """As `read`, record by record, by the ordinary reader alone."""
        self._known.clear()
        refused: list[Refusal] = []
        loose = Loose()
        for index, ((partition, offset), value) in enumerate(zip(places, values, strict=True)):
            try:
                loose.add(partition, offset, _open(value))
            except SchemaError as error:
                refused.append(Refusal(index, error))
        return loose.pieces(), refused

    def _bulk(
        self,
        partition: int,
        key: tuple[int, bytes],
        alike: _Alike,
        offsets: NDArray[np.int64],
        found: list[tuple[Group, Piece]],
    ) -> list[int]:
        """Read what has a layout, learning new ones on the way, and return the indices of what is left."""
        positions = offsets[alike.indices]
        values = alike.values
        left = np.arange(len(values))
        layouts = self._known.get(key)
        if layouts is not None and not layouts.worth():
            return left.tolist()
        single: list[int] = []
        for _ in range(_GIVE_UP):
            if layouts is not None:
                chosen = values if len(left) == len(values) else [values[i] for i in left.tolist()]
                pieces, rest = layouts.take(chosen, positions[left])
                group = layouts.group._replace(partition=partition)
                found += [(group, piece) for piece in pieces]
                left = left[rest]
            if len(left) < _WORTH:
                break
            layouts = self._learn(key, values[int(left[0])])
            if layouts is None:  # the ordinary reader says what is wrong with it
                single.append(int(left[0]))
                left = left[1:]
                layouts = self._known.get(key)
        if layouts is not None:
            layouts.judge(len(values) - len(left), len(values))
        return sorted([*single, *left.tolist()])

    def _learn(self, key: tuple[int, bytes], value: bytes) -> Layouts | None:
        try:
            record = _open(value)
            layout = learn(value, record, check(record))
        except SchemaError:
            return None
        if layout is None:
            return None
        group = Group(0, record.model, record.version, record.instance, record.mode)
        layouts = self._known.get(key)
        if layouts is None or layouts.group != group:
            layouts = self._known[key] = Layouts(group)
        layouts.add(layout)
        self._known.move_to_end(key)
        if len(self._known) > _MAX_KNOWN:
            self._known.popitem(last=False)
        return layouts


def _open(value: bytes | None) -> Inference:
    record: Inference = open_frame(value, (Inference,), MAX_RECORD_BYTES)
    return record


def _sorted(
    places: Sequence[Place], values: Sequence[bytes | None], refused: list[Refusal]
) -> dict[tuple[int, int, bytes], _Alike]:
    """Put records together that may have one layout: the same partition, the same bytes up to the id, one length."""
    alike: dict[tuple[int, int, bytes], _Alike] = {}
    for index, value in enumerate(values):
        if value is None:
            refused.append(Refusal(index, SchemaError("the record has no value")))
            continue
        try:
            # The lengths of model, version, instance and mode, where each is below 64; else it is only a worse guess.
            p = 6 + (value[5] >> 1)
            p += 1 + (value[p] >> 1)
            p += 1 + (value[p] >> 1)
            p += 1 + (value[p] >> 1)
            beginning = value[:p]
        except IndexError:
            beginning = b""
        key = (places[index][0], len(value), beginning)
        found = alike.get(key)
        if found is None:
            alike[key] = _Alike([value], [index])
        else:
            found.values.append(value)
            found.indices.append(index)
    return alike
