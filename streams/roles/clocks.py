"""The clocks role: has the ledger record each time when 50, 80 or 100 per cent of a statutory clock are used."""

from collections.abc import Sequence

from agents.ledger.fold import Verified
from agents.ledger.state import LedgerState
from agents.roles import tell_time
from streams.ledger.keyring import Identity


class Clocks:
    """Looks at the cases that were spoken of, and at the others when their next share is due."""

    name = "clocks"

    def __init__(self, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._at: dict[str, int] = {}

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Look again at every case of which something was said; `state` says what of it."""
        for found in verified:
            if found.asked is not None and found.asked.incident in state.cases:
                self._at[found.asked.incident] = 0

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Return the shares that are used and were not told."""
        found: list[object] = []
        for incident in sorted(incident for incident, at in self._at.items() if at <= now):
            wanted, coming = tell_time.proposals(state.cases[incident], now)
            found += wanted
            if wanted:
                continue  # until the ledger has it
            if coming is None:
                del self._at[incident]
            else:
                self._at[incident] = coming
        return found
