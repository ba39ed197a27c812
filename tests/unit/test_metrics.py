"""Metrics of incidents: milestones from the ledger, times as distributions, recurrence, rates, trend and register."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.metrics.distribution import EDGES, distribution
from agents.metrics.history import histories
from agents.metrics.measures import Measure, grouped, recurrences, span, summary, within
from agents.metrics.register import register
from agents.metrics.trend import preceding, quarter, quarter_of, trend
from schemas.case import learning as s
from schemas.case.learning import Finding, Milestone, MissedControl
from schemas.case.response import Reopen
from schemas.errors import HeadgateError
from schemas.values import Category, Severity
from streams.cli.report_register import as_csv
from streams.view.measured import bars, drawing, lasting, rate_rows, sections, time_rows
from streams.view.page import Section, markdown, page
from streams.view.trend_report import sections as trend_sections
from tests.learnt import answer_everything, root, write
from tests.ledgers import INCIDENT, START, Ledger
from tests.past import DAY, TIMES, past
from tests.play import approve, evidence_kept, finish, opened, proposal, recovery, start

CONTRACT, CANARY = MissedControl.DATA_CONTRACT, MissedControl.CANARY_RELEASE


def told() -> Ledger:
    """Return a ledger in which each milestone of one incident is reached ten seconds after the one before."""
    from schemas import commands as c

    ledger = opened()
    ledger.later(10).ask(c.Acknowledge(incident=INCIDENT, note=""), "eva")
    ledger.ask(evidence_kept(), "evidence")
    ledger.ask(proposal(), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    approve(ledger, "max")
    approve(ledger, "mia")
    start(ledger.later(10))
    finish(ledger)
    start(ledger.later(10), 1)
    finish(ledger, 1)
    ledger.later(10).ask(recovery(), "recovery")
    return ledger


def test_each_milestone_is_read_from_the_ledger() -> None:
    """Whatever happened stands there with the entry's time; the first bad row and signal with detection's own."""
    (found,) = histories(told().verified)
    assert {name.value: (at - START) / 1000 for name, at in found.recorded.items()} == {
        "occurred": 0,
        "first_signal": 0.5,
        "detected": 0,
        "declared": 0,
        "acknowledged": 10,
        "contained": 20,
        "mitigated": 30,
        "resolved": 40,
    }
    seconds = {measure.value: span(found, measure) for measure in Measure}
    assert seconds == {"detect": 0, "acknowledge": 10, "contain": 20, "respond": 30, "resolve": 40}


def test_a_correction_counts_and_what_was_recorded_is_kept() -> None:
    """The newest correction of a milestone moves the times; the recorded value stays beside it."""
    ledger = told()
    for number, at in enumerate((START - 5000, START - 90_000)):
        said = s.CorrectMilestone(
            incident=INCIDENT, milestone=Milestone.OCCURRED, at=at, reason="release", repeat=number
        )
        ledger.ask(said, "eva")
    (found,) = histories(ledger.verified)
    assert span(found, Measure.DETECT) == 90
    assert span(found, Measure.DETECT, corrected=False) == 0
    whole = summary([found], [])
    assert whole.corrections == 1
    assert whole.times[Measure.DETECT] != whole.recorded[Measure.DETECT]


def test_a_reopened_incident_has_no_end_until_it_has_one_again() -> None:
    """What ended it before counts for nothing, while detection and containment stay as they were."""
    ledger = told()
    (before,) = histories(ledger.verified)
    ledger.ask(Reopen(incident=INCIDENT, reason="it is back"), "max")
    (after,) = histories(ledger.verified)
    assert before.reached(Milestone.RESOLVED) is not None
    assert after.reached(Milestone.RESOLVED) is None
    assert after.reached(Milestone.CONTAINED) == before.reached(Milestone.CONTAINED)
    assert summary([after], []).open == 1


def test_an_end_that_the_ledger_does_not_show_is_not_reached_by_a_word() -> None:
    """Nobody resolves an incident by correcting its milestone; a containment by hand can be told."""
    (found,) = [past("a", times={"detected": 0}, corrected={"resolved": 5, "contained": 3})]
    assert span(found, Measure.RESOLVE) is None
    assert span(found, Measure.CONTAIN) == 3


def test_a_distribution_says_more_than_its_mean() -> None:
    """One incident of a month moves the mean alone; p90 is a time that occurred, and the histogram counts each once."""
    one = distribution([10.0] * 8 + [100.0, 30.0 * DAY])
    assert one is not None
    assert (one.count, one.median, one.p90, one.minimum, one.maximum) == (10, 10.0, 100.0, 10.0, 30.0 * DAY)
    assert one.mean > 100_000
    assert sum(one.histogram) == 10
    assert one.histogram[EDGES.index(10)] == 8
    assert distribution([]) is None
    longest = distribution([1e9])
    assert longest is not None
    assert longest.histogram[-1] == 1


def test_a_time_that_runs_backwards_is_left_out_and_counted() -> None:
    """A correction can put an end before its beginning: no number is made of it."""
    found = past("a", corrected={"occurred": 60})
    whole = summary([found], [])
    assert whole.times[Measure.DETECT] is None
    assert whole.disordered == 1


@pytest.mark.parametrize(
    ("changes", "again"),
    [
        ({}, True),
        ({"at": 181 * DAY}, False),
        ({"codes": (CANARY,)}, False),
        ({"codes": (CANARY, CONTRACT)}, True),
        ({"model": "other"}, False),
        ({"category": Category.ATTACK}, False),
        ({"phase": Phase.DISMISSED}, False),
        ({"codes": ()}, False),
        ({"at": 100}, False),
    ],
)
def test_a_recurrence_has_cause_model_and_category_of_one_that_had_ended(changes: dict[str, Any], again: bool) -> None:
    """Within 180 days of the end of an incident, and of no drill or dismissed candidate."""
    first = past("a", codes=(CONTRACT,))
    second = past("b", **({"at": 100 * DAY, "codes": (CONTRACT,)} | changes))
    assert [one.incident for one in recurrences([second, first])] == (["b"] if again else [])
    if again:
        assert recurrences([first, second], days=50) == []


def test_rates_are_of_what_they_say() -> None:
    """Recurrence of those with a known cause; resolution of resolved ones; a rate of nothing is none."""
    learnt = replace(past("x").case.learning, accepted_by="p-mia", ratings={"p-1": 2, "p-2": 5})
    found = [
        past("a", codes=(CONTRACT,), learning=learnt),
        past("b", at=DAY, codes=(CONTRACT,)),
        replace(past("c", at=DAY, times={"detected": 0}, phase=Phase.DECLARED), broken=1),
        past("d", phase=Phase.DISMISSED),
    ]
    whole = summary(found, recurrences(found))
    assert (whole.incidents, whole.open, whole.resolved, whole.dismissed) == (3, 1, 2, 1)
    assert whole.recurrence_rate == 0.5
    assert whole.resolution_rate == 0.5
    assert whole.break_glass_rate == pytest.approx(1 / 3)
    assert whole.satisfaction is not None
    assert (whole.satisfaction.median, whole.satisfaction.counts) == (3.5, (0, 1, 0, 0, 1))
    nothing = summary([], [])
    assert (nothing.recurrence_rate, nothing.resolution_rate, nothing.satisfaction) == (None, None, None)


def test_incidents_are_selected_by_detection_and_grouped() -> None:
    """From since up to, and not at, until; every group is one of the incidents' own."""
    found = [past("a"), past("b", at=10, severity=Severity.SEV4), past("c", at=20)]
    assert [one.incident for one in within(found, START, START + 20_000)] == ["a", "b"]
    assert list(grouped(found, "severity")) == ["sev2", "sev4"]
    assert list(grouped(found, "system")) == ["radiator"]
    assert list(grouped(found, "category")) == ["data_drift"]


