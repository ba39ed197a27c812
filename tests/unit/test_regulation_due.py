"""Due times, computed by hand beside computed by the clock."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from agents.regulation.due import Calendar, counted, legal_due, strict_due
from agents.regulation.progress import crossed, crossing
from schemas.errors import PolicyError
from streams.regulation.calendars import calendar
from tests.clocks import clock_named

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
HOUR = 3_600_000


def _ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def _end(day: str, zone: ZoneInfo) -> int:
    year, month, number = map(int, day.split("-"))
    end = datetime(year, month, number, 23, 59, 59, tzinfo=zone)
    return int(end.timestamp() * 1000) + 999


@pytest.fixture(scope="module")
def germany() -> Calendar:
    """Return Germany's nationwide holidays from 2023 to 2028."""
    return calendar("DE", first_year=2023, years=6)


@pytest.fixture(scope="module")
def america() -> Calendar:
    """Return the United States' federal holidays from 2023 to 2028, in New York."""
    return calendar("US", first_year=2023, years=6)


@pytest.mark.parametrize(
    ("key", "trigger", "due"),
    [
        ("ai_act_art73.report.general", "2026-05-04T10:00+02:00", "2026-05-19"),
        ("ai_act_art73.report.general", "2026-03-27T16:00+01:00", "2026-04-13"),
        ("ai_act_art73.report.death", "2026-03-27T16:00+01:00", "2026-04-07"),
        ("ai_act_art73.report.widespread", "2026-05-04T23:30+02:00", "2026-05-06"),
        ("ai_act_art73.report.widespread", "2026-05-08T09:00+02:00", "2026-05-12"),
        ("ai_act_art73.report.general", "2026-12-10T12:00+01:00", "2026-12-28"),
        ("mdr_87.report.death", "2026-12-15T12:00+01:00", "2026-12-28"),
        ("nis2_23.final", "2026-01-31T09:00+01:00", "2026-03-02"),
        ("nis2_23.final", "2024-01-31T09:00+01:00", "2024-02-29"),
        ("nis2_23.final", "2025-01-31T09:00+01:00", "2025-02-28"),
        ("cra_14.incident_final", "2026-12-31T09:00+01:00", "2027-02-01"),
        ("cra_14.vulnerability_final", "2028-02-15T09:00+01:00", "2028-02-29"),
    ],
)
def test_days_and_months_of_the_union_end_as_counted_by_hand(
    key: str, trigger: str, due: str, germany: Calendar
) -> None:
    """By a calendar of 2026: day 0 is the day of awareness, and a day off is rolled over.

    4 May is a Monday, +15 is Tuesday 19 May. 27 March +15 is Saturday 11 April, so Monday 13 April; +10 is Easter
    Monday 6 April, so Tuesday 7 April. Monday 4 May 23:30 +2 is Wednesday 6 May: the hour of day 0 does not matter.
    Friday 8 May +2 is Sunday, so Monday 11 May, but two days or more hold two working days, so Tuesday 12 May.
    10 December +15 is Christmas Day, a Friday; the 26th is a Saturday and a holiday, so Monday 28 December. 15 December
    +10 is the same Friday. One month from 31 January is 28 February, a Saturday in 2026 (so Monday 2 March), 29
    February in the leap year 2024 (a Thursday), and Friday 28 February in 2025. One month from 31 December is 31
    January 2027, a Sunday, so Monday 1 February. 15 February 2028 +14 is 29 February, a Tuesday.
    """
    assert legal_due(clock_named(key), _ms(trigger), germany) == _end(due, BERLIN)


