"""Whose approvals of a plan count now, and whether they are enough: distinct persons over roles, none excluded."""

from collections.abc import Sequence

from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.regions.plan import Given, Plan
from schemas.case.approval import Needed
from schemas.values import Role

DELEGABLE = frozenset({"Approve", "Deny", "RevokeApproval"})


def excluded(control: Control, case: Case, plan: Plan) -> frozenset[str]:
    """Return the principals whose approval of this plan never counts: proposer, executor's owners, people named."""
    named = control.policies[case.policy].persons
    return case.deciding.excluded.union(plan.excluded, named.excluded, named.executor_owners, (plan.proposer,))


def in_force(control: Control, key: str) -> bool:
    """Whether a key is enrolled and was not revoked."""
    enrolled = control.keys.get(key)
    return enrolled is not None and not enrolled.revoked


def deputies_of(control: Control, principal: str, at: int) -> list[str]:
    """Return in whose place a person may decide at `at` (ms), in order; a revoked key delegates nothing any more."""
    return sorted(
        one.principal
        for one in control.deputies.delegations.values()
        if one.to == principal and at < one.until and in_force(control, one.key)
    )


def acting_roles(control: Control, principal: str, at: int) -> frozenset[Role]:
    """Return the roles in which a person may decide on plans: their own, and of whoever they stand in for."""
    own = control.roles.get(principal, frozenset())
    return own.union(*(control.roles.get(one, frozenset()) for one in deputies_of(control, principal, at)))


def _stands(control: Control, plan: Plan, given: Given, barred: frozenset[str]) -> bool:
    if not in_force(control, given.key) or given.principal in barred or (plan.step_up and not given.stepped_up):
        return False
    if not given.on_behalf:
        return True
    delegation = control.deputies.delegations.get((given.on_behalf, given.principal))
    if delegation is None or given.on_behalf in barred:
        return False
    return in_force(control, delegation.key)


def counted(control: Control, case: Case, plan: Plan) -> tuple[Given, ...]:
    """Return the approvals that count now: key and delegation in force, person not excluded, confirmed if need be."""
    barred = excluded(control, case, plan)
    return tuple(given for given in plan.given if _stands(control, plan, given, barred))


def enough(needs: Sequence[Needed], quorum: int, given: Sequence[Given]) -> bool:
    """Whether so many distinct persons agreed, and each place of each role is filled by a person of its own.

    A person with two roles fills one place: places and persons are matched (Kuhn's algorithm for bipartite graphs).
    """
    persons = {one.principal: frozenset(one.roles) for one in given}
    if len(persons) < quorum:
        return False
    places = [need.role for need in needs for _ in range(need.count)]
    filled: dict[str, int] = {}
    return all(_seat(place, places, persons, filled, set()) for place in range(len(places)))


def _seat(
    place: int, places: Sequence[Role], persons: dict[str, frozenset[Role]], filled: dict[str, int], tried: set[str]
) -> bool:
    """Find a person for a place, moving others to another of their places where that helps."""
    for person in sorted(persons):
        if places[place] in persons[person] and person not in tried:
            tried.add(person)
            if person not in filled or _seat(filled[person], places, persons, filled, tried):
                filled[person] = place
                return True
    return False


def authorised(control: Control, case: Case, plan: Plan) -> bool:
    """Whether the approvals that count now are enough for the plan."""
    return enough(plan.needs, plan.quorum, counted(control, case, plan))
