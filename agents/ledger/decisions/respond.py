"""Decide on how people respond at first, and on what is kept: acknowledge, declare, dismiss, attach evidence."""

import re

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions import page
from agents.ledger.decisions.keep import held_for
from agents.ledger.decisions.split import committed, ended
from agents.ledger.refusal import MAX_TEXT, refuse, unsaid
from schemas import commands as c
from schemas.case.people import Duty
from schemas.events import CaseAcknowledged, CaseDeclared, CaseDismissed
from schemas.evidence import EvidenceAttached
from schemas.ids import sound
from schemas.values import Role

MAX_ATTACHED = 64
MAX_SUMMARY = 2000
_DIGEST = re.compile(r"[0-9a-f]{64}")


def attach(case: Case, asked: Asked, body: c.AttachEvidence) -> list[object]:
    """Record the digest of what is kept about the case, once; also when the case is over."""
    if not sound(body.kind) or _DIGEST.fullmatch(body.digest) is None:
        return refuse(asked, "bad_evidence", "evidence has a kind, and a SHA-256 as 64 small hexadecimal digits")
    if body.rows < 0 or len(body.summary) > MAX_SUMMARY:
        return refuse(asked, "bad_evidence", f"rows are 0 or more, and a summary has at most {MAX_SUMMARY} characters")
    if any(attached.digest == body.digest for attached in case.evidence):
        return refuse(asked, "attached", "this evidence is attached already")
    if len(case.evidence) >= MAX_ATTACHED:
        return refuse(asked, "too_much", f"a case names at most {MAX_ATTACHED} pieces of evidence")
    attached = EvidenceAttached(
        incident=case.incident, kind=body.kind, digest=body.digest, rows=body.rows, summary=body.summary
    )
    return [attached]


def _acknowledge(control: Control, case: Case, asked: Asked, note: str, at: int) -> list[object]:
    told = page.acknowledged(control, case, asked, note, at)
    if case.acknowledged and told:
        return told
    if case.acknowledged:
        return refuse(asked, "acknowledged", "somebody has it already")
    return [CaseAcknowledged(incident=case.incident, principal=asked.principal, note=note), *told]


def _dismiss(control: Control, case: Case, asked: Asked, body: c.Dismiss) -> list[object]:
    """End a candidate; or a declared case that was none after all, by whoever leads it, with the reason.

    Statutory clocks run on until a person has decided that each does not apply, and what began without the quorum is
    still to be reviewed; what was acted on and is to have a post-mortem is reviewed: nobody is rid of them by calling
    it a false alarm.
    """
    dismissed = CaseDismissed(incident=case.incident, principal=asked.principal, reason=body.reason, note=body.note)
    if case.phase is Phase.TRIAGE:
        return [dismissed]
    leads = case.people.duties.get(Duty.COMMANDER) == asked.principal
    if Role.ML_MANAGER not in asked.roles and not leads:
        return refuse(asked, "wrong_role", "a declared case is dismissed by an ML manager, or by its commander")
    if asked.principal in case.deciding.excluded:
        return refuse(asked, "excluded", "this person takes no part in decisions on the case")
    if (unspoken := unsaid(asked, body.note)) is not None:
        return unspoken
    if committed(case):
        return refuse(asked, "too_late", "a plan is being carried out; revoke it, or let it end")
    acted = case.contained_at or any(action.outcome == "done" for action in case.actions.values())
    if acted and case.severity in control.policies[case.policy].closing.post_mortem:
        return refuse(asked, "post_mortem", "it was acted on, and policy wants a post-mortem: resolve and review it")
    return [*ended(case, "dismissed", asked.principal, body.note), dismissed]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a first response to a case, or None where the command is none."""
    match asked.body:
        case c.AttachEvidence():
            return attach(case, asked, asked.body)
        case c.Acknowledge(note=text) | c.Declare(reason=text) | c.Dismiss(note=text) if len(text) > MAX_TEXT:
            return refuse(asked, "bad_note", f"a note has at most {MAX_TEXT} characters")
        case c.Acknowledge(note=note):
            return _acknowledge(control, case, asked, note, at)
        case c.Declare(reason=reason):
            return [CaseDeclared(incident=case.incident, by=asked.principal, reason=reason), *held_for(control, case)]
        case c.Dismiss():
            return _dismiss(control, case, asked, asked.body)
    return None
