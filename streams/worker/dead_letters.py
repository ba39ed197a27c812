"""Dead letters of one source partition: a run of like failures is one record, so that garbage stays cheap."""

from dataclasses import dataclass

from agents.received import Received
from schemas.codec import frame
from schemas.deadletter import DeadLetter
from streams.clock import now_ms
from streams.kafka import Record

MAX_BYTES = 1_200_000
_MAX_HEADERS = 32
_MAX_TEXT = 1000


@dataclass(slots=True)
class _Run:
    first: Received
    error: str
    reason: str
    last_offset: int


class DeadLetters:
    """Collects what could not be processed until `drain` takes it."""

    def __init__(self, consumer: str, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._runs: list[_Run] = []

    def __len__(self) -> int:
        return len(self._runs)

    def add(self, record: Received, error: BaseException) -> None:
        """Note that the record failed; it joins the run before it where that ended just before with a like failure."""
        name, last = type(error).__name__, self._runs[-1] if self._runs else None
        if (
            last is not None
            and last.error == name
            and last.first.topic == record.topic
            and last.first.partition == record.partition
            and last.last_offset + 1 == record.offset
        ):
            last.last_offset = record.offset
            return
        self._runs.append(_Run(record, name, printable(str(error)), record.offset))

    def drain(self) -> list[Record]:
        """Return the records to send, and begin anew."""
        runs, self._runs = self._runs, []
        return [Record(self._topic, run.first.key, frame(self._letter(run))) for run in runs]

    def _letter(self, run: _Run) -> DeadLetter:
        first, reason, value = run.first, run.reason, run.first.value
        if len(value) > MAX_BYTES:
            reason = f"{reason} (the first {MAX_BYTES} of {len(value)} bytes)"
            value = value[:MAX_BYTES]
        return DeadLetter(
            consumer=self._consumer,
            topic=first.topic,
            topic_id=first.topic_id,
            partition=first.partition,
            offset=first.offset,
            last_offset=run.last_offset,
            at=now_ms(),
            error=run.error,
            reason=reason,
            attempt=1,
            key=first.key,
            value=value,
            headers=tuple(_header(*header) for header in first.headers[:_MAX_HEADERS]),
        )


def printable(text: str) -> str:
    """Return at most 1,000 characters that any encoding can hold and no terminal obeys."""
    clean = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:_MAX_TEXT])
    return clean[:_MAX_TEXT].encode("utf-8", "backslashreplace").decode()


def _header(key: str, value: bytes | None) -> str:
    return printable(f"{key}={(value or b'')[:_MAX_TEXT].decode('utf-8', 'backslashreplace')}")
