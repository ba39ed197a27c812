"""The approval role: asks people to decide, and ends what was not decided or started in time."""

from collections.abc import Sequence

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles import request
from streams.ledger.keyring import Identity


class Approval:
    """Nothing but the pure decisions of agents.roles.request."""

    name = "approval"

    def __init__(self, identity: Identity) -> None:
        self.identity: Identity | None = identity

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Keep nothing: the state says all."""

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return requests for approval and expiries."""
        return request.proposals(state, now)
