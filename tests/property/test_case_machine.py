"""Anybody says anything about several cases, in any order and at any time: no rule of the statechart is broken."""

from agents.ledger.case import Phase
from tests.machine.judge import LEGAL
from tests.machine.machine import Tally, run


def test_no_sequence_of_commands_breaks_the_statechart() -> None:
    """A sample of `make machine`: phases, quorum, exclusion, hold, closing and clocks, judged over events alone."""
    Tally.steps = 0
    run(30, 60)
    assert Tally.steps > 1000
    assert {"PlanAuthorised", "CaseContained", "CaseResolved", "CaseReviewed"} <= set(Tally.seen)


def test_the_table_of_the_judge_knows_every_phase() -> None:
    """And nothing leads from declared to recovering."""
    assert set(LEGAL) == {None, *Phase}
    assert Phase.RECOVERING not in LEGAL[Phase.DECLARED]
