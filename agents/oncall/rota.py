"""When a layer's turns begin and end, in ms, from its days and hours in a time zone.

A local time that a change of the clocks skips is taken with the offset before the change, one that comes twice is its
first occurrence: RFC 5545, section 3.3.5.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from schemas.rota import Day, Hours, Layer, minutes, zone

_HOUR = 3_600_000
_DAYS = {"daily": 1, "weekly": 7}
_ONE_DAY = timedelta(days=1)


def local(day: date, minute: int, where: str) -> int:
    """Return the ms of a time of day in a zone."""
    at = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone(where))
    return int(at.timestamp()) * 1000


def day_of(at: int, where: str) -> date:
    """Return the date of a time (ms) in a zone."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).astimezone(zone(where)).date()


def turn(layer: Layer, where: str, number: int) -> int:
    """Return when a layer's turn with this number (from 0) begins, ms."""
    at = minutes(layer.hand_over)
    if layer.rotation == "hours":
        return local(layer.start, at, where) + number * layer.every * _HOUR
    return local(layer.start + timedelta(days=number * layer.every * _DAYS[layer.rotation]), at, where)


def turn_at(layer: Layer, where: str, at: int) -> int:
    """Return the number of the turn that runs at a time (ms); negative before the layer starts."""
    if layer.rotation == "hours":
        return (at - turn(layer, where, 0)) // (layer.every * _HOUR)
    number = (day_of(at, where) - layer.start).days // (layer.every * _DAYS[layer.rotation])
    # On the day of a hand-over the turn before it still runs until the hour has come.
    return number if turn(layer, where, number) <= at else number - 1


def ends(layer: Layer, where: str) -> int | None:
    """Return when a layer ends for good, ms."""
    return None if layer.until is None else local(layer.until, minutes(layer.hand_over), where)


def holder(layer: Layer, where: str, at: int) -> str | None:
    """Return who has the turn of a layer at a time (ms), or None where it does not count then."""
    number, end = turn_at(layer, where, at), ends(layer, where)
    if number < 0 or (end is not None and at >= end):
        return None
    if layer.restrictions and not any(within(hours, where, at) for hours in layer.restrictions):
        return None
    return layer.members[number % len(layer.members)]


def within(hours: Hours, where: str, at: int) -> bool:
    """Whether a time (ms) lies in the hours of the week."""
    day = day_of(at, where)
    return any(start <= at < end for start, end in windows(hours, where, day - _ONE_DAY, day))


def windows(hours: Hours, where: str, first: date, last: date) -> Iterator[tuple[int, int]]:
    """Yield from when to when (ms) the hours count, for each of their days from the first to the last."""
    start, end = minutes(hours.start), minutes(hours.end)
    day = first
    while day <= last:
        if Day.of(day) in hours.days:
            yield local(day, start, where), local(day if end > start else day + _ONE_DAY, end, where)
        day += _ONE_DAY


def edges(layer: Layer, where: str, start: int, end: int) -> Iterator[int]:
    """Yield every time (ms) in [start, end) at which who holds the layer may change."""
    number = max(turn_at(layer, where, start), 0)
    while (at := turn(layer, where, number)) < end:
        yield at
        number += 1
    last = ends(layer, where)
    if last is not None:
        yield last
    for hours in layer.restrictions:
        for window in windows(hours, where, day_of(start, where) - _ONE_DAY, day_of(end, where)):
            yield from window
