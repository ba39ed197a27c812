"""Exclusions, delegations, recounts, broken glasses, standing approvals and sign-offs in sentences."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from schemas import delegation as d
from schemas.case import approval as a
from schemas.case import glass as g

_WHY = {
    "severity_rose": "the severity has risen",
    "person_excluded": "a person who agreed is excluded by now",
    "key_revoked": "a key that agreed was revoked",
}


def _when(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _recounted(x: a.ApprovalsRecounted) -> str:
    now = f"{len(x.counted)} of {x.quorum} approvals count"
    return f"{_WHY.get(x.why, x.why)}: {now}" + (", people decide again" if x.pending else "")


def _broken(x: g.GlassBroken) -> str:
    told = ", ".join(x.tell) or "nobody of compliance is enrolled"
    return (
        f"GLASS BROKEN by {x.principal}: step {x.step + 1} may start without the quorum until {_when(x.until)}, "
        f"to be reviewed by {_when(x.review_by)}: {x.reason}; at once to be told: {told}"
    )


def _used(x: g.StandingApprovalUsed) -> str:
    steps = ", ".join(str(step + 1) for step in x.steps)
    return (
        f"standing approval {x.rule} lets step {steps} start; the role {x.reviewer.value} reviews it "
        f"by {_when(x.review_by)}"
    )


SAY: dict[type, Callable[[Any], str]] = {
    a.PersonExcluded: lambda x: f"{x.principal} takes no part in decisions here, says {x.by}: {x.reason}",
    a.PlanAskedFor: lambda x: f"{x.principal} asks for plan {x.number}: {x.reason}",
    a.DenialGiven: lambda x: f"refused by {x.principal}: {x.reason}",
    a.ApprovalsRecounted: _recounted,
    a.NothingToKeep: lambda x: f"no evidence to freeze, says {x.principal}: {x.reason}",
    a.SignedOff: lambda x: f"signed off by {x.principal}: {x.note}",
    g.GlassBroken: _broken,
    g.GlassReviewed: lambda x: f"broken glass {x.number} reviewed by {x.principal}, {x.verdict.value}: {x.note}",
    g.GlassOverdue: lambda x: (
        f"the review of {'the use of a standing approval' if x.standing else 'the broken glass'} {x.number} "
        f"was due by {_when(x.review_by)} and is overdue"
    ),
    g.StandingApprovalUsed: _used,
    g.StandingReviewed: lambda x: (
        f"use {x.number} of standing approvals reviewed by {x.principal}, {x.verdict.value}: {x.note}"
    ),
    d.Delegated: lambda x: f"{x.to} decides in the place of {x.principal} until {_when(x.until)}: {x.reason}",
    d.DelegationRevoked: lambda x: f"{x.to} no longer decides in the place of {x.principal}: {x.reason}",
}
