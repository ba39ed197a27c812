"""Who is on call: hand-overs also when the clocks change, hours of the week, overrides and gaps."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agents.oncall.schedule import DAY, Shift, gaps, next_on_call, on_call, shifts
from schemas.errors import PolicyError
from schemas.rota import Day, Hours, Layer, Override, Schedule

BERLIN = "Europe/Berlin"


def ms(text: str) -> int:
    """Return a time in UTC as ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def layer(*members: str, rotation: str = "daily", start: date = date(2026, 3, 1), **more: object) -> Layer:
    """Return a layer that hands over at 09:00."""
    return Layer.model_validate({"name": "x", "rotation": rotation, "members": members, "start": start, **more})


def schedule(*layers: Layer, zone: str = BERLIN) -> Schedule:
    """Return a schedule in Berlin."""
    return Schedule(zone=zone, layers=layers)


def stand_in(person: str, start: str, end: str, replaces: str | None = None) -> Override:
    """Return an override, its times in UTC."""
    at = [datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end)]
    return Override(schedule="x", person=person, start=at[0], end=at[1], reason="away", who="ada", replaces=replaces)


@pytest.mark.parametrize(
    ("night", "hours"),
    [(date(2026, 3, 28), 23), (date(2026, 10, 24), 25), (date(2026, 6, 1), 24)],
)
def test_a_turn_ends_at_the_same_hour_of_the_wall_when_the_clocks_change(night: date, hours: int) -> None:
    """The turn over the night of the change has 23 or 25 hours, and the next begins at 09:00 in Berlin."""
    turns = schedule(layer("ada", "grace", start=night))
    start = int(datetime(night.year, night.month, night.day, 9, tzinfo=ZoneInfo(BERLIN)).timestamp() * 1000)
    first, second = shifts(turns, (), start, start + 2 * DAY)[:2]
    assert (first.persons, second.persons) == (("ada",), ("grace",))
    assert first.end - first.start == hours * 3_600_000
    assert on_call(turns, (), first.end - 1) == ("ada",)
    assert on_call(turns, (), first.end) == ("grace",)


def test_a_hand_over_at_an_hour_that_does_not_exist_or_comes_twice_happens_once() -> None:
    """At 02:30 on the night of a change: as RFC 5545 says, with the offset before the gap, and the first of the two."""
    turns = schedule(layer("ada", "grace", hand_over="02:30", start=date(2026, 3, 28)))
    assert [at.start for at in shifts(turns, (), ms("2026-03-28T12:00"), ms("2026-03-30T12:00"))][1:] == [
        ms("2026-03-29T01:30"),
        ms("2026-03-30T00:30"),
    ]
    turns = schedule(layer("ada", "grace", hand_over="02:30", start=date(2026, 10, 24)))
    assert [at.start for at in shifts(turns, (), ms("2026-10-24T12:00"), ms("2026-10-26T12:00"))][1:] == [
        ms("2026-10-25T00:30"),
        ms("2026-10-26T01:30"),
    ]


def test_turns_of_hours_are_elapsed_hours() -> None:
    """Twelve hours are twelve hours also over the night of a change."""
    turns = schedule(layer("ada", "grace", "alan", rotation="hours", every=12, start=date(2026, 3, 28)))
    found = shifts(turns, (), ms("2026-03-28T08:00"), ms("2026-03-30T08:00"))
    assert {shift.end - shift.start for shift in found} == {12 * 3_600_000}
    assert [shift.persons[0] for shift in found] == ["ada", "grace", "alan", "ada"]


def test_an_override_over_a_hand_over_replaces_both_turns_for_its_time() -> None:
    """Who stands in from before a hand-over until after it is on call all the while; then the turn goes on."""
    turns = schedule(layer("ada", "grace", rotation="weekly", hand_over_day="mon", start=date(2026, 3, 2)))
    swap = stand_in("alan", "2026-03-08T20:00", "2026-03-09T20:00")
    found = shifts(turns, (swap,), ms("2026-03-08T00:00"), ms("2026-03-11T00:00"))
    assert found == (
        Shift(persons=("ada",), start=ms("2026-03-08T00:00"), end=ms("2026-03-08T20:00")),
        Shift(persons=("alan",), start=ms("2026-03-08T20:00"), end=ms("2026-03-09T20:00")),
        Shift(persons=("grace",), start=ms("2026-03-09T20:00"), end=ms("2026-03-11T00:00")),
    )


def test_half_a_swap_replaces_one_person_only_and_the_later_override_counts() -> None:
    """`replaces` touches nobody else's turn; of two overrides the one that stands later has the last word."""
    turns = schedule(layer("ada", "grace"))
    half = stand_in("alan", "2026-03-01T00:00", "2026-03-10T00:00", replaces="ada")
    whole = stand_in("eve", "2026-03-02T10:00", "2026-03-02T11:00")
    at = ["2026-03-01T12:00", "2026-03-02T09:00", "2026-03-02T10:30"]
    assert [on_call(turns, (half, whole), ms(text)) for text in at] == [("alan",), ("grace",), ("eve",)]
    assert on_call(turns, (whole, half), ms(at[2])) == ("eve",)


