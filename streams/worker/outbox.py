"""The Faust worker's producer: idempotent, in order, and every record's delivery is awaited by somebody.

Faust's own producer is not used: outside its transactions it is not idempotent (a retry may repeat or reorder), and
it only logs a record that was not delivered.
"""

import asyncio
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.structs import RecordMetadata

from schemas.errors import BrokerError
from streams.kafka import DELIVERY_SECONDS, Record
from streams.worker.snapshots import MAX_STATE_BYTES

LINGER_MS = 5
"""What is said of several batches goes out together: a request costs as much as judging hundreds of rows."""


class Outbox:
    """Sends records; aiokafka retries within DELIVERY_SECONDS, after which the delivery raises."""

    Report = RecordMetadata

    def __init__(self, config: dict[str, Any]) -> None:
        self._config = config
        self._producer: AIOKafkaProducer | None = None

    async def start(self) -> None:
        """Connect; BrokerError when Kafka does not answer."""
        self._producer = AIOKafkaProducer(
            **self._config,
            enable_idempotence=True,
            acks="all",
            compression_type="lz4",
            linger_ms=LINGER_MS,
            max_batch_size=256 * 1024,
            max_request_size=MAX_STATE_BYTES,
            request_timeout_ms=int(DELIVERY_SECONDS * 1000),
        )
        try:
            await self._producer.start()
        except KafkaError as error:
            raise BrokerError(f"Kafka does not answer: {error}.") from error

    async def send(self, record: Record) -> "asyncio.Future[RecordMetadata]":
        """Hand a record over in order; the future that is returned ends when Kafka has it, or raises."""
        assert self._producer is not None
        future: asyncio.Future[RecordMetadata] = await self._producer.send(
            record.topic,
            record.value,
            record.key,
            record.partition,
            headers=list(record.headers),
        )
        return future

    async def stop(self) -> None:
        """Send what is left and disconnect."""
        if self._producer is not None:
            await self._producer.stop()
