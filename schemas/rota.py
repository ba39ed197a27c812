"""Schedules: layers that rotate in a time zone, hours of the week, and overrides."""

from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, model_validator

from schemas.addressees import Name, Said
from schemas.documents import Frozen

Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of day, HH:MM."""

MAX_OVERRIDE = timedelta(days=366)
_EARLIEST, _LATEST = date(2000, 1, 1), date(2200, 1, 1)


class Day(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"

    @classmethod
    def of(cls, day: date) -> "Day":
        """Return the day of the week of a date."""
        return list(cls)[day.weekday()]


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name in the IANA database; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name:.60} is no time zone; write one such as Europe/Berlin or UTC") from None


def _known_zone(name: str) -> str:
    zone(name)
    return name


Zone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]


def minutes(clock: str) -> int:
    """Return the minutes since midnight of a time of day."""
    return int(clock[:2]) * 60 + int(clock[3:])


class Hours(Frozen):
    """Hours of the week: from `start` on each of the days until `end`, which is on the next day unless it is later."""

    days: tuple[Day, ...] = Field(tuple(Day), min_length=1, max_length=7)
    start: Clock = "00:00"
    end: Clock = "00:00"


class Layer(Frozen):
    """People who take turns.

    Of several layers the highest `level` in which somebody is on call counts; layers of one level are on call together.
    """

    name: Name
    rotation: Literal["daily", "weekly", "hours"]
    every: int = Field(1, ge=1, le=168, description="a turn lasts so many days, weeks or elapsed hours")
    hand_over: Clock = Field("09:00", description="time of day in the schedule's zone; of `hours`, of the first turn")
    hand_over_day: Day | None = Field(None, description="of a weekly rotation")
    members: tuple[Name, ...] = Field(min_length=1, max_length=50, description="in the order of their turns")
    start: date = Field(ge=_EARLIEST, le=_LATEST, description="day of the first member's first turn")
    until: date | None = Field(None, ge=_EARLIEST, le=_LATEST, description="the layer ends at this day's hand-over")
    restrictions: tuple[Hours, ...] = Field((), max_length=21, description="the layer counts only in these hours")
    level: int = Field(0, ge=0, le=9)

    @model_validator(mode="after")
    def _weekly_turns_begin_on_their_day(self) -> "Layer":
        if (self.rotation == "weekly") != (self.hand_over_day is not None):
            raise ValueError(f"layer {self.name}: hand_over_day goes with a weekly rotation, and only with one")
        if self.hand_over_day is not None and Day.of(self.start) is not self.hand_over_day:
            first = next(day for day in _week(self.start) if Day.of(day) is self.hand_over_day)
            raise ValueError(
                f"layer {self.name} hands over on {self.hand_over_day.value} but starts on {Day.of(self.start).value}; "
                f"write start = {first}"
            )
        if self.until is not None and self.until <= self.start:
            raise ValueError(f"layer {self.name} ends on {self.until}, which is not after its start")
        return self


class Schedule(Frozen):
    """Who is on call, by layers."""

    zone: Zone
    layers: tuple[Layer, ...] = Field(min_length=1, max_length=8)

    @property
    def people(self) -> frozenset[str]:
        """Everybody who takes turns."""
        return frozenset(member for layer in self.layers for member in layer.members)


class Override(Frozen):
    """For a time somebody stands in: for everybody on call, or for one of them (`replaces`, which is half a swap)."""

    schedule: Name
    person: Name
    start: AwareDatetime
    end: AwareDatetime
    reason: Said
    who: Said = Field(description="who decided it")
    replaces: Name | None = None

    @model_validator(mode="after")
    def _lasts_a_while(self) -> "Override":
        if not _EARLIEST <= self.start.date() <= self.end.date() <= _LATEST:
            raise ValueError(f"an override lies between {_EARLIEST} and {_LATEST}, and ends after it starts")
        if not timedelta(0) < self.end - self.start <= MAX_OVERRIDE:
            raise ValueError(f"an override ends after it starts, and within {MAX_OVERRIDE.days} days")
        return self

    @property
    def start_at(self) -> int:
        """Start in ms since 1970, the first moment that counts."""
        return int(self.start.timestamp() * 1000)

    @property
    def end_at(self) -> int:
        """End in ms since 1970, the first moment that does not count."""
        return int(self.end.timestamp() * 1000)


def _week(start: date) -> tuple[date, ...]:
    return tuple(start + timedelta(days=offset) for offset in range(7))
