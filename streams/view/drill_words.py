"""What happened in a drill in words for a manager: the events that matter, without the terms of the trade."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from agents.drills.milestones import spoken
from agents.drills.played import Happened
from agents.reports.words import HAPPENED, SEVERE, listed, plain, when
from agents.triage.reports import reporter_named
from schemas import drill_faults as f
from schemas import events as e
from schemas.case import action
from schemas.case import approval as a
from schemas.case import by_hand as h
from schemas.case import clocks as c
from schemas.case import glass as g
from schemas.case import paging as p
from schemas.case import response as r
from schemas.case.assessment import SeverityChanged
from schemas.drill_faults import Fault
from schemas.evidence import EvidenceAttached

_AND_THEN = ", then "


def _about(event: Any) -> str:
    return f" about the {event.subject.replace(':', ' ')}" if event.subject else ""


def _clock(x: c.ClockStarted) -> str:
    gives = spoken(x.strict_due - x.trigger_at)
    return f"the statutory clock {x.clock} began; it gives {gives}, until {when(x.strict_due)}"


def _opened(x: e.CaseOpened) -> str:
    return f"an incident was opened: {HAPPENED[x.category]} ({x.title}); severity {SEVERE[x.severity]}"


def _resolved(x: e.CaseResolved) -> str:
    shown = f": version {x.version} was well over {x.clear_rows} requests" if x.version else ""
    return f"the incident was over{shown}"


_SAY: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        e.CaseOpened: _opened,
        e.CaseGrew: lambda x: f"more came to light: {HAPPENED[x.category]} ({x.title})" if x.title else "",
        e.CaseAcknowledged: lambda x: f"took the incident{_noted(x.note)}",
        e.CaseDeclared: lambda x: f"declared it an incident: {x.reason}",
        e.CaseDismissed: lambda x: f"found that it is none: {plain(x.reason.value)}{_noted(x.note)}",
        SeverityChanged: lambda x: f"changed the severity to {SEVERE[x.severity]}",
        e.PlanProposed: lambda x: f"a plan was proposed: {_AND_THEN.join(one.summary for one in x.steps)}",
        e.ApprovalRequested: lambda x: (
            f"{x.quorum} people ({plain(x.role.replace('ml_', 'ML '))}) were asked to agree to the plan"
        ),
        e.ApprovalGiven: lambda x: f"agreed to the plan: {x.reason}",
        e.ApprovalRevoked: lambda x: f"took the agreement back: {x.reason}",
        a.DenialGiven: lambda x: f"refused the plan: {x.reason}",
        a.PersonExcluded: lambda x: f"kept {x.principal} from deciding: {x.reason}",
        e.PlanAuthorised: lambda _: "enough people had agreed: the plan could be carried out",
        e.PlanEnded: lambda x: f"ended the plan ({plain(x.why)}){_noted(x.reason)}",
        g.GlassBroken: lambda x: f"acted in an emergency, without waiting for the others: {x.reason}",
        g.StandingApprovalUsed: lambda x: f"began at once, as the standing approval “{x.rule}” lets it",
        a.SignedOff: lambda x: f"confirmed that what was done is right: {x.note}",
        EvidenceAttached: lambda x: f"kept as evidence: {x.summary}",
        e.CaseContained: lambda _: "the harm had stopped",
        h.ContainedByHand: lambda x: f"stopped the harm by hand: {x.statement}",
        h.RemediedByHand: lambda x: f"put it right by hand: {x.statement}",
        h.RecoveryJudged: lambda x: f"judged that it has recovered: {x.statement}",
        r.CaseInvestigating: lambda x: f"began to look for the cause: {x.reason}",
        e.CaseRecovering: lambda _: "every step was done; from here on it was watched whether that holds",
        r.CaseRegressed: lambda x: f"found that it did not hold: {x.reason}",
        e.CaseResolved: _resolved,
        r.CaseReopened: lambda x: f"took it up again: {x.reason}",
        r.CaseMerged: lambda x: f"found it to be a part of another incident: {x.reason}",
        r.CaseReviewed: lambda _: "began to learn from it",
        r.CaseClosed: lambda _: "closed it",
        p.PageSent: lambda x: f"{listed(x.persons)} {'was' if len(x.persons) == 1 else 'were'} called{_about(x)}",
        p.PageReachedNobody: lambda x: f"a call{_about(x)} reached nobody: {x.why}",
        p.PageAcknowledged: lambda x: f"answered the call{_about(x)}{_noted(x.note)}",
        p.EscalationExhausted: lambda x: f"{x.why}{_about(x)}: {listed(x.persons) or 'nobody'} was told as the last",
        c.CaseRegulated: lambda x: f"applied the rules of {x.regime}",
        c.ClockStarted: _clock,
        c.ReportProposed: lambda x: f"said that the report for {x.clock} was sent, receipt {x.receipt}",
        c.ReportSubmitted: lambda x: f"confirmed that the report for {x.clock} was sent{', late' if x.late else ''}",
        c.ClockNotApplicable: lambda x: f"decided that {x.clock} does not apply: {x.reason}",
        e.Refused: lambda x: f"asked for {spaced(x.kind)} and was refused: {x.detail}",
    }
)


PASSIVE = (
    e.CaseOpened,
    e.CaseGrew,
    e.PlanProposed,
    e.ApprovalRequested,
    e.PlanAuthorised,
    e.CaseContained,
    e.CaseRecovering,
    e.CaseResolved,
    p.PageSent,
    p.PageReachedNobody,
    p.EscalationExhausted,
    c.ClockStarted,
    action.ActionFinished,
)
"""Events that say what came about, and not what somebody did."""


def _noted(note: str) -> str:
    return f": {note}" if note else ""


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the paragraphs of a text whose lines were broken for its file."""
    return tuple(" ".join(part.split()) for part in re.split(r"\n\s*\n", text) if part.strip())


