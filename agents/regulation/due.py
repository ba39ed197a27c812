"""When a clock is due: strictly, in integers for the alarms and the ledger; and by the calendar of an authority."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from agents.regulation.days import last_day, next_working, weekday, working_days
from schemas.errors import PolicyError
from schemas.regulation.clocks import Clock, Roll, Trigger, Unit

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
_QUARTER_MS = HOUR_MS // 4
# Every place on Earth is between 12 hours behind and 14 hours ahead of UTC, by a whole number of quarters.
_OFFSETS_MS = tuple(quarter * _QUARTER_MS for quarter in range(-48, 57))
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """What is a working day to whom the report goes to.

    Attributes
    ----------
    zone
        The local time in which days begin and end.
    days_off
        Public holidays of the years up to `last_year`; Saturdays and Sundays are days off besides.
    exempt
        Whether the entity is one of those that get no later time under DORA for initial and intermediate reports:
        credit institution, central counterparty, trading venue, essential or important entity under NIS2.
    """

    zone: tzinfo
    days_off: frozenset[date]
    name: str
    last_year: int
    exempt: bool = False

    def works_on(self, day: date) -> bool:
        """Return whether the day is a working day; PolicyError for a year whose holidays are not known."""
        if day.year > self.last_year:
            raise PolicyError(f"the calendar {self.name} ends with {self.last_year}; build it up to {day.year}")
        return weekday(day) and day not in self.days_off


@dataclass(frozen=True, kw_only=True)
class Counted:
    """A due time (ms) and how it was counted, sentence by sentence."""

    due: int
    steps: tuple[str, ...]


def strict_due(clock: Clock, trigger_ms: int) -> int:
    """Return the earliest time (ms) at which the clock could be due anywhere on Earth, from integers alone.

    No time zone and no holiday enters, so that the same trigger gives the same answer for ever. Hours are hours. A
    day is 24 hours, less one hour in all because a local day may lose one to daylight saving. Working days are Monday
    to Friday; they, months and the year's end are counted in every place on Earth, and the first to be over counts.
    """
    if clock.offset is None:
        return trigger_ms
    number = clock.offset.number
    if clock.offset.unit is Unit.HOURS:
        return trigger_ms + number * HOUR_MS
    if clock.offset.unit is Unit.CALENDAR_DAYS and clock.trigger is not Trigger.YEAR_END:
        return trigger_ms + number * DAY_MS - HOUR_MS
    return min(_end_there(clock, trigger_ms, offset) for offset in _OFFSETS_MS) - HOUR_MS


def _end_there(clock: Clock, trigger_ms: int, offset_ms: int) -> int:
    """Return the last millisecond of the last day where local time is ahead of UTC by the offset."""
    day = date.fromordinal(_EPOCH_DAY + (trigger_ms + offset_ms) // DAY_MS)
    last = last_day(clock, day, weekday)
    return (last.toordinal() + 1 - _EPOCH_DAY) * DAY_MS - offset_ms - 1


def legal_due(clock: Clock, trigger_ms: int, calendar: Calendar) -> int:
    """Return the time (ms) at which the clock is due by that calendar: the last millisecond of the last day."""
    return counted(clock, trigger_ms, calendar).due


def counted(clock: Clock, trigger_ms: int, calendar: Calendar) -> Counted:
    """Return the legal due time with how it was counted.

    The day of the trigger is day 0 and a period ends with its last day, in local time; hours run straight through,
    also across daylight saving (Regulation (EEC, Euratom) No 1182/71, Art. 3, which the other laws' texts agree with).
    """
    begun = datetime.fromtimestamp(trigger_ms / 1000, UTC).astimezone(calendar.zone)
    steps = [f"counted from {_moment(begun)} ({calendar.name})"]
    if clock.offset is None:
        return Counted(due=trigger_ms, steps=(*steps, "the law gives no number: due at once"))
    if clock.offset.unit is Unit.HOURS:
        return _hours(clock, trigger_ms, calendar, steps)
    steps.append(f"day 0 is {_day(begun.date())}")
    last = last_day(clock, begun.date(), calendar.works_on)
    if clock.trigger is Trigger.YEAR_END:
        steps.append(f"the year ends on {_day(date(begun.year, 12, 31))}")
    steps.append(f"{clock.offset.number} {_unit(clock)} later is {_day(last)}")
    if clock.roll in {Roll.DORA, Roll.DORA_FINAL}:
        return _noon(last, _end_of(last, calendar.zone), clock, calendar, steps)
    if clock.roll is Roll.EU:
        last = _roll(begun.date(), last, calendar.works_on, steps)
    return Counted(due=_end_of(last, calendar.zone), steps=(*steps, f"it is due by the end of {_day(last)}"))


def _hours(clock: Clock, trigger_ms: int, calendar: Calendar, steps: list[str]) -> Counted:
    assert clock.offset is not None
    due = trigger_ms + clock.offset.number * HOUR_MS
    ends = datetime.fromtimestamp(due / 1000, UTC).astimezone(calendar.zone)
    steps.append(f"{clock.offset.number} hours run straight through to {_moment(ends)}")
    if clock.roll in {Roll.DORA, Roll.DORA_FINAL}:
        return _noon(ends.date(), due, clock, calendar, steps)
    return Counted(due=due, steps=tuple(steps))


def _noon(last: date, due: int, clock: Clock, calendar: Calendar, steps: list[str]) -> Counted:
    """Return noon of the next working day where the last day is off, unless the entity is exempt from that."""
    if calendar.works_on(last):
        return Counted(due=due, steps=(*steps, f"{_day(last)} is a working day"))
    if calendar.exempt and clock.roll is Roll.DORA:
        return Counted(due=due, steps=(*steps, "a day off, but this entity gets no later time (Art. 5(5))"))
    working = next_working(last, calendar.works_on)
    noon = datetime.combine(working, time(12), calendar.zone)
    return Counted(
        due=_ms(noon),
        steps=(*steps, f"{_day(last)} is a day off: noon of {_day(working)} (2025/301 Art. 5(4))"),
    )


def _roll(day: date, last: date, works_on: Callable[[date], bool], steps: list[str]) -> date:
    """Return the last day after Regulation 1182/71: never a day off, and two working days in two days or more."""
    working = next_working(last, works_on)
    if working != last:
        steps.append(f"{_day(last)} is a day off: {_day(working)} (Regulation 1182/71 Art. 3(4))")
    if (last - day).days >= 2:
        begun = working
        while working_days(day + _ONE_DAY, working, works_on) < 2:
            working = next_working(working + _ONE_DAY, works_on)
        if working != begun:
            steps.append(f"a period of two days or more has two working days: {_day(working)} (Regulation 1182/71)")
    return working


def _end_of(day: date, zone: tzinfo) -> int:
    return _ms(datetime.combine(day + _ONE_DAY, time(0), zone)) - 1


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


def _unit(clock: Clock) -> str:
    assert clock.offset is not None
    unit = clock.offset.unit.value.replace("_", " ")
    return unit if clock.offset.number != 1 else unit.removesuffix("s")


def _day(day: date) -> str:
    return f"{day:%A} {day.day} {day:%B %Y}"


def _moment(moment: datetime) -> str:
    return f"{_day(moment.date())} {moment:%H:%M %Z}"
