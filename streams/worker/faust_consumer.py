"""Faust's consumer with the parts replaced that lose records, and the app that uses it.

What is replaced, and why (faust-streaming 0.15.3, read in its source; tests/unit/test_faust_regressions.py holds each):

- It seeks to the committed offset after the assignment handlers. Here reading starts where the manifest says.
- `_new_offset` commits over one message in flight, acknowledges messages of an earlier assignment, and expands each gap
  of offsets into a list. Here what is committed is what manifests cover, and acknowledgements keep no books.
- `_commit_offsets` takes a failed commit for done. Here only a commit that succeeded counts.
- `_read_offset` silently drops what lies below it: after a fetch that was under way during a seek, or when a topic was
  made again. Here nothing is dropped; each message carries the number of the fetch that brought it, and a fetch during
  which a seek took place is thrown away and made again.
- aiokafka decodes header names as UTF-8, which no broker checks: one bad name would end every worker that meets it, for
  ever. Here the records around it are read with confluent-kafka.
- Nothing asks whether the group coordinator's task still lives, so a fenced worker waits for ever. Here it is asked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

import aiokafka
import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from agents.received import Received
from schemas.errors import HeadgateError
from streams.clock import of_broker
from streams.worker.watchdog import end_process

REVIEWED = ("0.15.3", "0.14.")
"""The releases whose source these overrides were written against."""


class UnreviewedFaustError(HeadgateError):
    """Another Faust or aiokafka is installed than the one whose internals are replaced here."""


def require_reviewed(faust_version: str = faust.__version__, aiokafka_version: str = aiokafka.__version__) -> None:
    """Refuse to run on a Faust or aiokafka that nobody has compared with this module."""
    if faust_version != REVIEWED[0] or not aiokafka_version.startswith(REVIEWED[1]):
        raise UnreviewedFaustError(
            f"faust-streaming {faust_version} with aiokafka {aiokafka_version} is installed; install the pinned "
            f"{REVIEWED[0]} and {REVIEWED[1]}*, or compare streams/worker/faust_consumer.py with the new source first."
        )


class Places(Protocol):
    """Knows where to read: implemented by the worker."""

    async def positions(self, assigned: set[TP], assignment: int) -> dict[TP, int]:
        """Return where to read; for a new assignment everything is dropped and reloaded first."""
        ...

    async def release(self) -> None:
        """Save what can be saved and drop everything: the partitions are about to be taken away."""
        ...

    async def detour(self) -> None:
        """Judge the next records of each partition by another way: aiokafka cannot decode one of them."""
        ...


class FetchedMessage(ConsumerMessage):  # type: ignore[misc]  # faust has no types that mypy can follow
    """A message that knows the fetch that brought it, and the broker's time in whole milliseconds."""

    fetch: int
    timestamp_ms: int
    raw_headers: tuple[tuple[str, bytes | None], ...]

    def received(self, topic_id: str) -> Received:
        """Return the record as agents get it."""
        return Received(
            topic=self.topic,
            topic_id=topic_id,
            partition=self.partition,
            offset=self.offset,
            timestamp=self.timestamp_ms,
            key=self.key,
            value=self.value or b"",
            headers=tuple((name, value or b"") for name, value in self.raw_headers),
        )


class _Unfiltered(defaultdict[TP, int | None]):
    """Read offsets that are never remembered, because Faust drops each message below them without a word."""

    def __getitem__(self, tp: TP) -> int | None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        pass


