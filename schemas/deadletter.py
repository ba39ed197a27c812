"""What could not be processed, kept as it came."""

from dataclasses import dataclass

from schemas.avro import Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that was refused, with its bytes, its source and the reason.

    last_offset
        Equals `offset` for one record; greater where a run of like failures is reported once (the bytes are
        then the first one's).
    """

    consumer: str
    topic: str
    topic_id: str
    partition: int
    offset: int
    last_offset: int
    at: Millis
    error: str
    reason: str
    attempt: int
    key: bytes | None
    value: bytes | None
    headers: tuple[str, ...] = ()


RECORDS = (DeadLetter,)
