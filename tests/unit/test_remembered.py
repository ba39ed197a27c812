"""The bounds of what triage remembers."""

import pytest

from agents.triage.triage import UNIT
from schemas.errors import SchemaError
from schemas.signals import IncidentQuieted
from tests.feed import Feed, cleared, raised


def test_more_levels_and_episodes_than_are_remembered_are_forgotten_oldest_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A bound is reached without a crash: a forgotten level is not waited for, and candidates go before incidents."""
    monkeypatch.setattr("agents.triage.raised.MAX_RAISED", 2)
    monkeypatch.setattr("agents.triage.raised.MAX_CLEARED", 1)
    monkeypatch.setattr("agents.triage.remembered.MAX_ENDED", 1)
    monkeypatch.setattr("agents.triage.triage.MAX_EPISODES", 2)
    feed = Feed()
    feed.say(raised(model="a"), raised(model="b", score=1.0))
    (opened,) = feed.tick(2000)
    feed.say(raised(model="c", score=1.0), at=3000)
    assert [type(event) for event in feed.tick(64_000)] == [IncidentQuieted]
    assert feed.told[-1].id == opened.id
    feed.say(cleared(raised(model="b")), cleared(raised(model="c")), at=70_000)
    feed.say(*(raised(model=name) for name in "defg"), at=80_000)
    assert len(feed.tick(90_000)) == 2
    assert feed.triage.dirty()


def test_a_long_signal_name_is_remembered_by_its_digest() -> None:
    """It raises and clears like any other."""
    long = raised("f1", signal="s" * 1900)
    feed = Feed()
    feed.say(long)
    feed.say(cleared(long), at=2000)
    assert [type(event) for event in feed.tick(70_000)] == [IncidentQuieted]


def test_names_that_no_monitor_has_and_units_that_triage_has_not_are_refused() -> None:
    """The record goes to the dead letter; nothing has changed."""
    feed = Feed()
    with pytest.raises(SchemaError, match="subject in SignalRaised has more than 300"):
        feed.say(raised("f" * 301))
    with pytest.raises(SchemaError, match="signal in SignalRaised has more than 2000"):
        feed.say(raised(signal="s" * 2001))
    with pytest.raises(SchemaError, match="one unit"):
        feed.triage.restore("other", 0, b"")
    feed.triage.forget("other")
    assert feed.triage.unit_of(feed.write(raised(), 0)) == UNIT
