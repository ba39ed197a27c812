"""Reading the records that aiokafka cannot decode: a header whose name is not UTF-8 makes it raise for ever."""

import time

from confluent_kafka import Message, TopicPartition

from agents.received import Received
from schemas.errors import BrokerError, SchemaError
from streams.clock import of_broker
from streams.kafka import Clients
from streams.worker.snapshots import Scope

CHUNK = 500
READ_WITHIN = 15.0


class Detour:
    """Reads a few records of a source partition with confluent-kafka, which decodes headers only when asked."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def read(self, scope: Scope, offset: int) -> list[tuple[Received, SchemaError | None]]:
        """Return up to 500 records from the offset on, each with what is wrong with its headers, if anything is."""
        reader = self._clients.reader()
        found: list[tuple[Received, SchemaError | None]] = []
        deadline = time.monotonic() + READ_WITHIN
        try:
            reader.assign([TopicPartition(scope.topic, scope.partition, offset)])
            while len(found) < CHUNK:
                for message in reader.consume(CHUNK - len(found), 0.05):
                    if message.error() is not None:
                        return found  # the end of the partition, or an error that the next fetch meets, too
                    found.append(_received(message, scope))
                if time.monotonic() > deadline:
                    raise BrokerError(f"{scope.topic} could not be read within {READ_WITHIN:.0f} s.")
        finally:
            reader.close()
        return found


def _received(message: Message, scope: Scope) -> tuple[Received, SchemaError | None]:
    fault = None
    headers: tuple[tuple[str, bytes], ...] = ()
    try:
        headers = tuple((name, value or b"") for name, value in message.headers() or ())
    except (SystemError, UnicodeDecodeError):  # how confluent-kafka says it depends on its release
        fault = SchemaError("a header's name is not UTF-8")
    record = Received(
        topic=scope.topic,
        topic_id=scope.topic_id,
        partition=scope.partition,
        offset=message.offset(),
        timestamp=of_broker(message.timestamp()[1]),
        key=message.key(),
        value=message.value() or b"",
        headers=headers,
    )
    return record, fault