def spaced(kind: str) -> str:
    """Return the name of a command as words: ``ask for plan``."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()


def said(happened: Happened, all_of_it: Sequence[Happened], names: Mapping[str, str]) -> str:
    """Return an event as a manager reads it, empty where a manager need not: what services may not, for instance."""
    event = happened.event
    if isinstance(event, e.Refused) and happened.by not in names:
        return ""
    if isinstance(event, p.PageAcknowledged) and _took_it(happened, all_of_it):
        return ""
    if isinstance(event, action.ActionFinished):
        text = f"{_step(event, all_of_it)}: {plain(event.outcome)}"
    else:
        say = _SAY.get(type(event))
        text = say(event) if say is not None else ""
    text = reporter_named(text, names)
    for principal, name in names.items():
        text = text.replace(principal, name)
    return text


def _took_it(happened: Happened, all_of_it: Sequence[Happened]) -> bool:
    """Whether the same word is told already: taking an incident answers its pages."""
    return any(one.entry == happened.entry and isinstance(one.event, e.CaseAcknowledged) for one in all_of_it)


def _step(event: action.ActionFinished, all_of_it: Sequence[Happened]) -> str:
    """Return what an action did, as the newest plan that has it says."""
    desired = {one.event.intent: one.event.desired for one in all_of_it if isinstance(one.event, action.ActionStarted)}
    plans = [one.event for one in all_of_it if isinstance(one.event, e.PlanProposed)]
    wanted = (event.target, desired.get(event.intent, ""))
    same = [step.summary for plan in plans for step in plan.steps if (step.target, step.desired) == wanted]
    return same[-1] if same else f"{event.target} was changed"


def fault(one: Fault) -> str:
    """Return a fault in words: where it is, and what begins."""
    where = f"{one.model} version {one.version}" if one.version else f"every version of {one.model}"
    return f"{where}: {_FAULTS[type(one)](one)}"


def _share(x: Any) -> str:
    return f"{x.share:.0%}"


_FAULTS: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {
        f.Units: lambda x: f"the input {x.feature} arrives in another unit (times {x.factor:g}, plus {x.offset:g})",
        f.Stuck: lambda x: f"the input {x.feature} is always {x.value}",
        f.Missing: lambda x: f"{_share(x)} of the input {x.feature} are missing",
        f.Swapped: lambda x: f"the inputs {x.features[0]} and {x.features[1]} are exchanged",
        f.Population: lambda x: f"those who ask have changed: {x.feature} lies {x.by:g} standard deviations off",
        f.Concept: lambda x: f"what is true has changed for {_share(x)}, and no input shows it",
        f.Bias: lambda x: (
            f"{x.group} = {x.value} is told “{x.outcome}” in {_share(x)} of the cases, whatever the inputs"
        ),
        f.Poisoned: lambda x: f"it has learnt from poisoned data, and errs where {x.feature} is high",
        f.Unsafe: lambda x: f"{_share(x)} of the answers are unsafe, as {x.judge} sees it",
        f.Replaced: lambda _: "another model answers under the same name",
        f.Slow: lambda x: f"every answer takes {x.by_ms:g} ms longer",
        f.Failing: lambda x: f"{_share(x)} of the requests fail",
        f.Extraction: lambda x: f"the caller {x.caller} sends {_share(x)} of all requests, along a grid, to copy it",
    }
)
