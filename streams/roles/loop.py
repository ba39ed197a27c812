"""The one loop that runs every role driven by the audit topic: look at what happened, propose what should come next.

A role is asked again and again what the ledger's state calls for, so nothing is lost when it is killed: what was not
followed is proposed again, and the same proposal has the same bytes, so it is decided once.
"""

import time
from collections.abc import Sequence
from typing import Protocol

import structlog

from agents.ledger.asked import sign
from agents.ledger.fold import Trust, Verified
from agents.ledger.state import LedgerState
from schemas.codec import frame
from schemas.topics import full_name
from streams.clock import now_ms
from streams.kafka import AwaitedProducer, Clients, Record
from streams.ledger.keyring import Identity
from streams.ledger.reader import LedgerReader
from streams.settings import Settings
from streams.stop import Stop

_LOG = structlog.get_logger("roles")
_POLL_SECONDS = 0.05
_AGAIN_SECONDS = 5.0


class Role(Protocol):
    """One audit-driven role; `identity` signs what it proposes, None where it proposes nothing."""

    name: str
    identity: Identity | None

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Look at entries that have just become final."""
        ...

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the bodies of the commands that the state calls for; called while the ledger is read to its end."""
        ...


class RoleLoop:
    """Runs several roles over one reading of the ledger."""

    def __init__(self, settings: Settings, trust: Trust, roles: Sequence[Role]) -> None:
        self._roles = roles
        self._trust = trust
        clients = Clients(settings)
        self._reader = LedgerReader(clients, settings.ledger, trust)
        self._producer = AwaitedProducer(clients)
        self._commands = full_name(settings.ledger, "commands")
        self._sent: dict[tuple[str, bytes], float] = {}

    def run(self, stop: Stop) -> None:
        """Serve until asked to stop; LedgerError, BrokerError and HeadgateError end it, and a supervisor restarts."""
        state = self._reader.fold.state
        try:
            self._tell(self._reader.catch_up())
            _LOG.info("following the ledger", roles=[role.name for role in self._roles], size=self._reader.fold.size)
            while not stop.requested:
                self._tell(self._reader.poll(_POLL_SECONDS))
                for role in self._roles:
                    self._propose(role, role.proposals(state, now_ms()))
        finally:
            self._reader.close()

    def _tell(self, verified: Sequence[Verified]) -> None:
        for role in self._roles:
            role.take(verified, self._reader.fold.state)

    def _propose(self, role: Role, bodies: Sequence[object]) -> None:
        """Send what was not sent lately; what was sent and not followed is sent again after a while."""
        if role.identity is None or not bodies:
            return
        now = time.monotonic()
        self._sent = {key: at for key, at in self._sent.items() if now - at < _AGAIN_SECONDS}
        records = []
        for body in bodies:
            command = sign(body, self._trust.genesis, role.identity.key)
            key = (role.name, command.signature)
            if key not in self._sent:
                self._sent[key] = now
                records.append(Record(self._commands, command.incident.encode(), frame(command)))
                _LOG.info("proposed", role=role.name, kind=command.kind, incident=command.incident)
        self._producer.send_all(records)
