"""Episodes as values: what they keep, when they are due, and how large their records are."""

from dataclasses import replace
from typing import Any

from agents.triage.announce import MAX_BYTES, grew, opened
from agents.triage.episode import KEPT, MAX_AFFECTED, Episode, attach, conclude, deadline, is_over
from schemas.avro import decode, encode
from schemas.ledger import MAX_COMMAND_BYTES
from tests.feed import T0, Feed, judge, raised
from tests.ledgers import genesis

NEW = Episode(id="first", topic_id="t", models=("shuttle",))


def test_an_episode_keeps_the_weightiest_signals_and_the_earliest_time() -> None:
    """However many come, a bounded number stays, and when it began is not forgotten."""
    episode = attach(NEW, raised("early", score=4.0, first_bad_at=T0 - 90_000), T0, judge())
    for number in range(100):
        episode = attach(episode, raised(f"f{number}", score=10.0 + number), T0 + number, judge())
    assert [signal.subject for signal in episode.signals[:2]] == ["f99", "f98"]
    assert (len(episode.signals), episode.first_bad_at, episode.last_at) == (KEPT, T0 - 90_000, T0 + 99)
    assert decode(Episode, encode(episode)) == episode


def test_a_raise_of_the_same_level_replaces_the_earlier() -> None:
    """The newest of each level is kept."""
    episode = attach(attach(NEW, raised(value=1.0), T0, judge()), raised(value=3.0), T0, judge())
    assert [signal.value for signal in episode.signals] == [3.0]


def test_what_is_due_next_follows_from_what_has_happened() -> None:
    """Opening comes before all else, then growth or the end, whichever is earlier."""
    candidate = attach(NEW, raised(score=1.0), T0, judge())
    assert deadline(candidate, judge()) is None
    assert deadline(replace(candidate, quiet_since=T0), judge()) == T0 + 60_000
    promoted = attach(candidate, raised("f2"), T0, judge())
    assert deadline(replace(promoted, quiet_since=T0 - 90_000), judge()) == T0 + 1500
    told, _ = opened(promoted, judge(), {}, {})
    assert deadline(told, judge()) is None
    assert deadline(replace(told, pending=True, quiet_since=T0), judge()) == T0 + 60_000
    assert deadline(replace(told, pending=True, quiet_since=T0 + 9000), judge()) == T0 + 61_500
    assert not is_over(told, judge(), T0 * 2)
    assert is_over(replace(told, quiet_since=T0), judge(), T0 + 60_000)


def test_the_longest_names_still_fit_a_command() -> None:
    """An incident's record is cut to what the ledger takes, with one signal and one model version at least."""
    episode = NEW
    for number in range(MAX_AFFECTED + 20):
        long = raised("f" * 1000, model=f"{number:03}" + "é" * 1000, version="v" * 1000, summary="s" * 9000)
        episode = attach(episode, long, T0, judge())
    assert len(episode.touched) == MAX_AFFECTED
    told, record = opened(episode, judge(), {}, {})
    assert record.evidence
    assert record.affected
    _, more = grew(told, conclude(told, judge(), {}), T0)
    for one in (record, more):
        assert len(encode(one)) <= MAX_BYTES < MAX_COMMAND_BYTES


def test_the_longest_names_that_are_let_in_make_an_incident_that_a_ledger_can_hold() -> None:
    """Every name as long as triage allows, in characters of four bytes, on many instances: the case is opened."""
    wide, feed = "🚀" * 280, Feed()
    names: dict[str, Any] = dict.fromkeys(("version", "statistic", "baseline", "detector", "policy", "technique"), wide)
    for number in range(60):
        signal = f"{number}" + "🚀" * 1900
        feed.say(raised(f"f{number}{wide}", model=wide, instance=f"{number}{wide}", signal=signal, **names))
    (opened,) = feed.tick(5000)
    ledger = genesis()
    ledger.at = opened.at
    ledger.ask(opened, "triage")
    assert list(ledger.state.cases) == [opened.id]
