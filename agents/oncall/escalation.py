"""What time alone brings about in paging: whom to page next, what to skip, when nobody is left to ask."""

from collections.abc import Callable

from agents.oncall import rota
from agents.oncall.paging import Paging, Place, evolve, next_due, passes_at_once, place, target_done
from schemas.case.paging import (
    AcknowledgeExpired,
    EscalationExhausted,
    Event,
    PageReachedNobody,
    PageSent,
    PageSkipped,
    PagingResolved,
    PagingStarted,
    PagingState,
)
from schemas.escalation import Ack, CaseFacts, Condition, EscalationPolicy
from schemas.oncall import OnCall

Resolve = Callable[[str], tuple[str, ...]]
"""Target → persons (webhook:<receiver> for a webhook); empty where it leads to nobody."""

_SECOND = 1000


def start(document: OnCall, digest: str, facts: CaseFacts, *, incident: str, subject: str, at: int) -> list[Event]:
    """Return the beginning of paging by the first policy that matches; nothing where none speaks of it."""
    policy = document.choose(facts)
    return [] if policy is None else begin(policy, digest, incident=incident, subject=subject, at=at)


def begin(policy: EscalationPolicy, digest: str, *, incident: str, subject: str, at: int) -> list[Event]:
    """Return the beginning of paging by a policy, under the on-call document with this digest."""
    due = at + policy.steps[0].after_seconds * _SECOND
    return [
        PagingStarted(
            incident=incident,
            subject=subject,
            policy=policy.name,
            digest=digest,
            escalation=policy.canonical(),
            at=at,
            due=due,
        )
    ]


def resolved(paging: Paging, by: str, reason: str, at: int) -> list[Event]:
    """Return the end of paging; nothing where it has not begun or is over."""
    if paging.state in (PagingState.IDLE, PagingState.RESOLVED):
        return []
    return [PagingResolved(incident=paging.incident, subject=paging.subject, by=by, reason=reason, at=at)]


def deadline(paging: Paging) -> int | None:
    """Return when (ms) time alone acts next, or None where only people can."""
    return None if paging.state in (PagingState.IDLE, PagingState.RESOLVED) else paging.due


def advance(paging: Paging, policy: EscalationPolicy, facts: CaseFacts, now: int, resolve: Resolve) -> list[Event]:
    """Return everything that is due at `now` (ms), in order; folding it with `evolve` gives the state after it."""
    events: list[Event] = []
    while (event := _next(paging, policy, facts, now, resolve)) is not None:
        events.append(event)
        paging = evolve(paging, policy, event)
    return events


def _next(paging: Paging, policy: EscalationPolicy, facts: CaseFacts, now: int, resolve: Resolve) -> Event | None:
    due = deadline(paging)
    if due is None or now < due:
        return None
    if paging.state is PagingState.ACKNOWLEDGED:
        return expiry(paging, now)
    at = place(paging, policy)
    if at.step == len(policy.steps):
        return _final(paging, policy, at, now, resolve)
    told = () if paging.done else paging.told
    unmet = _unmet(policy.steps[at.step].only_if, facts, now) if not told else ""
    if unmet:
        return skipped(paging, policy, at, "", (), unmet, now)
    target = next(target for target in policy.steps[at.step].targets if target not in told)
    persons = resolve(target)
    if not persons:
        return nobody(paging, policy, at, target, _why(target), now)
    here = () if paging.done else paging.here
    asleep = tuple(person for person in persons if person not in paging.aware and person not in here)
    if not asleep:
        return skipped(paging, policy, at, target, persons, "all of them know already", now)
    return sent(paging, policy, at, target, asleep, now)


def _final(paging: Paging, policy: EscalationPolicy, at: Place, now: int, resolve: Resolve) -> Event:
    target = f"role:{policy.final}"
    persons = resolve(target)
    first = paging.state is PagingState.TRIGGERED and target not in (() if paging.done else paging.told)
    if not persons and first:
        return nobody(paging, policy, at, target, _why(target), now)
    why = "nobody could be reached" if not paging.paged else "nobody acknowledged in time"
    if any(one.awaited for one in paging.paged) and paging.acknowledged:
        why = f"not everybody acknowledged: {', '.join(paging.awaited)} did not"
    return exhausted(paging, policy, persons, why, now)


