"""A plan is decided by distinct persons who hold the role, in time, over the digest of its exact bytes."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from agents.ledger.decisions.plan import MAX_STEPS, deadline
from agents.ledger.regions.plan import PlanState
from schemas import commands as c
from schemas.case.approval import Needed
from schemas.values import Role
from tests.ledgers import INCIDENT, ROLES, Ledger, enrolment, genesis, key_of, names, reason
from tests.play import (
    agreed,
    approve,
    authorised,
    incident_opened,
    opened,
    proposal,
    proposed,
    recovering,
    requested,
    start,
    step,
)


def deny(ledger: Ledger, who: str, **changes: Any) -> list[object]:
    """Deny the case's plan."""
    return ledger.ask(replace(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), **changes), who)


def revoke(ledger: Ledger, who: str, **changes: Any) -> list[object]:
    """Take an approval back."""
    return ledger.ask(replace(c.RevokeApproval(incident=INCIDENT, plan=ledger.plan, reason="no"), **changes), who)


def expire(ledger: Ledger, **changes: Any) -> list[object]:
    """State that the plan's deadline has passed."""
    assert ledger.case.plan is not None
    running = deadline(ledger.case.plan) or 0
    body = c.ExpirePlan(incident=INCIDENT, plan=ledger.plan, deadline=running)
    return ledger.ask(replace(body, **changes), "approval")


def plan_state(ledger: Ledger) -> PlanState:
    """Return where the plan stands."""
    assert ledger.case.plan is not None
    return ledger.case.plan.state


