"""What one process recorded, and the thread that carries it to Kafka."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from headgate.counters import Tally
from headgate.lane import UNIT, Lane
from headgate.packer import Packed, Packer
from headgate.sender import Sender
from headgate.settings import Settings

log = logging.getLogger("headgate")

_GLANCE = 0.05
_LAST_WORDS = 2.0


class Courier:
    """Three bounded queues, their counts, and a worker that empties them; one per recorder and process.

    Of `max_bytes`, 3/8 may wait as predictions, 1/16 each as labels and metrics, 1/8 be in the worker's hands, and 1/4
    in the Kafka client; the last eighth is what encoding needs.

    Parameters
    ----------
    settings
        Of the recorder.
    """

    def __init__(self, settings: Settings) -> None:
        eighth = settings.max_bytes // 8
        self.rows, self.labels, self.metrics = Lane(3 * eighth), Lane(eighth // 2), Lane(eighth // 2)
        self.tally, self.label_tally, self.metric_tally = Tally(), Tally(), Tally()
        self.closed = False
        self.started = False
        self._settings = settings
        instance = settings.instance or f"{socket.gethostname()[:200]}-{os.getpid()}"
        self._packer = Packer(settings, instance, os.urandom(8).hex())
        self._sender = Sender(settings, 2 * eighth)
        self._units = eighth // UNIT
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._wake, self._stop, self._settled = threading.Event(), threading.Event(), threading.Event()
        self._busy = False
        self._hurry_until = 0.0
        self._waiting_since: dict[Lane, float] = {}
        self._reported = 0

    def start(self) -> None:
        """Start the worker unless it runs; a thread that finds another starting it does not wait."""
        if not self._starting.acquire(blocking=False):
            return
        try:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="headgate-recorder", daemon=True)
                thread.start()
                self._thread = thread
                self.started = True
        finally:
            self._starting.release()

    def flush(self, timeout: float) -> bool:
        """Send at once what waits; return whether all of it was acknowledged or dropped in time."""
        deadline = time.monotonic() + timeout
        self._hurry_until = max(self._hurry_until, deadline)
        while not self._idle():
            self._settled.clear()
            self._wake.set()
            left = deadline - time.monotonic()
            if left <= 0 or self._thread is None:
                return False
            self._settled.wait(min(left, _GLANCE))
        return True

    def close(self, timeout: float) -> bool:
        """Flush, then stop; what is left is dropped as `closed` or `delivery`."""
        self.closed = True
        flushed = self.flush(timeout)
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(_LAST_WORDS)
        if self._thread is None or not self._thread.is_alive():
            self._discard()
        return flushed

    def abandon(self) -> None:
        """Leave everything to the parent process: called in the child, after a fork."""
        self._sender.abandon()

    def _idle(self) -> bool:
        if any(len(lane) for lane, _ in self._lanes()):  # looked at first: the worker is busy before it takes
            return False
        return not (self._busy or any(tally.unsettled for _, tally in self._lanes()))

    def _lanes(self) -> tuple[tuple[Lane, Tally], ...]:
        return (self.rows, self.tally), (self.labels, self.label_tally), (self.metrics, self.metric_tally)

    def _run(self) -> None:
        glance = min(_GLANCE, self._settings.max_delay / 4)
        while not self._stop.is_set():
            self._wake.wait(glance)
            self._wake.clear()
            self._turn()
            self._settled.set()
        self._discard()
        self._sender.close()

    def _turn(self) -> None:
        while not self._stop.is_set() and self._due(self.rows):
            self._carry(self.rows, self.tally, self._packed_rows)
        while not self._stop.is_set() and self._due(self.labels):
            self._carry(self.labels, self.label_tally, self._packer.labels)
        while not self._stop.is_set() and self._due(self.metrics):
            self._carry(self.metrics, self.metric_tally, self._packer.metrics)
        self._sender.poll()

    def _due(self, lane: Lane) -> bool:
        if not len(lane):
            self._waiting_since.pop(lane, None)
            return False
        now = time.monotonic()
        since = self._waiting_since.setdefault(lane, now)
        full = len(lane) >= min(self._settings.max_rows, self._units)
        return full or now - since >= self._settings.max_delay or now < self._hurry_until

    def _carry(self, lane: Lane, tally: Tally, pack: Callable[[list[Any]], Iterator[Packed]]) -> None:
        self._busy = True
        taken = lane.take(self._settings.max_rows, self._units)
        tally.take(len(taken))
        self._waiting_since.pop(lane, None)
        left = len(taken)
        try:
            for packed in pack(taken):
                left -= packed.rows
                self._send(packed, tally)
        except BaseException:  # a value's own code may raise anything; this thread must outlive it
            log.exception("the recorder could not encode %d rows", left)
            tally.lose("encode", left)
        self._busy = False

    def _packed_rows(self, rows: list[Any]) -> Iterator[Packed]:
        return self._packer.predictions(rows, max(0, self.tally.missing - self._reported))

    def _send(self, packed: Packed, tally: Tally) -> None:
        if packed.lost:
            tally.lose(packed.lost, packed.rows)
            return
        self._reported += packed.reported

        def done(delivered: bool) -> None:
            if delivered:
                tally.deliver(packed.rows)
            else:
                tally.lose("delivery", packed.rows)
                self._reported -= packed.reported  # nobody heard of them: the next batch says it again

        self._sender.send(packed.framed, done, lambda: not self._stop.is_set())

    def _discard(self) -> None:
        for lane, tally in self._lanes():
            while len(lane):
                taken = lane.take(self._settings.max_rows, self._units)
                tally.take(len(taken))
                tally.lose("closed", len(taken))
