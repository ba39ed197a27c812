"""What a drill's script asks for next: steps that are due, how fast the clock may run, and whether the scene is over.

Machines are never sped up: the clock runs at rate 1 while Headgate has something to do, and faster only while people
are waited for.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from schemas.drills import MOMENTS, Scenario, Step

_SECOND = 1000
_SETTLE_MS = 1500
_QUIET_MS = 10_000
# How long Headgate is taken to be at work after a moment while the next one has not come; it mostly comes at once.
_WORK: tuple[tuple[str, str, int], ...] = (
    ("opened", "planned", 4 * _SECOND),
    ("declared", "planned", 4 * _SECOND),
    ("approved", "contained", 15 * _SECOND),
    ("contained", "recovering", 15 * _SECOND),
    ("recovering", "resolved", 30 * _SECOND),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What has happened in a scene so far; times in ms by the drill's clock.

    moments
        When each moment first came; ``start`` is among them from the beginning.
    done
        When each step was taken.
    phases, categories
        Where the response to each of its incidents stands, and what kind each is of.
    paged
        Whether somebody is being paged and has not answered.
    latest
        When something happened last.
    """

    moments: Mapping[str, int]
    done: Mapping[str, int] = field(default_factory=dict)
    phases: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    paged: bool = False
    latest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be done now.

    due
        Steps to take, in the order in which they fell due.
    rate, until
        How fast the clock may run, and up to which of its times (ms) at most; None while nothing is waited for.
    over
        Whether all was done, and what is expected has come.
    """

    due: tuple[Step, ...]
    rate: float
    until: int | None
    over: bool


def due_at(step: Step, standing: Standing) -> int | None:
    """Return when a step is due (ms by the drill's clock); None while what it waits for has not come."""
    began = standing.moments.get(step.after) if step.after in MOMENTS else standing.done.get(step.after)
    return None if began is None else began + _ms(step.wait)


def left(scenario: Scenario, standing: Standing) -> tuple[str, ...]:
    """Return the steps that were not taken, in the order of the file."""
    return tuple(step.name for step in scenario.steps if step.name not in standing.done)


def asks(scenario: Scenario, standing: Standing, now: int, speed: float | None = None) -> Asked:
    """Return what is to be done at `now` (ms by the drill's clock); `speed` replaces the scenario's."""
    waiting = sorted(
        (at, number, step)
        for number, step in enumerate(scenario.steps)
        if step.name not in standing.done and (at := due_at(step, standing)) is not None
    )
    due = tuple(step for at, _, step in waiting if at <= now)
    works = _works(scenario, standing, now)
    if due or works:
        return Asked(due=due, rate=1.0, until=None, over=False)
    if waiting:
        at, _, step = waiting[0]
        return Asked(due=(), rate=_rate(scenario, step, speed), until=at, over=False)
    if standing.paged and any(step.after == "exhausted" for step in scenario.steps if step.name not in standing.done):
        return Asked(due=(), rate=max(1.0, speed or scenario.speed), until=None, over=False)
    return Asked(due=(), rate=1.0, until=None, over=_over(scenario, standing, now))


def _rate(scenario: Scenario, step: Step, speed: float | None) -> float:
    return max(1.0, step.speed or speed or scenario.speed)


def _works(scenario: Scenario, standing: Standing, now: int) -> bool:
    """Whether Headgate has something to do that no person is needed for."""
    moments = standing.moments
    began = fault_at(scenario, standing)
    within = scenario.expect.within.detect
    if began is not None and within is not None and "opened" not in moments and now < began + _ms(within):
        return True
    changeable = any(m.traffic or m.registry for system in scenario.systems.values() for m in system.models.values())
    return changeable and any(
        before in moments and after not in moments and now < moments[before] + longest
        for before, after, longest in _WORK
    )


def fault_at(scenario: Scenario, standing: Standing) -> int | None:
    """Return when the first fault began, or None."""
    began = [standing.done[step.name] for step in scenario.steps if step.faults and step.name in standing.done]
    return min(began, default=None)


def _over(scenario: Scenario, standing: Standing, now: int) -> bool:
    if left(scenario, standing):
        return False
    expect = scenario.expect
    if expect.incidents == 0:
        return now - standing.latest >= _QUIET_MS
    reached = expect.phase is None or expect.phase in standing.phases
    reached &= expect.category is None or expect.category.value in standing.categories
    enough = len(standing.phases) >= expect.incidents
    return reached and enough and now - standing.latest >= _SETTLE_MS


def _ms(length: timedelta) -> int:
    return round(length / timedelta(milliseconds=1))
