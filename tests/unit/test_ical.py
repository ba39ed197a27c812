"""Calendars: a schedule goes out and comes back, and a hostile calendar is refused in a sentence."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from agents.oncall.schedule import DAY, on_call, shifts
from schemas import oncall
from schemas.errors import SchemaError
from streams.oncall import ical
from streams.settings import DEPLOY

DOCUMENT = oncall.read((DEPLOY / "oncall.toml").read_bytes())
START = int(datetime(2026, 3, 20, tzinfo=UTC).timestamp() * 1000)


def calendar(*lines: str, before: str = "") -> bytes:
    """Return a calendar with one event of these lines."""
    event = "".join(f"{line}\r\n" for line in ("BEGIN:VEVENT", "UID:1", *lines, "END:VEVENT"))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{before}{event}END:VCALENDAR\r\n".encode()


def read(*lines: str, before: str = "") -> oncall.Override:
    """Return the override of a calendar with one event."""
    (override,) = ical.overrides(calendar(*lines, before=before), DOCUMENT, "primary", "Ada")
    return override


def test_a_schedule_goes_out_and_comes_back_as_the_same_hours() -> None:
    """Shifts exported over a change of the clocks and read as overrides put the same person on call at each hour."""
    schedule = DOCUMENT.schedules["primary"]
    planned = shifts(schedule, (), START, START + 21 * DAY)
    data = ical.export(DOCUMENT, "primary", planned, START)
    assert data == ical.export(DOCUMENT, "primary", planned, START)
    back = ical.overrides(data, DOCUMENT, "primary", "Ada")
    assert [(one.person, one.start_at, one.end_at) for one in back] == [
        (shift.persons[0], shift.start, shift.end) for shift in planned
    ]
    for at in range(START, START + 21 * DAY, 3_600_000):
        assert on_call(schedule, back, at) == on_call(schedule, (), at)


def test_a_gap_goes_out_as_an_event_of_nobody() -> None:
    """Who looks at the calendar sees the gap; it keeps the id of its time."""
    gap = shifts(DOCUMENT.schedules["primary"], (), START - 200 * DAY, START - 199 * DAY)
    (event,) = Calendar.from_ical(ical.export(DOCUMENT, "primary", gap, START)).subcomponents
    assert str(event["SUMMARY"]) == "NOBODY on call (primary)"
    with pytest.raises(SchemaError, match="not one person"):
        ical.overrides(ical.export(DOCUMENT, "primary", gap, START), DOCUMENT, "primary", "Ada")


@pytest.mark.parametrize(
    ("lines", "start", "end"),
    [
        (("DTSTART:20260701T090000Z", "DTEND:20260702T090000Z"), "2026-07-01T09:00Z", "2026-07-02T09:00Z"),
        (("DTSTART:20260701T090000", "DTEND:20260702T090000"), "2026-07-01T07:00Z", "2026-07-02T07:00Z"),
        (("DTSTART;VALUE=DATE:20260329",), "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        (("DTSTART;TZID=America/New_York:20260701T090000", "DURATION:PT2H"), "2026-07-01T13:00Z", "2026-07-01T15:00Z"),
        (
            ("DTSTART;TZID=W. Europe Standard Time:20260701T090000", "DURATION:P1D"),
            "2026-07-01T07:00Z",
            "2026-07-02T07:00Z",
        ),
    ],
)
def test_times_are_read_as_calendars_write_them(lines: tuple[str, ...], start: str, end: str) -> None:
    """UTC, floating, whole days over a change of the clocks, zones of the IANA and of Windows."""
    override = read("SUMMARY:Grace", *lines)
    assert [override.start, override.end] == [datetime.fromisoformat(text) for text in (start, end)]
    assert (override.person, override.reason, override.who) == ("grace", "imported from a calendar", "Ada")


def test_half_a_swap_names_whom_it_replaces_and_a_cancelled_event_counts_for_nothing() -> None:
    """X-HEADGATE-PERSON and X-HEADGATE-REPLACES name persons; a cancelled event makes no override."""
    swap = ("DTSTART:20260701T090000Z", "DURATION:PT1H", "X-HEADGATE-PERSON:alan", "X-HEADGATE-REPLACES:Ada")
    override = read("SUMMARY:whatever", "DESCRIPTION:dentist\\nat nine", *swap)
    assert (override.person, override.replaces, override.reason) == ("alan", "ada", "dentist?at nine")
    assert ical.overrides(calendar("STATUS:CANCELLED"), DOCUMENT, "primary", "Ada") == ()


EVIL = (
    "BEGIN:VTIMEZONE\r\nTZID:Evil\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
    "TZOFFSETTO:+0200\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
WHEN = ("DTSTART:20260701T090000Z", "DTEND:20260702T090000Z")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no calendar"),
        (b"/etc/passwd", "no calendar"),
        (b"\xff\xfe\x00", "no calendar"),
        (b"BEGIN:VEVENT\r\nEND:VEVENT\r\n", "does not begin with BEGIN:VCALENDAR"),
        (b"x" * (ical.MAX_BYTES + 1), "bytes; at most"),
        (b"\n" * (ical.MAX_LINES + 1), "more than"),
        (b"BEGIN:VEVENT\r\n" * (ical.MAX_PARTS + 1), "parts"),
        (calendar("SUMMARY:ada", *WHEN)[:-15] * 2, "no calendar"),
        (calendar("SUMMARY:eve", *WHEN), "not one person"),
        (calendar("SUMMARY:ada"), "event 1 of the calendar: it has no DTSTART"),
        (calendar("SUMMARY:ada", "DTSTART:20260701T090000Z"), "no end"),
        (calendar("SUMMARY:ada", *reversed(WHEN), "DTSTART:20260701T090000Z"), "cannot be read"),
        (calendar("SUMMARY:ada", "DTSTART:2026", WHEN[1]), "cannot be read"),
        (calendar("SUMMARY:ada", "DTSTART:00010101T000000", WHEN[1]), "between 2000-01-01"),
        (calendar("SUMMARY:ada", "DTSTART:20260101T000000", "DTEND:99991231T235959"), "between 2000-01-01"),
        (calendar("SUMMARY:ada", WHEN[0], "DTEND:20260630T090000Z"), "ends after it starts"),
        (calendar("SUMMARY:ada", WHEN[0], "DTEND:20290630T090000Z"), "within 366 days"),
        (calendar("SUMMARY:ada", WHEN[0], "DURATION:P999999999D"), "cannot be|too long|no end"),
        (calendar("SUMMARY:ada", *WHEN, "RRULE:FREQ=SECONDLY"), r"it recurs \(RRULE\)"),
        (calendar("SUMMARY:ada", "DTSTART;TZID=Evil:20260701T090000", "DURATION:PT1H", before=EVIL), "zone Evil"),
        (calendar("SUMMARY:ada", "DTSTART;TZID=../../etc/x:20260701T090000", "DURATION:PT1H"), "is not known"),
        (calendar("SUMMARY:ada", *WHEN, "X-HEADGATE-SCHEDULE:other"), "it is for schedule other"),
    ],
)
def test_what_cannot_be_an_override_is_refused_in_a_sentence(data: bytes, says: str) -> None:
    """Not a calendar, too large, broken, endless, recurring, of an invented zone, of nobody: each says so at once."""
    with pytest.raises(SchemaError, match=says):
        ical.overrides(data, DOCUMENT, "primary", "Ada")


def test_an_unknown_schedule_is_refused_both_ways() -> None:
    """The sentence names the schedules that there are."""
    with pytest.raises(SchemaError, match="there is primary"):
        ical.export(DOCUMENT, "other", (), START)
    with pytest.raises(SchemaError, match="there is primary"):
        ical.overrides(calendar(), DOCUMENT, "other", "Ada")


SOUND = ical.export(DOCUMENT, "primary", shifts(DOCUMENT.schedules["primary"], (), START, START + 14 * DAY), START)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(SOUND)), st.integers(0, 40), st.binary(max_size=12)), max_size=6))
def test_a_calendar_that_was_tampered_with_is_read_or_refused(cuts: list[tuple[int, int, bytes]]) -> None:
    """Whatever bytes are cut out of a calendar or put into it, overrides come out or a refusal, nothing else."""
    data = SOUND
    for at, length, put in cuts:
        data = data[:at] + put + data[at + length :]
    try:
        found = ical.overrides(data, DOCUMENT, "primary", "Ada")
    except SchemaError:
        return
    assert all(override.person in DOCUMENT.people for override in found)