def test_a_quarter_is_three_months_in_utc() -> None:
    """It begins at midnight, ends where the next begins, and follows the one before."""
    last = quarter("2026q4")
    assert (last.since, last.until) == (1_790_812_800_000, 1_798_761_600_000)
    assert preceding(quarter("2027Q1")) == last
    assert quarter_of(last.since) == last
    assert quarter_of(last.until - 1) == last
    for name in ("2026", "2026Q5", "Q4", "0000Q1"):
        with pytest.raises(HeadgateError, match="no quarter"):
            quarter(name)


def test_a_trend_compares_a_quarter_with_the_one_before() -> None:
    """Counts, causes and recurrences are of the quarter; open actions are those that are open now."""
    asked = quarter_of(START)
    old = past("a", at=-60 * DAY, codes=(CONTRACT,))
    new = past("b", codes=(CONTRACT, CANARY))
    judged = replace(new, case=replace(new.case, learning=replace(new.case.learning, verdicts={"s-1": Finding.FALSE})))
    seen = trend([old, judged], asked, START)
    assert (seen.quarter.name, seen.before.name) == ("2023Q4", "2023Q3")
    assert (seen.now.incidents, seen.then.incidents) == (1, 1)
    assert dict(seen.causes) == {CONTRACT: 1, CANARY: 1}
    assert [one.incident for one in seen.now.recurrences] == ["b"]
    assert seen.groups["system"] == {"radiator": (1, 1)}
    assert seen.findings[Finding.FALSE] == 1
    text = markdown("Incidents", trend_sections(seen, {}, "nothing is proposed"))
    assert "## Top root causes" in text
    assert "| data\\_contract | 1 |" in text


