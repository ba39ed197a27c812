"""Whose approvals count: persons over factors and keys, exclusions, deputies, step-up, recounts."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest

from agents.ledger.quorum import enough
from agents.ledger.regions.plan import Given, Plan, PlanState
from schemas import commands as c
from schemas.case import approval as a
from schemas.case.approval import Needed
from schemas.signals import Affected
from schemas.values import Category, Role
from tests.chapters.approval import agree
from tests.factors import PLAIN, RISING, factored, state
from tests.ledgers import INCIDENT, SYSTEMS, Ledger, genesis, key_of, names, reason
from tests.play import STEPS, approve, incident_grew, incident_opened, start

MANAGER, COMPLIANCE = Needed(role=Role.ML_MANAGER, count=1), Needed(role=Role.COMPLIANCE, count=1)


def given(principal: str, *roles: Role) -> Given:
    """Return an approval."""
    return Given(principal=principal, key="k", roles=roles)


def test_a_person_with_both_roles_fills_one_place() -> None:
    """Alone they are not enough, though each factor is satisfied; a second person is, whichever role that one has."""
    both = given("p-1", Role.ML_MANAGER, Role.COMPLIANCE)
    assert not enough((MANAGER, COMPLIANCE), 2, (both,))
    assert not enough((MANAGER, COMPLIANCE), 1, (both,))
    for other in (Role.ML_MANAGER, Role.COMPLIANCE):
        for order in permutations((both, given("p-2", other))):
            assert enough((MANAGER, COMPLIANCE), 2, order)
    assert not enough((MANAGER, COMPLIANCE), 2, (given("p-1", Role.ML_MANAGER), given("p-2", Role.ML_MANAGER)))


def test_a_quorum_above_the_factors_wants_further_persons() -> None:
    """Three persons where two places are named: the third only has to be another one."""
    two = (given("p-1", Role.ML_MANAGER), given("p-2", Role.COMPLIANCE))
    assert not enough((MANAGER, COMPLIANCE), 3, two)
    assert enough((MANAGER, COMPLIANCE), 3, (*two, given("p-3", Role.ML_MANAGER)))


def test_several_factors_are_asked_and_counted() -> None:
    """A manager and somebody of compliance authorise; two managers do not."""
    ledger = factored(("bob", (Role.ML_MANAGER,), ""))
    assert names(agree(ledger, INCIDENT, "max")) == ["ApprovalGiven"]
    assert names(agree(ledger, INCIDENT, "bob")) == ["ApprovalGiven"]
    assert names(agree(ledger, INCIDENT, "cleo")) == ["ApprovalGiven", "PlanAuthorised"]


def test_one_person_with_two_roles_on_two_keys_is_one_person() -> None:
    """A second key, enrolled with another role for the same principal, adds no person."""
    ledger = factored(("max-2", (Role.COMPLIANCE,), "p-max"))
    assert names(agree(ledger, INCIDENT, "max")) == ["ApprovalGiven"]
    assert reason(agree(ledger, INCIDENT, "max-2")) == "same_person"
    assert state(ledger) is PlanState.PENDING


def test_as_many_refusals_as_the_policy_says_end_a_plan() -> None:
    """The first only counts, and takes back what that person had agreed to; the same person refuses once."""
    ledger = factored()
    plan = ledger.plan
    agree(ledger, INCIDENT, "max")
    assert names(ledger.ask(c.Deny(incident=INCIDENT, plan=plan, reason="no"), "max")) == ["DenialGiven"]
    assert ledger.case.plan is not None
    assert ledger.case.plan.approvals == ()
    assert reason(ledger.ask(c.Deny(incident=INCIDENT, plan=plan, reason="no, no"), "max")) == "same_person"
    assert reason(approve(ledger, "max", reason="yes, after all")) == "same_person"
    assert names(ledger.ask(c.Deny(incident=INCIDENT, plan=plan, reason="no"), "cleo")) == ["PlanEnded"]
    assert ledger.case.plan.standing == "rejected"


@pytest.mark.parametrize("said", ["", " \n", "x" * 5000])
def test_a_decision_needs_its_reason(said: str) -> None:
    """Yes, no and taken back are each said with a reason of bounded length."""
    ledger = factored()
    assert reason(approve(ledger, "max", reason=said)) == "bad_reason"
    assert reason(ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason=said), "max")) == "bad_reason"
    approve(ledger, "max")
    taken = c.RevokeApproval(incident=INCIDENT, plan=ledger.plan, reason=said)
    assert reason(ledger.ask(taken, "max")) == "bad_reason"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"confirmed": ""}, "not_confirmed"),
        ({"confirmed": "00000000"}, "not_confirmed"),
        ({"confirmed_at": 0}, "stale_confirmation"),
        ({"confirmed_at": 2**41}, "stale_confirmation"),
    ],
)
def test_a_step_up_is_of_this_plan_and_fresh(changes: dict[str, object], why: str) -> None:
    """Without the digest typed anew, or typed long ago, an approval is refused where the policy wants a step-up."""
    ledger = factored()
    assert reason(approve(ledger, "max", **changes)) == why
    assert names(approve(ledger, "max")) == ["ApprovalGiven"]


def test_what_cannot_be_undone_asks_for_two_persons_and_a_step_up() -> None:
    """Whatever the policy says of the severity."""
    ledger = genesis(PLAIN.replace(b"factors", b"# factors").replace(b"step_up = true", b""), SYSTEMS)
    ledger.ask(incident_opened(), "triage")
    impact = a.Impact(dependents=(), traffic_percent=0, reversible=False, checks=(), expected="rows are deleted")
    ledger.ask(c.ProposePlan(incident=INCIDENT, attempt=1, steps=STEPS, dry_run="", impact=impact), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    assert reason(approve(ledger, "max", confirmed="")) == "not_confirmed"
    assert names(approve(ledger, "max")) == ["ApprovalGiven"]
    assert names(approve(ledger, "mia")) == ["ApprovalGiven", "PlanAuthorised"]


def test_another_impact_is_another_plan() -> None:
    """The digest covers the impact, so an approval of the one is worth nothing for the other."""
    digests = set()
    for percent in (50, 51):
        ledger = genesis(PLAIN, SYSTEMS)
        ledger.ask(incident_opened(), "triage")
        impact = a.Impact(dependents=(), traffic_percent=percent, reversible=True, checks=(), expected="")
        ledger.ask(c.ProposePlan(incident=INCIDENT, attempt=1, steps=STEPS, dry_run="", impact=impact), "remediation")
        digests.add(ledger.plan)
    assert len(digests) == 2


@pytest.mark.parametrize("where", ["policy", "owner", "plan", "case"])
def test_whoever_has_a_part_in_the_change_does_not_decide(where: str) -> None:
    """Named by the policy, as the executor's owner, by the plan or on the case: neither yes nor no counts."""
    named = {"policy": b'[persons]\nexcluded = ["p-max"]\n', "owner": b'[persons]\nexecutor_owners = ["p-max"]\n'}
    ledger = genesis(PLAIN + named.get(where, b""), SYSTEMS)
    ledger.ask(incident_opened(), "triage")
    excluded = ("p-max",) if where == "plan" else ()
    body = c.ProposePlan(incident=INCIDENT, attempt=1, steps=STEPS, dry_run="", excluded=excluded)
    if where == "case":
        ledger.ask(a.ExcludePerson(incident=INCIDENT, principal="p-max", reason="released it"), "mia")
    ledger.ask(body, "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    assert reason(approve(ledger, "max")) == "excluded"
    assert reason(ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), "max")) == "excluded"
    assert ledger.case.plan is not None
    assert "p-max" in ledger.case.plan.excluded


