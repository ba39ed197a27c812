"""Framed batches to Kafka: idempotent, bounded, every failure counted and none raised."""

import ctypes
import logging
import time
from collections.abc import Callable
from typing import Any

import confluent_kafka

from headgate.settings import Settings

log = logging.getLogger("headgate")

_REOPEN_AFTER = 5.0


class Sender:
    """A producer that is opened when first needed and again after a fatal error; used by one thread only.

    Parameters
    ----------
    settings
        Where to send, and the caller's own client settings.
    max_bytes
        What the client may hold that is not delivered yet.
    """

    def __init__(self, settings: Settings, max_bytes: int) -> None:
        self._topic = settings.topic
        self._key = settings.model.encode()
        self._config = _config(settings, max_bytes)
        self._producer: Any = None
        self._retry_at = 0.0

    def send(self, framed: bytes, done: Callable[[bool], None], patience: Callable[[], bool]) -> None:
        """Hand one batch to Kafka; `done` is told once whether it was acknowledged, here or in a later poll.

        Parameters
        ----------
        framed
            The value.
        done
            Told the outcome.
        patience
            Whether to go on waiting while the client's own queue is full.
        """
        try:
            self._open()
            while self._full(framed, done):
                if not patience():
                    done(False)
                    return
                self._producer.poll(0.05)
        except (confluent_kafka.KafkaException, RuntimeError) as error:
            log.warning("a batch for %s could not be sent: %s", self._topic, error)
            done(False)
            self._reopen_later()

    def poll(self, timeout: float = 0.0) -> None:
        """Let outcomes be told."""
        if self._producer is not None:
            self._producer.poll(timeout)

    def close(self) -> None:
        """Give up whatever is not delivered, telling its outcome, and let the producer go."""
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(1.0)
            self._producer = None

    def abandon(self) -> None:
        """Leave the producer to the process that opened it.

        Its threads did not follow the fork and its sockets are the parent's, so here it is never destroyed.
        """
        if self._producer is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._producer))

    def _open(self) -> None:
        if self._producer is None:
            if time.monotonic() < self._retry_at:
                raise RuntimeError("the Kafka client is waiting before it opens again")
            self._producer = confluent_kafka.Producer(self._config, logger=log)

    def _full(self, framed: bytes, done: Callable[[bool], None]) -> bool:
        try:
            self._producer.produce(
                self._topic, framed, key=self._key, on_delivery=lambda error, _message: done(error is None)
            )
        except BufferError:
            return True
        return False

    def _reopen_later(self) -> None:
        self.close()
        self._retry_at = time.monotonic() + _REOPEN_AFTER


def _config(settings: Settings, max_bytes: int) -> dict[str, object]:
    return {
        "client.id": "headgate-sdk",
        "linger.ms": 5,
        "compression.type": "lz4",
        "message.timeout.ms": 120_000,
        **dict(settings.kafka),
        "bootstrap.servers": settings.bootstrap_servers,
        "enable.idempotence": True,
        "acks": "all",
        "partitioner": "murmur2_random",  # as the Java client and aiokafka place keys
        "queue.buffering.max.kbytes": max_bytes // 1024,
    }