@pytest.mark.parametrize(
    ("key", "trigger", "due"),
    [
        ("sec_8k_105.report", "2026-05-04T10:00-04:00", "2026-05-08"),
        ("sec_8k_105.report", "2026-05-01T16:30-04:00", "2026-05-07"),
        ("sec_8k_105.report", "2026-05-02T12:00-04:00", "2026-05-07"),
        ("sec_8k_105.report", "2026-12-24T10:00-05:00", "2026-12-31"),
        ("fda_803_5.report", "2026-07-01T12:00-04:00", "2026-07-09"),
        ("fda_803_user_facility.report", "2026-11-16T12:00-05:00", "2026-12-01"),
        ("fda_803_30.report", "2026-01-31T12:00-05:00", "2026-03-02"),
        ("hipaa_individual.notice", "2026-01-01T12:00-05:00", "2026-03-02"),
        ("hipaa_individual.notice", "2024-01-01T12:00-05:00", "2024-03-01"),
        ("hipaa_annual.log", "2026-06-15T12:00-04:00", "2027-03-01"),
        ("hipaa_annual.log", "2026-12-31T23:30-05:00", "2027-03-01"),
        ("hipaa_annual.log", "2027-01-01T00:30-05:00", "2028-02-29"),
        ("sb53.report", "2026-02-20T12:00-08:00", "2026-03-07"),
    ],
)
def test_days_of_the_united_states_end_as_counted_by_hand(key: str, trigger: str, due: str, america: Calendar) -> None:
    """Business and work days leave out weekends and federal holidays; calendar days do not, and nothing rolls over.

    Monday 4 May + 4 business days is Friday 8 May. Friday 1 May: Mon 4, Tue 5, Wed 6, Thu 7; a Saturday gives the same
    Thursday. 24 December 2026 is a Thursday: Christmas and a weekend are left out, so Mon 28 to Thu 31. Wednesday 1
    July + 5: Thu 2, then Friday 3 is the observed Independence Day, Mon 6, Tue 7, Wed 8, Thu 9. Monday 16 November +
    10: five to the 23rd, then 24, 25, (26 Thanksgiving), 27, 30 and Tuesday 1 December. 31 January + 30 is 2 March.
    1 January + 60 is 2 March, and 1 March in a leap year. Sixty days after the year's end: 31 + 28 + 1, so 1 March
    2027; discovered half an hour into 2027 it is a year later, and 2028 is a leap year: 29 February. 20 February + 15
    is Saturday 7 March, and stays there.
    """
    assert legal_due(clock_named(key), _ms(trigger), america) == _end(due, NEW_YORK)


@pytest.mark.parametrize(
    ("key", "trigger", "due"),
    [
        ("gdpr_33.authority", "2026-03-27T16:00+01:00", "2026-03-30T17:00+02:00"),
        ("gdpr_33.authority", "2026-10-23T16:00+02:00", "2026-10-26T15:00+01:00"),
        ("nis2_23.early_warning", "2026-12-24T16:00+01:00", "2026-12-25T16:00+01:00"),
        ("osha_1904_39.fatality", "2026-03-07T20:00-05:00", "2026-03-08T05:00-04:00"),
    ],
)
def test_hours_run_straight_through_daylight_saving_and_holidays(
    key: str, trigger: str, due: str, germany: Calendar
) -> None:
    """72 hours across the spring change end an hour later by the clock on the wall, in autumn an hour earlier."""
    clock = clock_named(key)
    assert legal_due(clock, _ms(trigger), germany) == strict_due(clock, _ms(trigger)) == _ms(due)


def test_the_noon_rule_of_dora_helps_those_that_it_does_not_exempt(germany: Calendar) -> None:
    """24 h from Christmas Eve 16:00 end on a holiday: noon of Monday the 28th, but not for a bank; its final does."""
    exempt = calendar("DE", first_year=2026, exempt=True)
    initial, final = clock_named("dora_19.initial.aware"), clock_named("dora_19.final")
    aware = _ms("2026-12-24T16:00+01:00")
    assert legal_due(initial, aware, germany) == _ms("2026-12-28T12:00+01:00")
    assert legal_due(initial, aware, exempt) == aware + 24 * HOUR
    sent = _ms("2026-01-31T09:00+01:00")
    for one in (germany, exempt):
        assert legal_due(final, sent, one) == _ms("2026-03-02T12:00+01:00")


def test_local_time_decides_which_day_is_day_zero(germany: Calendar, america: Calendar) -> None:
    """At 23:30 UTC on 4 May it is 5 May in Berlin and 4 May in New York."""
    clock, at = clock_named("ai_act_art73.report.general"), _ms("2026-05-04T23:30+00:00")
    assert legal_due(clock, at, germany) == _end("2026-05-20", BERLIN)
    assert legal_due(clock, at, america) == _end("2026-05-19", NEW_YORK)


