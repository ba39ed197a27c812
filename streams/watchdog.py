"""Ending the process when it can no longer keep its promise: nothing is acknowledged, and a restart goes on."""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import NoReturn

import structlog

LOG = structlog.get_logger("headgate.faust")

EXIT_STATUS = 70
"""EX_SOFTWARE of sysexits.h."""


def end_process(reason: str, error: BaseException | None = None) -> NoReturn:
    """Log the reason and end at once; raising instead would let Faust acknowledge what was not done."""
    LOG.critical("the worker ends without acknowledging", reason=reason, error=repr(error)[:500] if error else None)
    logging.shutdown()
    os._exit(EXIT_STATUS)


class Watchdog(threading.Thread):
    """Ends the process when work is held and nothing has moved for `limit` seconds; a thread sees a stuck loop, too.

    Parameters
    ----------
    busy
        Whether work is held.
    """

    def __init__(self, busy: Callable[[], bool], limit: float = 60.0) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._busy = busy
        self._limit = limit
        self._moved_at = time.monotonic()
        self._ended = threading.Event()

    def moved(self) -> None:
        """Note that something was done."""
        self._moved_at = time.monotonic()

    def stop(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def run(self) -> None:
        """Look every second."""
        while not self._ended.wait(1.0):
            if self._busy() and time.monotonic() - self._moved_at > self._limit:
                end_process(f"work is held and nothing has moved for {self._limit:.0f} s")
