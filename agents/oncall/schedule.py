"""Who is on call in a schedule: at a moment, over a time, and next; where nobody is."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.oncall import rota
from schemas.errors import PolicyError
from schemas.rota import Override, Schedule

DAY = 86_400_000
MAX_DAYS = 400
_LOOK_AHEAD = (8, 62, MAX_DAYS)
_MARGIN = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """From `start` until `end` (ms, excluded) the same persons are on call; nobody, if it is a gap."""

    persons: tuple[str, ...]
    start: int
    end: int


def on_call(schedule: Schedule, overrides: Sequence[Override], at: int) -> tuple[str, ...]:
    """Return who is on call at a time (ms), by the layers of the highest level that count, then by the overrides.

    Overrides are applied in their order, each to what those before it left; empty where nobody is on call.
    """
    persons = _by_layers(schedule, at)
    for override in overrides:
        if not override.start_at <= at < override.end_at:
            continue
        if override.replaces is None:
            persons = (override.person,)
        elif override.replaces in persons:
            persons = tuple(override.person if person == override.replaces else person for person in persons)
    return tuple(dict.fromkeys(persons))


def shifts(schedule: Schedule, overrides: Sequence[Override], start: int, end: int) -> tuple[Shift, ...]:
    """Return who is on call in [start, end), in order and without holes: a gap is a shift of nobody.

    Raises
    ------
    PolicyError
        The time is empty, or longer than 400 days.
    """
    _check(start, end)
    return _merged(schedule, overrides, start, end)


def whole_shifts(schedule: Schedule, overrides: Sequence[Override], start: int, end: int) -> tuple[Shift, ...]:
    """Return the shifts that touch [start, end), from their own beginning to their own end.

    A shift that lasts longer is cut 62 days before and after; PolicyError as for `shifts`.
    """
    _check(start, end)
    around = _merged(schedule, overrides, start - _MARGIN * DAY, end + _MARGIN * DAY)
    return tuple(shift for shift in around if shift.end > start and shift.start < end)


def gaps(schedule: Schedule, overrides: Sequence[Override], start: int, end: int) -> tuple[Shift, ...]:
    """Return when in [start, end) nobody is on call."""
    return tuple(shift for shift in shifts(schedule, overrides, start, end) if not shift.persons)


def next_on_call(schedule: Schedule, overrides: Sequence[Override], at: int) -> Shift | None:
    """Return the next shift after the one at a time (ms) that has somebody; None where 400 days bring no change.

    The shift ends where the time that was looked at ends, if nothing ends it before.
    """
    for days in _LOOK_AHEAD:
        ahead = shifts(schedule, overrides, at, at + days * DAY)
        following = next((shift for shift in ahead[1:] if shift.persons), None)
        if following is not None and (following is not ahead[-1] or days == MAX_DAYS):
            return following
    return None


def _by_layers(schedule: Schedule, at: int) -> tuple[str, ...]:
    counting = [
        (layer.level, person)
        for layer in schedule.layers
        if (person := rota.holder(layer, schedule.zone, at)) is not None
    ]
    highest = max((level for level, _ in counting), default=0)
    return tuple(person for level, person in counting if level == highest)


def _merged(schedule: Schedule, overrides: Sequence[Override], start: int, end: int) -> tuple[Shift, ...]:
    times = {start}
    for layer in schedule.layers:
        times.update(rota.edges(layer, schedule.zone, start, end))
    times.update(at for override in overrides for at in (override.start_at, override.end_at))
    inside = sorted(at for at in times if start <= at < end)
    found: list[Shift] = []
    for at, until in zip(inside, [*inside[1:], end], strict=True):
        persons = on_call(schedule, overrides, at)
        if found and found[-1].persons == persons:
            found[-1] = Shift(persons=persons, start=found[-1].start, end=until)
        else:
            found.append(Shift(persons=persons, start=at, end=until))
    return tuple(found)


def _check(start: int, end: int) -> None:
    if not 0 < end - start <= MAX_DAYS * DAY:
        raise PolicyError(f"ask for shifts of more than nothing and at most {MAX_DAYS} days")
