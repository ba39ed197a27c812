"""What the ledger says to a command about paging: what happened, or a refusal with its reason.

Time is the ledger's; `at` in a report is the paging role's, and neither may lie before the deadline that it acts on.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import NamedTuple

from agents.oncall.escalation import deadline, exhausted, expiry, nobody, sent, skipped, stops
from agents.oncall.paging import Paging, Place, place
from schemas.case.paging import (
    AcknowledgeExpired,
    AcknowledgePage,
    Command,
    EscalationExhausted,
    Event,
    PageAcknowledged,
    PageReachedNobody,
    PageSent,
    PageSkipped,
    PagingState,
    ReportAcknowledgeExpired,
    ReportExhausted,
    ReportNobodyReached,
    ReportPage,
    ReportPageSkipped,
)
from schemas.escalation import EscalationPolicy
from schemas.ids import sound

MAX_PERSONS = 100
MAX_TEXT = 2000
_SECOND = 1000


class Refusal(NamedTuple):
    """Why not: one word to count by, and a sentence to read."""

    reason: str
    detail: str


def decide(paging: Paging, policy: EscalationPolicy, asked: Command, who: str, at: int) -> list[Event] | Refusal:
    """Return what a command brings about at a time (ms) of the ledger.

    Parameters
    ----------
    who
        The person who asks: the name in the on-call document, or else the principal.
    """
    if isinstance(asked, AcknowledgePage):
        return _acknowledge(paging, policy, asked, who, at)
    expected = [PagingState.ACKNOWLEDGED] if isinstance(asked, ReportAcknowledgeExpired) else [PagingState.TRIGGERED]
    if isinstance(asked, ReportExhausted):
        expected.append(PagingState.EXHAUSTED)
    if paging.state not in expected:
        return Refusal("not_paging", f"paging is {paging.state.value}; this needs {expected[0].value}")
    due = deadline(paging)
    if due is None or min(asked.at, at) < due:
        return Refusal("not_due", f"nothing is due before {due} ms" if due else "nothing is due until somebody acts")
    if isinstance(asked, ReportAcknowledgeExpired):
        if (asked.step, asked.round) != (paging.step, paging.round):
            return Refusal("wrong_step", f"paging stands at step {paging.step} of round {paging.round}")
        return [expiry(paging, at)]
    if isinstance(asked, ReportExhausted):
        return _exhausted(paging, policy, asked, at)
    return _reported(paging, policy, asked, at)


def _acknowledge(
    paging: Paging, policy: EscalationPolicy, asked: AcknowledgePage, who: str, at: int
) -> list[Event] | Refusal:
    if paging.state in (PagingState.IDLE, PagingState.RESOLVED):
        return Refusal("not_paging", "nobody is paged about it, so there is nothing to acknowledge")
    if len(asked.note) > MAX_TEXT:
        return Refusal("too_long", f"a note has at most {MAX_TEXT} characters")
    if paging.state is not PagingState.ACKNOWLEDGED and who in paging.aware and paging.awaited:
        waiting = ", ".join(paging.awaited)
        return Refusal("already_acknowledged", f"{who} has acknowledged; it still waits for {waiting}")
    ends = stops(paging, policy, who, at)
    timeout = policy.acknowledge_timeout_seconds
    due = at + timeout * _SECOND if ends and timeout is not None else None
    return [
        PageAcknowledged(
            incident=paging.incident,
            subject=paging.subject,
            person=who,
            note=asked.note,
            stops=ends,
            at=at,
            due=due,
        )
    ]


def _exhausted(paging: Paging, policy: EscalationPolicy, asked: ReportExhausted, at: int) -> list[Event] | Refusal:
    now = place(paging, policy)
    if now.step != len(policy.steps):
        return Refusal("wrong_step", f"step {now.step} of round {now.round} comes first")
    if asked.role != policy.final:
        return Refusal("wrong_target", f"the escalation ends at role {policy.final}")
    unsound = _unsound(asked.persons, asked.why)
    if unsound is not None:
        return unsound
    first = paging.state is PagingState.TRIGGERED
    if not asked.persons and first and f"role:{policy.final}" not in paging.told:
        return Refusal("reached_nobody", f"say first that role {policy.final} reached nobody")
    return [exhausted(paging, policy, asked.persons, asked.why, at)]


def _reported(
    paging: Paging, policy: EscalationPolicy, asked: ReportPage | ReportNobodyReached | ReportPageSkipped, at: int
) -> list[Event] | Refusal:
    now = place(paging, policy)
    if (asked.step, asked.round) != (now.step, now.round):
        return Refusal("wrong_step", f"step {now.step} of round {now.round} acts next")
    open_targets = _open_targets(paging, policy, now)
    whole = isinstance(asked, ReportPageSkipped) and not asked.target
    if asked.target not in open_targets and not whole:
        return Refusal("wrong_target", f"this step pages {', '.join(open_targets) or 'nobody more'}")
    named = (*getattr(asked, "persons", ()), *getattr(asked, "unreached", ()))
    unsound = _unsound(named, getattr(asked, "why", ""))
    if unsound is not None:
        return unsound
    if isinstance(asked, ReportNobodyReached):
        return [nobody(paging, policy, now, asked.target, asked.why, at)]
    if now.step == len(policy.steps):
        return Refusal("wrong_step", f"what is told to role {policy.final} at the end is reported as its exhaustion")
    if isinstance(asked, ReportPageSkipped):
        return _skip(paging, policy, now, asked, at)
    if not asked.persons:
        return Refusal("reached_nobody", "a page to nobody is reported as having reached nobody")
    if asked.important != policy.steps[now.step].important:
        return Refusal("wrong_step", f"step {now.step} says important = {policy.steps[now.step].important}")
    return [replace(sent(paging, policy, now, asked.target, asked.persons, at), unreached=asked.unreached)]


def _skip(
    paging: Paging, policy: EscalationPolicy, now: Place, asked: ReportPageSkipped, at: int
) -> list[Event] | Refusal:
    if not asked.target:
        begun = not paging.done and paging.told
        if policy.steps[now.step].only_if is None or begun or asked.persons:
            return Refusal("not_conditional", f"step {now.step} has no condition left under which it does not count")
    elif not asked.persons or not set(asked.persons) <= paging.aware | set(() if paging.done else paging.here):
        return Refusal("not_aware", "only persons who know already may be left out")
    return [skipped(paging, policy, now, asked.target, asked.persons, asked.why, at)]


def _open_targets(paging: Paging, policy: EscalationPolicy, now: Place) -> tuple[str, ...]:
    told = () if paging.done else paging.told
    every = (f"role:{policy.final}",) if now.step == len(policy.steps) else policy.steps[now.step].targets
    return tuple(target for target in every if target not in told)


def _unsound(persons: tuple[str, ...], why: str) -> Refusal | None:
    if len(why) > MAX_TEXT:
        return Refusal("too_long", f"a reason has at most {MAX_TEXT} characters")
    if len(persons) > MAX_PERSONS or len(set(persons)) != len(persons):
        return Refusal("unsound", f"at most {MAX_PERSONS} persons are named, each once")
    if not all(sound(person) for person in persons):
        return Refusal("unsound", "a person's name has 1 to 128 letters, digits, dots, dashes or underscores")
    return None


_REPORTS: Mapping[type[Event], type[Command]] = MappingProxyType(
    {
        PageSent: ReportPage,
        PageReachedNobody: ReportNobodyReached,
        PageSkipped: ReportPageSkipped,
        AcknowledgeExpired: ReportAcknowledgeExpired,
        EscalationExhausted: ReportExhausted,
    }
)
"""The command that states each event which time alone brings about; it says a part of what the event says."""


def report(event: Event) -> Command | None:
    """Return the command with which the paging role states an event that `advance` proposed; None for a person's."""
    command = _REPORTS.get(type(event))
    return None if command is None else command(**{f.name: getattr(event, f.name) for f in fields(command)})
