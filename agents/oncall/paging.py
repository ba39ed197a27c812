"""The state of paging for one subject of a case, and how each event changes it: only from what was decided.

`step` and `round` are the step in force: the one whose targets are being paged, or were last. `done` says that all its
targets were dealt with; then `due` is when the next one acts.
"""

from dataclasses import dataclass, replace

from schemas.addressees import webhook
from schemas.avro import Millis
from schemas.case.paging import (
    AcknowledgeExpired,
    EscalationExhausted,
    Event,
    PageAcknowledged,
    PageReachedNobody,
    PageSent,
    PageSkipped,
    PagingResolved,
    PagingStarted,
    PagingState,
)
from schemas.escalation import Ack, EscalationPolicy, EscalationStep
from schemas.ids import derive

_SECOND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paged:
    """Somebody who was paged: when first and last, how often, and whether the escalation waits for this person."""

    person: str
    first_at: Millis
    last_at: Millis
    times: int
    awaited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """Somebody who is on it."""

    person: str
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Where the paging of one subject stands.

    told, here
        Targets of the step in force that were dealt with, and persons whom it reached.
    reached
        Whether this round has reached a person.
    final
        Persons of the final role who were told.
    digest
        The on-call document that counts for it, whatever is adopted later.
    began, expired
        When paging began, and how often acknowledgements have expired since.
    """

    incident: str
    subject: str = ""
    policy: str = ""
    digest: str = ""
    began: Millis = 0
    expired: int = 0
    state: PagingState = PagingState.IDLE
    step: int = 0
    round: int = 0
    done: bool = False
    told: tuple[str, ...] = ()
    here: tuple[str, ...] = ()
    reached: bool = False
    due: Millis | None = None
    paged: tuple[Paged, ...] = ()
    acknowledged: tuple[Acknowledged, ...] = ()
    final: tuple[str, ...] = ()

    @property
    def aware(self) -> frozenset[str]:
        """Persons whose acknowledgement counts now."""
        return frozenset(one.person for one in self.acknowledged)

    @property
    def awaited(self) -> tuple[str, ...]:
        """Persons whose acknowledgement the escalation still waits for: those paged by a step that asks all."""
        return tuple(one.person for one in self.paged if one.awaited and one.person not in self.aware)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A step of a round; the number of the policy's steps stands for the final role."""

    step: int
    round: int


def place(paging: Paging, policy: EscalationPolicy) -> Place:
    """Return the step that acts at the next deadline: the one in force until it is done, then what follows it."""
    if not paging.done:
        return Place(step=paging.step, round=paging.round)
    if paging.step + 1 < len(policy.steps):
        return Place(step=paging.step + 1, round=paging.round)
    if paging.step < len(policy.steps) and paging.reached and paging.round < policy.repeat:
        return Place(step=0, round=paging.round + 1)
    return Place(step=len(policy.steps), round=paging.round)


def next_due(paging: Paging, policy: EscalationPolicy, at: int, *, at_once: bool) -> int:
    """Return when (ms) what follows the step in force acts, once that step is done.

    A step that reached nobody is passed at once, and so is a round.
    """
    done = replace(paging, done=True)
    following = place(done, policy)
    if following.step == 0 or following.step == len(policy.steps):
        return at if not done.reached else at + policy.wait_seconds * _SECOND
    return at if at_once else at + policy.steps[following.step].after_seconds * _SECOND


def evolve(paging: Paging, policy: EscalationPolicy, event: Event) -> Paging:
    """Return the state after an event that was decided from this state."""
    match event:
        case PagingStarted():
            return Paging(
                incident=event.incident,
                subject=event.subject,
                policy=event.policy,
                digest=event.digest,
                began=event.at,
                state=PagingState.TRIGGERED,
                due=event.due,
            )
        case PageSent() | PageReachedNobody() | PageSkipped():
            return _dealt_with(paging, policy, event)
        case PageAcknowledged():
            known = [one for one in paging.acknowledged if one.person != event.person]
            taken = replace(paging, acknowledged=(*known, Acknowledged(person=event.person, at=event.at)))
            return replace(taken, state=PagingState.ACKNOWLEDGED, due=event.due) if event.stops else taken
        case AcknowledgeExpired():
            waiting = tuple(replace(one, awaited=False) for one in paging.paged)
            again = replace(paging, state=PagingState.TRIGGERED, done=False, told=(), here=(), paged=waiting)
            return replace(again, acknowledged=(), final=(), due=event.at, expired=paging.expired + 1)
        case EscalationExhausted():
            told = _told(paging, event.persons, event.at, awaited=False)
            # Where even the final role could not be told, it is tried again: somebody must know.
            retry = None if event.persons else event.at + policy.wait_seconds * _SECOND
            over = replace(told, state=PagingState.EXHAUSTED, step=len(policy.steps), done=True, due=retry)
            return replace(over, final=event.persons)
        case PagingResolved():
            return replace(paging, state=PagingState.RESOLVED, due=None)


def page_id(paging: Paging, event: PageSent | EscalationExhausted, person: str) -> str:
    """Return the idempotency key of a page that this state calls for: the same page again has the same key.

    No time of sending is in it, so that a page repeated after a crash is known for a repeat.
    """
    at = (event.step, event.round, event.target) if isinstance(event, PageSent) else (-1, paging.round, event.role)
    return derive("page", paging.incident, paging.subject, paging.began, paging.expired, *at, person)


def target_done(
    paging: Paging, policy: EscalationPolicy, place: Place, target: str, persons: tuple[str, ...]
) -> Paging:
    """Return the state with one more target of a step dealt with; an empty target stands for the whole step."""
    if Place(step=paging.step, round=paging.round) != place or paging.done:
        reached = paging.reached and paging.round == place.round
        paging = replace(paging, step=place.step, round=place.round, done=False, told=(), here=(), reached=reached)
    if place.step == len(policy.steps):
        return replace(paging, told=(*paging.told, target))
    people = tuple(person for person in persons if not webhook(person))
    paging = replace(
        paging,
        told=(*paging.told, target) if target else policy.steps[place.step].targets,
        here=(*paging.here, *people),
        reached=paging.reached or bool(people),
    )
    return replace(paging, done=set(policy.steps[place.step].targets) <= set(paging.told))


def passes_at_once(paging: Paging, step: EscalationStep, *, skipped: bool) -> bool:
    """Whether what follows a step need not wait: it was to page people, and reached none."""
    return step.pages_people and not paging.here and not skipped


def _dealt_with(paging: Paging, policy: EscalationPolicy, event: PageSent | PageReachedNobody | PageSkipped) -> Paging:
    persons = () if isinstance(event, PageReachedNobody) else event.persons
    after = target_done(paging, policy, Place(step=event.step, round=event.round), event.target, persons)
    if isinstance(event, PageSent):
        awaited = policy.steps[event.step].ack is Ack.ALL
        after = _told(after, persons, event.at, awaited=awaited)
    return replace(after, due=event.due)


def _told(paging: Paging, persons: tuple[str, ...], at: int, *, awaited: bool) -> Paging:
    known = {one.person: one for one in paging.paged}
    for person in persons:
        before = known.get(person, Paged(person=person, first_at=at, last_at=at, times=0, awaited=False))
        must = before.awaited or (awaited and not webhook(person))
        known[person] = replace(before, last_at=at, times=before.times + 1, awaited=must)
    return replace(paging, paged=tuple(known.values()))
