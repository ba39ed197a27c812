"""The projector: writes each incident as it stands to the compacted status topic."""

from collections.abc import Sequence

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles.project import status
from schemas.codec import frame
from schemas.topics import full_name
from streams.kafka import AwaitedProducer, Clients, Record
from streams.ledger.keyring import Identity
from streams.settings import Settings


class Projector:
    """Publishes a status a changed case, in the order of the ledger; a restart repeats them, sequence by sequence."""

    name = "projector"

    def __init__(self, settings: Settings) -> None:
        self.identity: Identity | None = None
        self._producer = AwaitedProducer(Clients(settings), linger_ms=2)
        self._topic = full_name(settings.ledger, "status")

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Publish the cases that the entries touched."""
        del state
        records = [
            Record(
                self._topic,
                found.case.incident.encode(),
                frame(status(found.case, found.index, found.entry.at)),
            )
            for found in verified
            if found.case is not None and found.entry is not None
        ]
        self._producer.send_all(records)

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Propose nothing: the projector only shows."""
        del state, now
        return []
