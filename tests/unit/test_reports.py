"""A person's report of a failure joins the incident it belongs to, or opens one; nobody may report without end."""

from dataclasses import replace
from typing import Any

import pytest

from agents.triage.reports import signal_of
from agents.triage.triage import UNIT, Triage
from schemas.case.reports import FailureReported, ReportFailure
from schemas.commands import EnrolKey
from schemas.errors import SchemaError
from schemas.ids import derive
from schemas.policy import TriagePolicy
from schemas.signals import IncidentGrew, IncidentOpened, SignalRaised
from schemas.values import Category, Position, Role
from tests.feed import T0, Feed, again, judge, observed, raised
from tests.ledgers import START, enrolment, genesis, reason

REPORT = ReportFailure(model="shuttle", version="2", what="it says 4 all day", prediction="p-7", happened_at=0)


def report(number: int = 0, at: int = 0, **given: Any) -> SignalRaised:
    """Return what triage makes of a report that is the ledger's entry of this number."""
    facts: dict[str, Any] = {
        "report": derive("report", number),
        "model": "shuttle",
        "version": "2",
        "what": "it says 4 all day",
        "prediction": "p-7",
        "happened_at": T0 + at,
        "reported_at": T0 + at,
        "principal": "p-sue",
    }
    return signal_of(FailureReported(**facts | given), number, TriagePolicy().promote_score, "digest")


def tell(feed: Feed, signal: SignalRaised, at: int) -> list[Any]:
    """Let triage hear a report `at` ms after the beginning, and go on to a moment later."""
    feed.triage.report(signal, T0 + at)
    return feed.tick(at + 1)


def test_a_report_opens_an_incident_where_none_is() -> None:
    """A candidate that needs nobody else's word, in the words of the person."""
    feed = Feed()
    assert tell(feed, report(), 0) == []
    assert feed.triage.due(T0 + 1501)
    (opened,) = feed.tick(1501)
    assert isinstance(opened, IncidentOpened)
    assert (opened.category, opened.id) == (Category.HUMAN_REPORT, derive("incident", report().id))
    expected = "Reported fault on shuttle version 2: reported by p-sue, prediction p-7: it says 4 all day"
    assert opened.title == expected
    assert feed.tick(90_000_000) == []


def test_a_report_joins_the_incident_that_is_open_and_is_told_at_once() -> None:
    """However long ago the fault began, and without another incident."""
    feed = Feed()
    feed.say(raised("f1"))
    (opened,) = feed.tick(2000)
    (grew,) = tell(feed, report(at=7_200_000), 7_200_000)
    assert isinstance(grew, IncidentGrew)
    assert (grew.id, grew.category) == (opened.id, Category.DATA_DRIFT)
    assert grew.evidence[-1].summary.endswith("it says 4 all day")


def test_a_report_makes_an_incident_of_a_candidate() -> None:
    """What detection found too weak to tell, a person has seen."""
    feed = Feed()
    feed.say(raised("f1", score=1.0))
    tell(feed, report(), 100)
    (opened,) = feed.tick(2000)
    assert [one.subject for one in opened.evidence] == ["reported failure", "f1"]


def test_what_is_detected_later_joins_what_people_reported() -> None:
    """One fault, one incident: the report came first, and detection names the cause."""
    feed = Feed()
    tell(feed, report(), 0)
    (opened,) = feed.tick(2000)
    (grew,) = feed.say(again("f1", first_bad_at=T0 - 86_400_000), at=3000)
    assert (grew.id, grew.category) == (opened.id, Category.DATA_DRIFT)


def test_a_second_report_is_one_incident_with_the_first() -> None:
    """Two people who see the same are heard together."""
    feed = Feed()
    tell(feed, report(), 0)
    (opened,) = feed.tick(2000)
    (grew,) = tell(feed, report(1, principal="p-tom"), 5000)
    assert (grew.id, len(grew.evidence)) == (opened.id, 2)


