"""The hold on evidence in sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from schemas.case import hold as h


def _held(event: h.EvidenceHeld) -> str:
    versions = ", ".join(f"{each.model} {each.version}" for each in event.held)
    since = datetime.fromtimestamp(event.since / 1000, UTC)
    return f"evidence is held: {versions or 'all of it'}, from {since:%Y-%m-%d %H:%M:%SZ}"


SAY: dict[type, Callable[[Any], str]] = {
    h.EvidenceHeld: _held,
    h.ReleaseAgreed: lambda x: f"{x.principal}{' (legal)' if x.legal else ''} would release the evidence: {x.reason}",
    h.HoldReleased: lambda x: f"the evidence is released by {' and '.join(x.principals)}",
}
