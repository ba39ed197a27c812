"""Snapshots: what a worker remembers of a source partition, and up to which record that is complete."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """One unit's state as of a source offset, in the source's own partition of the state topic.

    epoch
        Grows by one each time a partition is assigned, so that the writes of a worker that lost it are known.
    mac
        HMAC-SHA256 over every other field: a detector's state is loaded only when its writer is proven.
    """

    unit: str
    topic_id: str
    partition: int
    offset: int
    epoch: int
    body: bytes
    mac: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """Every unit of a source partition is saved as of `complete_through` or later."""

    topic_id: str
    partition: int
    complete_through: int
    epoch: int
    mac: bytes


RECORDS = (Snapshot, Manifest)
