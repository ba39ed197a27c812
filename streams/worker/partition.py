"""One source partition in the hands of one worker: judge, hold, save, and only then acknowledge."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from aiokafka.partitioner import murmur2

from agents.processor import Processor, Ticking
from agents.received import Received
from schemas.errors import HeadgateError, SchemaError
from schemas.state import Snapshot
from streams.kafka import Record
from streams.worker.dead_letters import DeadLetters
from streams.worker.outbox import Outbox
from streams.worker.snapshots import MAX_STATE_BYTES, Restored, Scope
from streams.worker.state_topic import StateTopic

LOG = structlog.get_logger("headgate.faust")

MAX_HELD = 1000
MAX_HELD_BYTES = 16 * 1_048_576
MAX_REPLAY = 32
"""After a step has raised, a unit with more held records than this is saved at once, so that the next is cheap."""

END_PROCESS = (KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError)
"""What ends the process or the task; every other BaseException is the fault of a record."""


class WrongPartitionError(HeadgateError):
    """The record's key belongs in another partition, where its model's statistics are."""


class Held(NamedTuple):
    """A record that was judged since the last manifest."""

    record: Received
    unit: str


@dataclass(slots=True)
class Wiring:
    """What all partitions of a worker share."""

    state: StateTopic
    outbox: Outbox
    publish: Callable[[object], Record]
    counters: dict[str, int]


@dataclass(slots=True)
class Partition:
    """The state of one assigned partition; `lock` is held by whoever changes it.

    next_offset
        The first source offset that has not been judged; `saved` is the same as of the last manifest.
    """

    scope: Scope
    epoch: int
    partitions: int
    processor: Processor
    letters: DeadLetters
    wiring: Wiring
    next_offset: int = 0
    saved: int = 0
    suspect: tuple[int, int] = (-1, -1)
    moved_at: float = field(default_factory=time.monotonic)
    held: list[Held] = field(default_factory=list)
    held_bytes: int = 0
    held_since: float | None = None
    events: list[Any] = field(default_factory=list)
    pending: list["asyncio.Future[Outbox.Report]"] = field(default_factory=list)
    stands_at: dict[str, int] = field(default_factory=dict)
    rewrite: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    stale: tuple[bytes, ...] = ()
    hurry: bool = False
    reloaded: tuple[str, int, Snapshot] | None = None
    ticked: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def restore(self, restored: Restored) -> None:
        """Load the snapshots; one that the processor cannot load is reported, and its unit built from the start."""
        self.next_offset = restored.start
        self.stale = restored.stale
        for at, error in restored.refused:
            self.letters.add(self._state_record(at.offset, at.key, at.value), error)
            self.wiring.counters["refused_state"] += 1
        for unit, saved in restored.units.items():
            body, offset = saved.snapshot.body, saved.snapshot.offset
            try:
                self.processor.restore(unit, offset, body)
            except END_PROCESS:
                raise
            except BaseException as error:  # noqa: BLE001  # a native library's panic is not an Exception
                LOG.warning("a snapshot could not be loaded", unit=unit[:80], error=repr(error)[:300])
                self.letters.add(self._state_record(saved.at, self.scope.unit_key(unit), body), error)
                self.processor.forget(unit)
                self.next_offset = 0
                continue
            self.stands_at[unit] = saved.at
            if unit in restored.rewrite:
                self.rewrite[unit] = (offset, body)
        self.saved = self.next_offset

    def begin(self, first_kept: int, end: int) -> None:
        """Settle where reading starts, given the first offset that Kafka still has and the one it gives next."""
        if self.next_offset < first_kept and self.next_offset > 0:
            LOG.error("records were deleted before they were judged", first=self.next_offset, kept=first_kept)
        if self.next_offset > end:
            LOG.error("the partition is shorter than its state says", state=self.next_offset, end=end)
        self.saved = self.next_offset = min(max(self.next_offset, first_kept), max(end, first_kept))

    async def judge(self, record: Received, event: Any = None, fault: SchemaError | None = None) -> None:
        """Judge one record; its outputs are on their way when this returns, and its event is held.

        `fault` is what its reader already found wrong with it.
        """
        self.next_offset = record.offset + 1
        self.events.append(event)
        self.moved_at = time.monotonic()
        self.held_since = self.held_since or self.moved_at
        self.wiring.counters["records"] += 1
        try:
            self._check(record, fault)
            unit = self.processor.unit_of(record)
            events = self.processor.step(record)
        except END_PROCESS:
            raise
        except (SchemaError, WrongPartitionError) as error:
            self._refuse(record, error)
            return
        except BaseException as error:  # noqa: BLE001  # a native library's panic is not an Exception
            await self._recover(record, error)
            return
        try:
            outputs = [self._checked(self.wiring.publish(item)) for item in events]
        except END_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001
            await self._recover(record, error)
            return
        self.held.append(Held(record, unit))
        self.held_bytes += len(record.value)
        await self._send(outputs)

    async def tick(self, processor: Ticking, now: int) -> None:
        """Let time pass for a processor that asks for it; what it brings about is saved with the next snapshot."""
        if events := processor.tick(now):
            await self._send([self._checked(self.wiring.publish(item)) for item in events])
            self.ticked = True
            self.moved_at = time.monotonic()
        self.held_since = self.held_since or self.moved_at

    async def _send(self, outputs: list[Record]) -> None:
        for output in outputs:
            self.pending.append(await self.wiring.outbox.send(output))
            self.wiring.counters["outputs"] += 1

    @property
    def full(self) -> bool:
        """Whether it holds as much as it may."""
        return self.hurry or len(self.events) >= MAX_HELD or self.held_bytes >= MAX_HELD_BYTES

    async def save(self) -> bool:
        """Make what was judged durable: outputs and dead letters, then dirty units, then the manifest; then ack."""
        if self.next_offset == self.saved and not self.letters and not self.events and not self.ticked:
            return False
        letters = self.letters.drain()
        self.pending += [await self.wiring.outbox.send(letter) for letter in letters]
        await asyncio.gather(*self.pending)
        dirty = self.processor.dirty()
        kept = {unit for unit, _, _ in dirty}
        dirty += [(unit, *saved) for unit, saved in self.rewrite.items() if unit not in kept]
        self.stands_at |= await self.wiring.state.save(self.scope, self.epoch, dirty)
        await self.wiring.state.complete(self.scope, self.epoch, self.next_offset - 1)
        await self._forget_stale()
        self.saved = self.next_offset
        for event in self.events:
            if event is not None:
                event.ack()
        self._count(letters=len(letters), snapshots=len(dirty), manifests=1)
        self.held, self.events, self.pending, self.rewrite = [], [], [], {}
        self.held_bytes, self.held_since, self.hurry, self.ticked = 0, None, False, False
        return True

    async def _forget_stale(self) -> None:
        if self.stale:
            units = {self.scope.unit_key(unit) for unit in self.stands_at}
            await self.wiring.state.delete(self.scope, [key for key in self.stale if key not in units])
            self.stale = ()

    async def _recover(self, record: Received, error: BaseException) -> None:
        """Put the record's unit back to what it was before the record, and dead-letter the record."""
        try:
            unit = self.processor.unit_of(record)
        except END_PROCESS:
            raise
        except BaseException as unknown:  # noqa: BLE001  # nothing was changed: no unit was found
            self._refuse(record, unknown)
            return
        LOG.warning("a step raised", offset=record.offset, unit=unit[:80], error=repr(error)[:300])
        replay = [held.record for held in self.held if held.unit == unit]
        self.hurry = self.hurry or len(replay) > MAX_REPLAY
        while (culprit := await self._replay(unit, replay)) is not None:
            replay.remove(culprit)
            self.held = [held for held in self.held if held.record is not culprit]
        self._refuse(record, error)

    async def _replay(self, unit: str, replay: list[Received]) -> Received | None:
        """Reload the unit and step its held records again; return the one that raises now, or None."""
        self.processor.forget(unit)
        if unit in self.stands_at:
            snapshot = await self._snapshot(unit, self.stands_at[unit])
            self.processor.restore(unit, snapshot.offset, snapshot.body)
        self._count(replays=len(replay))
        for held in replay:
            try:
                self.processor.step(held)  # its outputs went out when it was judged first
            except END_PROCESS:
                raise
            except BaseException as error:  # noqa: BLE001
                self._refuse(held, error)
                return held
        return None

    async def _snapshot(self, unit: str, at: int) -> Snapshot:
        """Return the unit's last snapshot; the one read last is kept, because whoever sends poison sends more."""
        if self.reloaded is None or self.reloaded[:2] != (unit, at):
            self.reloaded = (unit, at, await self.wiring.state.snapshot_at(self.scope, unit, at))
        return self.reloaded[2]

    def _refuse(self, record: Received, error: BaseException) -> None:
        self.letters.add(record, error)
        self._count(refused=1)

    def _check(self, record: Received, fault: SchemaError | None) -> None:
        if fault is not None:
            raise fault
        if not record.value:
            raise SchemaError("the record has no value")
        if self.partitions == 1:
            return
        if record.key is None:
            raise WrongPartitionError("the record has no key; without one it cannot be placed with its like")
        right = (murmur2(record.key) & 0x7FFFFFFF) % self.partitions
        if right != record.partition:
            raise WrongPartitionError(
                f"wrong partition: the key belongs in {right} of {self.partitions}; "
                "its producer must place keys by murmur2"
            )

    def _checked(self, output: Record) -> Record:
        if len(output.value or b"") > MAX_STATE_BYTES // 8:
            raise SchemaError(f"an event for {output.topic} has {len(output.value or b'')} bytes")
        return output

    def _state_record(self, offset: int, key: bytes | None, value: bytes | None) -> Received:
        return Received(
            topic=self.wiring.state.topic,
            topic_id="",
            partition=self.scope.partition,
            offset=offset,
            timestamp=0,
            key=key,
            value=value or b"",
        )

    def _count(self, **more: int) -> None:
        for name, number in more.items():
            self.wiring.counters[name] += number
