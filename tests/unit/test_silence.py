"""Silences and maintenance windows: what they cover, how long they may be, and what is raised when they end."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.roles.request import proposals
from agents.triage.silence import _compiled, readable, silenced, silenced_case, window_at, windows
from agents.triage.triage import Triage
from schemas.case.silences import AddSilence, Aspect, EndSilence, ExpireSilence, Matcher, SilenceAdded, SilenceEnded
from schemas.signals import Affected, IncidentOpened
from schemas.values import Category
from tests.feed import T0, Feed, cleared, judge, raised
from tests.ledgers import START, Ledger, genesis, reason
from tests.play import incident_opened

HOUR = 3_600_000
MODEL = Matcher(aspect=Aspect.MODEL, value="shuttle")


def ms(text: str) -> int:
    """Return an ISO time in ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def silence(**given: Any) -> SilenceAdded:
    """Return an hour's silence of the model from T0 on."""
    facts: dict[str, Any] = {
        "silence": "s-1",
        "matchers": (MODEL,),
        "starts_at": T0,
        "until": T0 + HOUR,
        "rule": "",
        "zone": "",
        "window_seconds": 0,
        "reason": "maintenance",
        "principal": "p-mia",
    }
    return SilenceAdded(**facts | given)


def ask(**given: Any) -> AddSilence:
    """Ask for an hour's silence of the model from now on."""
    facts: dict[str, Any] = {
        "matchers": (MODEL,),
        "starts_at": START,
        "until": START + HOUR,
        "rule": "",
        "zone": "",
        "window_seconds": 0,
        "reason": "maintenance",
    }
    return AddSilence(**facts | given)


def feed(*silences: SilenceAdded) -> Feed:
    """Return triage under these silences."""
    return Feed(Triage(replace(judge(), silences=silences)))


def test_what_still_stands_at_the_end_of_a_silence_is_promoted_then() -> None:
    """Recorded all the time, told to nobody, and an incident a moment after the end, with all its evidence."""
    told = feed(silence())
    told.say(raised("f1"), raised("f2"), at=1000)
    assert told.tick(HOUR) == []
    assert told.triage.due(T0 + HOUR + 1)
    (opened,) = told.tick(HOUR + 1501)
    assert isinstance(opened, IncidentOpened)
    assert (opened.at, {one.subject for one in opened.evidence}) == (T0 + HOUR + 1500, {"f1", "f2"})


def test_what_cleared_within_a_silence_opens_nothing() -> None:
    """It was noise, as announced; what stands beside it is told."""
    told = feed(silence())
    told.say(raised("f1"), cleared(raised("f1")), at=1000)
    assert told.tick(2 * HOUR) == []
    told = feed(silence())
    told.say(raised("f1"), raised("f2", score=1.0), cleared(raised("f1")), at=1000)
    assert told.tick(2 * HOUR) == []
    told = feed(silence())
    told.say(raised("f1"), raised("f2"), cleared(raised("f1")), at=1000)
    (opened,) = told.tick(2 * HOUR)
    assert len(opened.evidence) == 2


def test_a_silence_that_a_person_ends_is_over_at_once() -> None:
    """The judge without it looks again at what was held back."""
    told = feed(silence())
    told.say(raised("f1"), at=1000)
    told.triage.adopt(judge())
    assert [type(event) for event in told.tick(5000)] == [IncidentOpened]


def test_a_silence_after_the_other_goes_on() -> None:
    """At the end of the first the second holds."""
    told = feed(silence(), silence(silence="s-2", starts_at=T0 + 1000, until=T0 + 2 * HOUR))
    told.say(raised("f1"), at=500)
    assert told.tick(HOUR + 10_000) == []
    assert len(told.tick(2 * HOUR + 1501)) == 1


def test_an_open_incident_goes_on_to_grow_in_a_silence() -> None:
    """Silences keep incidents from opening; what is open is recorded."""
    told = feed(silence(starts_at=T0 + 3000))
    told.say(raised("f1"))
    told.tick(2000)
    (grew,) = told.say(raised("f1", version="3"), at=4000)
    assert len(grew.affected) == 2


