"""Follows the ledger beside a Faust worker: what is in force, what is over, and what people report."""

import threading
from collections import deque
from collections.abc import Callable

import structlog

from agents.archive.held import HeldWindow, windows
from agents.ledger.control import Control
from agents.ledger.endings import endings
from agents.ledger.fold import Trust, Verified
from schemas.case.reports import FailureReported
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
        self._held: dict[str, tuple[HeldWindow, ...]] = {}
        self.held: tuple[HeldWindow, ...] = ()
        self.over: deque[tuple[str, int]] = deque()
        self.reports: deque[tuple[int, FailureReported]] = deque()
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
        for case in (found.case for found in verified):
            if case is not None and (case.hold.stands or case.incident in self._held):
                self._held[case.incident] = windows(case)
        self.held = tuple(window for windows_of in self._held.values() for window in windows_of)
        merged = self._reader.fold.state.control.merged
        self.over.extend(
            ending for found in verified if found.case is not None for ending in endings(found.case, merged)
        )
        self.reports.extend(
            (found.index, event) for found in verified for event in found.events if isinstance(event, FailureReported)
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
