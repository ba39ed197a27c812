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
    """Ends the process when work has been held for `limit` seconds; a thread, because the event loop may be stuck.

    Parameters
    ----------
    held_since
        Returns since when the oldest work is held (seconds of time.monotonic), or None.
    """

    def __init__(self, held_since: Callable[[], float | None], limit: float = 60.0) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._held_since = held_since
        self._limit = limit
        self._ended = threading.Event()

    def stop(self) -> None:
        """Look no longer."""
        self._ended.set()

    def run(self) -> None:
        """Look every second."""
        while not self._ended.wait(min(1.0, self._limit)):
            since = self._held_since()
            if since is not None and time.monotonic() - since > self._limit:
                end_process(f"work has been held for more than {self._limit:.0f} s")
