"""Follows the ledger beside a Faust worker: the policy and systems in force, and the incidents that are over."""

import threading
from collections import deque
from collections.abc import Callable

import structlog

from agents.ledger.control import Control
from agents.ledger.fold import Trust, Verified
from schemas.errors import BrokerError, HeadgateError
from streams.kafka import Clients
from streams.ledger.reader import LedgerReader
from streams.settings import Settings
from streams.worker.watchdog import end_process

_LOG = structlog.get_logger("ledger")


class LedgerThread:
    """Every role follows the ledger, never a file: what it adopted last is what holds here.

    Parameters
    ----------
    changed
        Called, in the thread, when another policy, systems document or profile came into force.
    """

    def __init__(self, settings: Settings, trust: Trust, changed: Callable[[], None] = lambda: None) -> None:
        self._reader = LedgerReader(Clients(settings), settings.ledger, trust)
        self._changed = changed
        self._ready = threading.Event()
        self._ended = threading.Event()
        self.control = Control()
        self.over: deque[tuple[str, int]] = deque()
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self, within: float = 60.0) -> Control:
        """Read the ledger to its end, wait for a policy, and go on reading; return the control state."""
        self._thread.start()
        if not self._ready.wait(within):
            raise BrokerError(f"no policy was adopted within {within:.0f} s; `headgate policy adopt` adopts one")
        return self.control

    def stop(self) -> None:
        """End the thread."""
        self._ended.set()
        self._thread.join(10)

    def _run(self) -> None:
        try:
            self._note(self._reader.catch_up())
            self._look()
            while not self._ended.is_set():
                if verified := self._reader.poll(0.2):
                    self._note(verified)
                    self._look()
            self._reader.close()
        except HeadgateError as error:
            end_process("the ledger can no longer be followed", error)

    def _note(self, verified: list[Verified]) -> None:
        self.over.extend(
            (found.case.incident, found.entry.at)
            for found in verified
            if found.entry is not None and found.case is not None and found.case.phase.over
        )

    def _look(self) -> None:
        state, before = self._reader.fold.state, self.control
        self.control = state.control
        if state.control.policy is not None and not self._ready.is_set():
            self._ready.set()
        elif _judging(before) != _judging(state.control):
            _LOG.info("other documents are in force", policy=state.control.policy_digest[:12])
            self._changed()


def _judging(control: Control) -> tuple[object, ...]:
    return control.policy_digest, control.systems_digest, control.profiles
