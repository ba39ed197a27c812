"""What Faust 0.15.3 does that loses records, and that our consumer does not: one test for each trap."""

import asyncio
import importlib.util
import re
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from streams.worker.faust_consumer import (
    FetchedMessage,
    ManifestConsumer,
    UnreviewedFaustError,
    make_app,
    require_reviewed,
)

ROOT = Path(__file__).resolve().parents[2]
WHERE = TP("t", 0)


class Reader:
    """A worker that reads from offset 7, and notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def positions(self, assigned: set[TP], assignment: int) -> dict[TP, int]:
        """Return 7 for each."""
        self.asked.append(f"positions {len(assigned)} {assignment}")
        return dict.fromkeys(assigned, 7)

    async def release(self) -> None:
        """Note it."""
        self.asked.append("release")

    async def detour(self) -> None:
        """Note it."""
        self.asked.append("detour")


class Thread:
    """Stands for the thread of Faust's consumer, which needs a broker."""

    def __init__(self) -> None:
        self.sought: list[dict[TP, int]] = []
        self.commits: list[dict[TP, int]] = []
        self.fetches: list[Any] = []
        self.commit_works = True

    def assignment(self) -> set[TP]:
        """Return the one partition."""
        return {WHERE}

    async def seek_wait(self, starts: dict[TP, int]) -> None:
        """Note where."""
        self.sought.append(starts)

    async def commit(self, offsets: dict[TP, int]) -> bool:
        """Note what, and say whether it worked."""
        self.commits.append(dict(offsets))
        return self.commit_works

    async def getmany(self, active: Any, timeout: float) -> Any:  # noqa: ASYNC109  # as aiokafka's
        """Return what is prepared."""
        del active, timeout
        fetched = self.fetches.pop(0)
        return await fetched() if callable(fetched) else fetched


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test that needs an event loop."""
    asyncio.run(test)


async def unheard(_event: object) -> None:
    """Handle nothing."""


def consumer_of(kind: type[Any] = ManifestConsumer) -> tuple[Any, Reader, Thread]:
    """Return a consumer of an app that never starts, with what it talks to."""
    places = Reader()
    app = make_app("app", {"broker": "kafka://127.0.0.1:1", "table_standby_replicas": 0}, places, ["t"], unheard)
    app.topics._acking_topics.add("t")
    consumer = (
        app.consumer
        if kind is ManifestConsumer
        else kind(
            app.transport,
            callback=unheard,
            on_partitions_revoked=app._on_partitions_revoked,
            on_partitions_assigned=app._on_partitions_assigned,
        )
    )
    thread = Thread()
    consumer._thread.thread_loop.close()
    consumer._thread = thread
    return consumer, places, thread


def message(offset: int) -> FetchedMessage:
    """Return a message of that offset."""
    made = FetchedMessage("t", 0, offset, 0.0, 0, None, b"k", b"v", None, 1, 1, WHERE, generation_id=1)
    made.refcount = 1
    return made


def test_another_faust_is_refused_until_somebody_has_read_it() -> None:
    """The overrides reach into Faust, so that a release that nobody compared does not start."""
    require_reviewed()
    with pytest.raises(UnreviewedFaustError, match=r"0\.15\.4"):
        require_reviewed("0.15.4")
    with pytest.raises(UnreviewedFaustError, match=r"0\.15\.0"):
        require_reviewed(aiokafka_version="0.15.0")


def test_faust_commits_over_a_message_in_flight_and_we_commit_what_a_manifest_covers() -> None:
    """The gap guard of `_new_offset` is off by one; our commits do not come from acknowledgements at all."""

    async def case() -> None:
        theirs, _, _ = consumer_of(driver.Consumer)
        theirs._committed_offset[WHERE] = 2585
        theirs._acked[WHERE].extend([2586, 2587, 2588, 2589])
        assert theirs._new_offset(WHERE) == 2590, "Faust has changed: read it again"

        ours, _, thread = consumer_of()
        for offset in (2586, 2587):
            message(offset).ack(ours)
        assert not await ours.commit()
        ours.cover(WHERE, 2585)
        assert await ours.commit()
        assert thread.commits == [{WHERE: 2585}]

    run(case())


def test_faust_takes_a_failed_commit_for_done_and_we_commit_again() -> None:
    """A commit that Kafka refused is tried again by the next one."""

    async def case() -> None:
        theirs, _, _ = consumer_of(driver.Consumer)
        theirs.app.producer.flush = unheard_flush
        theirs._thread.commit_works = False
        await theirs._commit_offsets({WHERE: 5})
        assert theirs._committed_offset[WHERE] == 5, "Faust has changed: read it again"

        ours, _, thread = consumer_of()
        ours.cover(WHERE, 5)
        thread.commit_works = False
        assert not await ours.commit()
        thread.commit_works = True
        assert await ours.commit()
        assert not await ours.commit(), "nothing is left to commit"
        assert thread.commits == [{WHERE: 5}, {WHERE: 5}]

    run(case())


async def unheard_flush() -> None:
    """Flush nothing."""


def test_what_was_covered_before_an_assignment_is_never_committed_after_it() -> None:
    """A partition that comes back may have been taken further, or back, by another worker."""

    async def case() -> None:
        ours, _, thread = consumer_of()
        ours.cover(WHERE, 5)
        ours.uncover()
        assert not await ours.commit()
        assert thread.commits == []

    run(case())


def test_reading_starts_where_the_worker_says() -> None:
    """Faust's seek goes to the committed offset, ours to the manifest's."""

    async def case() -> None:
        ours, places, thread = consumer_of()
        await ours.perform_seek()
        assert thread.sought == [{WHERE: 7}]
        assert places.asked == ["positions 1 0"]

    run(case())


def test_nothing_is_dropped_for_lying_below_a_remembered_offset() -> None:
    """Faust drops such messages without a word; our consumer remembers no read offset."""

    async def case() -> None:
        ours, _, _ = consumer_of()
        ours._read_offset[WHERE] = 100
        assert ours._read_offset[WHERE] is None

    run(case())


def test_gaps_of_offsets_cost_no_memory() -> None:
    """Faust lists every missing offset; a compacted topic may miss billions."""

    async def case() -> None:
        ours, _, _ = consumer_of()
        await ours._add_gap(WHERE, 0, 10**12)
        message(10**12).ack(ours)
        assert not ours._gap[WHERE]
        assert not ours._acked[WHERE]

    run(case())


def test_a_fetch_during_which_a_seek_took_place_is_thrown_away_and_made_again() -> None:
    """What it brought may be of before the seek or of after it; nobody can tell."""

    async def case() -> None:
        ours, _, thread = consumer_of()

        async def slow() -> dict[TP, list[int]]:
            await ours.perform_seek()
            return {WHERE: [1]}

        thread.fetches = [slow, {WHERE: [2]}]
        assert await ours._getmany({WHERE}, 1.0) == {}
        assert thread.sought == [{WHERE: 7}, {WHERE: 7}]
        assert await ours._getmany({WHERE}, 1.0) == {WHERE: [2]}
        assert ours._labelled == ours.fetch_number

    run(case())


def test_a_header_that_aiokafka_cannot_decode_leads_to_a_detour() -> None:
    """The fetch that raised is replaced by another way of reading, and goes on after it."""

    async def case() -> None:
        ours, places, thread = consumer_of()

        async def poisoned() -> None:
            b"\xff".decode()

        thread.fetches = [poisoned]
        assert await ours._getmany({WHERE}, 1.0) == {}
        assert places.asked[0] == "detour"
        assert thread.sought == [{WHERE: 7}]

    run(case())


def test_a_decoder_for_compressed_batches_is_installed() -> None:
    """Without cramjam aiokafka ends the worker at the first lz4, snappy or zstd batch."""
    assert importlib.util.find_spec("cramjam")


FORBIDDEN = {
    r"\.agent\(": {"streams/worker/faust_consumer.py"},
    r"@\w+\.agent\b": set[str](),
    r"\bstream\w*\.take\(": set[str](),
    r"\bnoack_take\b": set[str](),
    r"\bconcurrency\s*=": set[str](),
    r"\bexactly_once\b": set[str](),
    r"\b(import|from)\s+c?[pP]ickle\b": set[str](),
    r"serializer=\"pickle": set[str](),
    r"\.Table\(|\.GlobalTable\(": set[str](),
}


@pytest.mark.parametrize("pattern", FORBIDDEN)
def test_only_the_loop_uses_faust_and_only_in_the_way_that_loses_nothing(pattern: str) -> None:
    """A bare agent, a batch that is acknowledged unprocessed, Faust's transactions and pickle are found nowhere."""
    files = [path for root in ("agents", "streams", "schemas") for path in (ROOT / root).rglob("*.py")]
    assert len(files) > 20
    found = {str(path.relative_to(ROOT)) for path in files if re.search(pattern, path.read_text("utf-8"))}
    assert found == FORBIDDEN[pattern]
