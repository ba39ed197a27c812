"""The score of a drill: every expectation of its file is compared with the ledger, and nothing else is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agents.drills.advice import advice
from agents.drills.milestones import spoken, touched
from agents.drills.played import Done, Played
from agents.drills.score import Line, Scorecard, score
from schemas import events as e
from schemas.drills import Expect, Within
from schemas.signals import Affected
from schemas.values import Category, Severity
from tests.ledgers import START
from tests.played import answered, played, scenario


@pytest.fixture(scope="module")
def drill() -> Played:
    """A drill that was answered as its file expects."""
    return played(answered())


def expecting(drill: Played, **changes: Any) -> Played:
    """Return the drill with other expectations, and only those."""
    return replace(drill, scenario=drill.scenario.model_copy(update={"expect": Expect(**changes)}))


def line(card: Scorecard, subject: str) -> Line:
    """Return the one line about a subject."""
    (found,) = [one for one in card.lines if one.subject == subject]
    return found


def test_a_drill_that_is_answered_as_expected_is_passed(drill: Played) -> None:
    """Each expectation of the file has one line, and each is kept."""
    card = score(drill)
    assert card.missed == ()
    assert card.passed
    assert advice(card) == ()
    assert [one.subject for one in card.lines] == [
        "incidents",
        "category",
        "severity",
        "origin",
        "affected",
        "escalation",
        "paged",
        "approvals",
        "effects",
        "clocks",
        "due:nis2_23.early_warning",
        "time:opened",
        "time:acknowledged",
        "time:contained",
        "step:cleo-declares",
    ]


def test_times_count_from_the_fault_and_from_the_opening(drill: Played) -> None:
    """Detection counts from the first fault on, all else from the opening, each against its limit."""
    took = {one.name: (one.took, one.limit) for one in score(drill).times}
    assert took == {
        "opened": (9_000, 15_000),
        "acknowledged": (180_000, 300_000),
        "declared": (0, None),
        "planned": (240_000, None),
        "approved": (480_000, None),
        "contained": (481_000, 900_000),
        "resolved": (487_000, None),
    }


def test_what_the_file_does_not_say_is_not_judged(drill: Played) -> None:
    """An empty table of expectations asks for one incident, and the refusal that a step expects."""
    assert [one.subject for one in score(expecting(drill)).lines] == ["incidents", "step:cleo-declares"]


WRONG: list[tuple[str, dict[str, Any], str, str]] = [
    ("category", {"category": Category.ATTACK}, "attack", "data_drift"),
    ("severity", {"severity": Severity.SEV1}, "sev1", "sev2"),
    ("phase", {"phase": "closed"}, "closed", "resolved"),
    ("origin", {"origin": "reader"}, "reader", "shuttle"),
    ("technique", {"technique": "AML.T0020"}, "AML.T0020", "nothing"),
    ("affected", {"affected": ("shuttle:1", "shuttle:2")}, "shuttle:1, shuttle:2", "shuttle:2"),
    ("escalation", {"escalation": "urgent"}, "urgent", "all"),
    ("paged", {"paged": ("mia", "max")}, "mia, then max", "max"),
    ("approvals", {"approvals": ()}, "nothing", "max, mia"),
    ("effects", {"effects": ("envoy:shuttle",)}, "envoy:shuttle", "envoy:shuttle, then mlflow:shuttle/champion"),
    ("clocks", {"clocks": ()}, "nothing", "nis2_23.early_warning, nis2_23.notification"),
    ("due:gdpr_33.report", {"due": {"gdpr_33.report": "72h"}}, "3d", "it did not begin"),
    ("due:nis2_23.early_warning", {"due": {"nis2_23.early_warning": "12h"}}, "12h", "1d"),
    ("time:contained", {"within": Within(contain=timedelta(minutes=5))}, "at most 5m", "8m1s"),
]


@pytest.mark.parametrize(("subject", "expect", "wanted", "found"), WRONG, ids=[one[0] for one in WRONG])
def test_what_came_out_otherwise_is_a_line_and_a_sentence(
    drill: Played, subject: str, expect: dict[str, Any], wanted: str, found: str
) -> None:
    """The line names both, and what to improve is said in a sentence that names what was found."""
    card = score(expecting(drill, **expect))
    assert line(card, subject) == Line(subject=subject, wanted=wanted, found=found, kept=False)
    (said,) = advice(card)
    assert said.endswith(".")
    assert found in said


def test_a_technique_is_judged_by_what_the_case_suspects_in_the_end(drill: Played) -> None:
    """A technique that is suspected after the opening keeps the expectation."""
    later = replace(drill, cases=(replace(drill.cases[0], technique="AML.T0020"),))
    assert line(score(expecting(later, technique="AML.T0020")), "technique").kept


def test_a_clock_in_days_may_give_an_hour_less(drill: Played) -> None:
    """Strict due times leave out the hour that a local day may lose to daylight saving; two hours are too many."""
    (clock, *others) = drill.cases[0].clocks.counted
    shorter = replace(clock, strict_due=clock.strict_due - 3_600_000)
    for counted, kept in ((clock, True), (shorter, True), (replace(shorter, trigger_at=clock.trigger_at + 1), False)):
        clocks = replace(drill.cases[0].clocks, counted=(counted, *others))
        changed = replace(drill, cases=(replace(drill.cases[0], clocks=clocks),))
        assert line(score(changed), "due:nis2_23.early_warning").kept is kept


def test_without_faults_exactly_nothing_may_open(drill: Played) -> None:
    """One line: no incident; whatever opened all the same is named as a false alarm."""
    quiet = replace(drill, faulty=False, fault_at=None, cases=(), happened=(), done=())
    assert [(one.wanted, one.found, one.kept) for one in score(quiet).lines] == [("0", "0", True)]
    loud = score(replace(drill, faulty=False, fault_at=None))
    assert not loud.passed
    assert loud.false_alarms == ("shuttle 2 sees other data",)
    assert "although nothing was wrong" in advice(loud)[0]


def test_an_incident_of_another_model_is_a_false_alarm(drill: Played) -> None:
    """It adds to the count, has a line of its own, and is not the incident that is judged."""
    other = replace(
        drill.cases[0], incident="incident-0", title="other is odd", affected=(Affected(model="other", version="1"),)
    )
    card = score(replace(drill, cases=(other, *drill.cases)))
    assert card.incident == drill.cases[0].incident
    assert line(card, "incidents").found == "2"
    assert line(card, "false_alarms").found == "other is odd"
    assert line(card, "category").kept


def test_an_incident_before_the_fault_is_a_false_alarm(drill: Played) -> None:
    """What opened before anything was wrong is not explained by it."""
    early = score(replace(drill, fault_at=START + 1))
    assert early.false_alarms == ("shuttle 2 sees other data",)
    assert line(early, "time:opened").found == "never"


def test_a_fault_reaches_all_that_read_the_model(drill: Played) -> None:
    """Models that declare the dependency are touched, others are not."""
    assert touched(scenario()) == {"shuttle", "reader"}
    assert touched(drill.scenario) == {"shuttle", "reader"}


def test_nothing_noticed_is_said_once(drill: Played) -> None:
    """Every expectation of an incident is missed, and what to improve is one sentence."""
    card = score(replace(drill, cases=(), happened=()))
    assert {one.subject for one in card.lines if one.kept} == {"step:cleo-declares"}
    assert len(advice(card)) == 1
    assert all(one.took is None for one in card.times)


def test_steps_that_went_otherwise_are_lines(drill: Played) -> None:
    """A step that was refused though it should not be, one that was followed though it should be, and one never due."""
    done = (drill.done[0], Done(step="ack", at=START, refused="not_allowed"), Done(step="cleo-declares", at=START))
    card = score(expecting(replace(drill, done=done, left=("mended",))))
    assert [(one.subject, one.wanted, one.found) for one in card.missed] == [
        ("step:ack", "followed", "refused: not_allowed"),
        ("step:cleo-declares", "refused: forbidden", "followed"),
        ("step:mended", "taken", "contained never came"),
    ]
    assert len(advice(card)) == 3


def test_an_approval_counts_only_while_it_stands(drill: Played) -> None:
    """One that was taken back, and those of a plan that ended undecided, count for nothing."""
    given = next(one for one in drill.happened if isinstance(one.event, e.ApprovalGiven))
    assert isinstance(given.event, e.ApprovalGiven)
    plan, who = given.event.plan, given.event.principal
    back = e.ApprovalRevoked(incident=given.incident, plan=plan, principal=who, reason="wait")
    ended = e.PlanEnded(incident=given.incident, plan=plan, why="expired", principal="", reason="")
    for events, counted in (
        ([given.event], ("max",)),
        ([given.event, back], ()),
        ([given.event, ended], ()),
        ([given.event, given.event, e.PlanAuthorised(incident=given.incident, plan=plan, execute_by=0)], ("max",)),
    ):
        told = tuple(replace(given, event=event) for event in events)
        assert score(replace(drill, happened=told)).approvals == counted


@pytest.mark.parametrize(
    ("ms", "said"), [(0, "0s"), (1_240, "1.2s"), (59_940, "59.9s"), (59_960, "1m"), (60_400, "1m"), (183_400, "3m3s")]
)
def test_lengths_of_time_are_short(ms: int, said: str) -> None:
    """Tenths of a second below a minute, whole seconds above."""
    assert spoken(ms) == said
