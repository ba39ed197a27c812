"""Paging in sentences."""

from collections.abc import Callable
from typing import Any

from schemas.case import paging as p
from schemas.oncall import OnCallAdopted


def _about(event: Any) -> str:
    return f" about {event.subject}" if event.subject else ""


SAY: dict[type, Callable[[Any], str]] = {
    OnCallAdopted: lambda x: f"on-call document {x.digest[:12]} adopted",
    p.PagingStarted: lambda x: f"paging begins{_about(x)}, by the policy {x.policy}",
    p.PageSent: lambda x: (
        f"paged{_about(x)}: {', '.join(x.persons)}, as {x.target}"
        + (f"; not reached: {', '.join(x.unreached)}" if x.unreached else "")
    ),
    p.PageReachedNobody: lambda x: f"a page{_about(x)} to {x.target} reached nobody: {x.why}",
    p.PageSkipped: lambda x: f"a step was passed over{_about(x)}: {x.why}",
    p.PageAcknowledged: lambda x: f"{x.person} answered the page{_about(x)}" + (f": {x.note}" if x.note else ""),
    p.AcknowledgeExpired: lambda x: f"the answer of {', '.join(x.persons)}{_about(x)} was not followed up in time",
    p.EscalationExhausted: lambda x: f"{x.why}{_about(x)}: role {x.role} was told, {', '.join(x.persons) or 'nobody'}",
    p.PagingResolved: lambda x: f"paging ends{_about(x)}: {x.reason}",
    p.PagingHeld: lambda x: f"nobody is paged for now: {x.why}",
}