class ManifestConsumer(driver.Consumer):  # type: ignore[misc]
    """Reads from where the manifests say, and commits what the manifests cover."""

    places: Places
    fetch_number: int
    assignments: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.places = self.app.places
        self.fetch_number = 0
        self.assignments = 0
        self._labelled = 0
        self._covered: dict[TP, int] = {}
        self._read_offset = _Unfiltered()

    def check_group(self) -> None:
        """Raise what ended the task that keeps this worker in its group, if anything did."""
        self._thread._ensure_consumer()._coordinator.check_errors()  # noqa: SLF001  # there is no public way

    def cover(self, tp: TP, offset: int) -> None:
        """Let `offset` (the next to be read) be committed: a manifest covers everything below it."""
        self._covered[tp] = offset

    def uncover(self) -> None:
        """Commit nothing more of what was covered before."""
        self._covered.clear()

    async def perform_seek(self) -> None:
        """Read from where the worker says; Faust calls this after each assignment, and when a fetch was in vain."""
        self.fetch_number += 1  # what was fetched until now is of no use, whatever its offset
        starts = await self.places.positions(set(self.assignment()), self.assignments)
        await self.seek_all(starts)

    async def seek_all(self, starts: dict[TP, int]) -> None:
        """Seek, so that no fetch that began before is believed; counted twice because it takes a moment."""
        self.fetch_number += 1
        if starts:
            await self.seek_wait(starts)
        self.fetch_number += 1

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Stop the flow, then save and drop everything."""
        await super().on_partitions_revoked(revoked)
        await self.places.release()
        await self.commit()
        self.uncover()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Count the assignment: whatever was known before is void."""
        self.assignments += 1
        self.uncover()
        self._committed_offset.clear()
        await super().on_partitions_assigned(assigned, generation_id)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # Faust's
        began = self.fetch_number
        try:
            records = await super()._getmany(active_partitions, timeout)
        except UnicodeDecodeError:
            await self.places.detour()
            await self.perform_seek()
            return {}
        self._labelled = began
        if began != self.fetch_number and records:
            await self.perform_seek()
            return {}
        return records

    def _to_message(self, tp: TP, record: Any) -> FetchedMessage:
        message = FetchedMessage(
            record.topic,
            record.partition,
            record.offset,
            (record.timestamp or 0) / 1000.0,
            record.timestamp_type,
            None,  # kept out of Faust's event, which would make a dict of them and lose repeated ones
            record.key,
            record.value,
            record.checksum,
            record.serialized_key_size,
            record.serialized_value_size,
            tp,
            generation_id=self.app.consumer_generation_id,
        )
        message.fetch = self._labelled
        message.timestamp_ms = of_broker(record.timestamp or 0)
        message.raw_headers = record.headers
        return message

    def ack(self, message: Any) -> bool:
        """Let go of the message; what may be committed is told by `cover`."""
        message.acked = True
        self._unacked_messages.discard(message)
        return True

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Keep no books about gaps."""

    def _filter_committable_offsets(self, tps: Any) -> dict[TP, int]:
        del tps
        return {tp: offset for tp, offset in self._covered.items() if offset > (self._committed_offset[tp] or 0)}

    async def _commit_offsets(self, offsets: Any, start_new_transaction: bool = True) -> bool:
        del start_new_transaction
        mine = {tp: offset for tp, offset in offsets.items() if tp in self.assignment()}
        if not mine or not await self._commit(mine):
            return False
        self._committed_offset.update(mine)
        self.app.monitor.on_tp_commit(mine)
        return True


class ManifestTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with our consumer."""

    Consumer: ClassVar[Any] = ManifestConsumer


class PlacedApp(faust.App):  # type: ignore[misc]
    """A Faust app whose consumer asks `places` where to read."""

    places: Places

    def _new_transport(self) -> Any:
        return ManifestTransport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Make no directories: there are no tables."""


def make_app(
    app_id: str, config: dict[str, Any], places: Places, topics: list[str], handle: Callable[[Any], Awaitable[None]]
) -> PlacedApp:
    """Return an app whose only agent gives every message of the topics to `handle`, in order, without acking it."""
    require_reviewed()
    app = PlacedApp(
        app_id,
        **config,
        autodiscover=False,
        datadir=Path("/nonexistent"),
        value_serializer="raw",
        key_serializer="raw",
        broker_commit_interval=1.0,
        broker_commit_livelock_soft_timeout=3600.0,
        stream_processing_timeout=3600.0,
        consumer_metadata_max_age_ms=5000,
        stream_buffer_maxsize=128,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
    )
    app.places = places
    source = app.topic(*topics, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")

    async def judge(stream: Any) -> None:
        async for event in stream.noack().events():
            await handle(event)

    app.agent(source, name="judge")(judge)
    return app


async def stop_app(app: PlacedApp, within: float) -> None:
    """Stop the app and leave the group; where Faust's threads do not end in time, the process does: all is saved."""
    try:
        await asyncio.wait_for(app.stop(), within)
    except TimeoutError:
        end_process(f"Faust did not stop within {within:.0f} s; everything is saved")
