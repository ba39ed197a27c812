"""A worker for the tests of the Faust loop: it counts what it sees of each key, in order, and says so.

Values: ``<id>`` is counted; ``?…`` cannot be decoded; ``!error…`` and ``!panic…`` make the step raise after it has
changed the state.
"""

import hashlib
import json
import logging
import sys
import time
from dataclasses import dataclass
from typing import Any

from agents.received import Received
from schemas.errors import SchemaError
from streams.kafka import Record
from streams.settings import load_settings
from streams.worker.faust_loop import run_worker
from streams.worker.spec import WorkerSpec

SECRET = b"a key that only the tests know.."


class PanicError(BaseException):
    """What a native library raises."""


@dataclass(frozen=True)
class Counted:
    """One input was counted."""

    key: str
    id: str
    count: int


def chained(before: str, value: str) -> str:
    """Fold a value into a digest that depends on every value, how often it came, and the order."""
    return hashlib.sha256(f"{before}|{value}".encode()).hexdigest()


class Counting:
    """Counts the ids of each key."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.units: dict[str, dict[str, Any]] = {}
        self.seen: dict[str, int] = {}
        self.changed: set[str] = set()

    def unit_of(self, record: Received) -> str:
        """Return the key."""
        if record.value.startswith(b"?"):
            raise SchemaError("this cannot be decoded")
        assert record.key is not None
        return record.key.decode()

    def step(self, record: Received) -> list[object]:
        """Count the value; some make it raise after that."""
        unit = self.unit_of(record)
        if record.offset <= self.seen.get(unit, -1):
            return []
        state = self.units.setdefault(unit, {"count": 0, "chain": ""})
        self.seen[unit] = record.offset
        self.changed.add(unit)
        value = record.value.decode()
        state["count"] += 1
        state["chain"] = chained(state["chain"], value)
        if value.startswith("!error"):
            raise ValueError(value)
        if value.startswith("!panic"):
            raise PanicError(value)
        if self.seconds:
            time.sleep(self.seconds)
        return [Counted(unit, value, state["count"])]

    def dirty(self) -> list[tuple[str, int, bytes]]:
        """Return what changed since the last call."""
        changed, self.changed = sorted(self.changed), set()
        return [(unit, self.seen[unit], json.dumps(self.units[unit]).encode()) for unit in changed]

    def restore(self, unit: str, offset: int, body: bytes) -> None:
        """Load what `dirty` returned."""
        self.units[unit], self.seen[unit] = json.loads(body), offset

    def forget(self, unit: str | None = None) -> None:
        """Drop one key, or all."""
        for name in [unit] if unit is not None else list(self.units):
            self.units.pop(name, None)
            self.seen.pop(name, None)
            self.changed.discard(name)


def main(instance: str, milliseconds: str, group: str, times: str = "1") -> None:
    """Run on the topics of this test's ledger until SIGTERM, as often as asked."""
    settings = load_settings()
    name = settings.ledger

    def publish(event: object) -> Record:
        assert isinstance(event, Counted)
        return Record(f"{name}.out.v1", event.key.encode(), json.dumps([event.id, event.count]).encode())

    spec = WorkerSpec(
        app_id=f"{name}-{group}",
        topics=(f"{name}.in.v1",),
        factory=lambda _topic, _partition: Counting(float(milliseconds) / 1000),
        publish=publish,
        state_topic=f"{name}.state.v1",
        dead_letter_topic=f"{name}.deadletter.v1",
        secret=SECRET,
        instance=instance,
        snapshot_seconds=0.5,
    )
    for _ in range(int(times)):
        run_worker(spec, settings)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    main(*sys.argv[1:])
