"""The recovery role: listens to the monitors of the survivors, and reports when they have been clear long enough."""

from collections.abc import Sequence

import structlog
from confluent_kafka import Consumer, TopicPartition

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles.recover import Recovery
from schemas.codec import open_frame
from schemas.errors import SchemaError
from schemas.signals import MonitorObserved
from schemas.topics import BY_NAME, full_name
from streams.kafka import Clients
from streams.ledger.keyring import Identity
from streams.settings import Settings

_LOG = structlog.get_logger("recovery")
_LOOK_BACK = 20_000  # signals; what a restarted role reads again to find the words since containment


class RecoveryWatch:
    """Reads the signals beside the ledger; what it has heard is rebuilt from the topic's tail after a restart."""

    name = "recovery"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._recovery = Recovery()
        self._consumer: Consumer = Clients(settings).reader(end_of_partition=False)
        partition = TopicPartition(full_name(settings.ledger, "signals"), 0)
        low, high = self._consumer.get_watermark_offsets(partition, timeout=15)
        partition.offset = max(low, high - _LOOK_BACK)
        self._consumer.assign([partition])

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Keep nothing of the ledger: its state says all."""

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Take what the monitors said, and return the reports that follow."""
        for message in self._consumer.consume(1000, 0):
            if message.error() is not None:
                continue
            try:
                said = open_frame(message.value(), BY_NAME["signals"].records)
            except SchemaError as error:
                _LOG.warning("signal ignored", offset=message.offset(), reason=str(error))
                continue
            if isinstance(said, MonitorObserved):
                self._recovery.observe(state, said)
        return self._recovery.proposals(state, now)
