"""Decide on paging: when it begins and ends, what the paging role reports of it, and who acknowledges."""

from typing import get_args

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from agents.ledger.regions.paging import SUBJECT_OF_THE_CASE
from agents.ledger.subjects import CLOCK, policy_of, wanted
from agents.oncall import decide as oncall
from agents.oncall import escalation
from schemas import documents
from schemas.case import paging as p
from schemas.errors import PolicyError
from schemas.escalation import CaseFacts
from schemas.events import CaseAcknowledged
from schemas.oncall import AdoptOnCall, OnCall, OnCallAdopted, read
from schemas.systems import STRICTEST_TIER

MAX_REASON = 500


def facts(control: Control, case: Case, subject: str) -> CaseFacts:
    """Return what an escalation policy may look at: of a clock its share too, of a missed update the case alone."""
    tiers = [found[1].tier for one in case.affected if (found := control.systems.find(one.model))]
    share = subject.rpartition(":")[2] if subject.startswith(f"{CLOCK}:") else ""
    return CaseFacts(
        severity=case.severity,
        category=case.category,
        tier=min(tiers, key=("high", "medium", "low").index, default=STRICTEST_TIER),
        system=case.system,
        clock_percent=int(share) if share.isdigit() else None,
        signals=tuple(sorted(signal.window_to for signal in case.course.signals)),
    )


def document(control: Control) -> OnCall | None:
    """Return the on-call document in force, or None."""
    return control.oncalls.get(control.oncall_digest)


def adopt(control: Control, asked: Asked) -> list[object] | None:
    """Page by a valid document from now on; None where the command is another one."""
    if not isinstance(asked.body, AdoptOnCall):
        return None
    try:
        read(asked.body.document)
    except PolicyError:  # its sentence quotes libraries, whose next version would word it otherwise
        return refuse(asked, "bad_oncall", "the document is not valid: `headgate oncall check` says where")
    digest = documents.digest(asked.body.document)
    if digest == control.oncall_digest:
        return refuse(asked, "in_force", "this on-call document is in force already")
    return [OnCallAdopted(digest=digest, document=asked.body.document)]


def _start(control: Control, case: Case, asked: Asked, body: p.StartPaging, at: int) -> list[object]:
    known = document(control)
    if known is None:
        return refuse(asked, "no_oncall", "no on-call document is adopted; `headgate oncall adopt FILE` adopts one")
    if body.subject not in wanted(control, case):
        return refuse(asked, "not_wanted", "nobody need be paged about this now")
    if case.pages.active(body.subject):
        return refuse(asked, "paging", "people are being paged about this already")
    about = facts(control, case, body.subject)
    policy = policy_of(known, control, case, body.subject, about)
    if policy is None:
        return refuse(asked, "no_policy", "no escalation policy speaks of this")
    return [*escalation.begin(policy, control.oncall_digest, incident=case.incident, subject=body.subject, at=at)]


def _end(control: Control, case: Case, asked: Asked, body: p.EndPaging, at: int) -> list[object]:
    active = case.pages.active(body.subject)
    if active is None:
        return refuse(asked, "not_paging", "nobody is being paged about this")
    if body.subject in wanted(control, case):
        return refuse(asked, "wanted", "people must still be paged about this")
    if len(body.reason) > MAX_REASON:
        return refuse(asked, "too_long", f"a reason has at most {MAX_REASON} characters")
    return [*escalation.resolved(active.paging, asked.principal, body.reason, at)]


def _hold(case: Case, asked: Asked, body: p.HoldPaging) -> list[object]:
    if case.phase.over or case.pages.subjects.get(SUBJECT_OF_THE_CASE):
        return refuse(asked, "not_held", "paging has begun, or the case is over")
    if (body.why, body.by) == case.pages.held or not 0 < len(body.why) <= MAX_REASON or len(body.by) > MAX_REASON:
        return refuse(asked, "bad_reason", f"say once why nobody is paged, in 1 to {MAX_REASON} characters")
    return [p.PagingHeld(incident=case.incident, why=body.why, by=body.by)]


def acknowledged(control: Control, case: Case, asked: Asked, note: str, at: int) -> list[object]:
    """Return what a person's acknowledgement of the case means for those who are paged about it; often nothing."""
    if case.pages.active() is None:
        return []
    said = _decided(control, case, asked, p.AcknowledgePage(incident=case.incident, note=note), at)
    return [event for event in said if isinstance(event, p.PageAcknowledged)]


def _decided(control: Control, case: Case, asked: Asked, body: p.Command, at: int) -> list[object]:
    active = case.pages.active(body.subject)
    if active is None:
        return refuse(asked, "not_paging", "nobody is being paged about this")
    known = document(control)
    who = (known.person_of(asked.principal) if known else None) or asked.principal
    said = oncall.decide(active.paging, active.policy, body, who, at)
    return refuse(asked, said.reason, said.detail) if isinstance(said, oncall.Refusal) else [*said]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about paging, or None where it is none."""
    match asked.body:
        case p.StartPaging():
            return _start(control, case, asked, asked.body, at)
        case p.EndPaging():
            return _end(control, case, asked, asked.body, at)
        case p.HoldPaging():
            return _hold(case, asked, asked.body)
        case p.AcknowledgePage(subject=subject, note=note):
            said = _decided(control, case, asked, asked.body, at)
            first = not subject and not case.acknowledged and isinstance(said[0], p.PageAcknowledged)
            took = CaseAcknowledged(incident=case.incident, principal=asked.principal, note=note)
            return [*said, took] if first else said
    if isinstance(asked.body, get_args(p.Command)):
        return _decided(control, case, asked, asked.body, at)
    return None
