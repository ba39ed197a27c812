"""Which incident explains another one, so that nobody is paged twice for one cause; it is recorded all the same."""

from collections.abc import Mapping

from agents.ledger.case import Case
from schemas.systems import Systems
from schemas.values import Category

_UPSTREAM = frozenset({Category.DATA_QUALITY, Category.DATA_DRIFT, Category.INFRASTRUCTURE})
"""What a model hands on to those that read its output."""

_OF_ITS_OWN = frozenset({Category.ATTACK, Category.OUTPUT_SAFETY, Category.HUMAN_REPORT})
"""What no fault elsewhere explains away."""


def inhibited_by(case: Case, cases: Mapping[str, Case], systems: Systems) -> str | None:
    """Return the incident that holds back the paging of a case, or None.

    It is under way, is older and no less severe, so that two never hold back each other and a worse one is always
    heard. It is of infrastructure on all the models that the case affects, or on models upstream of them; or its data
    are bad upstream of all of them. Of several the oldest is named.
    """
    own = {one.model for one in case.affected}
    if case.category in _OF_ITS_OWN or case.phase.over or not own:
        return None
    before = (case.opened_at, case.incident)
    known = sorted(cases.values(), key=lambda other: (other.opened_at, other.incident))
    for other in known:
        if (other.opened_at, other.incident) >= before:
            break
        if other.phase.over or other.drill is not case.drill or other.severity.rank > case.severity.rank:
            continue
        if other.category in _UPSTREAM and _explains(other, own, systems):
            return other.incident
    return None


def _explains(other: Case, own: set[str], systems: Systems) -> bool:
    sources = {one.model for one in other.affected}
    here = sources if other.category is Category.INFRASTRUCTURE else set[str]()
    return all(model in here or upstream(model, systems) & sources for model in own)


def upstream(model: str, systems: Systems) -> set[str]:
    """Return the models whose output reaches a model, without itself unless it reads its own."""
    reached: set[str] = set()
    waiting = [model]
    while waiting:
        found = systems.find(waiting.pop())
        for name in found[2].depends_on if found else ():
            if name not in reached:
                reached.add(name)
                waiting.append(name)
    return reached
