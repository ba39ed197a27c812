"""The approval role's proposals: one request a plan, and an end to what was not decided or started in time."""

from agents.ledger.case import Phase
from agents.ledger.regions.plan import PlanState
from agents.roles.request import AGAIN_MS, proposals
from schemas import commands as c
from tests import play
from tests.ledgers import INCIDENT, Ledger, names


def told(ledger: Ledger) -> list[object]:
    """Return what the approval role proposes now."""
    return proposals(ledger.state, ledger.at)


def follow(ledger: Ledger) -> list[str]:
    """Have what is proposed decided; return the names of the events."""
    return [name for body in told(ledger) for name in names(ledger.ask(body, "approval"))]


def plan_state(ledger: Ledger) -> tuple[PlanState, str]:
    """Return where the plan stands, and why it ended."""
    assert ledger.case.plan is not None
    return ledger.case.plan.state, ledger.case.plan.why


def test_a_case_without_a_plan_asks_nobody() -> None:
    """There is nothing to decide on."""
    assert told(play.opened()) == []


def test_a_plan_is_asked_for_once_and_in_the_same_bytes_until_it_is() -> None:
    """The request is the same however late it is made, and gone once the ledger has it."""
    ledger = play.proposed()
    request = c.RequestApproval(incident=INCIDENT, plan=ledger.plan)
    assert told(ledger) == told(ledger.later(86_400)) == [request]
    assert follow(ledger) == ["ApprovalRequested"]
    assert told(ledger) == []


def test_a_plan_that_nobody_decides_on_ends_at_its_deadline() -> None:
    """Nothing before the deadline; at the millisecond of it, an expiry that the rules accept."""
    ledger = play.requested()
    assert ledger.case.plan is not None
    ledger.at = ledger.case.plan.decide_by - 1
    assert told(ledger) == []
    ledger.at += 1
    assert follow(ledger) == ["PlanEnded"]
    assert plan_state(ledger) == (PlanState.ENDED, "expired")
    assert told(ledger.later(86_400)) == []


def test_a_plan_that_nobody_starts_ends_at_its_other_deadline() -> None:
    """An authorised plan runs out too; one that is being carried out does not."""
    ledger = play.authorised()
    assert told(ledger) == []
    assert follow(ledger.later(601)) == ["PlanEnded"]
    assert plan_state(ledger) == (PlanState.ENDED, "expired")
    executing = play.authorised()
    play.start(executing)
    assert told(executing.later(86_400)) == []


def test_an_expiry_that_came_too_early_for_the_registrar_is_asked_for_again() -> None:
    """A refusal settles a statement for ever, so that it is made anew every ten seconds and not more often."""
    ledger = play.requested()
    assert ledger.case.plan is not None
    deadline = ledger.case.plan.decide_by
    (first,) = proposals(ledger.state, deadline)
    assert proposals(ledger.state, deadline + AGAIN_MS - 1) == [first]
    (second,) = proposals(ledger.state, deadline + AGAIN_MS)
    assert names(ledger.ask(first, "approval")) == ["Refused"]
    ledger.at = deadline
    assert ledger.ask(first, "approval") == []
    assert names(ledger.ask(second, "approval")) == ["PlanEnded"]


def test_cases_are_asked_about_in_order_and_only_while_they_are_open() -> None:
    """Several cases at once do not hide each other; a case that is over asks for nothing."""
    ledger = play.proposed()
    ledger.ask(play.incident_opened(id="incident-0"), "triage")
    ledger.ask(play.proposal(incident="incident-0"), "remediation")
    asked = told(ledger)
    assert [type(body) for body in asked] == [c.RequestApproval] * 2
    assert [getattr(body, "incident", "") for body in asked] == ["incident-0", INCIDENT]
    over = play.resolved()
    assert over.case.phase is Phase.RESOLVED
    assert told(over.later(86_400)) == []
