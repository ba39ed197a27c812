"""Packs single predictions into batches that a monitor counts once, whatever a crash repeats.

The rows of a source, which is (inbound topic, partition, version, instance, mode), rise in position, which is the
offset of each in the inbound topic; so a repeat is told by its position, however the rows are cut into batches the
second time. Nothing of a partition may be acknowledged beyond what `held` says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from agents.intake.piece import Group, Piece
from agents.intake.read import InferenceReader, Place, Refusal
from agents.intake.table import table, together
from schemas.ids import derive

BATCH_ROWS = 2000
WAIT_SECONDS = 0.25
MAX_HELD = 100_000


class Packed(NamedTuple):
    """A framed batch of a model."""

    model: str
    value: bytes
    rows: int


@dataclass(slots=True)
class _Open:
    since: float
    first: int
    source: str
    rows: int = 0
    pieces: list[Piece] = field(default_factory=list)


class Packer:
    """Gathers rows by partition, model, version, instance and mode; gives a batch when it is full or has waited.

    Parameters
    ----------
    topic_id
        Kafka's id of the inbound topic: one that is made again begins at offset 0 once more.
    rows, wait
        A group with so many rows, or whose first row came so many seconds ago, is given.
    """

    def __init__(self, topic_id: str, rows: int = BATCH_ROWS, wait: float = WAIT_SECONDS) -> None:
        self._topic_id = topic_id
        self._limit = rows
        self._wait = wait
        self._reader = InferenceReader()
        self._open: dict[Group, _Open] = {}
        self._held = 0
        self.defects = 0

    def take(self, places: Sequence[Place], values: Sequence[bytes | None], now: float) -> list[Refusal]:
        """Take raw records in the order of their offsets; return those that are no predictions.

        `defects` counts the calls that had to read one by one, because reading in bulk raised.
        """
        try:
            found, refused = self._reader.read(places, values)
        except Exception:  # noqa: BLE001 - a defect in reading in bulk costs speed, never a record
            self.defects += 1
            found, refused = self._reader.read_singly(places, values)
        for group, piece in found:
            rows = piece.rows()
            opened = self._open.get(group)
            if opened is None:
                opened = self._open[group] = _Open(now, int(piece.positions[0]), self._source(group))
            opened.first = min(opened.first, int(piece.positions[0]))
            opened.rows += rows
            opened.pieces.append(piece)
            self._held += rows
        return refused

    def due(self, now: float, *, everything: bool = False) -> list[Packed]:
        """Return the batches of the groups that are full or have waited long enough; of all if too many rows wait."""
        everything = everything or self._held > MAX_HELD
        ready = [
            group
            for group, opened in self._open.items()
            if everything or opened.rows >= self._limit or now - opened.since >= self._wait
        ]
        return [packed for group in ready for packed in self._close(group)]

    def held(self, partition: int) -> int | None:
        """Return the first offset of a partition whose row was not given yet, None where every row was."""
        return min((opened.first for group, opened in self._open.items() if group.partition == partition), default=None)

    def drop(self, partition: int) -> None:
        """Forget the rows of a partition that another process now reads."""
        for group in [group for group in self._open if group.partition == partition]:
            self._held -= self._open.pop(group).rows

    def _close(self, group: Group) -> list[Packed]:
        opened = self._open.pop(group)
        self._held -= opened.rows
        packed = []
        for pieces in together(opened.pieces):
            made = table(group, opened.source, pieces)
            rows = len(made.positions)
            parts = max(rows // self._limit, 1)
            cuts = [rows * part // parts for part in range(parts + 1)]
            for first, end in pairwise(cuts):
                packed += [Packed(group.model, value, count) for value, count in made.batches(first, end)]
        return packed

    def _source(self, group: Group) -> str:
        whose = derive(group.version, group.instance, group.mode.value)
        return f"{self._topic_id}/{group.partition}/{whose}"
