"""How many rows were recorded, sent, dropped and why; exact without a lock on the request path."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count

REASONS = ("full", "columns", "encode", "delivery", "closed", "sampled")
"""Why a row was not sent: no room, too many or unusable column names, cannot be read or encoded, Kafka did not
take it, recorded after close (or not sent by then), left out on purpose by `sample`."""


@dataclass(frozen=True, slots=True)
class Counters:
    """Rows since this process began to record: recorded == sent + sum of dropped + queued.

    failures
        Measured blocks that ended in an exception; they are not recorded as rows.
    """

    recorded: int
    sent: int
    dropped: Mapping[str, int]
    queued: int
    failures: int = 0


class Tally:
    """Counts of one kind of row.

    What request threads write is an `itertools.count`, whose `next` is atomic; all else has one writer, the worker.
    """

    def __init__(self) -> None:
        self._recorded = count()
        self._failed = count()
        self._refused = {reason: count() for reason in REASONS}
        self._lost = dict.fromkeys(REASONS, 0)
        self._taken = 0
        self._sent = 0
        self.record = self._recorded.__next__
        self.fail = self._failed.__next__

    def refuse(self, reason: str) -> None:
        """Count one row that never entered the queue; from any thread."""
        next(self._refused[reason])

    def take(self, rows: int) -> None:
        """Count rows that left the queue; worker only, as are the next two."""
        self._taken += rows

    def lose(self, reason: str, rows: int) -> None:
        """Count rows that left the queue and will not arrive."""
        self._lost[reason] += rows

    def deliver(self, rows: int) -> None:
        """Count rows that Kafka acknowledged."""
        self._sent += rows

    @property
    def unsettled(self) -> int:
        """Rows that left the queue and are neither acknowledged nor lost."""
        return self._taken - self._sent - sum(self._lost.values())

    @property
    def missing(self) -> int:
        """Rows dropped so far against the caller's will: what a detector must know of its sample."""
        dropped = self._dropped()
        return sum(dropped.values()) - dropped["sampled"]

    def snapshot(self, waiting: int) -> Counters:
        """Return the counts, given the rows that wait in the queue."""
        return Counters(
            recorded=_reading(self._recorded),
            sent=self._sent,
            dropped=self._dropped(),
            queued=waiting + self.unsettled,
            failures=_reading(self._failed),
        )

    def _dropped(self) -> dict[str, int]:
        return {reason: _reading(self._refused[reason]) + self._lost[reason] for reason in REASONS}


def _reading(counter: "count[int]") -> int:
    # repr is the only way to read an itertools.count without advancing it that no Python version deprecates
    return int(repr(counter)[6:-1])
