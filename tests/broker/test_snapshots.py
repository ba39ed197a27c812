"""The state topic on a real broker: what one owner wrote is what the next one begins with."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from schemas.errors import SchemaError
from streams.kafka import Clients
from streams.worker.outbox import Outbox
from streams.worker.snapshots import Restored, Scope
from streams.worker.state_topic import StateTopic

pytestmark = pytest.mark.broker

SECRET = b"a key that only the tests know.."
SCOPE = Scope("app", "in", "id-1", 1)


@pytest.fixture
def state_name(make_topic: Callable[..., str]) -> str:
    """A compacted topic of two partitions."""
    return make_topic("state", 2, **{"cleanup.policy": "compact", "max.message.bytes": "16777216"})


def play(clients: Clients, name: str, story: Callable[[StateTopic], Coroutine[Any, Any, None]]) -> None:
    """Run a story with a state topic that is connected."""

    async def run() -> None:
        outbox = Outbox(clients.aiokafka())
        await outbox.start()
        try:
            await story(StateTopic(clients, outbox, name, SECRET))
        finally:
            await outbox.stop()

    asyncio.run(run())


def loaded(restored: Restored) -> dict[str, tuple[int, bytes]]:
    """Return (source offset, state) of each unit."""
    return {unit: (saved.snapshot.offset, saved.snapshot.body) for unit, saved in restored.units.items()}


def test_the_next_owner_begins_with_what_was_saved(clients: Clients, state_name: str) -> None:
    """Epochs grow, snapshots come back bit for bit, reading starts after the manifest, earlier manifests go."""

    async def story(state: StateTopic) -> None:
        first, nothing = await state.claim(SCOPE)
        assert (nothing.start, nothing.units) == (0, {})
        large = bytes(range(256)) * 16_384
        stands = await state.save(SCOPE, first, [("a", 7, large), ("b|/ü", 9, b"\0")])
        await state.complete(SCOPE, first, 9)
        assert (await state.snapshot_at(SCOPE, "a", stands["a"])).body == large
        with pytest.raises(SchemaError, match="no longer"):
            await state.snapshot_at(SCOPE, "b|/ü", stands["a"])
        second, restored = await state.claim(SCOPE)
        assert second > first
        assert restored.start == 10
        assert loaded(restored) == {"a": (7, large), "b|/ü": (9, b"\0")}
        await state.complete(SCOPE, second, 12)
        await state.delete(SCOPE, restored.stale)
        _, third = await state.claim(SCOPE)
        assert third.start == 13
        assert third.stale == (SCOPE.manifest_key(second),)

    play(clients, state_name, story)


def test_a_late_snapshot_of_an_earlier_owner_moves_the_start_back(clients: Clients, state_name: str) -> None:
    """The zombie's snapshot is loaded, and what it lacks is read again."""

    async def story(state: StateTopic) -> None:
        zombie, _ = await state.claim(SCOPE)
        owner, _ = await state.claim(SCOPE)
        await state.save(SCOPE, owner, [("a", 20, b"twenty"), ("b", 30, b"thirty")])
        await state.complete(SCOPE, owner, 30)
        await state.save(SCOPE, zombie, [("a", 5, b"five")])
        await state.complete(SCOPE, zombie, 29)
        _, restored = await state.claim(SCOPE)
        assert restored.start == 6
        assert loaded(restored) == {"a": (5, b"five"), "b": (30, b"thirty")}

    play(clients, state_name, story)


def test_each_app_topic_and_partition_has_its_own_state(clients: Clients, state_name: str) -> None:
    """Neighbours in one partition of the state topic are left alone; an earlier topic of the same name is deleted."""
    others = [Scope("other", "in", "id-1", 1), Scope("app", "else", "id-9", 1), Scope("app", "in", "id-0", 1)]

    async def story(state: StateTopic) -> None:
        for scope in (SCOPE, *others):
            epoch, _ = await state.claim(scope)
            await state.save(scope, epoch, [("a", 3, scope.app.encode())])
            await state.complete(scope, epoch, 3)
        epoch, restored = await state.claim(SCOPE)
        assert loaded(restored) == {"a": (3, b"app")}
        assert not restored.refused
        assert others[2].unit_key("a") in restored.stale
        assert not {others[0].unit_key("a"), others[1].unit_key("a")} & set(restored.stale)
        await state.complete(SCOPE, epoch, 4)
        await state.delete(SCOPE, restored.stale)
        for scope, left in zip(others, (1, 1, 0), strict=True):
            assert len((await state.claim(scope))[1].units) == left

    play(clients, state_name, story)
