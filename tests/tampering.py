"""Ways to change a ledger behind its readers' backs, and what they say to it."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.fold import Trust, open_entry
from schemas import commands as c
from schemas.codec import body as encode_body
from schemas.codec import frame
from schemas.errors import LedgerError
from schemas.events import RegistrarTookOver
from schemas.ledger import AuditEntry, EventBody
from tests.ledgers import Ledger, read


def first_bad(leaves: list[bytes], notes: list[str], trust: Trust | None = None) -> int | None:
    """Return the index that a fresh reader names as the first bad one."""
    with pytest.raises(LedgerError) as caught:
        read(leaves, notes, trust)
    return caught.value.index


def entry(ledger: Ledger, index: int) -> AuditEntry:
    """Return the entry at an index."""
    return open_entry(ledger.leaves[index], index)


def changed(ledger: Ledger, index: int, **changes: Any) -> list[bytes]:
    """Return the leaves with one entry changed."""
    return [
        frame(replace(entry(ledger, index), **changes)) if offset == index else leaf
        for offset, leaf in enumerate(ledger.leaves)
    ]


def event(body: object) -> EventBody:
    """Return an event as it stands in an entry."""
    name, fingerprint, data = encode_body(body)
    return EventBody(type=name, fingerprint=fingerprint, body=data)


def forged(ledger: Ledger, **changes: Any) -> bytes:
    """Return an entry of the right shape for the next offset that nobody asked for."""
    last = entry(ledger, len(ledger.leaves) - 1)
    return frame(replace(last, index=len(ledger.leaves), follows=last.index, **changes))


def take_over(ledger: Ledger, epoch: int, void_from: int) -> None:
    """Append a take-over, without a checkpoint."""
    command = ledger.statement(c.TakeOver(epoch=epoch, void_from=void_from), "registrar")
    composed = ledger.compose(command)
    assert composed is not None
    ledger.write(frame(composed))


def took_over(void_from: int) -> EventBody:
    """Return the event of a take-over."""
    return event(RegistrarTookOver(epoch=1, void_from=void_from))
