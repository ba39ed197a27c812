"""Decide on what was detected, what is kept of it and how people respond: acknowledge, declare, dismiss."""

import re

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from schemas import commands as c
from schemas import signals as s
from schemas.events import (
    CaseAcknowledged,
    CaseDeclared,
    CaseDismissed,
    CaseGrew,
    CaseOpened,
    CaseQuieted,
)
from schemas.evidence import EvidenceAttached
from schemas.ids import sound
from schemas.policy import Policy, SeverityRule
from schemas.systems import STRICTEST_TIER

MAX_ATTACHED = 64
MAX_SUMMARY = 2000
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _rule(control: Control, policy: Policy, found: s.IncidentOpened | s.IncidentGrew) -> SeverityRule:
    """Return the worst rule over the models that the incident touches; an undeclared one is of the strictest tier."""
    tiers = set()
    for affected in found.affected:
        declared = control.systems.find(affected.model)
        tiers.add(declared[1].tier if declared else STRICTEST_TIER)
    rules = [policy.judge(found.category, tier) for tier in sorted(tiers or {STRICTEST_TIER})]
    return min(rules, key=SeverityRule.order)


def open_case(control: Control, asked: Asked, body: s.IncidentOpened, at: int) -> list[object]:
    """Open a case under the policy in force; a rule that says so declares it at once."""
    if not sound(body.id):
        return refuse(asked, "bad_id", "an incident is named by 1 to 128 letters, digits and . _ : @ -")
    policy = control.policy
    if policy is None:
        return refuse(asked, "no_policy", "no policy is adopted, so nothing can be judged")
    rule = _rule(control, policy, body)
    opened = CaseOpened(
        incident=body.id,
        at=at,
        system=body.system,
        severity=rule.severity,
        category=body.category,
        rule=rule.name,
        title=body.title,
        affected=body.affected,
        evidence=body.evidence,
        first_bad_at=body.first_bad_at,
        recommended=body.recommended,
        owner_role=body.owner_role,
        technique=body.technique,
        recurrence_of=body.recurrence_of,
        declared_system=all(control.systems.find(affected.model) for affected in body.affected),
        policy=control.policy_digest,
        blast_radius=body.blast_radius,
    )
    if not rule.declare:
        return [opened]
    declared = CaseDeclared(
        incident=body.id, by=f"rule {rule.name}", reason=f"the policy declares {rule.severity.value}"
    )
    return [opened, declared]


def grow(control: Control, case: Case, body: s.IncidentGrew) -> list[object]:
    """Take the newest facts; severity may rise by rule, and falls only by a person's word."""
    policy = control.policies[case.policy]
    rule = _rule(control, policy, body)
    severity = min(case.severity, rule.severity, key=lambda severity: severity.rank)
    grew = CaseGrew(
        incident=case.incident,
        sequence=body.sequence,
        severity=severity,
        category=body.category,
        affected=body.affected,
        evidence=body.evidence,
        blast_radius=body.blast_radius,
    )
    if case.phase is Phase.TRIAGE and rule.declare:
        reason = f"the policy declares {rule.severity.value}"
        return [grew, CaseDeclared(incident=case.incident, by=f"rule {rule.name}", reason=reason)]
    return [grew]


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


def _on_person(case: Case, asked: Asked) -> list[object]:
    incident = case.incident
    match asked.body:
        case c.Acknowledge(note=note):
            if case.acknowledged:
                return refuse(asked, "acknowledged", "somebody has it already")
            return [CaseAcknowledged(incident=incident, principal=asked.principal, note=note)]
        case c.Declare(reason=reason) if case.phase is Phase.TRIAGE:
            return [CaseDeclared(incident=incident, by=asked.principal, reason=reason)]
        case c.Dismiss(reason=reason) if case.phase is Phase.TRIAGE:
            return [CaseDismissed(incident=incident, principal=asked.principal, reason=reason)]
    return refuse(asked, "illegal_transition", f"{asked.kind} is not possible while the case is {case.phase.value}")


def decide(control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of a response command on a case, or None where it is none."""
    match asked.body:
        case s.IncidentGrew():
            return grow(control, case, asked.body)
        case s.IncidentQuieted(sequence=sequence, last_signal_at=last):
            return [CaseQuieted(incident=case.incident, sequence=sequence, last_signal_at=last)]
        case c.AttachEvidence():
            return attach(case, asked, asked.body)
        case c.Acknowledge() | c.Declare() | c.Dismiss():
            return _on_person(case, asked)
    return None
