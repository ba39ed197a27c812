"""Whether a silence covers a signal or a case now. Silences keep from opening and paging, never from recording.

The ledger holds a silence as it was asked for; what its recurrence rule (RFC 5545, 3.3.10) means in its time zone is
found here, because libraries of calendars change their answers.
"""

from collections.abc import Iterable, Mapping
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rruleset, rrulestr

from agents.ledger.case import Case
from agents.ledger.control import Control
from schemas.case.silences import Aspect, SilenceAdded
from schemas.signals import SignalRaised
from schemas.systems import Systems
from schemas.values import Category

Facts = Mapping[Aspect, str]
"""What is known of each aspect; one that is not known matches nothing."""

_SHIFT = timedelta(hours=3)
"""No clock is ever set further than this."""
_CYCLE, _LAST_YEAR = 400, 9990


def facts_of(signal: SignalRaised, systems: Systems) -> Facts:
    """Return what matchers may look at of a signal; nothing of a person's report, which no silence covers."""
    if signal.category is Category.HUMAN_REPORT:
        return {}
    found = systems.find(signal.model)
    return {
        Aspect.SYSTEM: found[0] if found else "",
        Aspect.MODEL: signal.model,
        Aspect.VERSION: signal.version,
        Aspect.INSTANCE: signal.instance,
        Aspect.MODE: signal.mode.value,
        Aspect.CATEGORY: signal.category.value,
        Aspect.DETECTOR: signal.detector,
        Aspect.SUBJECT: signal.subject,
    }


def silenced(signal: SignalRaised, control: Control, at: int) -> int | None:
    """Return until when (ms) a silence in force covers a signal at `at`, or None."""
    return until(facts_of(signal, control.systems), control.desk.silences.values(), at)


def silenced_case(case: Case, control: Control, at: int) -> int | None:
    """Return until when (ms) silences cover all versions that a case affects, or None; for paging."""
    if case.category is Category.HUMAN_REPORT or not case.affected:
        return None
    ends = []
    for one in case.affected:
        found = control.systems.find(one.model)
        facts = {
            Aspect.SYSTEM: found[0] if found else "",
            Aspect.MODEL: one.model,
            Aspect.VERSION: one.version,
            Aspect.CATEGORY: case.category.value,
        }
        end = until(facts, control.desk.silences.values(), at)
        if end is None:
            return None
        ends.append(end)
    return min(ends)


def until(facts: Facts, silences: Iterable[SilenceAdded], at: int) -> int | None:
    """Return the latest end (ms) of the windows at `at` of the silences whose matchers all match, or None."""
    ends = [
        window[1]
        for silence in silences
        if facts and all(facts.get(matcher.aspect) == matcher.value for matcher in silence.matchers)
        if (window := window_at(silence, at)) is not None
    ]
    return max(ends, default=None)


def window_at(silence: SilenceAdded, at: int) -> tuple[int, int] | None:
    """Return the window [from, to) of a silence that holds `at` (all in ms), or None."""
    if not silence.starts_at <= at < silence.until:
        return None
    if not silence.rule:
        return silence.starts_at, silence.until
    length = silence.window_seconds * 1000
    held = [start for start in _starts(silence, at - length, at) if start <= at < start + length]
    return (max(held), min(max(held) + length, silence.until)) if held else None


def windows(silence: SilenceAdded, begin: int, most: int = 5) -> list[tuple[int, int]]:
    """Return the next windows that end after `begin` (ms), for people to see."""
    if not silence.rule:
        return [(silence.starts_at, silence.until)] if silence.until > begin else []
    length = silence.window_seconds * 1000
    starts = _starts(silence, begin - length, silence.until)
    return [(start, min(start + length, silence.until)) for start in starts if start + length > begin][:most]


def readable(rule: str, zone: str) -> bool:
    """Whether a rule and a time zone mean anything; one that does not silences nothing."""
    return _compiled(rule, zone, 0) is not None


def _starts(silence: SilenceAdded, begin: int, end: int) -> list[int]:
    """Return the starts of windows (ms) in [begin, end], as far as they lie in the silence."""
    compiled = _compiled(silence.rule, silence.zone, silence.starts_at)
    if compiled is None:
        return []
    rule, zone, years = compiled
    first, last = (_local(ms, zone) for ms in (begin, end))
    between = rule.between(_later(first - _SHIFT, years), _later(last + _SHIFT, years), inc=True)
    found = [_instant(_later(local, -years), zone) for local in between]
    return [start for start in found if max(begin, silence.starts_at) <= start <= min(end, silence.until - 1)]


@lru_cache(maxsize=512)
def _compiled(rule: str, zone: str, starts_at: int) -> tuple[rrule | rruleset, ZoneInfo, int] | None:
    """Return the rule, its time zone, and by how many years its calendar is ahead of ours.

    A rule that never holds (30 February) is followed to the year 9999. The Gregorian calendar repeats itself, weekdays
    and all, every 400 years, so the rule is counted there in as late a cycle as there is: the end is near.
    """
    try:
        place = ZoneInfo(zone)
        start = _local(starts_at, place)
        years = max(0, (_LAST_YEAR - start.year) // _CYCLE * _CYCLE)
        return rrulestr(rule, dtstart=_later(start, years), cache=True), place, years
    except (ZoneInfoNotFoundError, ValueError, OSError, OverflowError):
        return None


def _later(local: datetime, years: int) -> datetime:
    return local.replace(year=min(local.year + years, MAXYEAR))


def _local(at: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at // 1000, UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def _instant(local: datetime, zone: ZoneInfo) -> int:
    return int(local.replace(tzinfo=zone).timestamp()) * 1000
