"""The documents topic: bytes under their SHA-256, which entries of the ledger cite."""

import hashlib
import time
from collections.abc import Collection

import structlog
from confluent_kafka import KafkaError, TopicPartition

from schemas.errors import BrokerError
from schemas.topics import full_name
from streams.kafka import AwaitedProducer, Clients

_LOG = structlog.get_logger("documents")
_WITHIN = 60.0


def file(clients: Clients, ledger: str, document: bytes) -> str:
    """Put a document where everybody finds it by its digest, and return the digest (SHA-256, hexadecimal)."""
    digest = hashlib.sha256(document).hexdigest()
    AwaitedProducer(clients).send(full_name(ledger, "documents"), digest.encode(), document)
    return digest


def fetch(clients: Clients, ledger: str, digests: Collection[str], within: float = _WITHIN) -> dict[str, bytes]:
    """Return the documents of these digests that are there; what does not have its digest is passed over.

    Raises
    ------
    BrokerError
        The topic cannot be read to its end in time.
    """
    wanted = {digest.encode(): digest for digest in digests}
    found: dict[str, bytes] = {}
    if not wanted:
        return found
    consumer = clients.reader()
    try:
        consumer.assign([TopicPartition(full_name(ledger, "documents"), 0, 0)])
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            for message in consumer.consume(100, 0.2):
                error = message.error()
                if error is not None and error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001 - so it is named
                    return found
                if error is not None and not error.retriable():
                    raise BrokerError(f"the documents cannot be read: {error.str()}")
                key, value = message.key() or b"", message.value()
                if error is None and key in wanted and value is not None:
                    if hashlib.sha256(value).hexdigest() == wanted[key]:
                        found[wanted[key]] = value
                    else:
                        _LOG.warning("a document is not what its digest says", digest=wanted[key])
    finally:
        consumer.close()
    raise BrokerError(f"the documents could not be read to their end within {within:.0f} s")