def test_an_open_action_is_overdue_by_the_time_that_is_given() -> None:
    """What is done is no action any more."""
    from schemas.case.people import AddTask, FinishTask

    ledger = opened()
    for name in ("t-1", "t-2"):
        ledger.ask(AddTask(incident=INCIDENT, task=name, title="x", owner="p-eva", due_at=START + 1000), "max")
    ledger.ask(FinishTask(incident=INCIDENT, task="t-2", note="done"), "eva")
    found = histories(ledger.verified)
    for at, overdue in ((START, False), (START + 1001, True)):
        seen = trend(found, quarter_of(START), at)
        assert [(one.task, one.overdue) for one in seen.actions] == [("t-1", overdue)]


def test_the_risk_register_has_a_line_for_each_risk_that_came_true() -> None:
    """Incidents of one system, category and control are one risk; a case with two root causes is two; no drill is."""
    found = [
        past("a", codes=(CONTRACT,)),
        past("b", at=DAY, codes=(CONTRACT, CANARY), severity=Severity.SEV1, phase=Phase.DECLARED),
        past("c", at=DAY),
        past("d", phase=Phase.DISMISSED),
    ]
    risks = register(found)
    assert [(one.control, one.occurrences, one.severity.value) for one in risks] == [
        ("data_contract", 2, "sev1"),
        ("canary_release", 1, "sev1"),
        ("unknown", 1, "sev2"),
    ]
    assert risks[0].open_incidents == 1
    assert risks[0].recurrences == 1
    assert not risks[0].treated
    assert len({one.risk for one in register([*found, past("e", codes=(CONTRACT,))])}) == 3


def test_no_cell_of_the_register_is_a_formula() -> None:
    """What begins like one is marked as text, and every row has as many cells as the header."""
    risks = register([past("a", system="=cmd()")])
    rows = list(csv.reader(io.StringIO(as_csv(risks))))
    assert [len(row) for row in rows] == [len(rows[0])] * 2
    assert rows[1][rows[0].index("system")] == "'=cmd()"


def test_metrics_are_shown_as_tables_histograms_and_a_drawing() -> None:
    """A time that nobody has yet is a dash; the page holds its drawing and loads nothing."""
    whole = summary([past("a"), past("b", times=TIMES | {"resolved": 90_000})], [])
    rows = {row[0]: row for row in time_rows(whole.times)}
    assert rows["resolve"][1:4] == ["2", "12.6 h", "12.6 h"]
    assert time_rows(summary([], []).times)[0][1:3] == ["0", "–"]
    assert rate_rows(whole)[0][1] == "–"
    resolve = whole.times[Measure.RESOLVE]
    assert resolve is not None
    assert next(line.split()[-1] for line in bars(resolve)) == "1"
    shown = page("Metrics", sections(whole, {"sev2": whole}, "severity"), [drawing(whole.times)])
    assert "<svg" in shown
    assert "src=" not in shown


def test_durations_are_said_as_people_say_them() -> None:
    """Three digits and a unit."""
    assert [lasting(value) for value in (0, 0.5, 42, 210, 7560, 4 * DAY)] == [
        "0 s",
        "0.5 s",
        "42 s",
        "3.5 min",
        "2.1 h",
        "4 d",
    ]


def test_text_from_elsewhere_breaks_no_report() -> None:
    """Markup is escaped, in Markdown and in HTML."""
    evil = Section(title="<b>", text="a|b", columns=("x",), rows=[["<script>|\n"]], empty="")
    assert "<script>" not in page("t", [evil])
    assert "\\<script\\>\\|" in markdown("t", [evil])


def test_a_case_that_is_learnt_from_is_resolved_at_its_root() -> None:
    """With a root cause, an accepted post-mortem and no open task, all of it read from the ledger."""
    ledger = told()
    ledger.ask(root(code=CONTRACT), "max")
    answer_everything(ledger, "max")
    ledger.ask(write(), "max")
    assert summary(histories(ledger.verified), []).resolution_rate == 0
    ledger.ask(s.AcceptPostMortem(incident=INCIDENT, digest=ledger.case.learning.written), "mia")
    found = histories(ledger.verified)
    assert summary(found, []).resolution_rate == 1
    assert found[0].codes == {CONTRACT}
