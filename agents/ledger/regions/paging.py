"""The paging region of a case: each subject with its escalation policy as it was when paging about it began."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from agents.oncall import paging as pagings
from agents.oncall.paging import Paging
from schemas.case import paging as p
from schemas.case.learning import RatingAsked
from schemas.case.paging import PagingState
from schemas.escalation import EscalationPolicy
from schemas.values import Role

SUBJECT_OF_THE_CASE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalating:
    """The paging about one subject, and the policy that it goes by."""

    policy: EscalationPolicy
    paging: Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """What people are or were paged about, by subject; `held` says why nobody is paged about the case for now.

    rating_asked
        The roles that were last asked how the response was.
    """

    subjects: Mapping[str, Escalating] = field(default_factory=dict)
    held: tuple[str, str] = ("", "")
    rating_asked: tuple[Role, ...] = ()

    def active(self, subject: str = SUBJECT_OF_THE_CASE) -> Escalating | None:
        """Return the paging about a subject that has begun and is not over, or None."""
        known = self.subjects.get(subject)
        if known is None or known.paging.state in {PagingState.IDLE, PagingState.RESOLVED}:
            return None
        return known


def evolve(pages: Pages, event: object) -> Pages:
    """Return the region after an event; those that say nothing of paging leave it as it is."""
    if isinstance(event, RatingAsked):
        return replace(pages, rating_asked=event.roles)
    if isinstance(event, p.PagingHeld):
        return replace(pages, held=(event.why, event.by))
    if not isinstance(event, get_args(p.Event)):
        return pages
    if isinstance(event, p.PagingStarted):
        policy, before = EscalationPolicy.model_validate_json(event.escalation), Paging(incident=event.incident)
        pages = replace(pages, held=("", ""))
    else:
        known = pages.subjects[event.subject]
        policy, before = known.policy, known.paging
    after = Escalating(policy=policy, paging=pagings.evolve(before, policy, event))
    return replace(pages, subjects={**pages.subjects, event.subject: after})
