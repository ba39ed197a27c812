"""A request to end, made by SIGTERM or SIGINT, that every loop looks at."""

import signal
from types import FrameType


class Stop:
    """Whether this process was asked to end; the second signal ends it at once."""

    def __init__(self) -> None:
        self.requested = False

    def install(self) -> "Stop":
        """Listen to SIGTERM and SIGINT."""
        signal.signal(signal.SIGTERM, self._ask)
        signal.signal(signal.SIGINT, self._ask)
        return self

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise SystemExit(128 + number)
        self.requested = True
