"""What paging would do if nobody answered: the same decisions, over the time to come."""

from dataclasses import dataclass

from agents.oncall.escalation import advance, deadline, start
from agents.oncall.paging import Paging, evolve
from agents.oncall.targets import resolver
from schemas.case.paging import Event, PagingState
from schemas.escalation import CaseFacts, EscalationPolicy
from schemas.oncall import OnCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The policy that would count, and what would happen from the beginning until nobody is left to ask."""

    policy: EscalationPolicy
    events: tuple[Event, ...]


def forecast(document: OnCall, facts: CaseFacts, at: int) -> Forecast | None:
    """Return what follows if paging begins at a time (ms) and nobody acknowledges; None where no policy matches."""
    policy = document.choose(facts)
    began = start(document, "", facts, incident="", subject="", at=at)
    if policy is None or not began:
        return None
    paging, said = Paging(incident=""), list(began)
    paging = evolve(paging, policy, began[0])
    while paging.state is PagingState.TRIGGERED and (due := deadline(paging)) is not None:
        for event in advance(paging, policy, facts, due, resolver(document, due)):
            paging = evolve(paging, policy, event)
            said.append(event)
    return Forecast(policy=policy, events=tuple(said))
