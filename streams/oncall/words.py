"""On-call in words: when, who, and what an escalation does."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from agents.oncall.forecast import Forecast
from agents.oncall.schedule import Shift
from schemas.case.paging import EscalationExhausted, Event, PageReachedNobody, PageSent, PageSkipped
from schemas.oncall import OnCall
from schemas.rota import Override, zone

_FIRST, _LAST = 2000, 2199


def moment(text: str) -> int:
    """Return the ms of a time (ISO 8601, in UTC where it names no offset); ValueError says why it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text[:60]!r} is no time; write for instance 2026-12-24T09:00+01:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not _FIRST <= at.year <= _LAST:
        raise ValueError(f"a time lies in the years {_FIRST} to {_LAST}")
    return int(at.timestamp() * 1000)


def local(at: int, where: str) -> str:
    """Return a time (ms) as a clock in the zone shows it."""
    shown = datetime.fromtimestamp(at / 1000, UTC).astimezone(zone(where))
    return f"{shown:%a %Y-%m-%d %H:%M} {shown.tzname()}"


def names(document: OnCall, persons: Iterable[str]) -> str:
    """Return persons as others know them; webhooks as they are called."""
    known = [document.people[person].name if person in document.people else person for person in persons]
    return ", ".join(known) or "NOBODY"


def lasting(milliseconds: int) -> str:
    """Return a duration in words, from days down to minutes or seconds."""
    seconds = milliseconds // 1000
    days, rest = divmod(seconds, 86_400)
    hours, rest = divmod(rest, 3600)
    parts = [(days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def shift_row(document: OnCall, schedule: str, shift: Shift) -> list[str]:
    """Return the cells of a shift: schedule, from, until, how long, who."""
    where = document.schedules[schedule].zone
    length = lasting(shift.end - shift.start)
    return [schedule, local(shift.start, where), local(shift.end, where), length, names(document, shift.persons)]


def escalation(document: OnCall, told: Forecast) -> list[tuple[str, str]]:
    """Return when (from the beginning) and what, for each event after it."""
    began, lines = told.events[0].at, []
    for event in told.events[1:]:
        when = "at once" if event.at == began else f"after {lasting(event.at - began)}"
        lines.append((when, _sentence(document, told, event)))
    return lines


def _sentence(document: OnCall, told: Forecast, event: Event) -> str:
    number = getattr(event, "round", 0)
    rounds = f"round {number + 1}: " if number else ""  # the first needs no number
    match event:
        case PageSent():
            step = told.policy.steps[event.step]
            loud = "" if event.important else ", not important"
            every = ", all must acknowledge" if step.ack == "all" else ""
            return f"{rounds}page {names(document, event.persons)} ({event.target}{loud}{every})"
        case PageReachedNobody():
            return f"{rounds}{event.target} reaches nobody: {event.why}; this is recorded, and passed at once"
        case PageSkipped(target=""):
            return f"{rounds}step {event.step + 1} is skipped: {event.why}"
        case PageSkipped():
            return f"{rounds}{event.target} needs no page: {event.why}"
        case EscalationExhausted():
            return f"{event.why}: role {event.role} is told, {names(document, event.persons)}"
    return type(event).__name__


def toml(overrides: Iterable[Override]) -> str:
    """Return overrides as they stand in an on-call document."""
    blocks = []
    for one in overrides:
        lines = ["[[overrides]]", f'schedule = "{one.schedule}"', f'person = "{one.person}"']
        if one.replaces is not None:
            lines.append(f'replaces = "{one.replaces}"')
        lines += [f"start = {one.start.isoformat()}", f"end = {one.end.isoformat()}"]
        lines += [f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in _texts(one)]
        blocks.append("\n".join(lines) + "\n")
    return "\n".join(blocks)


def _texts(one: Override) -> tuple[tuple[str, str], ...]:
    return ("reason", one.reason), ("who", one.who)