def test_a_plan_is_named_by_its_exact_bytes() -> None:
    """The digest that people approve is SHA-256 of the PlanProposed bytes in the ledger."""
    ledger = proposed()
    entry = ledger.verified[-1].entry
    assert entry is not None
    assert ledger.plan == sha256(entry.events[0].body).hexdigest()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"steps": ()}, "empty_plan"),
        ({"steps": (step(),) * (MAX_STEPS + 1)}, "too_long"),
        ({"steps": (step(purpose="destroy"),)}, "unknown_purpose"),
        ({"attempt": 2}, "stale"),
        ({"attempt": 0}, "stale"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(changes: dict[str, Any], why: str) -> None:
    """A plan has steps of known purpose, and the next number."""
    assert reason(opened().ask(proposal(**changes), "remediation")) == why


def test_a_plan_waits_until_the_one_before_has_ended() -> None:
    """One plan at a time; after a denial the next number may be proposed."""
    ledger = requested()
    assert reason(ledger.ask(proposal(attempt=2), "remediation")) == "superseded"
    deny(ledger, "max")
    assert reason(ledger.ask(proposal(attempt=3), "remediation")) == "stale"
    first = ledger.plan
    assert names(ledger.ask(proposal(attempt=2, dry_run="again"), "remediation")) == ["PlanProposed"]
    assert ledger.plan != first
    assert reason(approve(ledger, "max", plan=first)) == "unknown_plan"


def test_no_plan_is_needed_before_declaration_or_while_recovering() -> None:
    """A candidate has no plan, and a recovering case has had its."""
    ledger = genesis()
    ledger.ask(c.AdoptSystems(document=b'version=1\n[systems.s]\nscope="x"\ntier="low"\n[systems.s.models.m]'), "ada")
    ledger.ask(incident_opened(affected=(replace(incident_opened().affected[0], model="m"),)), "triage")
    assert reason(ledger.ask(proposal(), "remediation")) == "illegal_transition"
    assert reason(recovering().ask(proposal(attempt=2), "remediation")) == "illegal_transition"


def test_a_request_names_role_quorum_and_times_of_the_policy() -> None:
    """The policy that the case keeps says who decides and until when; a request is made once."""
    ledger = requested()
    plan = ledger.case.plan
    assert plan is not None
    assert (plan.role, plan.quorum, plan.decide_by) == ("ml_manager", 2, ledger.at + 3600_000)
    again = c.RequestApproval(incident=INCIDENT, plan=plan.digest)
    assert ledger.ask(again, "approval") == []
    ledger.ask(c.EnrolKey(enrolment=enrolment("approval-2", Role.APPROVAL)), "ada")
    assert reason(ledger.ask(again, "approval-2")) == "illegal_transition"


def test_the_last_of_the_quorum_authorises_in_the_same_entry() -> None:
    """One approval is not enough, the second carries the authorisation."""
    ledger = requested()
    assert names(approve(ledger, "max")) == ["ApprovalGiven"]
    assert plan_state(ledger) is PlanState.PENDING
    assert names(approve(ledger, "mia")) == ["ApprovalGiven", "PlanAuthorised"]
    assert plan_state(ledger) is PlanState.AUTHORISED


def test_two_keys_of_one_person_count_once() -> None:
    """Persons are counted, not keys."""
    ledger = requested()
    ledger.ask(c.EnrolKey(enrolment=enrolment("max-2", Role.ML_MANAGER, principal="p-max")), "ada")
    approve(ledger, "max")
    assert reason(approve(ledger, "max", reason="once more")) == "same_person"
    assert reason(approve(ledger, "max-2")) == "same_person"
    assert plan_state(ledger) is PlanState.PENDING


def test_an_approval_that_is_sent_again_adds_nothing() -> None:
    """The same statement, before and after it was taken back, is decided once."""
    ledger = requested()
    given = ledger.statement(agreed(ledger.plan, ledger.at), "max")
    assert names(ledger.submit(given)) == ["ApprovalGiven"]
    size = len(ledger.leaves)
    assert ledger.submit(given) == []
    assert len(ledger.leaves) == size
    assert names(revoke(ledger, "max")) == ["ApprovalRevoked"]
    assert ledger.submit(given) == []
    assert ledger.case.plan is not None
    assert ledger.case.plan.approvals == ()


def test_a_person_may_approve_again_after_taking_it_back() -> None:
    """The same words are meant anew with another `repeat`."""
    ledger = requested()
    approve(ledger, "max")
    revoke(ledger, "max")
    assert approve(ledger, "max") == []
    assert names(approve(ledger, "max", repeat=1)) == ["ApprovalGiven"]
    assert names(approve(ledger, "mia")) == ["ApprovalGiven", "PlanAuthorised"]


def test_whoever_proposed_does_not_decide() -> None:
    """Self-approval is refused even where roles would allow it, and so is a denial of one's own plan."""
    ledger = requested()
    plan = ledger.case.plan
    assert plan is not None
    ledger.state.cases[INCIDENT] = replace(ledger.case, plan=replace(plan, proposer="p-max"))
    for body in (
        agreed(plan.digest, ledger.at),
        c.Deny(incident=INCIDENT, plan=plan.digest, reason=""),
    ):
        asked = ledger.state.ask(ledger.statement(body, "max"))
        assert reason(ledger.state.decide(1, asked, ledger.at)) == "self_approval"


@pytest.mark.parametrize("who", sorted(set(ROLES) - {"max", "mia"}))
def test_nobody_without_the_role_approves(who: str) -> None:
    """Services, engineers, admins and compliance cannot agree to a plan."""
    ledger = requested()
    assert reason(approve(ledger, who)) == "wrong_role"
    assert ledger.case.plan is not None
    assert ledger.case.plan.approvals == ()


def test_a_plan_is_decided_by_the_role_it_asks_for() -> None:
    """Where a plan asks for another role, the table of authority is not enough."""
    ledger = requested()
    plan = ledger.case.plan
    assert plan is not None
    needs = (Needed(role=Role.COMPLIANCE, count=1),)
    ledger.state.cases[INCIDENT] = replace(ledger.case, plan=replace(plan, needs=needs))
    body = agreed(plan.digest, ledger.at)
    asked = ledger.state.ask(ledger.statement(body, "max"))
    assert reason(ledger.state.decide(1, asked, ledger.at)) == "wrong_role"


def test_a_plan_must_be_asked_for_before_it_is_decided() -> None:
    """Neither yes nor no counts before the request or after the end."""
    ledger = proposed()
    assert reason(approve(ledger, "max")) == "not_pending"
    assert reason(deny(ledger, "max")) == "not_pending"
    assert reason(revoke(ledger, "max")) == "too_late"
    assert reason(approve(authorised(), "max", reason="more")) == "not_pending"


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_digest_is_another_plan(digest: str) -> None:
    """A digest with anything altered names no plan."""
    ledger = requested()
    assert reason(approve(ledger, "max", plan=digest)) == "unknown_plan"
    assert reason(approve(ledger, "max", plan=ledger.plan[:-1] + "x")) == "unknown_plan"


def test_a_case_without_a_plan_has_nothing_to_decide() -> None:
    """Before a proposal every digest is unknown."""
    body = c.Approve(incident=INCIDENT, plan="0" * 64, reason="")
    assert reason(opened().ask(body, "max")) == "unknown_plan"


@pytest.mark.parametrize("who", ["max", "cleo"])
def test_one_denial_ends_a_plan(who: str) -> None:
    """Compliance may say no as well; what was approved before counts no more."""
    ledger = requested()
    approve(ledger, "mia")
    assert names(deny(ledger, who)) == ["PlanEnded"]
    assert ledger.case.plan is not None
    assert (ledger.case.plan.state, ledger.case.plan.why) == (PlanState.ENDED, "denied")
    assert reason(approve(ledger, "max")) == "not_pending"


def test_an_approval_can_be_taken_back_until_execution_starts() -> None:
    """Before the quorum it is only counted off, after it the plan ends, and once a step started it is too late."""
    ledger = requested()
    assert reason(revoke(ledger, "max")) == "no_approval"
    approve(ledger, "max")
    assert names(revoke(ledger, "max", repeat=1)) == ["ApprovalRevoked"]
    ledger = authorised()
    assert names(revoke(ledger, "max")) == ["ApprovalRevoked", "PlanEnded"]
    assert reason(start(ledger)) == "not_authorised"
    ledger = authorised()
    start(ledger)
    assert reason(revoke(ledger, "max")) == "too_late"


def test_a_revoked_key_approves_no_more() -> None:
    """After its revocation a key cannot be used, and what it approved before counts no more towards the quorum."""
    ledger = requested()
    approve(ledger, "max")
    ledger.ask(c.RevokeKey(key=key_of("max").key_id, reason="left"), "ada")
    assert names(approve(ledger, "mia")) == ["ApprovalGiven"]
    assert plan_state(ledger) is PlanState.PENDING


def test_the_time_to_decide_passes() -> None:
    """At the deadline neither yes nor no counts, and the plan can be ended."""
    ledger = requested()
    ledger.later(3599.999)
    assert reason(expire(ledger)) == "early"
    ledger.later(0.001)
    assert reason(approve(ledger, "max")) == "expired"
    assert reason(deny(ledger, "max")) == "expired"
    assert expire(ledger) == []  # the very statement was decided: asking again takes another one
    assert names(expire(ledger, repeat=1)) == ["PlanEnded"]
    assert reason(expire(ledger, repeat=2)) == "stale"


def test_the_time_to_start_passes() -> None:
    """An authorised plan that was not started in time cannot be, and can be ended."""
    ledger = authorised().later(599.999)
    assert reason(expire(ledger, deadline=1)) == "stale"
    ledger.later(0.001)
    assert reason(start(ledger)) == "expired"
    assert names(expire(ledger)) == ["PlanEnded"]
    assert ledger.case.plan is not None
    assert ledger.case.plan.why == "expired"
