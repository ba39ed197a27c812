"""Decide on delegations: a person lets another decide in their place, for a bounded time, and never onwards."""

from agents.ledger.asked import Asked
from agents.ledger.control import Control
from agents.ledger.quorum import deputies_of
from agents.ledger.refusal import refuse, unsaid
from schemas.approving import Persons
from schemas.authority import permitted
from schemas.delegation import Delegate, Delegated, DelegationRevoked, RevokeDelegation

_DAY_MS = 86_400_000
MAX_DEPUTIES = 200


def _delegate(control: Control, asked: Asked, body: Delegate, at: int) -> list[object]:
    if not permitted(asked.roles, "Approve"):
        return refuse(asked, "no_right", "only whoever may approve by a role of their own has a right to delegate")
    roles = control.roles.get(body.to, frozenset())
    if not roles or any(role.service for role in roles) or body.to == asked.principal:
        return refuse(asked, "no_person", "the right to decide is delegated to another enrolled person")
    days = (control.policy.persons if control.policy is not None else Persons()).delegation_days
    if not at < body.until <= at + days * _DAY_MS:
        return refuse(asked, "bad_time", f"a delegation ends in the future, {days} days from now at the latest")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    if sum(at < one.until for one in control.deputies.delegations.values()) >= MAX_DEPUTIES:
        return refuse(asked, "too_much", f"a ledger has at most {MAX_DEPUTIES} delegations; take others back first")
    made = Delegated(principal=asked.principal, key=asked.key, to=body.to, until=body.until, reason=body.reason)
    return [made]


def decide(control: Control, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about delegation, or None where it is none."""
    match asked.body:
        case Delegate():
            return _delegate(control, asked, asked.body, at)
        case RevokeDelegation(to=to, reason=reason):
            if (asked.principal, to) not in control.deputies.delegations:
                return refuse(asked, "no_delegation", "this person does not decide in your place")
            if (unspoken := unsaid(asked, reason)) is not None:
                return unspoken
            return [DelegationRevoked(principal=asked.principal, to=to, reason=reason)]
    return None


def onwards(control: Control, asked: Asked, at: int) -> list[object] | None:
    """Return the refusal to hand on a right that one only stands in for, or None where the command is no such.

    Whoever has a right of their own delegates that one; this is asked for those who have none.
    """
    if not isinstance(asked.body, Delegate) or not deputies_of(control, asked.principal, at):
        return None
    return refuse(asked, "onwards", "a right that was delegated is not delegated onwards")