def sent(
    paging: Paging, policy: EscalationPolicy, at: Place, target: str, persons: tuple[str, ...], now: int
) -> PageSent:
    """Return that persons of a target were paged, at the time that counts (ms)."""
    return PageSent(
        incident=paging.incident,
        subject=paging.subject,
        step=at.step,
        round=at.round,
        target=target,
        persons=persons,
        important=policy.steps[at.step].important,
        at=now,
        due=_due(paging, policy, at, target, persons, now),
    )


def nobody(paging: Paging, policy: EscalationPolicy, at: Place, target: str, why: str, now: int) -> PageReachedNobody:
    """Return that a target reached nobody."""
    return PageReachedNobody(
        incident=paging.incident,
        subject=paging.subject,
        step=at.step,
        round=at.round,
        target=target,
        why=why,
        at=now,
        due=_due(paging, policy, at, target, (), now),
    )


def skipped(
    paging: Paging, policy: EscalationPolicy, at: Place, target: str, persons: tuple[str, ...], why: str, now: int
) -> PageSkipped:
    """Return that a step (empty target) or persons of a target need not be paged."""
    return PageSkipped(
        incident=paging.incident,
        subject=paging.subject,
        step=at.step,
        round=at.round,
        target=target,
        persons=persons,
        why=why,
        at=now,
        due=_due(paging, policy, at, target, persons, now),
    )


def expiry(paging: Paging, now: int) -> AcknowledgeExpired:
    """Return that the acknowledgements count no more."""
    return AcknowledgeExpired(
        incident=paging.incident,
        subject=paging.subject,
        step=paging.step,
        round=paging.round,
        persons=tuple(one.person for one in paging.acknowledged),
        at=now,
    )


def exhausted(
    paging: Paging, policy: EscalationPolicy, persons: tuple[str, ...], why: str, now: int
) -> EscalationExhausted:
    """Return that the final role was told."""
    return EscalationExhausted(
        incident=paging.incident, subject=paging.subject, role=policy.final, persons=persons, why=why, at=now
    )


def stops(paging: Paging, policy: EscalationPolicy, person: str, at: int) -> bool:
    """Whether the acknowledgement of a person stops the escalation.

    It does unless a step that asks all has paged others who have not acknowledged, or is due and has yet to page them;
    after the end of the escalation somebody of the final role answers for all.
    """
    if paging.state is PagingState.ACKNOWLEDGED or person in paging.final:
        return True
    return not [other for other in paging.awaited if other != person] and not _all_are_due(paging, policy, at)


def _all_are_due(paging: Paging, policy: EscalationPolicy, at: int) -> bool:
    due = paging.due
    if paging.state is not PagingState.TRIGGERED or due is None or at < due:
        return False
    first = place(paging, policy).step
    for number, step in enumerate(policy.steps[first:]):
        if number and step.after_seconds:
            return False
        if step.ack is Ack.ALL and step.pages_people:
            return True
    return False


def _due(paging: Paging, policy: EscalationPolicy, at: Place, target: str, persons: tuple[str, ...], now: int) -> int:
    after = target_done(paging, policy, at, target, persons)
    if not after.done:
        return now
    at_once = passes_at_once(after, policy.steps[at.step], skipped=not target)
    return next_due(after, policy, now, at_once=at_once)


def _unmet(condition: Condition | None, facts: CaseFacts, now: int) -> str:
    """Return why a step does not count, or nothing where it does."""
    if condition is None:
        return ""
    if condition.hours is not None and not rota.within(condition.hours, condition.zone, now):
        return f"outside its hours ({condition.hours.start} to {condition.hours.end} in {condition.zone})"
    if condition.signals is not None and condition.within_seconds is not None:
        since = now - condition.within_seconds * _SECOND
        recent = sum(1 for at in facts.signals if since < at <= now)
        if recent < condition.signals:
            return f"{recent} signals in {condition.within_seconds} s; it needs {condition.signals}"
    return ""


def _why(target: str) -> str:
    return {
        "schedule": "nobody is on call in this schedule",
        "role": "nobody holds this role now",
        "user": "no such person can be reached",
        "webhook": "no such receiver",
    }[target.partition(":")[0]]
