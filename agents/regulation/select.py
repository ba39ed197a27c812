"""Which clocks run on a case: unknown facts start them, the earliest tier binds, and nothing is ever 'not required'."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from types import MappingProxyType

from agents.regulation.due import strict_due
from schemas.regulation.clocks import AWARENESS, LATER, Clock, Regime, Trigger


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When something happened (ms), who says so, and on what basis."""

    at: int
    who: str
    basis: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known of a case.

    Attributes
    ----------
    opened
        When the case was opened: the latest moment that can count as awareness, so that no clock lacks a start.
    moments
        When each trigger happened, where that is known.
    known
        Answers to the questions of schemas/regulation/clocks.py FACTS; absent or None means unknown.
    """

    opened: Moment
    moments: Mapping[Trigger, Moment] = field(default_factory=lambda: MappingProxyType({}))
    known: Mapping[str, bool | None] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A report that a named person sent."""

    regime: str
    name: str
    at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Running:
    """A clock that runs.

    Attributes
    ----------
    trigger
        The moment it counts from; `assumed` says that the clock's own trigger is unknown and awareness stands in.
    unknown
        Facts that would select or exclude it and are not known.
    against
        Facts that speak against it: a person may decide that it is not applicable, and nothing else does.
    """

    clock: Clock
    trigger: Moment
    assumed: bool
    strict_due: int
    unknown: tuple[str, ...]
    against: tuple[str, ...]


def running(
    regimes: Iterable[Regime],
    facts: Facts,
    submissions: Iterable[Submission] = (),
    without: Callable[[Clock], bool] = lambda _: False,
) -> tuple[Running, ...]:
    """Return the clocks that run, at most one for each report: of its tiers, the one whose strict due is earliest.

    A tier runs unless a fact is known to speak against it; where that leaves no tier of a report, the tier that is due
    last runs on, and names those facts. `without` says which clocks a person decided not to be applicable.
    """
    sent = tuple(submissions)
    found: list[Running] = []
    for regime in regimes:
        for _, tiers in groupby(regime.clocks, key=lambda clock: clock.name):
            one = _binding(tuple(tier for tier in tiers if not without(tier)), regime, facts, sent)
            if one is not None:
                found.append(one)
    return tuple(found)


def _binding(tiers: tuple[Clock, ...], regime: Regime, facts: Facts, sent: tuple[Submission, ...]) -> Running | None:
    candidates = [one for clock in tiers if (one := _run(clock, tiers, regime, facts, sent)) is not None]
    selected = [one for one in candidates if not one.against]
    if selected:
        return min(selected, key=lambda one: one.strict_due)
    return max(candidates, key=lambda one: one.strict_due, default=None)


def _run(
    clock: Clock, tiers: tuple[Clock, ...], regime: Regime, facts: Facts, sent: tuple[Submission, ...]
) -> Running | None:
    begun = _begun(clock, tiers, facts, sent)
    if begun is None:
        return None
    moment, assumed = begun
    if _sent(clock, regime, moment, sent):
        return None
    due = strict_due(clock, moment.at)
    if clock.lapses is not None and clock.lapses in facts.moments and facts.moments[clock.lapses].at > due:
        return None
    known = facts.known
    return Running(
        clock=clock,
        trigger=moment,
        assumed=assumed,
        strict_due=due,
        unknown=tuple(name for name in (*clock.needs, *clock.unless) if known.get(name) is None),
        against=(
            *(name for name in clock.needs if known.get(name) is False),
            *(name for name in clock.unless if known.get(name) is True),
        ),
    )


def _begun(
    clock: Clock, tiers: tuple[Clock, ...], facts: Facts, sent: tuple[Submission, ...]
) -> tuple[Moment, bool] | None:
    """Return the moment that the clock counts from and whether it is assumed, or None where it does not count yet."""
    before = _latest(clock.regime, (clock.after, clock.name) if clock.repeats else (clock.after,), sent)
    if clock.after is not None and before is None:
        return None
    if clock.trigger is Trigger.PRIOR_SUBMISSION:
        assert before is not None
        return Moment(at=before.at, who="", basis=f"{before.name} was submitted"), False
    # The year that ends is the year of the discovery.
    trigger = Trigger.DISCOVERED if clock.trigger is Trigger.YEAR_END else clock.trigger
    if trigger in facts.moments:
        return facts.moments[trigger], False
    if trigger in LATER:
        return None
    if trigger not in AWARENESS and any(tier.trigger in AWARENESS for tier in tiers):
        return None  # another tier of this report counts from awareness as it is
    return awareness(facts), True


def awareness(facts: Facts) -> Moment:
    """Return the earliest moment at which somebody is known to have known."""
    return min((facts.opened, *(facts.moments[one] for one in AWARENESS if one in facts.moments)), key=lambda m: m.at)


def _latest(regime: str, names: tuple[str | None, ...], sent: tuple[Submission, ...]) -> Submission | None:
    of_these = [one for one in sent if one.regime == regime and one.name in names]
    return max(of_these, key=lambda one: one.at, default=None)


def _sent(clock: Clock, regime: Regime, begun: Moment, sent: tuple[Submission, ...]) -> bool:
    """Return whether what the clock asks for was submitted; where it counts anew, since it began."""
    if clock.repeats:
        return _latest(clock.regime, (regime.clocks[-1].name,), sent) is not None
    own = _latest(clock.regime, (clock.name,), sent)
    again = clock.trigger in LATER or clock.trigger is Trigger.PRIOR_SUBMISSION
    return own is not None and (own.at >= begun.at or not again)
