"""Decide on how people lead a case on: investigate, merge, regress, reopen, review and close."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.closing import unfinished
from agents.ledger.control import Control
from agents.ledger.decisions.execute import survives
from agents.ledger.decisions.keep import held_for
from agents.ledger.decisions.split import committed, ended
from agents.ledger.refusal import MAX_TEXT, refuse, unsaid
from schemas.case import response as r
from schemas.events import PlanEnded

MAX_ABSORBED = 1_000


def _merge(control: Control, case: Case, asked: Asked, body: r.Merge) -> list[object]:
    """Let the case go on in another one. That one is open and this one will not be, so no cycle can come about."""
    if body.into == case.incident or body.into not in control.open:
        return refuse(asked, "not_open", "an incident is merged into another one whose response is not over")
    if (body.into in control.drills) is not case.drill:
        return refuse(asked, "drill", "a drill's incident and a real one are never one")
    if committed(case):
        return refuse(asked, "too_late", "a plan is being carried out; merge the other incident into this one")
    merged = r.CaseMerged(incident=case.incident, into=body.into, principal=asked.principal, reason=body.reason)
    return [*ended(case, "merged", asked.principal, body.reason), merged]


def _absorb(control: Control, case: Case, asked: Asked, body: r.Absorb) -> list[object]:
    if control.merged.get(body.merged) != case.incident:
        return refuse(asked, "not_merged", "that incident was not merged into this one")
    if body.merged in case.course.absorbed:
        return refuse(asked, "absorbed", "this is recorded already")
    if len(case.course.absorbed) >= MAX_ABSORBED:
        return refuse(asked, "too_much", f"a case takes in at most {MAX_ABSORBED} others")
    return [r.CaseAbsorbed(incident=case.incident, merged=body.merged, principal=asked.principal)]


def _regress(case: Case, asked: Asked, reason: str) -> list[object]:
    """Go back to containing; the plan that was done has not helped, so that another may follow."""
    found: list[object] = [r.CaseRegressed(incident=case.incident, by=asked.principal, reason=reason)]
    if case.plan is None:
        return found
    plan = case.plan.digest
    ended_plan = PlanEnded(incident=case.incident, plan=plan, why="regressed", principal=asked.principal, reason=reason)
    return [*found, ended_plan]


def _report_regression(case: Case, asked: Asked, body: r.ReportRegression) -> list[object]:
    if not survives(case, body.model, body.version):
        return refuse(asked, "no_survivor", "the version is not a survivor of an affected model")
    return _regress(case, asked, body.reason)


def _reopen(control: Control, case: Case, asked: Asked, body: r.Reopen) -> list[object]:
    number = case.course.reopened + 1
    reopened = r.CaseReopened(incident=case.incident, number=number, principal=asked.principal, reason=body.reason)
    return [reopened, *held_for(control, case)]


def _close(control: Control, case: Case, asked: Asked, body: r.Close) -> list[object]:
    missing = unfinished(control, case)
    if missing:
        return refuse(asked, "unfinished", "; ".join(missing))
    return [r.CaseClosed(incident=case.incident, principal=asked.principal, note=body.note)]


def decide(control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of a command that leads the response on, or None where it is none."""
    incident, principal = case.incident, asked.principal
    match asked.body:
        case r.BeginReview(note=note) | r.Close(note=note) if len(note) > MAX_TEXT:
            return refuse(asked, "bad_note", f"a note has at most {MAX_TEXT} characters")
        case r.Investigate(reason=reason):
            found = r.CaseInvestigating(incident=incident, principal=principal, reason=reason)
            return unsaid(asked, reason) or [found]
        case r.Merge(reason=reason):
            return unsaid(asked, reason) or _merge(control, case, asked, asked.body)
        case r.Absorb():
            return _absorb(control, case, asked, asked.body)
        case r.Regress(reason=reason):
            return unsaid(asked, reason) or _regress(case, asked, reason)
        case r.ReportRegression(reason=reason):
            return unsaid(asked, reason) or _report_regression(case, asked, asked.body)
        case r.Reopen(reason=reason):
            return unsaid(asked, reason) or _reopen(control, case, asked, asked.body)
        case r.BeginReview(note=note):
            return [r.CaseReviewed(incident=incident, principal=principal, note=note)]
        case r.Close():
            return _close(control, case, asked, asked.body)
    return None
