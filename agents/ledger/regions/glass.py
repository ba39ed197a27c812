"""What began without the quorum on a case: broken glasses and uses of standing approvals, and their reviews."""

from dataclasses import dataclass, replace

from schemas.case import glass as g
from schemas.case.glass import Justified
from schemas.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A glass that somebody broke for one step; it stays on the case for ever."""

    number: int
    plan: str
    step: int
    principal: str
    key: str
    reason: str
    at: int
    until: int
    review_by: int
    tell: tuple[str, ...] = ()
    reviewed_by: str = ""
    verdict: Justified | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """A use of a standing approval for steps of one plan."""

    number: int
    rule: str
    plan: str
    steps: tuple[int, ...]
    at: int
    review_by: int
    reviewer: Role
    reviewed_by: str = ""
    verdict: Justified | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Glass:
    """All of them, in order; the first has the number 1."""

    broken: tuple[Broken, ...] = ()
    used: tuple[Used, ...] = ()

    @property
    def unreviewed(self) -> tuple[Broken | Used, ...]:
        """Those that nobody has judged."""
        broken = tuple(one for one in self.broken if one.verdict is None)
        return broken + tuple(one for one in self.used if one.verdict is None)


def evolve(glass: Glass, event: object, at: int) -> Glass:
    """Return the region after an event of the entry decided at `at` (ms); others leave it as it is."""
    match event:
        case g.GlassBroken():
            broken = Broken(
                number=event.number,
                plan=event.plan,
                step=event.step,
                principal=event.principal,
                key=event.key,
                reason=event.reason,
                at=at,
                until=event.until,
                review_by=event.review_by,
                tell=event.tell,
            )
            return replace(glass, broken=(*glass.broken, broken))
        case g.StandingApprovalUsed():
            used = Used(
                number=event.number,
                rule=event.rule,
                plan=event.plan,
                steps=event.steps,
                at=at,
                review_by=event.review_by,
                reviewer=event.reviewer,
            )
            return replace(glass, used=(*glass.used, used))
        case g.GlassOverdue(number=number, standing=True):
            late = tuple(replace(one, overdue=one.overdue or one.number == number) for one in glass.used)
            return replace(glass, used=late)
        case g.GlassOverdue(number=number):
            missed = tuple(replace(one, overdue=one.overdue or one.number == number) for one in glass.broken)
            return replace(glass, broken=missed)
        case g.GlassReviewed(number=number, principal=by, verdict=verdict):
            judged = tuple(
                replace(one, reviewed_by=by, verdict=verdict) if one.number == number else one for one in glass.broken
            )
            return replace(glass, broken=judged)
        case g.StandingReviewed(number=number, principal=by, verdict=verdict):
            seen = tuple(
                replace(one, reviewed_by=by, verdict=verdict) if one.number == number else one for one in glass.used
            )
            return replace(glass, used=seen)
    return glass
