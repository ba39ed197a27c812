"""What the state topic says about a source partition: which snapshots to load, and where reading must start.

Who takes a partition first writes a claim, an empty record whose offset in the state topic becomes its epoch: unique,
and greater than every earlier one. It then loads what stands before the claim. So two workers never share an epoch, and
of each record it is known whether a later owner can have loaded it.

A manifest of epoch E says that every unit is saved as of `complete_through` or later. That holds for snapshots of E and
for those that E's owner loaded, which lie before offset E. Any other snapshot was written by a worker that had lost the
partition (or by an owner that ended before its first manifest) and may have replaced a newer one: it is a true state
as of its own offset, so reading starts just after that, and units that have seen more skip what they know.
"""

import hmac
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from schemas.codec import frame, open_frame
from schemas.errors import SchemaError
from schemas.state import Manifest, Snapshot

MAX_STATE_BYTES = 16 * 1_048_576
_MAC_BYTES = 32
_UNIT, _MANIFEST, _CLAIM = "unit", "manifest", "claim"


class StateRecord(NamedTuple):
    """A record of the state topic as Kafka holds it."""

    offset: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose state: one app's, of one partition of one very topic (its id changes when it is made again)."""

    app: str
    topic: str
    topic_id: str
    partition: int

    def unit_key(self, unit: str) -> bytes:
        """Return the key of a unit's snapshots."""
        return self._key(_UNIT, unit)

    def manifest_key(self, epoch: int) -> bytes:
        """Return the key of an epoch's manifests: each epoch has its own, so that none overwrites another's."""
        return self._key(_MANIFEST, str(epoch))

    def claim_key(self) -> bytes:
        """Return the key of claims."""
        return self._key(_CLAIM, "")

    def _key(self, kind: str, name: str) -> bytes:
        return "|".join((self.app, self.topic, self.topic_id, str(self.partition), kind, name)).encode()


def sealed(record: Snapshot | Manifest, key: bytes, secret: bytes) -> bytes:
    """Return the record in wire format with its MAC, which also covers the key that it is kept under."""
    head = frame(replace(record, mac=b""))[:-1]  # mac is the last field; what is cut is its length, 0
    return head + bytes([2 * _MAC_BYTES]) + _mac(head, key, secret)


def opened(record: StateRecord, secret: bytes) -> Snapshot | Manifest:
    """Return what the record holds; SchemaError where it is not a state record, or its writer is not proven."""
    found: Snapshot | Manifest = open_frame(record.value, (Snapshot, Manifest), MAX_STATE_BYTES)
    assert record.value is not None
    expected = _mac(record.value[: -_MAC_BYTES - 1], record.key or b"", secret)
    if not hmac.compare_digest(found.mac, expected):
        raise SchemaError("the MAC of a state record does not verify; only detect and triage may write that topic")
    return found


def _mac(head: bytes, key: bytes, secret: bytes) -> bytes:
    return hmac.digest(secret, len(key).to_bytes(4, "big") + key + head, "sha256")


@dataclass(frozen=True, slots=True)
class Saved:
    """A snapshot that can be loaded, and where in the state topic it stands."""

    at: int
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Restored:
    """What an owner begins with.

    start
        The source offset to read first; 0 where nothing is known.
    rewrite
        Units whose newest record is not theirs; their snapshot must be written again.
    stale
        Keys to be deleted once this epoch has a manifest: earlier manifests, other topic ids, refused records.
    refused
        Records that were refused, with the reason.
    """

    start: int
    units: dict[str, Saved]
    rewrite: frozenset[str]
    stale: tuple[bytes, ...]
    refused: tuple[tuple[StateRecord, SchemaError], ...]


@dataclass(slots=True)
class Reading:
    """Folds the records of one partition of the state topic, in order, into what its next owner begins with."""

    scope: Scope
    secret: bytes
    units: dict[str, Saved] = field(default_factory=dict)
    manifests: dict[int, Manifest] = field(default_factory=dict)
    refused: dict[bytes, tuple[StateRecord, SchemaError]] = field(default_factory=dict)
    foreign: set[bytes] = field(default_factory=set)

    def add(self, record: StateRecord) -> None:
        """Take the next record; those of other apps are passed over."""
        key = record.key or b""
        place = key.decode("utf-8", "replace").split("|", 5)
        if len(place) < 6:
            if record.value is not None:
                self.refused[key] = (record, SchemaError("the key of a state record names no app, topic and unit"))
            return
        if (place[0], place[1], place[3]) != (self.scope.app, self.scope.topic, str(self.scope.partition)):
            return
        if place[2] != self.scope.topic_id:
            (self.foreign.discard if record.value is None else self.foreign.add)(key)
        elif place[4] != _CLAIM:
            self._own(record, key, place[4], place[5])

    def result(self) -> Restored:
        """Return what the records before the claim say."""
        epoch = max(self.manifests, default=-1)
        newest = self.manifests.get(epoch)
        start = 0 if newest is None else newest.complete_through + 1
        rewrite = set()
        for unit, saved in self.units.items():
            if saved.at > epoch and saved.snapshot.epoch != epoch:
                start = min(start, saved.snapshot.offset + 1)
            if self.scope.unit_key(unit) in self.refused:
                rewrite.add(unit)  # before compaction leaves only what was refused
        own = [key for key in self.refused if self._is_own_unit(key)]
        if any(self._unit_of(key) not in self.units for key in own):
            start = 0  # somebody replaced a unit's only snapshot: it is built again from the beginning
        stale = [key for key in own if self._unit_of(key) not in self.units]
        stale += [self.scope.manifest_key(known) for known in self.manifests]
        return Restored(start, self.units, frozenset(rewrite), (*stale, *self.foreign), tuple(self.refused.values()))

    def _own(self, record: StateRecord, key: bytes, kind: str, name: str) -> None:
        self.refused.pop(key, None)
        if record.value is None:
            if kind == _UNIT:
                self.units.pop(name, None)
            self.manifests = {e: m for e, m in self.manifests.items() if key != self.scope.manifest_key(e)}
            return
        try:
            found = opened(record, self.secret)
            self._file(record, key, found)
        except SchemaError as error:
            self.refused[key] = (record, error)

    def _file(self, record: StateRecord, key: bytes, found: Snapshot | Manifest) -> None:
        if (found.topic_id, found.partition) != (self.scope.topic_id, self.scope.partition):
            raise SchemaError("a state record names another partition than its key")
        if isinstance(found, Snapshot) and key == self.scope.unit_key(found.unit):
            self.units[found.unit] = Saved(record.offset, found)
        elif isinstance(found, Manifest) and key == self.scope.manifest_key(found.epoch):
            self.manifests[found.epoch] = found
        else:
            raise SchemaError("a state record stands under another key than its own")

    def _is_own_unit(self, key: bytes) -> bool:
        return key.startswith(self.scope.unit_key(""))

    def _unit_of(self, key: bytes) -> str:
        return key[len(self.scope.unit_key("")) :].decode("utf-8", "replace")
