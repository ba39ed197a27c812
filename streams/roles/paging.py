"""The paging role: begins and ends paging, sends what is due, and reports it for the ledger to decide on.

Pages go out before they are reported. What was sent waits for the ledger to follow, so that the same page is not sent
again with every look at the clock; where the ledger does not follow in time it is sent anew, under the same ids.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions.page import document, facts
from agents.ledger.fold import Verified
from agents.ledger.regions.paging import Escalating
from agents.ledger.state import LedgerState
from agents.oncall.escalation import deadline
from agents.oncall.paging import Paging
from agents.roles import page
from agents.triage.reports import reporter_named
from schemas.case.paging import Command
from schemas.oncall import OnCall
from streams.ledger.keyring import Identity
from streams.oncall.pager import About, Pager
from streams.oncall.receivers import load
from streams.settings import Settings

_WAITS = (0.5, 2.0)
_FOLLOWED_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class _Turn:
    """What was sent from a state of paging, when (monotonic seconds), and what is reported of it."""

    command: Command
    paging: Paging
    at: float


class PagingRole:
    """Pages the people whom the on-call document in force names."""

    name = "paging"

    def __init__(self, settings: Settings, identity: Identity) -> None:
        self.identity: Identity | None = identity
        self._pager = Pager(load(settings.receivers), _WAITS, time.sleep)
        self._turns: dict[tuple[str, str], _Turn] = {}

    def take(self, verified: Sequence[Verified], state: LedgerState) -> None:
        """Keep nothing: the state says all."""

    def proposals(self, state: LedgerState, now: int) -> list[object]:
        """Send what is due, and return what should begin, what was sent and what should end."""
        found: list[object] = []
        for case in state.cases.values():
            if case.phase.final and not case.clocks.running and not _open(case) and not _pages(case):
                continue
            found += page.proposals(state.control, case, state.cases, now)
            for subject, active in _pages(case):
                found += self._act(state.control, case, subject, active, now)
        return found

    def _act(self, control: Control, case: Case, subject: str, active: Escalating, now: int) -> list[Command]:
        key, paging = (case.incident, subject), active.paging
        waiting = self._turns.get(key)
        if waiting is not None and time.monotonic() - waiting.at < _FOLLOWED_WITHIN and waiting.paging == paging:
            return [waiting.command]
        self._turns.pop(key, None)
        known, due = document(control), deadline(paging)
        if known is None or due is None or now < due:
            return []
        about = About(title=_title(case, known), severity=case.severity.value, drill=case.drill)
        command = self._pager.act(paging, active.policy, known, facts(control, case, subject), about, now)
        if command is None:
            return []
        self._turns[key] = _Turn(command, paging, time.monotonic())
        return [command]


def _title(case: Case, known: OnCall) -> str:
    """Return what a page says: whoever reported it by the name that the on-call document has for them."""
    return reporter_named(case.title, {person.principal: person.name for person in known.people.values()})


def _open(case: Case) -> bool:
    """Whether reviews of the case wait that people may have to be paged about."""
    return bool(case.reviews.overdue or case.glass.unreviewed)


def _pages(case: Case) -> list[tuple[str, Escalating]]:
    return [(subject, active) for subject in case.pages.subjects if (active := case.pages.active(subject)) is not None]
