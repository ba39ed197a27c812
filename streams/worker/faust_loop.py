"""The one Faust loop: it runs any partition processor so that each record is judged exactly once into its state.

A record is judged and held. Within `snapshot_seconds` its outputs are confirmed, the units that changed are saved, a
manifest says up to where that is complete, and only then is it acknowledged. On every assignment everything in memory
is dropped, and reading starts where the manifest says (streams/worker/snapshots.py).
"""

import asyncio
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any

import structlog
from faust.types import TP

from agents.processor import Ticking
from streams.clock import now_ms
from streams.kafka import Clients, end_offset, start_offset, topic_id
from streams.settings import Settings
from streams.worker.dead_letters import DeadLetters
from streams.worker.detour import Detour
from streams.worker.faust_consumer import ManifestConsumer, PlacedApp, make_app, stop_app
from streams.worker.liveness import Pace, made_again
from streams.worker.outbox import Outbox
from streams.worker.partition import END_PROCESS, Partition, Wiring
from streams.worker.snapshots import Scope
from streams.worker.spec import WorkerSpec
from streams.worker.state_topic import StateTopic
from streams.worker.watchdog import Watchdog, end_process

LOG = structlog.get_logger("headgate.faust")

STOP_WITHIN = 8.0
CHECK_SECONDS = 2.0
NUDGE_SECONDS = 5.0
STUCK_SECONDS = 60.0
TICK_SECONDS = 0.05
BEHIND_SECONDS = 0.1
REPORT_SECONDS = 60.0


