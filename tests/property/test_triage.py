"""What holds of triage for any signals, in any order, with any crash."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.received import Received
from agents.triage.triage import Triage
from schemas.case.silences import Aspect, Matcher, SilenceAdded
from schemas.codec import frame
from schemas.errors import SchemaError
from schemas.signals import IncidentOpened, IncidentQuieted, MonitorObserved, SignalCleared, SignalRaised
from schemas.values import Category, Position
from tests.feed import T0, TELEMETRY, Feed, cleared, judge, raised
from tests.strategies import records

SILENT = SilenceAdded(
    silence="s-1",
    matchers=(Matcher(aspect=Aspect.SUBJECT, value="f1"),),
    starts_at=T0,
    until=T0 + 50_000,
    rule="",
    zone="",
    window_seconds=0,
    reason="noise",
    principal="p-mia",
)
MODELS = ("shuttle", "features", "risk", "price", "ghost")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, SignalRaised | SignalCleared]]:
    """Draw signals of several models that are raised, repeated and cleared, with their times."""
    at, lines = 0, []
    standing: list[SignalRaised] = []
    for offset in range(draw(st.integers(1, 25))):
        at += draw(st.sampled_from([0, 0, 100, 1500, 1501, 61_000]))
        if standing and draw(st.booleans()):
            one = draw(st.sampled_from(standing))
            repeat = draw(st.booleans())
            lines.append((at, one if repeat else cleared(one, offset)))
            continue
        source = Position(topic_id=draw(st.sampled_from([TELEMETRY, "again"])), partition=0, offset=offset)
        signal = raised(
            draw(st.sampled_from(["f1", "f2", "confidence"])),
            draw(st.sampled_from([Category.DATA_DRIFT, Category.CONFIDENCE, Category.DATA_QUALITY])),
            model=draw(st.sampled_from(MODELS)),
            score=draw(st.sampled_from([1.0, 5.0, 50.0])),
            backfill=draw(st.booleans()),
            source=source,
        )
        standing.append(signal)
        lines.append((at, signal))
    return lines


def _told(feed: Feed, lines: list[tuple[int, SignalRaised | SignalCleared]]) -> list[object]:
    for at, said in lines:
        feed.say(said, at=at)
    feed.tick(10_000_000)
    return feed.told


@settings(max_examples=80, deadline=None)
@given(histories())
def test_each_incident_is_opened_once_told_in_sequence_and_ends_last(
    lines: list[tuple[int, SignalRaised | SignalCleared]],
) -> None:
    """Sequences run 1, 2, 3, … from the opening, time never goes back, and nothing follows the end."""
    told = _told(Feed(), lines)
    for incident in {event.id for event in told}:
        own = [event for event in told if event.id == incident]
        assert [event.sequence for event in own] == list(range(1, len(own) + 1))
        assert [isinstance(event, IncidentOpened) for event in own] == [True] + [False] * (len(own) - 1)
        assert not any(isinstance(event, IncidentQuieted) for event in own[:-1])
        assert [event.at for event in own] == sorted(event.at for event in own)


@settings(max_examples=80, deadline=None)
@given(histories(), st.data())
def test_a_crash_anywhere_changes_nothing_that_is_told(
    lines: list[tuple[int, SignalRaised | SignalCleared]], data: st.DataObject
) -> None:
    """Restored at any snapshot and given any overlap of records again, triage says what it would have said."""
    by = replace(judge(), silences=data.draw(st.sampled_from([(), (SILENT,)])))
    whole = Feed(Triage(by))
    expected = _told(whole, lines)
    crash = data.draw(st.integers(0, len(lines)))
    overlap = data.draw(st.integers(0, crash))
    first, second = Triage(by), Triage(by)
    told = [event for record in whole.records[:crash] for event in first.step(record)]
    for unit, offset, body in first.dirty():
        second.restore(unit, offset, body)
    again = [event for record in whole.records[overlap:] for event in second.step(record)]
    assert told + again + second.tick(T0 + 10_000_000) == expected
    assert all(not second.step(record) for record in whole.records)


@settings(max_examples=80, deadline=None)
@given(histories(), st.lists(st.integers(0, 200_000), max_size=20))
def test_when_the_clock_is_asked_changes_nothing_that_is_told(
    lines: list[tuple[int, SignalRaised | SignalCleared]], ticks: list[int]
) -> None:
    """Ticks between records, in step with them, bring out the same events that the records alone bring out."""
    expected = _told(Feed(), lines)
    ticked = Feed()
    waiting = sorted(ticks)
    for at, said in lines:
        while waiting and waiting[0] <= at:
            ticked.tick(waiting.pop(0))
        ticked.say(said, at=at)
    ticked.tick(10_000_000)
    assert ticked.told == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(*(records(cls) for cls in (SignalRaised, SignalCleared, MonitorObserved))), max_size=8))
def test_signals_with_any_values_are_taken_in_and_saved(said: list[object]) -> None:
    """NaN scores, empty names and times at the ends of time crash nothing, and the state returns as it went."""
    triage = Triage(judge())
    for offset, one in enumerate(said):
        record = Received(
            topic="signals", topic_id="", partition=0, offset=offset, timestamp=-1, key=None, value=frame(one)
        )
        if getattr(one, "category", None) is Category.HUMAN_REPORT:
            with pytest.raises(SchemaError):  # people sign what they report
                triage.step(record)
            continue
        for event in triage.step(record):
            frame(event)
    for event in triage.tick(1 << 62):
        frame(event)
    for unit, offset, body in triage.dirty():
        other = Triage(judge())
        other.restore(unit, offset, body)
        other.tick(0)
        assert other._memory.state() == body


@given(st.binary(max_size=200))
def test_bytes_that_are_no_signal_change_nothing(value: bytes) -> None:
    """They are refused by unit_of and step alike, and so are names too long and bytes that are no state."""
    triage = Triage(judge())
    record = Received(topic="signals", topic_id="", partition=0, offset=0, timestamp=T0, key=None, value=value)
    for ask in (triage.unit_of, triage.step):
        with pytest.raises(SchemaError):
            ask(record)
    assert triage.dirty() == []
    with pytest.raises(SchemaError):
        triage.restore("triage", 0, value)
