"""What a Faust worker is told: where its records come from, what judges them, and where what it says goes."""

from collections.abc import Callable
from dataclasses import dataclass

from agents.processor import Processor
from schemas.errors import PolicyError
from streams.kafka import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """What one worker runs.

    app_id
        The consumer group, `<ledger>-detect` for one; it owns its part of the state topic.
    factory
        Makes the processor of (topic, partition).
    publish
        Turns an event into the record that carries it.
    secret
        Authenticates snapshots; every worker of the app has the same.
    instance
        A name that no other running worker has: a restart within the session keeps its partitions.
    """

    app_id: str
    topics: tuple[str, ...]
    factory: Callable[[str, int], Processor]
    publish: Callable[[object], Record]
    state_topic: str
    dead_letter_topic: str
    secret: bytes
    instance: str | None = None
    snapshot_seconds: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.snapshot_seconds <= 1:
            raise PolicyError(f"snapshot_seconds is {self.snapshot_seconds}; it must be above 0 and at most 1.")
        if len(self.secret) < 16:
            raise PolicyError("the key of the state's MAC must have 16 bytes or more.")
