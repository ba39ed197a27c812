"""Communication in sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from schemas.case import messages as m
from schemas.case.messages import Audience

_SHORT = 12


def _when(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"


def _who(audience: Audience) -> str:
    return audience.value.replace("_", " ")


def _drafted(event: m.MessageDrafted) -> str:
    again = f"; the next is promised by {_when(event.next_update_by)}" if event.next_update_by else ""
    return f"message {event.number} to {_who(event.audience)} drafted by {event.principal}{again}"


SAY: dict[type, Callable[[Any], str]] = {
    m.MessageDrafted: _drafted,
    m.MessageApproved: lambda x: (
        f"message {x.message[:_SHORT]} to {_who(x.audience)} approved by {x.principal}, signature verified"
    ),
    m.MessageSent: lambda x: (
        f"message {x.message[:_SHORT]} sent to {_who(x.audience)} by {x.channel}, says {x.principal}: "
        f"receipt {x.receipt}"
    ),
    m.UpdateMissed: lambda x: f"an update for {_who(x.audience)} was due {_when(x.due)}, and nothing newer was sent",
}
