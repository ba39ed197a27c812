"""The one way out for pages: what is sent, what comes back, and how often it is tried."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from schemas.errors import EffectError

_LOG = structlog.get_logger("oncall")
WAITS = (1.0, 4.0)
"""Seconds between the tries of one receiver."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A message to one person, or to a machine.

    id
        The idempotency key: the same page again has the same id (agents.oncall.paging.page_id).
    person
        Name in the on-call document, or webhook:<receiver>.
    at
        When it was decided, ms.
    drill
        Whether it is an exercise; receivers show `text`, which says so first.
    """

    id: str
    incident: str
    subject: str
    person: str
    title: str
    severity: str
    important: bool
    step: int
    round: int
    at: int
    drill: bool = False

    @property
    def text(self) -> str:
        """What went wrong, and first of all whether it is an exercise."""
        return f"DRILL: {self.title}" if self.drill else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A receiver took the page: that it was taken, not that it was read."""

    receiver: str
    page: str
    detail: str = ""


class Receiver(Protocol):
    """One way to reach somebody."""

    @property
    def name(self) -> str:
        """The name that the on-call document knows."""
        ...

    def send(self, page: Page) -> Receipt:
        """Hand over a page within the receiver's time limit; EffectError where it was not taken, or may not have been.

        Sending the same page twice is safe: its id tells.
        """
        ...


def send(
    receiver: Receiver, page: Page, waits: Sequence[float] = WAITS, sleep: Callable[[float], object] = time.sleep
) -> Receipt:
    """Try a receiver, again after each wait (seconds) while its error says that this may help; else raise it."""
    for wait in waits:
        try:
            return receiver.send(page)
        except EffectError as error:
            if not error.retryable:
                raise
            _LOG.warning("page not taken yet", receiver=receiver.name, page=page.id, reason=str(error), again_in=wait)
            sleep(wait)
    return receiver.send(page)


def reach(
    receivers: Mapping[str, Receiver],
    contacts: Sequence[str],
    page: Page,
    waits: Sequence[float] = WAITS,
    sleep: Callable[[float], object] = time.sleep,
) -> Receipt:
    """Try a person's contacts in their order until one takes the page.

    Raises
    ------
    EffectError
        None did; the sentence says what each of them said.
    """
    said = []
    for contact in contacts:
        receiver = receivers.get(contact)
        if receiver is None:
            said.append(f"{contact}: no such receiver is set up here")
            continue
        try:
            return send(receiver, page, waits, sleep)
        except EffectError as error:
            said.append(f"{contact}: {error}")
    raise EffectError(f"nobody took the page: {'; '.join(said) or 'there are no contacts'}", retryable=True)
