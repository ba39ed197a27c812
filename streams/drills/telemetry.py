"""What a drill's model servers say of themselves on Kafka: rows by the SDK, guardrails' scores, and health."""

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from confluent_kafka import Producer
from headgate import Recorder

from schemas.codec import frame
from schemas.telemetry import HealthSample, ScoreBatch
from schemas.topics import full_name
from streams.clock import now_ms
from streams.drills.hosting import Hosted
from streams.kafka import Clients
from streams.settings import Settings

DELAY_SECONDS = 0.25
_MOST_WAITING = 100
_SECURITY = ("security.", "sasl.", "ssl.")


@dataclass(frozen=True, slots=True)
class Row:
    """One prediction as it is recorded."""

    id: str
    features: dict[str, Any]
    outcome: str
    confidence: float
    latency_ms: float
    groups: Mapping[str, str]
    caller: str


class Telemetry(Protocol):
    """Where an instance says what it did."""

    def rows(self, rows: Sequence[Row]) -> None:
        """Record predictions."""
        ...

    def label(self, prediction_id: str, label: str) -> None:
        """Record what turned out to be true of one."""
        ...

    def scores(self, judge: str, ids: Sequence[str], scores: Sequence[float]) -> None:
        """Send what a guardrail says of outputs."""
        ...

    def health(self, requests: int, failures: int) -> None:
        """Say how many requests came since the last time, and how many of them failed."""
        ...

    def settle(self) -> None:
        """Send what was said of health, once Kafka has the rows of those requests."""
        ...


class Silent:
    """Says nothing to anybody: where there is no Kafka."""

    def rows(self, rows: Sequence[Row]) -> None:
        """Keep nothing."""

    def label(self, prediction_id: str, label: str) -> None:
        """Keep nothing."""

    def scores(self, judge: str, ids: Sequence[str], scores: Sequence[float]) -> None:
        """Send nothing."""

    def health(self, requests: int, failures: int) -> None:
        """Send nothing."""

    def settle(self) -> None:
        """Send nothing."""


class Spoken:
    """The telemetry of one instance.

    Parameters
    ----------
    producer
        Shared by every instance, for what the SDK does not send.
    """

    def __init__(self, settings: Settings, hosted: Hosted, version: str, instance: str, producer: Producer) -> None:
        self._of = (hosted.model, version, instance)
        self._topic = full_name(settings.ledger, "telemetry")
        self._producer = producer
        self._waiting: deque[tuple[int, HealthSample]] = deque(maxlen=_MOST_WAITING)
        security = {name: value for name, value in Clients(settings).common().items() if name.startswith(_SECURITY)}
        self._recorder = Recorder(
            hosted.model,
            version,
            instance=instance,
            bootstrap_servers=settings.brokers,
            ledger=settings.ledger,
            kafka=security,
            max_delay=DELAY_SECONDS,
        )

    def rows(self, rows: Sequence[Row]) -> None:
        """Record predictions, as of now by the drill's clock."""
        at = now_ms() / 1000
        for row in rows:
            self._recorder.record(
                row.features,
                prediction=row.outcome,
                confidence=row.confidence,
                latency_ms=row.latency_ms,
                prediction_id=row.id,
                group=row.groups or None,
                caller=row.caller or None,
                at=at,
            )

    def label(self, prediction_id: str, label: str) -> None:
        """Record what turned out to be true of one."""
        self._recorder.label(prediction_id, label, at=now_ms() / 1000)

    def scores(self, judge: str, ids: Sequence[str], scores: Sequence[float]) -> None:
        """Send what a guardrail says of outputs."""
        model, version, instance = self._of
        batch = ScoreBatch(
            model=model,
            version=version,
            instance=instance,
            judge=judge,
            prediction_ids=tuple(ids),
            at=(now_ms(),) * len(ids),
            scores=tuple(scores),
        )
        self._send(batch)

    def health(self, requests: int, failures: int) -> None:
        """Say how many requests came since the last time, and how many of them failed."""
        model, version, instance = self._of
        if requests:
            sample = HealthSample(
                model=model, version=version, instance=instance, at=now_ms(), requests=requests, failures=failures
            )
            self._waiting.append((self._recorder.counters.recorded, sample))

    def settle(self) -> None:
        """Send what was said of health, once Kafka has the rows of those requests: before, they would be missed."""
        if not self._waiting:
            return
        now = self._recorder.counters
        gone = now.sent + sum(now.dropped.values())
        while self._waiting and self._waiting[0][0] <= gone:
            self._send(self._waiting.popleft()[1])

    def close(self) -> None:
        """Send what waits."""
        self._recorder.close()

    def _send(self, record: HealthSample | ScoreBatch) -> None:
        with suppress(BufferError):  # Kafka has been away for long: a model goes on without its telemetry
            self._producer.produce(self._topic, frame(record), self._of[0].encode())
        self._producer.poll(0)
