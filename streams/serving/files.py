"""Small files by which processes tell each other things: replaced whole, and read again once they have changed."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

Read = TypeVar("Read")
_MOST = 1_048_576


def replace(file: Path, text: str) -> None:
    """Write the file, whole or not at all."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


class Watched(Generic[Read]):
    """What a file says, read again whenever it has changed; `otherwise` where there is none, or none that can be read.

    Parameters
    ----------
    read
        Makes something of the file's text; ValueError where it is of no use.
    """

    def __init__(self, file: Path | None, read: Callable[[str], Read], otherwise: Read) -> None:
        self._file = file
        self._read = read
        self._otherwise = otherwise
        self._seen = (0, 0)
        self._now = otherwise

    def now(self) -> Read:
        """Return what the file says."""
        if self._file is None:
            return self._otherwise
        try:
            status = self._file.stat()
            if (status.st_ino, status.st_mtime_ns) != self._seen:
                self._seen = (status.st_ino, status.st_mtime_ns)
                with self._file.open(encoding="utf-8") as file:
                    self._now = self._read(file.read(_MOST))
        except (OSError, ValueError):
            self._now = self._otherwise
        return self._now