@pytest.mark.parametrize(
    ("key", "trigger", "due"),
    [
        ("ai_act_art73.report.general", "2026-05-04T10:00Z", "2026-05-19T09:00Z"),
        ("ai_act_art73.report.widespread", "2026-05-08T10:00Z", "2026-05-10T09:00Z"),
        ("gdpr_33.authority", "2026-05-04T10:00Z", "2026-05-07T10:00Z"),
        ("nis2_23.final", "2026-01-31T09:00Z", "2026-02-28T08:59:59.999Z"),
        ("nis2_23.final", "2024-01-31T09:00Z", "2024-02-29T08:59:59.999Z"),
        ("sec_8k_105.report", "2026-05-04T15:00Z", "2026-05-08T14:14:59.999Z"),
        ("fda_803_5.report", "2026-07-01T15:00Z", "2026-07-08T14:14:59.999Z"),
        ("hipaa_annual.log", "2026-06-15T12:00Z", "2027-03-01T08:59:59.999Z"),
        ("ai_act_art26_5.serious", "2026-06-15T12:00Z", "2026-06-15T12:00Z"),
    ],
)
def test_the_strict_reading_is_the_earliest_anywhere(key: str, trigger: str, due: str) -> None:
    """Days are 24 hours, less one hour in all; other periods end where their last day ends first, less that hour.

    At 09:00 UTC on 31 January it is still 31 January 14 hours ahead of UTC: the last of February is over there at 10:00
    UTC. At 15:00 UTC on Monday 4 May it is Monday up to 8:45 ahead: Friday is over there at 15:15 UTC. The same hour on
    Wednesday 1 July: Wednesday the 8th, as no holiday is left out. 60 days after 2026 end with 1 March, which is over
    14 hours ahead at 10:00 UTC. A day ends with its last millisecond.
    """
    assert strict_due(clock_named(key), _ms(trigger)) == _ms(due)


def test_words_say_how_it_was_counted(germany: Calendar) -> None:
    """The steps name day 0, the last day, and why it moved."""
    steps = counted(clock_named("ai_act_art73.report.general"), _ms("2026-03-27T16:00+01:00"), germany).steps
    assert steps == (
        "counted from Friday 27 March 2026 16:00 CET (DE, Europe/Berlin)",
        "day 0 is Friday 27 March 2026",
        "15 calendar days later is Saturday 11 April 2026",
        "Saturday 11 April 2026 is a day off: Monday 13 April 2026 (Regulation 1182/71 Art. 3(4))",
        "it is due by the end of Monday 13 April 2026",
    )


def test_a_calendar_does_not_answer_for_years_that_it_does_not_know() -> None:
    """A due time beyond the last year is refused, rather than counted without holidays."""
    short = Calendar(zone=UTC, days_off=frozenset({date(2026, 1, 1)}), name="short", last_year=2026)
    with pytest.raises(PolicyError, match="ends with 2026; build it up to 2027"):
        legal_due(clock_named("ai_act_art73.report.general"), _ms("2026-12-20T12:00Z"), short)


def test_shares_of_the_time_are_crossed_once_and_in_order() -> None:
    """50, 80 and 100 per cent of the time; a clock that is due at once has used all of it when it starts."""
    start, due = 1_000, 1_000 + 72 * HOUR
    assert crossed(start, due, start) == ()
    assert crossed(start, due, start + 36 * HOUR - 1) == ()
    assert crossed(start, due, start + 36 * HOUR) == (50,)
    assert crossed(start, due, due - 1) == (50, 80)
    assert crossed(start, due, due + 1) == (50, 80, 100)
    assert crossed(start, start, start) == (50, 80, 100)
    assert crossed(start, due, start - 1) == ()
    for share in (50, 80, 100):
        at = crossing(start, due, share)
        assert share in crossed(start, due, at)
        assert share not in crossed(start, due, at - 1)


def test_a_period_in_days_keeps_two_working_days_across_a_row_of_holidays() -> None:
    """Two days from Christmas Eve 2026, a Thursday: Monday the 28th has one working day, Tuesday the 29th is due."""
    days = counted(clock_named("ai_act_art73.report.widespread"), _ms("2026-12-24T09:00+01:00"), _GERMAN)
    assert days.due == _end("2026-12-29", BERLIN)


def test_a_clock_without_a_number_is_due_where_it_starts() -> None:
    """At once is at once, on a holiday too."""
    at = _ms("2026-12-25T09:00+01:00")
    found = counted(clock_named("ai_act_art26_5.serious"), at, _GERMAN)
    assert found.due == at
    assert found.steps[-1] == "the law gives no number: due at once"


_GERMAN = Calendar(
    zone=BERLIN, days_off=frozenset({date(2026, 12, 25), date(2026, 12, 26)}), name="two days", last_year=2026
)
