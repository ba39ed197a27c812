"""After a split, what is raised of the fault that left reaches its own case, and never the origin."""

from dataclasses import replace

from agents.ledger.regions.course import fault_of
from agents.roles import request
from schemas import commands as c
from schemas.case import response as r
from schemas.case.response import Dismissal
from schemas.signals import Affected, Evidence
from schemas.values import Category
from streams.view import incident_view
from tests.ledgers import INCIDENT, Ledger, genesis, names, reason
from tests.play import evidence, incident_grew, incident_opened

MINE = evidence()
LEFT = evidence(signal="s-2", subject="f2", summary="f2 has drifted", score=4.0)
NEWER = replace(LEFT, window_to=LEFT.window_to + 500, score=6.0)
WIDER = replace(LEFT, signal="s-3", version="3", window_to=LEFT.window_to + 500)
TWO = Affected(model="shuttle", version="2")
THREE = Affected(model="shuttle", version="3")


def split() -> tuple[Ledger, str]:
    """Return a ledger whose incident was split, and the incident that left it."""
    ledger = genesis()
    ledger.ask(incident_opened(evidence=(MINE, LEFT)), "triage")
    ledger.ask(r.Split(incident=INCIDENT, signals=("s-2",), reason="another sensor"), "eva")
    (into,) = ledger.case.course.splits
    ledger.ask(r.OpenSplit(incident=into, origin=INCIDENT), "eva")
    return ledger, into


def grow(ledger: Ledger, *found: Evidence) -> list[object]:
    """Let detection tell the origin of these signals."""
    sequence = ledger.case.sequence + 1
    return ledger.ask(incident_grew(evidence=found, affected=(TWO, THREE), sequence=sequence), "triage")


def test_new_signals_of_the_fault_that_left_reach_its_case() -> None:
    """The origin keeps its own; the other case is told of newer rows, and of the same fault in another version."""
    ledger, into = split()
    events = grow(ledger, MINE, NEWER, WIDER)
    assert names(events) == ["CaseGrew", "SignalsFollowed"]
    assert [one.signal for one in ledger.case.course.signals] == ["s-1"]
    assert ledger.case.affected == (TWO,)
    (asked,) = [one for one in request.proposals(ledger.state, ledger.at) if isinstance(one, r.TakeFollowing)]
    assert names(ledger.ask(asked, "approval"))[:2] == ["FollowingTaken", "CaseGrew"]
    other = ledger.state.cases[into]
    assert [(one.signal, one.score) for one in other.course.signals] == [("s-2", 6.0), ("s-3", 4.0)]
    assert THREE in other.affected
    assert not ledger.control.following
    assert reason(ledger.ask(replace(asked, repeat=99), "approval")) == "nothing_waits"


def test_what_was_told_is_not_told_again() -> None:
    """The same rows of the same signal follow once; a signal of the origin's own faults never does."""
    ledger, _ = split()
    grow(ledger, MINE, NEWER)
    assert names(grow(ledger, MINE, NEWER)) == ["CaseGrew"]
    assert names(grow(ledger, replace(MINE, signal="s-9", detector="cusum"), LEFT)) == ["CaseGrew"]
    assert fault_of(MINE) not in ledger.case.course.parted


def test_a_technique_is_not_taken_over_from_signals_that_left() -> None:
    """Where the attack's signals were split off, growth suspects no technique in the origin; else it does."""
    ledger, _ = split()
    attack = incident_grew(evidence=(MINE, NEWER), affected=(TWO, THREE), technique="AML.T0024.002")
    ledger.ask(attack, "triage")
    assert ledger.case.technique == ""
    stayed = replace(MINE, category=Category.ATTACK)
    ledger.ask(replace(attack, sequence=2, evidence=(stayed, NEWER)), "triage")
    assert ledger.case.technique == "AML.T0024.002"


def test_a_fault_whose_case_is_over_stays_with_the_origin() -> None:
    """A new signal of it is not lost; the one that was split off by name stays away."""
    ledger, into = split()
    ledger.ask(c.Dismiss(incident=into, reason=Dismissal.BENIGN, note="a new sensor"), "max")
    assert names(grow(ledger, MINE, NEWER, WIDER))[0] == "CaseGrew"
    assert [one.signal for one in ledger.case.course.signals] == ["s-1", "s-3"]
    assert not ledger.control.following


def test_what_follows_goes_where_the_other_case_goes_on() -> None:
    """Where that was merged, the incident that it goes on in is told; where that is the origin, it grows itself."""
    ledger, into = split()
    ledger.ask(r.Merge(incident=into, into=INCIDENT, reason="it was one fault"), "eva")
    assert names(grow(ledger, MINE, NEWER, WIDER))[0] == "CaseGrew"
    assert not ledger.control.following
    assert {one.signal for one in ledger.case.course.signals} == {"s-1", "s-2", "s-3"}


def test_the_record_of_a_case_that_was_split_says_where_each_signal_went() -> None:
    """In JSON that programs read: names and values, and nothing that only decides what follows."""
    ledger, into = split()
    course = incident_view._course(ledger.case)
    assert course["split_off"] == {"s-2": into}
    assert not {"parted", "followed", "signals"} & set(course)