class Worker:
    """Holds the assigned partitions, and answers Faust's consumer where to read (faust_consumer.Places)."""

    def __init__(self, spec: WorkerSpec, settings: Settings) -> None:
        clients = Clients(settings)
        self.spec = spec
        self.counters: Counter[str] = Counter()
        self.outbox = Outbox(clients.aiokafka())
        state = StateTopic(clients, self.outbox, spec.state_topic, spec.secret)
        self.wiring = Wiring(state, self.outbox, spec.publish, self.counters)
        self.app: PlacedApp = make_app(spec.app_id, clients.faust(spec.instance), self, list(spec.topics), self.handle)
        self.watchdog = Watchdog(self._held_since)
        self._admin = clients.admin()
        self._detour = Detour(clients)
        self._partitions: dict[TP, Partition] = {}
        self._placed_for = -1
        self._pace = Pace(spec.instance)
        self._placing = asyncio.Lock()

    @property
    def consumer(self) -> ManifestConsumer:
        """Faust's consumer."""
        consumer: ManifestConsumer = self.app.consumer
        return consumer

    async def handle(self, event: Any) -> None:
        """Take one message from Faust; what goes wrong here ends the process, because raising would acknowledge it."""
        try:
            await self._handle(event)
        except END_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001
            end_process("a record could not be taken", error)

    async def positions(self, assigned: set[TP], assignment: int) -> dict[TP, int]:
        """Return where to read; a new assignment drops everything first, and reloads it."""
        try:
            async with self._placing:
                if assignment != self._placed_for:
                    self._partitions.clear()
                    self._pace.note()
                    placed = await asyncio.gather(*(self._place(tp) for tp in sorted(assigned)))
                    self._partitions = {partition_of(partition): partition for partition in placed}
                    self._placed_for = assignment
                return {tp: partition.next_offset for tp, partition in self._partitions.items() if tp in assigned}
        except END_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001
            end_process("the state of the assigned partitions could not be loaded", error)

    async def release(self) -> None:
        """Save what is held, and drop everything."""
        async with self._placing:
            await self.save_all()
            self._partitions.clear()

    async def detour(self) -> None:
        """Take the next records of every partition as confluent-kafka reads them."""
        try:
            for partition in list(self._partitions.values()):
                async with partition.lock:
                    read = await asyncio.to_thread(self._detour.read, partition.scope, partition.next_offset)
                    for record, fault in read:
                        await partition.judge(record, fault=fault)
            self.counters["detours"] += 1
        except END_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001
            end_process("records that aiokafka cannot decode could not be read", error)

    async def save_all(self, partitions: Iterable[tuple[TP, Partition]] | None = None) -> None:
        """Save the partitions; a failure ends the process."""
        chosen = list(self._partitions.items()) if partitions is None else list(partitions)
        await asyncio.gather(*(self._save(tp, partition) for tp, partition in chosen))

    async def _handle(self, event: Any) -> None:
        message = event.message
        partition = self._partitions.get(message.tp)
        if partition is None or message.fetch != self.consumer.fetch_number:
            return  # of an earlier assignment, or fetched before a seek: it is read again
        async with partition.lock:
            if self._partitions.get(message.tp) is not partition or message.offset < partition.next_offset:
                return
            if message.offset > partition.next_offset and not self._gap_is_real(partition, message.offset):
                await self.consumer.seek_all({tp: known.next_offset for tp, known in self._partitions.items()})
                return
            await partition.judge(message.received(partition.scope.topic_id), event)
        if partition.full:
            await self._save(message.tp, partition)

    def _gap_is_real(self, partition: Partition, offset: int) -> bool:
        """Whether the same gap was met twice: offsets are missing in Kafka (compaction, transactions, retention)."""
        gap = (partition.next_offset, offset)
        known, partition.suspect = partition.suspect == gap, gap
        return known

    async def _save(self, tp: TP, partition: Partition) -> None:
        try:
            async with partition.lock:
                if await partition.save() and self._partitions.get(tp) is partition:
                    self.consumer.cover(tp, partition.saved)
        except END_PROCESS:
            raise
        except BaseException as error:  # noqa: BLE001
            end_process("a snapshot could not be written", error)

    async def _place(self, tp: TP) -> Partition:
        topic = await asyncio.to_thread(topic_id, self._admin, tp.topic)
        scope = Scope(self.spec.app_id, tp.topic, topic, tp.partition)
        epoch, restored = await self.wiring.state.claim(scope)
        partition = Partition(
            scope,
            epoch,
            self.consumer.topic_partitions(tp.topic) or 1,
            self.spec.factory(tp.topic, tp.partition),
            DeadLetters(self.spec.app_id, self.spec.dead_letter_topic),
            self.wiring,
        )
        partition.restore(restored)
        partition.begin(*await asyncio.to_thread(self._bounds, tp))
        LOG.info("partition taken", topic=tp.topic, partition=tp.partition, epoch=epoch, start=partition.next_offset)
        return partition

    def _bounds(self, tp: TP) -> tuple[int, int]:
        """Return the first offset that Kafka still has, and the one that it gives next."""
        return start_offset(self._admin, tp.topic, tp.partition), end_offset(self._admin, tp.topic, tp.partition)

    def _held_since(self) -> float | None:
        held = [partition.held_since for partition in list(self._partitions.values())]
        return min((since for since in held if since is not None), default=None)

    async def keep_saving(self) -> None:
        """Save every partition that has held something for long enough; a tail is saved by this, too."""
        interval = self.spec.snapshot_seconds
        while True:
            await asyncio.sleep(interval / 4)
            due = time.monotonic() - interval * 0.7
            await self.save_all(
                (tp, partition)
                for tp, partition in list(self._partitions.items())
                if partition.letters or (partition.held_since is not None and partition.held_since <= due)
            )

    async def keep_ticking(self) -> None:
        """Let time pass for processors that ask for it, once everything that Kafka had by then is judged."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            for tp, partition in list(self._partitions.items()):
                now = now_ms(BEHIND_SECONDS)  # behind the clock: a record may be on its way
                if not isinstance(partition.processor, Ticking) or not partition.processor.due(now):
                    continue
                end = (await asyncio.to_thread(self._bounds, tp))[1]
                async with partition.lock:
                    if self._partitions.get(tp) is partition and partition.next_offset >= end:
                        await partition.tick(partition.processor, now)

    async def keep_checking(self) -> None:
        """End with the group's task; look for topics that were made again, and for partitions that do not move."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self.consumer.check_group()
            partitions = dict(self._partitions)
            if await made_again(self._admin, {tp.topic: known.scope.topic_id for tp, known in partitions.items()}):
                self.consumer.assignments += 1
                self.consumer.uncover()
                await self.consumer.perform_seek()
                continue
            for tp, partition in partitions.items():
                await self._check_movement(tp, partition)

    async def _check_movement(self, tp: TP, partition: Partition) -> None:
        """Fetch once more where records wait and nothing comes; end the process when that does not help."""
        if time.monotonic() - partition.moved_at < NUDGE_SECONDS:
            return
        end = (await asyncio.to_thread(self._bounds, tp))[1]
        if end <= partition.next_offset:
            partition.moved_at = time.monotonic()
        elif partition.suspect != (partition.next_offset, -end):
            partition.suspect = (partition.next_offset, -end)
            await self.consumer.perform_seek()
        elif time.monotonic() - partition.moved_at > STUCK_SECONDS and await self.consumer.position(tp) < end:
            end_process(f"nothing comes of partition {tp.partition} of {tp.topic}, which has records")

    async def keep_reporting(self) -> None:
        """Log the counters each minute."""
        while True:
            await asyncio.sleep(REPORT_SECONDS)
            LOG.info("counted", **self.counters)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set, then save, commit and leave."""
        await self.outbox.start()
        self.watchdog.start()
        await self.app.start()
        tasks = [
            asyncio.create_task(part, name=name)
            for name, part in (
                ("stop", stop.wait()),
                ("faust", self.app.wait_until_stopped()),
                ("saving", self.keep_saving()),
                ("ticking", self.keep_ticking()),
                ("checking", self.keep_checking()),
                ("report", self.keep_reporting()),
            )
        ]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        first = done.pop()
        if first.get_name() != "stop":
            error = self.app.crash_reason or (None if first.cancelled() else first.exception())
            end_process(f"the task {first.get_name()} ended", error)
        self.consumer.stop_flow()
        await self.release()
        await self.consumer.commit()
        LOG.info("counted", **self.counters)
        for task in tasks:
            task.cancel()
        await self.outbox.stop()
        await stop_app(self.app, STOP_WITHIN)
        self.watchdog.stop()


def partition_of(partition: Partition) -> TP:
    """Return Faust's name of the partition."""
    return TP(partition.scope.topic, partition.scope.partition)


def run_worker(spec: WorkerSpec, settings: Settings, until: threading.Event | None = None) -> None:
    """Run a worker until SIGTERM, SIGINT or `until`; returns when everything is saved and the group is left.

    Ends the process with status 70, without acknowledging, when it cannot go on: a restart continues.
    """
    asyncio.run(_run(spec, settings, until or threading.Event()))


async def _run(spec: WorkerSpec, settings: Settings, until: threading.Event) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    watching = asyncio.create_task(_stop_at(until, stop))
    await Worker(spec, settings).run(stop)
    watching.cancel()


async def _stop_at(until: threading.Event, stop: asyncio.Event) -> None:
    while not until.is_set():  # noqa: ASYNC110 - it is set by another thread
        await asyncio.sleep(TICK_SECONDS)
    stop.set()