def test_who_is_excluded_afterwards_has_agreed_to_nothing() -> None:
    """An authorised plan that loses a person so waits for people again, and does not start."""
    ledger = factored(("bob", (Role.ML_MANAGER,), ""))
    agree(ledger, INCIDENT, "max")
    agree(ledger, INCIDENT, "cleo")
    found = ledger.ask(a.ExcludePerson(incident=INCIDENT, principal="p-max", reason="released it"), "mia")
    assert names(found) == ["PersonExcluded", "ApprovalsRecounted"]
    assert state(ledger) is PlanState.PENDING
    assert reason(start(ledger)) == "not_authorised"
    assert names(agree(ledger, INCIDENT, "bob")) == ["ApprovalGiven", "PlanAuthorised"]


def test_an_approval_counts_no_more_once_its_key_is_revoked_before_the_plan_begins() -> None:
    """The start is refused at once; a recount lets people decide again, and another person completes it."""
    ledger = factored(("bob", (Role.ML_MANAGER,), ""))
    agree(ledger, INCIDENT, "bob")
    agree(ledger, INCIDENT, "cleo")
    recount = a.RecountApprovals(incident=INCIDENT, plan=ledger.plan)
    assert reason(ledger.ask(recount, "approval")) == "stale"
    ledger.ask(c.RevokeKey(key=key_of("bob").key_id, reason="stolen"), "ada")
    assert reason(start(ledger)) == "quorum_lost"
    assert names(ledger.ask(replace(recount, repeat=1), "approval")) == ["ApprovalsRecounted"]
    assert reason(start(ledger, repeat=1)) == "not_authorised"
    assert names(agree(ledger, INCIDENT, "max")) == ["ApprovalGiven", "PlanAuthorised"]
    assert names(start(ledger, repeat=2)) == ["ActionStarted"]


