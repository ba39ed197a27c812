"""Signs that a Faust worker should start anew, or should not go on."""

import asyncio
import time
from collections import deque

import structlog
from confluent_kafka.admin import AdminClient

from schemas.errors import BrokerError
from streams.kafka import topic_id
from streams.worker.watchdog import end_process

LOG = structlog.get_logger("headgate.faust")

MAX_ASSIGNMENTS = 12
WITHIN = 20.0


class Pace:
    """Ends the process when assignments come too fast.

    Two workers of one name take the partitions from each other for ever: aiokafka's heartbeats do not carry the name,
    so that Kafka cannot say that the other one fenced it.
    """

    def __init__(self, instance: str | None) -> None:
        self._instance = instance
        self._times: deque[float] = deque(maxlen=MAX_ASSIGNMENTS)

    def note(self) -> None:
        """Note that there is a new assignment."""
        now = time.monotonic()
        if len(self._times) == MAX_ASSIGNMENTS and now - self._times[0] < WITHIN:
            end_process(f"too many assignments; does another worker bear the name {self._instance}?")
        self._times.append(now)


async def made_again(admin: AdminClient, topics: dict[str, str]) -> bool:
    """Whether a topic (name → id) was deleted and made again: its records are others than those that were judged."""
    for name, known in topics.items():
        try:
            now = await asyncio.to_thread(topic_id, admin, name)
        except BrokerError:
            continue  # gone, or Kafka does not answer; either is seen elsewhere
        if now != known:
            LOG.warning("a topic was made again", topic=name, old=known, new=now)
            return True
    return False
