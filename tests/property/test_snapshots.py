"""Snapshots, claims and manifests: workers, zombies, crashes, compaction in any order; each record counts once."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.state import Manifest, Snapshot
from streams.worker.snapshots import Reading, Scope, StateRecord, sealed

SECRET = b"0123456789abcdef"
SCOPE = Scope("app", "in", "id-1", 0)


@dataclass
class StateLog:
    """A partition of the state topic: it appends, and compaction may take away whatever a later record replaced."""

    records: list[StateRecord] = field(default_factory=list)
    end: int = 0

    def append(self, key: bytes, value: bytes | None) -> int:
        """Return the offset that the record got."""
        self.records.append(StateRecord(self.end, key, value))
        self.end += 1
        return self.end - 1

    def compact(self) -> None:
        """Keep the newest record of each key."""
        newest = {record.key: record.offset for record in self.records}
        self.records = [record for record in self.records if newest[record.key] == record.offset]


class Owner:
    """A worker as the Faust loop runs one: it lists the offsets that each unit has seen."""

    def __init__(self, log: StateLog, source: list[str]) -> None:
        self.log = log
        self.source = source
        self.epoch = log.append(SCOPE.claim_key(), None)
        reading = Reading(SCOPE, SECRET)
        for record in log.records:
            if record.offset < self.epoch:
                reading.add(record)
        restored = reading.result()
        self.next = min(restored.start, len(source))
        self.units = {unit: list(json.loads(saved.snapshot.body)) for unit, saved in restored.units.items()}
        self.rewrite = set(restored.rewrite)
        self.stale = list(restored.stale)
        self.dirty: set[str] = set()
        self.flushing: Iterator[None] | None = None

    def step(self) -> None:
        """Judge the next record."""
        if self.flushing is not None or self.next >= len(self.source):
            return
        unit = self.source[self.next]
        seen = self.units.setdefault(unit, [])
        if not seen or seen[-1] < self.next:
            seen.append(self.next)
            self.dirty.add(unit)
        self.next += 1

    def flush(self) -> None:
        """Write one record of a flush."""
        if self.flushing is None:
            self.flushing = self._flush()
        if next(self.flushing, StopIteration) is StopIteration:
            self.flushing = None

    def _flush(self) -> Iterator[None]:
        for unit in sorted(self.dirty | self.rewrite):
            seen = self.units[unit]
            snapshot = Snapshot(
                unit=unit,
                topic_id=SCOPE.topic_id,
                partition=0,
                offset=seen[-1],
                epoch=self.epoch,
                body=json.dumps(seen).encode(),
                mac=b"",
            )
            key = SCOPE.unit_key(unit)
            self.log.append(key, sealed(snapshot, key, SECRET))
            yield
        self.dirty, self.rewrite = set(), set()
        manifest = Manifest(
            topic_id=SCOPE.topic_id, partition=0, complete_through=self.next - 1, epoch=self.epoch, mac=b""
        )
        key = SCOPE.manifest_key(self.epoch)
        self.log.append(key, sealed(manifest, key, SECRET))
        yield
        for key in [key for key in self.stale if key not in {SCOPE.unit_key(unit) for unit in self.units}]:
            self.log.append(key, None)
            yield
        self.stale = []


def counts_each_once(source: list[str], log: StateLog) -> Owner:
    """Let a new owner read to the end, and compare each unit with the source."""
    owner = Owner(log, source)
    while owner.next < len(source):
        owner.step()
    for unit in set(source):
        assert owner.units[unit] == [offset for offset, name in enumerate(source) if name == unit]
    return owner


ACTS = st.tuples(
    st.sampled_from(["own", "step", "step", "step", "flush", "flush", "flush", "compact"]),
    st.sampled_from([0, 0, 0, 1, 1, 2, 3]),
    st.integers(1, 6),
)


@settings(max_examples=800, deadline=None)
@given(
    source=st.lists(st.sampled_from(["a", "b", "c"]), min_size=6, max_size=16),
    acts=st.lists(ACTS, min_size=6, max_size=60),
)
def test_no_order_of_workers_and_zombies_makes_the_next_owner_miss_or_repeat_a_record(
    source: list[str], acts: list[tuple[str, int, int]]
) -> None:
    """Every worker that ever owned the partition may write at any time; the next owner still counts each once."""
    log = StateLog()
    owners: list[Owner] = [Owner(log, source)]
    for act, which, times in acts:
        owner = owners[-1 - which % len(owners)]
        if act == "own":
            owners.append(Owner(log, source))
        elif act == "compact":
            log.compact()
        else:
            for _ in range(times):
                getattr(owner, act)()
    counts_each_once(source, log)


@settings(max_examples=300, deadline=None)
@given(
    source=st.lists(st.sampled_from(["a", "b", "c"]), min_size=5, max_size=25),
    flushes=st.lists(st.integers(0, 24), min_size=1, max_size=4),
    garbage=st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=60), st.booleans()), max_size=5),
    compact=st.booleans(),
)
def test_garbage_on_the_state_topic_is_refused_and_what_it_hid_is_counted_again(
    source: list[str], flushes: list[int], garbage: list[tuple[int, bytes, bool]], compact: bool
) -> None:
    """Bytes under any key that a writer without the secret can make cost a replay, never a count."""
    log = StateLog()
    owner = Owner(log, source)
    for offset in range(len(source)):
        owner.step()
        if offset in flushes:
            owner.flush()
            while owner.flushing is not None:
                owner.flush()
    for which, value, moved in garbage:
        victim = log.records[which % len(log.records)]
        log.append(victim.key or b"", (log.records[0].value if moved else value) or value)
    if compact:
        log.compact()
    owner = counts_each_once(source, log)
    owner.flush()
    while owner.flushing is not None:
        owner.flush()
    log.compact()
    assert Owner(log, source).next == len(source), "what was refused costs its replay once"
