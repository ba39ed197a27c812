"""Decide on how people respond at first, and on what is kept: acknowledge, declare, dismiss, attach evidence."""

import re

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions import page
from agents.ledger.decisions.keep import held_for
from agents.ledger.refusal import MAX_TEXT, refuse
from schemas import commands as c
from schemas.events import CaseAcknowledged, CaseDeclared, CaseDismissed
from schemas.evidence import EvidenceAttached
from schemas.ids import sound

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


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a first response to a case, or None where the command is none."""
    incident, principal = case.incident, asked.principal
    match asked.body:
        case c.AttachEvidence():
            return attach(case, asked, asked.body)
        case c.Acknowledge(note=text) | c.Declare(reason=text) | c.Dismiss(note=text) if len(text) > MAX_TEXT:
            return refuse(asked, "bad_note", f"a note has at most {MAX_TEXT} characters")
        case c.Acknowledge(note=note):
            return _acknowledge(control, case, asked, note, at)
        case c.Declare(reason=reason):
            return [CaseDeclared(incident=incident, by=principal, reason=reason), *held_for(control, case)]
        case c.Dismiss(reason=code, note=note):
            return [CaseDismissed(incident=incident, principal=principal, reason=code, note=note)]
    return None
