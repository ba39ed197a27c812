"""What becomes of an episode whose incident people merged into another one, or that lasts very long."""

from dataclasses import replace

from agents.triage.judge import Judge
from schemas.signals import IncidentGrew, IncidentOpened, IncidentQuieted
from tests.feed import Feed, again, cleared, judge, raised

F1 = raised("f1")


def test_a_new_burst_long_after_an_incident_opened_is_another_that_recurs() -> None:
    """What stands raised goes on to tell of the old one; what is newly raised a week later opens one of its own."""
    feed, week = Feed(), 7 * 86_400_000
    feed.say(F1)
    (opened,) = feed.tick(2000)
    (grew,) = feed.say(again("f1", 300, version="2"), again("f2", 301), at=week) + feed.tick(week + 1)
    assert (type(grew), grew.id) == (IncidentGrew, opened.id)
    assert feed.say(again("f1", 400), at=week + 2000) == []
    feed.say(again("f3", 500), at=week + 2000)
    (anew,) = feed.tick(week + 4000)
    assert (type(anew), anew.recurrence_of) == (IncidentOpened, opened.id)
    assert [one.subject for one in anew.evidence] == ["f3"]
    feed.say(cleared(again("f1", 600), 600), at=week + 5000)
    assert feed.tick(week + 6000) == []


def merged(**into: str) -> Judge:
    """Judge with incidents that people merged, by name into name."""
    return replace(judge(), merged=into)


def test_an_incident_that_people_merged_goes_on_in_the_other() -> None:
    """Both episodes are one from then on: the other incident grows by all of it, and takes what comes later."""
    feed = Feed()
    other = raised("f1", model="letters", version="1")
    feed.say(F1, other)
    first, second = feed.tick(2000)
    feed.triage.adopt(merged(**{second.id: first.id}))
    feed.triage.resolve(second.id)
    (grew,) = feed.tick(70_000)
    assert (grew.id, {one.model for one in grew.affected}) == (first.id, {"shuttle", "letters"})
    (later,) = feed.say(again("f2", 400, model="letters", version="2"), at=80_000)
    assert later.id == first.id
    feed.say(cleared(F1), cleared(other), at=90_000)
    assert feed.tick(9_000_000) == []
    feed.say(cleared(again("f2", 400, model="letters", version="2"), 500), at=9_000_000)
    (quieted,) = feed.tick(9_100_000)
    assert (type(quieted), quieted.id) == (IncidentQuieted, first.id)


def test_a_merge_into_what_triage_no_longer_knows_ends_the_episode() -> None:
    """As any incident that is over; a chain is followed to its end, and a circle ends."""
    feed = Feed()
    feed.say(F1)
    (opened,) = feed.tick(2000)
    feed.triage.adopt(merged(**{opened.id: "a", "a": "b", "b": "a"}))
    assert judge().into("x") == "x"
    assert merged(x="y", y="z").into("x") == "z"
    feed.triage.resolve(opened.id)
    assert feed.tick(9_000_000) == []