def test_the_highest_level_that_counts_wins_and_layers_of_one_level_are_on_call_together() -> None:
    """Nights of a higher level replace the base; two layers of one level page both."""
    nights = Hours(start="20:00", end="06:00")
    base, shadow = layer("ada"), layer("grace")
    night = layer("alan", level=1, restrictions=(nights,))
    both = schedule(base, shadow, night)
    found = [on_call(both, (), ms(text)) for text in ("2026-03-02T12:00", "2026-03-02T23:00", "2026-03-03T04:59")]
    assert found == [("ada", "grace"), ("alan",), ("alan",)]
    assert on_call(both, (), ms("2026-03-03T05:00")) == ("ada", "grace")


def test_a_gap_is_found_and_an_override_closes_it() -> None:
    """Working hours only: nights and the week-end are gaps, exactly; who stands in closes one."""
    week = Hours(days=tuple(Day)[:5], start="09:00", end="17:00")
    turns = schedule(layer("ada", restrictions=(week,)), zone="UTC")
    start, end = ms("2026-03-05T09:00"), ms("2026-03-10T09:00")
    assert [(gap.start, gap.end) for gap in gaps(turns, (), start, end)] == [
        (ms("2026-03-05T17:00"), ms("2026-03-06T09:00")),
        (ms("2026-03-06T17:00"), ms("2026-03-09T09:00")),
        (ms("2026-03-09T17:00"), ms("2026-03-10T09:00")),
    ]
    weekend = stand_in("grace", "2026-03-06T17:00", "2026-03-09T09:00")
    assert len(gaps(turns, (weekend,), start, end)) == 2
    assert gaps(schedule(layer("ada")), (), start, end) == ()


def test_nobody_is_on_call_before_a_layer_starts_and_after_it_ends() -> None:
    """A layer counts from the first hand-over until that of its last day."""
    turns = schedule(layer("ada", until=date(2026, 3, 3)))
    found = shifts(turns, (), ms("2026-02-28T00:00"), ms("2026-03-05T00:00"))
    assert [(shift.persons, shift.start) for shift in found] == [
        ((), ms("2026-02-28T00:00")),
        (("ada",), ms("2026-03-01T08:00")),
        ((), ms("2026-03-03T08:00")),
    ]
    assert next_on_call(turns, (), ms("2026-03-01T12:00")) is None
    turns = schedule(layer("ada", rotation="weekly", hand_over_day="sun", until=date(2026, 3, 4)))
    assert [gap.start for gap in gaps(turns, (), ms("2026-03-02T00:00"), ms("2026-03-07T00:00"))] == [
        ms("2026-03-04T08:00")
    ]


def test_the_next_on_call_is_the_next_who_is_somebody() -> None:
    """A gap is passed over; the shift is whole, also where it is long."""
    turns = schedule(layer("ada", "grace", rotation="weekly", every=10, hand_over_day="sun"))
    following = next_on_call(turns, (), ms("2026-03-02T00:00"))
    assert following == Shift(persons=("grace",), start=ms("2026-05-10T07:00"), end=ms("2026-07-19T07:00"))
    turns = schedule(layer("ada", "grace", rotation="weekly", every=5, hand_over_day="sun"))
    following = next_on_call(turns, (), ms("2026-03-02T00:00"))
    assert following == Shift(persons=("grace",), start=ms("2026-04-05T07:00"), end=ms("2026-05-10T07:00"))


@pytest.mark.parametrize("zone", [BERLIN, "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"])
def test_shifts_say_what_on_call_says_at_every_hour(zone: str) -> None:
    """Over the changes of the clocks of a year, each half hour has the person whom its shift names."""
    hours = Hours(days=(Day.SAT, Day.SUN), start="22:30", end="03:15")
    turns = schedule(
        layer("ada", "grace", hand_over="02:15", start=date(2026, 1, 1)),
        layer(
            "alan",
            "eve",
            rotation="weekly",
            hand_over_day="thu",
            level=1,
            restrictions=(hours,),
            start=date(2026, 1, 1),
        ),
        zone=zone,
    )
    for begins in ("2026-03-07T00:00", "2026-03-27T00:00", "2026-04-03T00:00", "2026-10-23T00:00", "2026-10-31T00:00"):
        start = ms(begins)
        for shift in shifts(turns, (), start, start + 4 * DAY):
            for at in range(shift.start, shift.end, 1_800_000):
                assert on_call(turns, (), at) == shift.persons


def test_a_time_that_is_empty_or_too_long_is_refused() -> None:
    """Shifts are for more than nothing and at most 400 days."""
    turns = schedule(layer("ada"))
    start = ms("2026-03-05T00:00")
    for end in (start, start + int(timedelta(days=401).total_seconds() * 1000)):
        with pytest.raises(PolicyError, match="400 days"):
            shifts(turns, (), start, end)
