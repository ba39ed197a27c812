"""Who may not decide on a case, who has decided on it, and what people said so that its plans may go on."""

from dataclasses import dataclass, replace

from schemas import events as e
from schemas.case import approval as a
from schemas.case.people import Duty, DutyAssumed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What outlives a single plan.

    excluded
        Principals whose decisions count for nothing here.
    decided
        Everybody who has agreed to a plan of the case or refused one.
    involved
        Everybody who has had a duty on the case, but observers.
    wanted
        The number of the plan that a person asked for.
    nothing_to_keep
        Who answers for it that there is no evidence to freeze.
    signed_off
        The digest of the plan that was signed off.
    """

    excluded: frozenset[str] = frozenset()
    decided: frozenset[str] = frozenset()
    involved: frozenset[str] = frozenset()
    wanted: int = 0
    nothing_to_keep: str = ""
    signed_off: str = ""


def evolve(deciding: Deciding, event: object) -> Deciding:
    """Return the region after an event; others leave it as it is."""
    match event:
        case a.PersonExcluded():
            return replace(deciding, excluded=deciding.excluded | {event.principal})
        case e.ApprovalGiven() | a.DenialGiven():
            return replace(deciding, decided=deciding.decided | {event.principal})
        case e.PlanEnded(why="denied"):
            return replace(deciding, decided=deciding.decided | {event.principal})
        case DutyAssumed() if event.duty is not Duty.OBSERVER:
            return replace(deciding, involved=deciding.involved | {event.principal})
        case a.PlanAskedFor():
            return replace(deciding, wanted=event.number)
        case a.NothingToKeep():
            return replace(deciding, nothing_to_keep=event.principal)
        case a.SignedOff():
            return replace(deciding, signed_off=event.plan)
    return deciding
