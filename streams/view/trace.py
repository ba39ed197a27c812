"""The way of one prediction: where it came in, what counted it, the incidents, what people did, and the entries of it.

What was kept of it says the archive (streams.archive.explain); all else says the ledger, entry by entry, with proofs.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agents.ledger.case import Case
from agents.ledger.fold import Verified
from schemas.case import reviews as r
from schemas.events import CaseGrew, CaseOpened
from schemas.evidence import EvidenceAttached
from schemas.signals import Evidence
from streams.ledger.whole import Whole
from streams.view.incident_view import named
from streams.view.rendering import jsonable
from streams.view.sentences import sentence

SHOWN = frozenset(
    {
        *("CaseOpened", "CaseDeclared", "CaseAcknowledged", "CaseDismissed", "CaseMerged", "CaseSplit"),
        *("PlanProposed", "ApprovalRequested", "ApprovalGiven", "ApprovalRevoked", "DenialGiven", "PlanAuthorised"),
        *("PlanEnded", "StandingApprovalUsed", "GlassBroken", "ActionStarted", "ActionFinished", "ActionRestored"),
        *("CaseContained", "CaseRecovering", "CaseRegressed", "CaseResolved", "CaseReopened", "CaseClosed"),
        *("MessageDrafted", "MessageApproved", "MessageSent", "ReportSubmitted", "PostMortemAccepted"),
    }
)
"""Events of an incident that stand on a prediction's way; those that speak of evidence or reviews are looked at."""


def trace(found: Mapping[str, Any], whole: Whole | None, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the way of a prediction.

    Parameters
    ----------
    found
        What streams.archive.explain says of it.
    whole
        The ledger; None where it could not be read, and then the part on it is None.
    names
        Names that this machine knows for principals.
    """
    identifier = found["prediction_id"]
    decisions = found.get("decisions", ())
    if whole is None:
        return {"decisions": [], **found, "ledger": None, "incidents": None}
    fallen = {one["incident"] for decision in decisions for one in decision["incidents"] or ()}
    cases = whole.state.cases
    mine = [case for case in cases.values() if case.incident in fallen or identifier in case.reviews.queued]
    checkpoint = whole.checkpoint
    return {
        "decisions": [],
        **found,
        "ledger": {"log": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()},
        "incidents": [_incident(case, identifier, decisions, whole, names) for case in mine],
    }


def counted_by(decision: Mapping[str, Any], events: Iterable[object]) -> list[Evidence]:
    """Return the evidence of an incident whose windows hold a decision: each window of a signal once."""
    seen: dict[tuple[str, int, int], Evidence] = {}
    for event in events:
        for one in event.evidence if isinstance(event, CaseOpened | CaseGrew) else ():
            own = (one.model, one.version) == (decision["model"], decision["version"])
            here = one.instance in ("", decision["instance"])
            if own and here and one.window_from <= decision["at"] <= one.window_to:
                seen[one.signal, one.window_from, one.window_to] = one
    return list(seen.values())


def _incident(
    case: Case, identifier: str, decisions: Iterable[Mapping[str, Any]], whole: Whole, names: Mapping[str, str]
) -> dict[str, Any]:
    own = [one for one in whole.entries if one.asked is not None and one.asked.incident == case.incident]
    events = [event for one in own for event in one.events]
    counted = [one for decision in decisions for one in counted_by(decision, events)]
    review, plan = case.reviews.queued.get(identifier), case.plan
    signals = {one.signal for one in counted}
    return {
        "incident": case.incident,
        "title": named(case.title, names),
        "drill": case.drill,
        "system": case.system,
        "severity": case.severity.value,
        "category": case.category.value,
        "phase": case.phase.value,
        "counted": jsonable(counted),
        "plan": None
        if plan is None
        else {
            "digest": plan.digest,
            "number": plan.number,
            "state": plan.state.value,
            "quorum": plan.quorum,
            "approvals": [names.get(who, who) for who in plan.approvals],
        },
        "actions": [
            {"target": one.target, "desired": one.desired, "outcome": one.outcome, "read_back": one.read_back}
            for one in case.actions.values()
        ],
        "review": None if review is None else _review(review, names),
        "evidence": [{"kind": one.kind, "digest": one.digest, "rows": one.rows} for one in case.evidence],
        "messages": [
            {
                "number": one.number,
                "audience": one.audience.value,
                "state": one.state.value,
                "approved_by": names.get(one.approved_by, one.approved_by),
                "sent_at": one.sent_at,
                "receipt": one.receipt,
            }
            for one in case.messages.by_digest.values()
        ],
        "reports": [
            {"clock": one.clock, "state": one.state.value, "submitted_at": one.submitted_at, "receipt": one.receipt}
            for one in case.clocks.counted
        ],
        "entries": [_entry(one, told, whole, names) for one, told in _entries(own, identifier, signals)],
    }


def _review(review: Any, names: Mapping[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = jsonable(review)
    return told | {name: names.get(told[name], told[name]) for name in ("assignee", "decided_by")}


def _entries(own: Iterable[Verified], identifier: str, signals: set[str]) -> Iterator[tuple[Verified, list[object]]]:
    """Yield the entries that the way leads over, each with the events that speak of it."""
    for one in own:
        told = [event for event in one.events if _tells(event, identifier, signals)]
        if told:
            yield one, told


def _tells(event: object, identifier: str, signals: set[str]) -> bool:
    if isinstance(event, r.ReviewQueued | r.ReviewAssigned | r.ReviewDecided | r.ReviewOverdue):
        return event.prediction == identifier
    if isinstance(event, CaseGrew):
        return any(one.signal in signals for one in event.evidence)
    return isinstance(event, EvidenceAttached) or type(event).__name__ in SHOWN


def _entry(found: Verified, told: list[object], whole: Whole, names: Mapping[str, str]) -> dict[str, Any]:
    proof = whole.prove(found.index)
    return {
        "index": found.index,
        "at": found.entry.at if found.entry else 0,
        "by": "" if found.asked is None else names.get(found.asked.principal, found.asked.principal),
        "events": [{"type": type(event).__name__, "says": named(sentence(event), names)} for event in told],
        "leaf": proof.leaf,
        "path": list(proof.path),
    }
