"""A case is what its events tell."""

from agents.ledger.case import Phase, evolve
from agents.ledger.regions.plan import PlanState
from schemas import events as e
from schemas.case import action
from tests.ledgers import START, genesis
from tests.play import contained, opened, proposed, recovering, resolved


def test_an_event_of_no_case_makes_none() -> None:
    """Only CaseOpened begins a case; an unknown event changes none."""
    resolution = e.CaseResolved(incident="i", model="m", version="1", clear_rows=1)
    assert evolve(None, resolution, START) is None
    case = opened().case
    assert evolve(case, object(), START) == case
    assert evolve(proposed().case, object(), START) == proposed().case


def test_a_refusal_changes_nothing_but_the_sequence() -> None:
    """The status view tells readers that something was decided."""
    ledger = opened()
    before = ledger.case
    assert evolve(before, e.Refused(incident="i", kind="k", reason="r", detail="d"), START) == before


def test_the_sequence_grows_with_every_entry_of_the_case() -> None:
    """One for the opening, one for each entry after it."""
    ledger = recovering()
    assert ledger.case.sequence == sum(1 for read in ledger.verified if read.case is not None)
    assert [read.case.sequence for read in ledger.verified if read.case] == list(range(1, ledger.case.sequence + 1))


def test_phases_follow_the_plan() -> None:
    """Contained keeps its time, and the end is an end."""
    assert (opened().case.phase, contained().case.phase) == (Phase.DECLARED, Phase.CONTAINED)
    assert contained().case.contained_at == contained().at
    assert resolved().case.phase.over
    assert not recovering().case.phase.over
    plan = resolved().case.plan
    assert plan is not None
    assert plan.state is PlanState.DONE


def test_an_intent_without_a_plan_has_no_purpose() -> None:
    """A case told of an action alone still takes it."""
    started = action.ActionStarted(
        incident="i",
        intent="x",
        plan="p",
        step=0,
        target="envoy:m",
        desired="{}",
        precondition="",
        executor="x",
        attempt=1,
        lease_until=0,
    )
    case = evolve(opened().case, started, START)
    assert case is not None
    assert case.actions["x"].purpose == ""
    assert genesis().state.cases == {}
