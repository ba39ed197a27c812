"""A queue bounded in bytes that many threads fill without a lock and one empties."""

from collections import deque
from typing import Any

UNIT = 1024


class Lane:
    """Rows in order, each followed by one filler for every further KiB it costs: the length is the bytes.

    A deque's append, extend and len are atomic, so the bound needs no counter that threads could tear; threads that
    look at the same moment may pass it by one row each.

    Parameters
    ----------
    max_bytes
        Above this a row is refused.
    """

    def __init__(self, max_bytes: int) -> None:
        self._queue: deque[Any] = deque()
        self._units = max_bytes // UNIT

    def put(self, row: Any, size: int) -> bool:
        """Append a row of about `size` bytes, or return False if there is no room."""
        queue = self._queue
        if len(queue) >= self._units:
            return False
        if size <= UNIT:
            queue.append(row)
        else:
            queue.extend((row, *(None,) * ((size - 1) // UNIT)))
        return True

    def take(self, rows: int, units: int) -> list[Any]:
        """Remove and return the oldest rows, at most so many and (after the first) so many KiB."""
        queue, used = self._queue, 0
        taken: list[Any] = []
        while queue and (queue[0] is None or (len(taken) < rows and used < units)):
            item = queue.popleft()
            used += 1
            if item is not None:
                taken.append(item)
        return taken

    def __len__(self) -> int:
        """KiB that wait."""
        return len(self._queue)

    def waiting(self) -> int:
        """Rows that wait; a moment's answer where others record."""
        return sum(item is not None for item in self._queue.copy())
