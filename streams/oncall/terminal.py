"""Pages as lines on standard error: for one machine, for drills, and as the last resort."""

import sys
from datetime import UTC, datetime
from typing import TextIO

from agents.triage.narrative import clip
from schemas.errors import EffectError
from streams.oncall.port import Page, Receipt

_LONGEST = 300


class TerminalReceiver:
    """Standard error of this process, or another stream of text.

    Parameters
    ----------
    name
        What the on-call document calls it.
    stream
        Where lines go; by default standard error, as it is when a page is sent.
    """

    def __init__(self, name: str = "terminal", stream: TextIO | None = None) -> None:
        self._name = name
        self._stream = stream

    @property
    def name(self) -> str:
        """The name that the on-call document knows."""
        return self._name

    def send(self, page: Page) -> Receipt:
        """Write one line; EffectError where nobody is there to read it."""
        loud = ("DRILL " if page.drill else "") + ("PAGE" if page.important else "page")
        at = datetime.fromtimestamp(page.at / 1000, UTC)
        about = f"{page.incident} {page.subject}".strip()
        text = f"{loud} {at:%Y-%m-%d %H:%M:%SZ} {page.person}: {page.severity.upper()} {page.text} ({about})"
        stream = self._stream or sys.stderr
        try:
            stream.write(clip(text, _LONGEST) + "\n")
            stream.flush()
        except (OSError, ValueError) as error:
            raise EffectError(f"the terminal cannot be written to ({type(error).__name__})", retryable=False) from None
        return Receipt(receiver=self._name, page=page.id)
