"""iCalendar (RFC 5545): a schedule's shifts out, overrides in.

A calendar from elsewhere is hostile until read: its size and parts are bounded, its time zones are taken by name from
the IANA database and never from its own rules (a rule of it may repeat every second since 1970), and nothing that
recurs is accepted, since an override is one stretch of time.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON
from pydantic import ValidationError

from agents.oncall.schedule import Shift
from agents.triage.narrative import clip
from schemas.errors import SchemaError
from schemas.ids import derive
from schemas.oncall import OnCall
from schemas.rota import Override, zone

MAX_BYTES = 256 * 1024
MAX_PARTS = 2000
MAX_LINES = 20_000
MAX_EVENTS = 500
_PRODUCT = "-//Headgate//On call//EN"
_LONGEST = 300
_RECURS = ("RRULE", "RDATE", "EXRULE", "RECURRENCE-ID")


def export(document: OnCall, schedule: str, shifts: Iterable[Shift], stamp: int) -> bytes:
    """Return a calendar with an event for each shift, a gap as an event of nobody; `stamp` is the time of export, ms.

    Raises
    ------
    SchemaError
        The document declares no such schedule.
    """
    if schedule not in document.schedules:
        raise SchemaError(
            f"there is no schedule {clip(schedule, 60)}; there is {', '.join(document.schedules) or 'none'}"
        )
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"On call: {schedule}")
    for shift in shifts:
        event = Event()
        names = ", ".join(document.people[person].name for person in shift.persons if person in document.people)
        event.add("summary", f"{names} on call ({schedule})" if shift.persons else f"NOBODY on call ({schedule})")
        # The same shift keeps its id from one export to the next, so that a calendar replaces it.
        event.add("uid", f"{derive(schedule, shift.start, shift.end, *shift.persons)}@headgate")
        event.add("dtstamp", _moment(stamp))
        event.add("dtstart", _moment(shift.start))
        event.add("dtend", _moment(shift.end))
        event.add("transp", "TRANSPARENT")
        event.add("x-headgate-schedule", schedule)
        if len(shift.persons) == 1:
            event.add("x-headgate-person", shift.persons[0])
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def overrides(data: bytes, document: OnCall, schedule: str, who: str) -> tuple[Override, ...]:
    """Return an override for each event of a calendar, in the order of their starts; cancelled events are left out.

    The person is X-HEADGATE-PERSON, or else the summary: a person's key or name in the document. X-HEADGATE-REPLACES
    names whom the person stands in for, if not everybody. A day without hours is midnight to midnight in the
    schedule's zone, and so is a time without a zone; the description is the reason.

    Raises
    ------
    SchemaError
        In a sentence that says which event cannot be an override, and why.
    """
    if schedule not in document.schedules:
        raise SchemaError(
            f"there is no schedule {clip(schedule, 60)}; there is {', '.join(document.schedules) or 'none'}"
        )
    found = []
    for number, event in enumerate(_events(data), 1):
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        try:
            found.append(_override(event, document, schedule, who))
        except SchemaError as error:
            raise SchemaError(f"event {number} of the calendar: {error}") from None
    return tuple(sorted(found, key=lambda override: (override.start_at, override.end_at)))


def _events(data: bytes) -> list[Any]:
    if len(data) > MAX_BYTES:
        raise SchemaError(f"the calendar has {len(data)} bytes; at most {MAX_BYTES} are read")
    if data.count(b"\n") > MAX_LINES or data.upper().count(b"BEGIN:") > MAX_PARTS:
        raise SchemaError(f"the calendar has more than {MAX_LINES} lines or {MAX_PARTS} parts; export a shorter time")
    try:
        # Bytes: of a text without line breaks the library asks first whether it is the path of a file.
        calendar = Calendar.from_ical(bytes(data))
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise SchemaError(f"this is no calendar (iCalendar, RFC 5545): {clip(str(error), 160)}") from None
    if calendar.name != "VCALENDAR":
        raise SchemaError("this is no calendar: it does not begin with BEGIN:VCALENDAR")
    events = [part for part in calendar.subcomponents if part.name == "VEVENT"]
    if len(events) > MAX_EVENTS:
        raise SchemaError(f"the calendar has {len(events)} events; at most {MAX_EVENTS} are read")
    return events


def _override(event: Any, document: OnCall, schedule: str, who: str) -> Override:
    recurs = next((name for name in _RECURS if name in event), None)
    if recurs is not None:
        raise SchemaError(f"it recurs ({recurs}); write each time as an event of its own, or change the layers")
    where = document.schedules[schedule].zone
    start = _time(event, "DTSTART", where)
    named = _text(event, "X-HEADGATE-SCHEDULE")
    if named and named != schedule:
        raise SchemaError(f"it is for schedule {clip(named, 60)}, and {schedule} was asked for")
    replaces = _text(event, "X-HEADGATE-REPLACES")
    try:
        return Override(
            schedule=schedule,
            person=_person(event, document),
            start=start,
            end=_end(event, start, where),
            reason=_text(event, "DESCRIPTION") or "imported from a calendar",
            who=who,
            replaces=_known(replaces, document) if replaces else None,
        )
    except ValidationError as error:
        raise SchemaError(clip(error.errors(include_url=False)[0]["msg"].removeprefix("Value error, "), 200)) from None


def _person(event: Any, document: OnCall) -> str:
    return _known(_text(event, "X-HEADGATE-PERSON") or _text(event, "SUMMARY"), document)


def _known(said: str, document: OnCall) -> str:
    matches = [key for key, person in document.people.items() if said in (key, person.name)]
    if len(matches) != 1:
        raise SchemaError(
            f"{clip(said, 60)!r} is not one person of the document; the summary must be a person's key or name: "
            f"{clip(', '.join(document.people), 200)}"
        )
    return matches[0]


def _end(event: Any, start: datetime, where: str) -> datetime:
    if "DTEND" in event:
        return _time(event, "DTEND", where)
    duration = _value(event, "DURATION") if "DURATION" in event else None
    if duration is None and not isinstance(_value(event, "DTSTART"), datetime):
        duration = timedelta(days=1)  # RFC 5545, 3.6.1: a date without an end is that day
    if not isinstance(duration, timedelta):
        raise SchemaError("it has neither DTEND nor DURATION, so it has no end")
    try:
        # By the wall for days, as a calendar shows it; the clocks may change on the way.
        return start + duration if not duration.seconds else (start.astimezone(UTC) + duration)
    except OverflowError:
        raise SchemaError("its duration is too long") from None


def _time(event: Any, name: str, where: str) -> datetime:
    value = _value(event, name)
    if isinstance(value, datetime):
        tzid = str(event[name].params.get("TZID", ""))
        if tzid:
            return value.replace(tzinfo=_zone(tzid))
        return value if isinstance(value.tzinfo, ZoneInfo) else value.replace(tzinfo=zone(where))
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=zone(where))
    raise SchemaError(f"its {name} is no time")


def _zone(tzid: str) -> ZoneInfo:
    try:
        return zone(WINDOWS_TO_OLSON.get(tzid, tzid))
    except ValueError:
        raise SchemaError(f"time zone {clip(tzid, 60)} is not known; export in UTC or in a zone of the IANA") from None


def _value(event: Any, name: str) -> object:
    if name not in event:
        raise SchemaError(f"it has no {name}")
    try:
        return event[name].dt
    except (AttributeError, ValueError):  # given twice, or broken
        raise SchemaError(f"its {name} cannot be read") from None


def _text(event: Any, name: str) -> str:
    value = event.get(name, "")
    return clip(str(value).strip(), _LONGEST) if isinstance(value, str) else ""


def _moment(at: int) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).replace(microsecond=0)
