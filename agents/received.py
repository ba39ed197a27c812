"""One Kafka record as every agent gets it."""

from dataclasses import dataclass

from schemas.values import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record with its place; `timestamp` is the broker's, in milliseconds."""

    topic: str
    topic_id: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def position(self) -> Position:
        """Where the record stands."""
        return Position(topic_id=self.topic_id, partition=self.partition, offset=self.offset)
