"""Decide on severity, priority and reportability: up by whoever responds, down by few and with evidence."""

import re
from dataclasses import replace

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.assessment import Assessment, modified
from schemas.case import assessment as a
from schemas.case.people import Duty
from schemas.values import Role, Severity

MAX_REGIMES = 64
_REGIME = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")


def changed(case: Case, to: Severity, by: str, reason: str) -> list[object]:
    """Return what follows where the severity of a case is no longer what it was."""
    if to is case.severity:
        return []
    return [a.SeverityChanged(incident=case.incident, was=case.severity, severity=to, by=by, reason=reason)]


def _may_lower(case: Case, asked: Asked) -> bool:
    return Role.ML_MANAGER in asked.roles or case.people.duties.get(Duty.COMMANDER) == asked.principal


def _judged(case: Case, asked: Asked, event: object, after: Assessment, *, lower: bool) -> list[object]:
    """Return the event, and the change of severity that it brings, unless this person may not lower anything."""
    before = case.assessment
    if (lower or after.severity.rank > case.severity.rank) and not _may_lower(case, asked):
        return refuse(asked, "wrong_role", "only an ML manager or the incident's commander lowers what was judged")
    if after == before:
        return refuse(asked, "as_it_was", "this is what was judged already")
    reason = getattr(event, "reason", "") or getattr(event, "evidence", "")
    return [event, *changed(case, after.severity, asked.principal, reason)]


def _assess(case: Case, asked: Asked, body: a.AssessHarm) -> list[object]:
    before = case.assessment.harm.get(body.dimension)
    event = a.HarmAssessed(
        incident=case.incident,
        dimension=body.dimension,
        level=body.level,
        principal=asked.principal,
        reason=body.reason,
    )
    after = replace(case.assessment, harm={**case.assessment.harm, body.dimension: body.level})
    lower = before is not None and body.level.rank > before.rank
    return _judged(case, asked, event, after, lower=lower)


def _modify(case: Case, asked: Asked, body: a.SetModifier) -> list[object]:
    event = a.ModifierSet(
        incident=case.incident,
        modifier=body.modifier,
        applies=body.applies,
        by=asked.principal,
        reason=body.reason,
    )
    after = modified(case.assessment, body.modifier, applies=body.applies)
    return _judged(case, asked, event, after, lower=after.modifiers < case.assessment.modifiers)


def _set(case: Case, asked: Asked, body: a.SetSeverity) -> list[object]:
    """Put the person's word where the rules' stands, if the severity can be so beside dimensions and modifiers."""
    if body.severity is case.severity:
        return refuse(asked, "as_it_was", f"the case is {body.severity.value}")
    for word in Severity:
        after = replace(case.assessment, judged=word)
        if after.severity is body.severity:
            event = a.SeverityJudged(
                incident=case.incident, severity=word, principal=asked.principal, evidence=body.evidence
            )
            return _judged(case, asked, event, after, lower=False)
    kept = ", ".join(
        [f"{dimension.value} {level.value}" for dimension, level in sorted(case.assessment.harm.items())]
        + sorted(modifier.value for modifier in case.assessment.modifiers)
    )
    return refuse(asked, "kept_up", f"what was assessed keeps it at {case.severity.value}: {kept}; assess that again")


def _report(case: Case, asked: Asked, body: a.SetReportability) -> list[object]:
    if _REGIME.fullmatch(body.regime) is None:
        return refuse(asked, "bad_regime", "a regime is named by 1 to 64 of a-z, 0-9 and _")
    known = case.assessment.reportability
    if body.regime not in known and len(known) >= MAX_REGIMES:
        return refuse(asked, "too_much", f"a case is judged under at most {MAX_REGIMES} regimes")
    return [
        a.ReportabilitySet(
            incident=case.incident,
            regime=body.regime,
            answer=body.answer,
            principal=asked.principal,
            reason=body.reason,
        )
    ]


def decide(_control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of a command about how bad, urgent or reportable a case is, or None where it is none."""
    match asked.body:
        case a.AssessHarm(reason=reason):
            return unsaid(asked, reason) or _assess(case, asked, asked.body)
        case a.SetModifier(reason=reason):
            return unsaid(asked, reason) or _modify(case, asked, asked.body)
        case a.SetSeverity(evidence=reason):
            return unsaid(asked, reason) or _set(case, asked, asked.body)
        case a.SetPriority(priority=priority, reason=reason):
            found = a.PrioritySet(incident=case.incident, priority=priority, principal=asked.principal, reason=reason)
            return unsaid(asked, reason) or [found]
        case a.SetReportability(reason=reason):
            return unsaid(asked, reason) or _report(case, asked, asked.body)
    return None
