"""From verdicts on signals to thresholds: only what they support, never a true signal lost, never a lower setting."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.feedback.knobs import measured, rule_of, setting
from agents.feedback.proposal import LEAST, Judged, judged, propose
from agents.metrics.history import histories
from schemas import policy
from schemas.case import learning as s
from schemas.case.learning import Finding
from schemas.case.response import Dismissal
from schemas.commands import Dismiss
from schemas.errors import HeadgateError
from schemas.policy import Policy
from schemas.signals import Affected
from streams.view.proposed import difference, edited, named, sentence
from tests.ledgers import INCIDENT, POLICY, genesis
from tests.play import evidence, incident_opened, opened
from tests.story import LOW

CURRENT = policy.read(POLICY)
TRUE, FALSE, BENIGN, DUPLICATE = Finding.TRUE, Finding.FALSE, Finding.BENIGN, Finding.DUPLICATE


def verdict(number: int, finding: Finding, value: float, **changes: Any) -> Judged:
    """Return a verdict on PSI of a value, in an incident of its own."""
    return Judged(incident=f"i-{number}", evidence=evidence(value=value, **changes), finding=finding, policy="p")


def verdicts(*said: tuple[Finding, float], **changes: Any) -> list[Judged]:
    """Return a verdict in an incident of its own for each finding and value."""
    return [verdict(number, finding, value, **changes) for number, (finding, value) in enumerate(said)]


def proposed(found: list[Judged], least: int = LEAST, current: Policy = CURRENT) -> list[tuple[str, float]]:
    """Return the settings and the values that are proposed."""
    return [(named(one), one.after) for one in propose(found, {"p": current}, current, least).changes]


@pytest.mark.parametrize(
    ("said", "after"),
    [
        ([(FALSE, 0.2), (FALSE, 0.17), (BENIGN, 0.18)], 0.21),
        ([(FALSE, 0.2), (FALSE, 0.17), (BENIGN, 0.18), (TRUE, 0.205)], 0.202),
        ([(FALSE, 0.2), (FALSE, 0.17), (BENIGN, 0.25), (FALSE, 0.18), (TRUE, 0.22)], 0.21),
        ([(FALSE, 0.2), (FALSE, 0.17)], None),
        ([(FALSE, 0.2), (FALSE, 0.17), (BENIGN, 0.18), (TRUE, 0.16)], None),
        ([(DUPLICATE, 0.2), (DUPLICATE, 0.17), (DUPLICATE, 0.18)], None),
        ([(TRUE, 0.2), (TRUE, 0.17), (TRUE, 0.18)], None),
        ([(FALSE, 1.2), (FALSE, 1.7), (FALSE, 1.8)], None),
        ([(FALSE, 0.1), (FALSE, 0.11), (FALSE, 0.12)], None),
    ],
)
def test_a_setting_is_raised_as_far_as_verdicts_support(said: list[tuple[Finding, float]], after: float | None) -> None:
    """Just above the false ones, below every true one, at most twice its value, and for enough incidents; else not."""
    assert proposed(verdicts(*said)) == ([] if after is None else [("detection.psi", pytest.approx(after, rel=0.02))])


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.sampled_from(list(Finding)), st.floats(0.1, 0.4)), max_size=30),
    st.integers(1, 4),
)
def test_no_true_signal_is_ever_lost_and_no_setting_lowered(said: list[tuple[Finding, float]], least: int) -> None:
    """Whatever people said: a proposal is above the present value, at most twice it, and below each true signal."""
    found = propose(verdicts(*said), {"p": CURRENT}, CURRENT, least)
    for change in found.changes:
        assert change.before < change.after <= 2 * change.before
        assert all(value > change.after for finding, value in said if finding is TRUE)
        assert len(change.quiet) >= least
        assert policy.read(edited(POLICY.decode(), [change]).encode())
    assert found.judged == sum(finding is not DUPLICATE for finding, _ in said)


def test_many_signals_of_one_incident_are_one_incident() -> None:
    """One incident with many false signals does not speak for a change by itself."""
    assert proposed([verdict(1, FALSE, 0.2) for _ in range(20)]) == []


def test_a_rule_that_decides_the_setting_is_changed_and_not_what_holds_for_all() -> None:
    """A signal cites the rules that applied; the last of them that sets the threshold is the one."""
    said = verdicts((FALSE, 0.3), (FALSE, 0.31), (FALSE, 0.32), rule="batch + public-data-on-low-tier")
    assert proposed(said) == [("detection.when public-data-on-low-tier: thresholds.psi", pytest.approx(0.34, rel=0.02))]
    assert rule_of(CURRENT, "batch", ("psi",)) == ""
    assert rule_of(CURRENT, "gone", ("psi",)) == ""
    assert setting(CURRENT, "public-data-on-low-tier", ("psi",)) == 0.25


@pytest.mark.parametrize(
    ("changes", "path", "size"),
    [
        ({"detector": "quality", "statistic": "null", "value": 0.07, "threshold": 0.03}, "quality.rise", 0.06),
        ({"detector": "jump", "statistic": "jump", "baseline": "rolling", "value": 3.0}, "drift.jump", 3.0),
        (
            {"detector": "performance", "statistic": "share", "baseline": "rolling", "value": 0.3, "threshold": 0.25},
            "performance.error_rise",
            0.1,
        ),
        (
            {"detector": "performance", "statistic": "mean", "baseline": "rolling", "value": 3.0, "threshold": 2.6},
            "performance.residual_factor",
            1.5,
        ),
        (
            {"detector": "calibration", "statistic": "calibration_gap", "value": -0.3, "threshold": -0.15},
            "calibration.gap",
            0.25,
        ),
        (
            {
                "detector": "estimate",
                "statistic": "estimated_accuracy",
                "baseline": "rolling",
                "value": 0.7,
                "threshold": 0.8,
            },
            "calibration.fall",
            0.15,
        ),
    ],
)
def test_a_signal_is_measured_in_the_unit_of_its_setting(changes: dict[str, Any], path: str, size: float) -> None:
    """What was usual is taken out: threshold = usual and setting, under the policy that the signal was raised under."""
    found = measured(evidence(**changes), CURRENT)
    assert found is not None
    assert (".".join(found[0]), found[1]) == (path, pytest.approx(size))


def test_what_no_setting_measures_is_counted_and_changes_nothing() -> None:
    """A false signal of another detector is told, not guessed at; nor is one of a policy that is not known."""
    said = verdicts((FALSE, 1.0), (FALSE, 1.0), (TRUE, 1.0), detector="half_space_trees")
    found = propose([*said, replace(said[0], policy="gone", evidence=evidence())], {"p": CURRENT}, CURRENT, 1)
    assert (found.changes, found.unmeasured) == ((), 3)


def test_the_document_keeps_all_else_as_it_was() -> None:
    """Comments, order and every other setting stay; nested settings and rules are changed in their place."""
    text = POLICY.decode()
    said = verdicts((FALSE, 0.2), (FALSE, 0.17), (FALSE, 0.18))
    bad = {"detector": "quality", "statistic": "null", "threshold": 0.03}
    said += verdicts((FALSE, 0.04), (FALSE, 0.041), (FALSE, 0.042), **bad)
    said += verdicts((FALSE, 0.3), (FALSE, 0.31), (FALSE, 0.32), rule="public-data-on-low-tier")
    changes = propose(said, {"p": CURRENT}, CURRENT).changes
    after = edited(text, changes)
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        line for line in after.splitlines() if line.startswith("#")
    ]
    changed = policy.read(after.encode())
    for change in changes:
        assert setting(changed, change.rule, change.path) == change.after
    assert len(changes) == 3
    moved = [line for line in difference(text, after).splitlines() if line[0] in "+-" and line[1] not in "+-"]
    assert len(moved) == 5
    assert changed.triage == CURRENT.triage
    assert "detection.quality.rise" in sentence(propose(said, {"p": CURRENT}, CURRENT))


def test_a_value_that_makes_no_policy_is_not_written() -> None:
    """What the schema refuses is told before anybody adopts it."""
    (change,) = propose(verdicts((FALSE, 0.2), (FALSE, 0.17), (FALSE, 0.18)), {"p": CURRENT}, CURRENT).changes
    with pytest.raises(HeadgateError, match="no valid policy"):
        edited(POLICY.decode(), [replace(change, after=99.0)])


def test_verdicts_are_read_from_the_ledger() -> None:
    """The newest word on a signal, with the signal's own numbers and the policy of its case."""
    ledger = opened()
    for finding in (TRUE, FALSE):
        ledger.ask(s.JudgeSignal(incident=INCIDENT, signal="s-1", finding=finding, note=""), "eva")
    (one,) = judged(histories(ledger.verified))
    assert (one.incident, one.finding, one.evidence.value) == (INCIDENT, FALSE, 1.5)
    assert one.policy == ledger.control.policy_digest


@pytest.mark.parametrize(
    ("why", "finding"),
    [(Dismissal.FALSE_POSITIVE, FALSE), (Dismissal.PLANNED_CHANGE, BENIGN), (Dismissal.INSUFFICIENT_INFORMATION, None)],
)
def test_who_dismisses_a_candidate_judges_its_signals(why: Dismissal, finding: Finding | None) -> None:
    """The reason says what they were, but of a signal that was judged by itself; some reasons say nothing."""
    ledger = genesis(systems=LOW)
    affected = (Affected(model="small", version="2"),)
    ledger.ask(incident_opened(affected=affected, evidence=(evidence(), evidence(signal="s-2"))), "triage")
    ledger.ask(Dismiss(incident=INCIDENT, reason=why, note="seen"), "max")
    ledger.ask(s.JudgeSignal(incident=INCIDENT, signal="s-2", finding=TRUE, note=""), "eva")
    found = {one.evidence.signal: one.finding for one in judged(histories(ledger.verified))}
    assert found == ({"s-2": TRUE} if finding is None else {"s-1": finding, "s-2": TRUE})
