"""The last day of a period that is counted in days or months, for any notion of a working day."""

from collections.abc import Callable
from datetime import date, timedelta

from schemas.regulation.clocks import Clock, Trigger, Unit

WorksOn = Callable[[date], bool]
"""Says whether a day is a working day."""

_DAY = timedelta(days=1)


def weekday(day: date) -> bool:
    """Return whether the day is Monday to Friday."""
    return day.weekday() < 5


def last_day(clock: Clock, day: date, works_on: WorksOn) -> date:
    """Return the last day of the clock's period, the day of the trigger being day 0; nothing is rolled over."""
    assert clock.offset is not None
    number = clock.offset.number
    start = date(day.year, 12, 31) if clock.trigger is Trigger.YEAR_END else day
    match clock.offset.unit:
        case Unit.MONTHS:
            return add_months(start, number)
        case Unit.WORK_DAYS | Unit.BUSINESS_DAYS:
            return _working_days_after(start, number, works_on)
        case _:
            return start + number * _DAY


def add_months(day: date, number: int) -> date:
    """Return the same day so many months later, or the last day of that month where it has no such day."""
    months = day.year * 12 + day.month - 1 + number
    year, month = divmod(months, 12)
    following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
    return min(date(year, month + 1, 1) + (day.day - 1) * _DAY, following - _DAY)


def next_working(day: date, works_on: WorksOn) -> date:
    """Return the day itself, or the first working day after it."""
    while not works_on(day):
        day += _DAY
    return day


def working_days(first: date, last: date, works_on: WorksOn) -> int:
    """Return how many working days lie from the first day to the last, both included."""
    return sum(works_on(first + n * _DAY) for n in range((last - first).days + 1))


def _working_days_after(day: date, number: int, works_on: WorksOn) -> date:
    for _ in range(number):
        day = next_working(day + _DAY, works_on)
    return day