@pytest.mark.parametrize(
    ("matchers", "covered"),
    [
        ({Aspect.SYSTEM: "radiator"}, True),
        ({Aspect.MODEL: "shuttle", Aspect.SUBJECT: "f1"}, True),
        (
            {
                Aspect.MODEL: "shuttle",
                Aspect.CATEGORY: "data_drift",
                Aspect.MODE: "realtime",
                Aspect.DETECTOR: "psi",
                Aspect.VERSION: "2",
            },
            True,
        ),
        ({Aspect.MODEL: "shuttle", Aspect.SUBJECT: "f2"}, False),
        ({Aspect.MODEL: "shuttle", Aspect.INSTANCE: "a"}, False),
    ],
)
def test_every_matcher_must_match(matchers: dict[Aspect, str], covered: bool) -> None:
    """Each looks at one aspect, and its value is the whole of it."""
    made = tuple(Matcher(aspect=aspect, value=value) for aspect, value in matchers.items())
    ledger = genesis()
    ledger.ask(ask(matchers=made), "mia")
    assert (silenced(raised("f1"), ledger.control, START) is not None) is covered


def test_a_case_is_silent_where_all_that_it_affects_is() -> None:
    """One version that no silence covers is reason to page; a person's report always is."""
    ledger = genesis()
    ledger.ask(ask(), "mia")
    ledger.ask(incident_opened(), "triage")
    assert silenced_case(ledger.case, ledger.control, START) == START + HOUR
    assert silenced_case(ledger.case, ledger.control, START + HOUR) is None
    wider = replace(ledger.case, affected=(*ledger.case.affected, Affected(model="other", version="1")))
    assert silenced_case(wider, ledger.control, START) is None
    reported = replace(ledger.case, category=Category.HUMAN_REPORT)
    assert silenced_case(reported, ledger.control, START) is None


WEEKLY = silence(
    starts_at=ms("2026-01-04T01:00"),
    until=ms("2026-12-01T00:00"),
    rule="FREQ=WEEKLY;BYDAY=SU",
    zone="Europe/Berlin",
    window_seconds=3600,
)
"""Sundays from 2:00 to 3:00 in Berlin."""


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2026-01-04T01:00", True),
        ("2026-01-04T01:59:59", True),
        ("2026-01-04T02:00", False),
        ("2026-01-05T01:30", False),
        ("2026-07-05T00:30", True),  # summer: two hours before UTC
        ("2026-07-05T01:30", False),
        ("2026-03-29T01:30", True),  # 2:00 does not exist that night: the window begins at 3:00, RFC 5545, 3.3.5
        ("2026-10-25T00:30", True),  # 2:00 occurs twice: the first is meant
        ("2026-10-25T01:30", False),
        ("2025-12-28T01:30", False),
        ("2026-12-06T01:30", False),
    ],
)
def test_a_recurring_window_keeps_its_local_time(at: str, holds: bool) -> None:
    """Through the changes of the clock, from its start and up to its end."""
    assert (window_at(WEEKLY, ms(at)) is not None) is holds


def test_a_window_that_began_before_the_clock_was_set_back_still_holds() -> None:
    """It began at 2:30, the first time; ten minutes after 3:00 became 2:00 it is 2:10 again."""
    half_past = replace(WEEKLY, starts_at=ms("2026-01-04T01:30"))
    assert window_at(half_past, ms("2026-10-25T01:10")) == (ms("2026-10-25T00:30"), ms("2026-10-25T01:30"))


def test_the_next_windows_are_told() -> None:
    """The one that runs is among them."""
    begin = ms("2026-11-15T01:30")
    expected = [(ms(f"2026-11-{day}T01:00"), ms(f"2026-11-{day}T02:00")) for day in ("15", "22", "29")]
    assert windows(WEEKLY, begin) == expected


def test_a_rule_that_never_holds_is_not_followed_for_eight_thousand_years() -> None:
    """There is no 30 February; the calendar in which it is looked for ends soon, and has the same days as ours."""
    never = replace(WEEKLY, rule="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")
    compiled = _compiled(never.rule, never.zone, never.starts_at)
    assert compiled is not None
    assert compiled[2] == 7600
    assert window_at(never, ms("2026-11-30T12:00")) is None
    leap = replace(WEEKLY, rule="FREQ=DAILY;BYMONTHDAY=29;BYMONTH=2", until=ms("2029-01-01T00:00"))
    assert windows(leap, ms("2026-01-05T00:00")) == [(ms("2028-02-29T01:00"), ms("2028-02-29T02:00"))]


