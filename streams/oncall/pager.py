"""What the paging role does next: it sends what is due, and gets the report that the ledger decides on.

Sending comes before reporting: a crash in between sends the same page again under the same id, which its receiver knows
for a repeat, and never records a page that was not sent.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from agents.oncall.decide import MAX_TEXT, report
from agents.oncall.escalation import advance, nobody, sent
from agents.oncall.paging import Paging, Place, page_id
from agents.oncall.targets import resolver
from agents.triage.narrative import clip
from schemas.case.paging import Command, EscalationExhausted, Event, PageSent, PagingState
from schemas.errors import EffectError
from schemas.escalation import CaseFacts, EscalationPolicy
from schemas.oncall import OnCall
from streams.oncall.port import Page, Receiver, reach


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a page says of its incident."""

    title: str
    severity: str
    drill: bool = False


class Pager:
    """Sends what is due in a case, through the receivers of this machine.

    Parameters
    ----------
    receivers
        By the names that the on-call document knows.
    waits
        Seconds between the tries of one receiver.
    sleep
        How to wait.
    """

    def __init__(
        self, receivers: Mapping[str, Receiver], waits: Sequence[float], sleep: Callable[[float], object]
    ) -> None:
        self._receivers = receivers
        self._waits = waits
        self._sleep = sleep

    def act(
        self, paging: Paging, policy: EscalationPolicy, document: OnCall, facts: CaseFacts, about: About, now: int
    ) -> Command | None:
        """Send what is due first at `now` (ms) and return what is to be reported of it; None where nothing is due.

        `policy` is the one that the case began with; `document` says who people are now. What is due next is asked
        for once the ledger has decided on the report.
        """
        due = advance(paging, policy, facts, now, resolver(document, now))
        return report(self._sent(paging, policy, document, due[0], about)) if due else None

    def _sent(self, paging: Paging, policy: EscalationPolicy, document: OnCall, event: Event, about: About) -> Event:
        if not isinstance(event, PageSent | EscalationExhausted) or not event.persons:
            return event
        failed: dict[str, str] = {}
        for person in event.persons:
            page = Page(
                id=page_id(paging, event, person),
                incident=paging.incident,
                subject=paging.subject,
                person=person,
                title=about.title,
                severity=about.severity,
                important=not isinstance(event, PageSent) or event.important,
                step=event.step if isinstance(event, PageSent) else len(policy.steps),
                round=event.round if isinstance(event, PageSent) else paging.round,
                at=event.at,
                drill=about.drill,
            )
            try:
                reach(self._receivers, document.contacts_of(person), page, self._waits, self._sleep)
            except EffectError as error:
                failed[person] = str(error)
        return _outcome(paging, policy, event, failed) if failed else event


def _outcome(
    paging: Paging,
    policy: EscalationPolicy,
    event: PageSent | EscalationExhausted,
    failed: Mapping[str, str],
) -> Event:
    """Return what to report where not every person could be paged."""
    reached = tuple(person for person in event.persons if person not in failed)
    why = clip("; ".join(f"{person}: {said}" for person, said in failed.items()), MAX_TEXT)
    if isinstance(event, PageSent):
        place = Place(step=event.step, round=event.round)
        if not reached:
            return nobody(paging, policy, place, event.target, why, event.at)
        return replace(sent(paging, policy, place, event.target, reached, event.at), unreached=tuple(failed))
    target = f"role:{event.role}"
    if not reached and paging.state is PagingState.TRIGGERED and target not in paging.told:
        return nobody(paging, policy, Place(step=len(policy.steps), round=paging.round), target, why, event.at)
    return replace(event, persons=reached, why=clip(f"{event.why}; not reached: {why}", MAX_TEXT))