@pytest.mark.parametrize(("monitored", "version"), [(("2",), "2"), (("2", "3"), "unknown"), ((), "unknown")])
def test_a_version_that_nobody_named_is_the_only_one_there_is(monitored: tuple[str, ...], version: str) -> None:
    """Where there are several, or none is known, it stays unknown."""
    feed = Feed()
    feed.say(*(observed(version=one) for one in monitored))
    tell(feed, report(version=""), 0)
    (opened,) = feed.tick(2000)
    assert [one.version for one in opened.affected] == [version]


def test_an_unknown_version_adds_none_to_those_that_are_affected() -> None:
    """The model is affected already; which version the person saw is not known."""
    feed = Feed()
    feed.say(observed(version="2"), observed(version="3"), raised("f1"))
    feed.tick(2000)
    (grew,) = tell(feed, report(version=""), 3000)
    assert [one.version for one in grew.affected] == ["2"]


def test_a_person_cannot_add_a_version_to_what_detection_found() -> None:
    """Else one report that names the known-good version would leave nothing to fall back on."""
    feed = Feed()
    feed.say(raised("f1"))
    feed.tick(2000)
    (grew,) = tell(feed, report(version="1"), 3000)
    assert [one.version for one in grew.affected] == ["2"]


def test_a_version_that_people_named_gives_way_to_those_that_detection_names() -> None:
    """The report opened the incident; what is measured says which version it is."""
    feed = Feed()
    tell(feed, report(version="1"), 0)
    (opened,) = feed.tick(2000)
    assert [one.version for one in opened.affected] == ["1"]
    (grew,) = feed.say(again("f1"), at=3000)
    assert [one.version for one in grew.affected] == ["2"]


def test_a_report_heard_again_after_a_crash_changes_nothing() -> None:
    """The state knows up to which entry of the ledger reports were heard, and those that wait."""
    feed = Feed()
    feed.say(observed())
    feed.triage.report(report(), T0 + 500)
    ((_, offset, body),) = feed.triage.dirty()
    other = Triage(judge())
    other.restore(UNIT, offset, body)
    for triage in (feed.triage, other):
        triage.report(report(), T0 + 500)
        assert [type(event) for event in triage.tick(T0 + 5000)] == [IncidentOpened]
        triage.report(report(), T0 + 500)
        assert triage.tick(T0 + 90_000) == []


def test_a_report_written_to_the_signals_topic_is_refused() -> None:
    """Nobody signs there, so anybody could speak in a person's name."""
    with pytest.raises(SchemaError, match="signed command"):
        Feed().say(raised("it is wrong", Category.HUMAN_REPORT, source=Position(topic_id="", partition=0, offset=0)))


def test_staff_may_report_and_the_ledger_says_who_and_when() -> None:
    """What happened later than now happened now."""
    ledger = genesis()
    ledger.ask(EnrolKey(enrolment=enrolment("sue", Role.STAFF)), "ada")
    (said,) = ledger.ask(replace(REPORT, happened_at=START + 99), "sue")
    assert isinstance(said, FailureReported)
    assert (said.principal, said.reported_at, said.happened_at) == ("p-sue", START, START)


@pytest.mark.parametrize(
    "bad",
    [{"model": ""}, {"model": "m" * 257}, {"version": "v" * 257}, {"what": " "}, {"what": "x" * 1001}],
    ids=lambda bad: next(iter(bad)),
)
def test_a_report_has_bounds(bad: dict[str, str]) -> None:
    """No model, no words, or too many are refused."""
    assert reason(genesis().ask(replace(REPORT, **bad), "eva")) == "bad_report"


def test_one_person_reports_so_often_and_no_more() -> None:
    """Ten in an hour by default; others may, and so may the person when the hour is over."""
    ledger = genesis()
    for number in range(10):
        assert reason(ledger.ask(replace(REPORT, repeat=number), "eva")) == ""
    assert reason(ledger.ask(replace(REPORT, repeat=10), "eva")) == "too_often"
    assert reason(ledger.ask(REPORT, "max")) == ""
    assert reason(ledger.later(3600).ask(replace(REPORT, repeat=11), "eva")) == ""
    assert reason(ledger.ask(REPORT, "triage")) == "wrong_role"