def worse(ledger: Ledger, sequence: int = 1) -> list[object]:
    """Let the case grow so that its severity rises."""
    grew = incident_grew(category=Category.PERFORMANCE, sequence=sequence)
    return ledger.ask(grew, "triage")


@pytest.mark.parametrize("agreeing", [0, 1])
def test_the_quorum_rises_with_the_severity(agreeing: int) -> None:
    """Pending or authorised, a plan that has not begun is asked about anew under the case's own policy."""
    ledger = factored(policy=RISING)
    for _ in range(agreeing):
        assert names(approve(ledger, "max", confirmed="")) == ["ApprovalGiven", "PlanAuthorised"]
    assert "ApprovalsRecounted" in names(worse(ledger))
    plan = ledger.case.plan
    assert plan is not None
    assert (plan.state, plan.quorum, plan.step_up, plan.approvals) == (PlanState.PENDING, 2, True, ())
    assert reason(start(ledger)) == "not_authorised"
    assert names(approve(ledger, "mia")) == ["ApprovalGiven"]
    assert names(approve(ledger, "max")) == ["ApprovalGiven", "PlanAuthorised"]


def test_a_plan_that_has_begun_keeps_its_quorum() -> None:
    """What has started is not taken back by the severity."""
    ledger = factored(policy=RISING)
    approve(ledger, "max")
    start(ledger)
    assert "ApprovalsRecounted" not in names(worse(ledger))
    assert state(ledger) is PlanState.EXECUTING


def grow_to(ledger: Ledger, version: str) -> list[object]:
    """Let the case name one version more."""
    affected = (*ledger.case.affected, Affected(model="shuttle", version=version))
    return ledger.ask(incident_grew(affected=affected), "triage")


def test_a_pending_plan_is_superseded_by_a_case_that_names_other_versions() -> None:
    """People do not decide on what no longer fits; the next plan is proposed by itself."""
    ledger = factored()
    found = grow_to(ledger, "3")
    assert names(found)[-1] == "PlanEnded"
    assert ledger.case.plan is not None
    assert (ledger.case.plan.why, ledger.case.plan.standing) == ("superseded", "superseded")
    assert reason(approve(ledger, "max")) == "not_pending"


def test_growth_of_what_no_plan_could_move_leaves_the_plan() -> None:
    """A model without targets changes no aim."""
    ledger = factored()
    affected = (*ledger.case.affected, Affected(model="other", version="9"))
    assert "PlanEnded" not in names(ledger.ask(incident_grew(affected=affected), "triage"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": PlanState.PENDING}, "pending"),
        ({"state": PlanState.PENDING, "given": (given("p-1", Role.ML_MANAGER),)}, "semi_granted"),
        ({"state": PlanState.AUTHORISED}, "granted"),
        ({"state": PlanState.EXECUTING}, "executing"),
        ({"state": PlanState.DONE}, "done"),
        ({"state": PlanState.ENDED, "why": "failed"}, "failed"),
        ({"state": PlanState.ENDED, "why": "target_changed"}, "failed"),
        ({"state": PlanState.ENDED, "why": "denied"}, "rejected"),
        ({"state": PlanState.ENDED, "why": "expired"}, "expired"),
        ({"state": PlanState.ENDED, "why": "revoked"}, "revoked"),
        ({"state": PlanState.ENDED, "why": "superseded"}, "superseded"),
        ({"state": PlanState.ENDED, "why": "regressed"}, "superseded"),
    ],
)
def test_a_plan_stands_in_one_of_ten_states(changes: dict[str, Any], said: str) -> None:
    """What an approval system calls them, derived from the plan's own state and why it ended."""
    assert replace(Plan(digest="d", number=1, proposer="p", steps=STEPS), **changes).standing == said