@given(st.text(max_size=40), st.text(max_size=12), st.integers(T0, T0 + 10**10))
@settings(max_examples=60, deadline=None)
def test_a_rule_that_means_nothing_silences_nothing(rule: str, zone: str, at: int) -> None:
    """Nothing that stands in the ledger may stop triage."""
    made = replace(WEEKLY, rule=rule or "x", zone=zone)
    assert readable(made.rule, zone) or window_at(made, at) is None


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ({"matchers": ()}, "bad_matchers"),
        ({"matchers": (MODEL, MODEL)}, "bad_matchers"),
        ({"matchers": (replace(MODEL, value=""),)}, "bad_matchers"),
        ({"matchers": (Matcher(aspect=Aspect.CATEGORY, value="attack"),)}, "too_broad"),
        ({"reason": " "}, "no_reason"),
        ({"until": START}, "bad_times"),
        ({"until": START + 73 * HOUR}, "bad_times"),
        ({"until": START + 91 * 24 * HOUR}, "bad_times"),
        ({"window_seconds": 60}, "bad_times"),
        ({"rule": "FREQ=SECONDLY", "zone": "UTC", "window_seconds": 60}, "bad_times"),
        ({"rule": "FREQ=DAILY;COUNT=3", "zone": "UTC", "window_seconds": 60}, "bad_times"),
        ({"rule": "FREQ=DAILY", "zone": "", "window_seconds": 60}, "bad_times"),
        ({"rule": "FREQ=DAILY", "zone": "UTC", "window_seconds": 59}, "bad_times"),
        ({"rule": "FREQ=DAILY", "zone": "UTC", "window_seconds": 73 * 3600}, "bad_times"),
    ],
)
def test_a_silence_has_matchers_a_reason_and_an_end_in_sight(bad: dict[str, Any], why: str) -> None:
    """What would silence everything, for nothing, or for too long is refused."""
    assert reason(genesis().ask(ask(**bad), "mia")) == why


def added(ledger: Ledger, **given: Any) -> SilenceAdded:
    """Return a silence that the ledger has taken."""
    (event,) = ledger.ask(ask(**given), "mia")
    assert isinstance(event, SilenceAdded)
    return event


def test_a_silence_is_ended_by_a_person_once_with_a_reason() -> None:
    """Then it covers nothing any more."""
    ledger = genesis()
    made = added(ledger)
    assert reason(ledger.ask(EndSilence(silence=made.silence, reason=""), "max")) == "no_reason"
    (ended,) = ledger.ask(EndSilence(silence=made.silence, reason="done"), "max")
    assert isinstance(ended, SilenceEnded)
    assert (ended.why, ledger.control.desk.silences) == ("ended", {})
    assert reason(ledger.ask(EndSilence(silence=made.silence, reason="done", repeat=1), "max")) == "unknown_silence"
    assert reason(ledger.ask(ask(repeat=1), "cleo")) == "wrong_role"


def test_the_end_of_a_silence_is_told() -> None:
    """The approval role states it, and the registrar agrees when its clock does."""
    ledger = genesis()
    made = added(ledger)
    assert proposals(ledger.state, START + HOUR - 1) == []
    expiry = ExpireSilence(silence=made.silence, until=made.until)
    assert proposals(ledger.state, START + HOUR) == [expiry]
    assert reason(ledger.ask(expiry, "approval")) == "early"
    (ended,) = ledger.later(3600).ask(replace(expiry, repeat=1), "approval")
    assert isinstance(ended, SilenceEnded)
    assert (ended.why, ledger.control.desk.silences) == ("expired", {})


def test_there_are_only_so_many_silences() -> None:
    """The policy says how many hold at a time."""
    ledger = genesis()
    for number in range(100):
        added(ledger, repeat=number)
    assert reason(ledger.ask(ask(repeat=100), "mia")) == "too_many"


def test_what_a_silence_holds_back_outlives_candidates_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """It will be told; a weak finding beside it may never be."""
    monkeypatch.setattr("agents.triage.triage.MAX_EPISODES", 2)
    told = feed(silence())
    told.say(raised("f1"), raised("f1", model="letters", score=1.0), raised("f1", model="ghost", score=1.0), at=1000)
    assert [type(event) for event in told.tick(HOUR + 1501)] == [IncidentOpened]
