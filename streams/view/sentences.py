"""Each event of the ledger as a sentence that a person reads on a terminal."""

from collections.abc import Callable
from typing import Any

from schemas import events as e
from schemas.case import action
from schemas.evidence import EvidenceAttached
from schemas.profiles import ProfileAdopted
from streams.view.sayings import (
    approval,
    assessment,
    clocks,
    desk,
    hold,
    learning,
    messages,
    paging,
    people,
    response,
    reviews,
)

_SAY: dict[type, Callable[[Any], str]] = {
    e.CaseOpened: lambda x: (
        f"{'DRILL: ' if x.drill else ''}{x.severity.value.upper()} {x.category.value}: {x.title}. {x.recommended}"
    ),
    e.CaseGrew: lambda x: (
        f"the incident grew: {x.category.value}, {len(x.evidence)} pieces of evidence"
        + (f"; suspected: {x.technique}" if x.technique else "")
        + (f"; now: {x.title}" if x.title else "")
    ),
    e.CaseQuieted: lambda _: "detection sees nothing of it any more",
    e.CaseDeclared: lambda x: f"declared by {x.by}: {x.reason}",
    e.CaseAcknowledged: lambda x: f"acknowledged by {x.principal}",
    e.CaseDismissed: lambda x: f"dismissed as {x.reason.value} by {x.principal}: {x.note}",
    e.PlanProposed: lambda x: "plan proposed: " + "; then ".join(step.summary for step in x.steps),
    e.ApprovalRequested: lambda x: f"{x.quorum} persons with the role {x.role} are asked to decide on the plan",
    e.ApprovalGiven: lambda x: (
        f"approved by {x.principal}{f' for {x.on_behalf}' if x.on_behalf else ''}, signature verified"
    ),
    e.ApprovalRevoked: lambda x: f"{x.principal} took the approval back: {x.reason}",
    e.PlanAuthorised: lambda _: "the quorum is reached: the plan may be executed",
    e.PlanEnded: lambda x: f"the plan ended, {x.why}: {x.reason}",
    action.ActionStarted: lambda x: f"intent recorded: {x.target} to {x.desired}",
    action.ActionFinished: lambda x: f"{x.target}: {x.outcome}, read back {x.read_back}",
    action.ActionRestored: lambda x: f"the target had moved to {x.found} and was set back",
    e.CaseContained: lambda x: f"contained: {'the bad version has no traffic' if x.read_back else 'by hand'}",
    e.CaseRecovering: lambda _: "every step is done; the survivors are watched",
    EvidenceAttached: lambda x: f"kept as evidence: {x.kind}, {x.rows} predictions, {x.digest[:16]}: {x.summary}",
    e.CaseResolved: lambda x: (
        f"resolved: version {x.version} clear over {x.clear_rows} rows" if x.model else "resolved, as a person judged"
    ),
    e.KeyEnrolled: lambda x: f"key of {x.enrolment.principal} enrolled as {', '.join(x.enrolment.roles)}",
    e.KeyRevoked: lambda x: f"key {x.key} revoked: {x.reason}",
    e.PolicyAdopted: lambda x: f"policy {x.digest[:12]} adopted",
    e.SystemsAdopted: lambda x: f"systems {x.digest[:12]} adopted",
    ProfileAdopted: lambda x: f"{x.model} version {x.version} is judged against profile {x.digest[:12]}",
    e.LedgerEstablished: lambda x: f"ledger {x.ledger} begun",
    e.RegistrarTookOver: lambda x: f"a registrar took over, epoch {x.epoch}",
    **approval.SAY,
    **desk.SAY,
    **people.SAY,
    **paging.SAY,
    **response.SAY,
    **assessment.SAY,
    **hold.SAY,
    **clocks.SAY,
    **learning.SAY,
    **reviews.SAY,
    **messages.SAY,
    e.Refused: lambda x: f"{x.kind} refused: {x.detail}",
}


def sentence(event: object) -> str:
    """Return an event as a sentence; its name where there is none."""
    say = _SAY.get(type(event))
    return say(event) if say else type(event).__name__
