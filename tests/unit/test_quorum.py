"""Whose approvals count: persons over factors and keys, exclusions, deputies, step-up, recounts."""

from dataclasses import replace
from itertools import permutations

import pytest

from agents.ledger.quorum import enough
from agents.ledger.regions.plan import Given, PlanState
from schemas import commands as c
from schemas.case import approval as a
from schemas.case.approval import Needed
from schemas.delegation import Delegate, RevokeDelegation
from schemas.signals import Affected
from schemas.values import Category, Role
from tests.chapters.approval import POLICY, agree, asked, carry_out
from tests.ledgers import INCIDENT, SYSTEMS, Ledger, enrolment, genesis, key_of, names, reason
from tests.play import STEPS, approve, evidence_kept, incident_grew, incident_opened, start

MANAGER, COMPLIANCE = Needed(role=Role.ML_MANAGER, count=1), Needed(role=Role.COMPLIANCE, count=1)
PLAIN = POLICY[: POLICY.index(b"[[standing]]")]
HOUR = 3_600_000


def enrol(ledger: Ledger, who: str, *roles: Role, principal: str = "") -> None:
    """Enrol one more key."""
    assert names(ledger.ask(c.EnrolKey(enrolment=enrolment(who, *roles, principal=principal)), "ada")) == [
        "KeyEnrolled"
    ]


def factored(*more: tuple[str, tuple[Role, ...], str], policy: bytes = PLAIN) -> Ledger:
    """Return a ledger whose plan waits for a manager and somebody of compliance; with more keys enrolled."""
    ledger = genesis(policy, SYSTEMS)
    for who, roles, principal in more:
        enrol(ledger, who, *roles, principal=principal)
    ledger.ask(incident_opened(), "triage")
    asked(ledger, INCIDENT)
    return ledger


def state(ledger: Ledger) -> PlanState:
    """Return where the plan stands."""
    assert ledger.case.plan is not None
    return ledger.case.plan.state


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


RISING = b"""version = 1
[[severity]]
name = "loss"
severity = "sev2"
categories = ["performance"]
[[severity]]
name = "other"
severity = "sev3"
declare = true
[approval.sev1]
[approval.sev2]
quorum = 2
step_up = true
[approval.sev3]
[approval.sev4]
"""


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


def delegate(ledger: Ledger, who: str, to: str, until: int = HOUR, repeat: int = 0) -> list[object]:
    """Let somebody decide in one's place for so long."""
    return ledger.ask(Delegate(to=to, until=ledger.at + until, reason="on leave", repeat=repeat), who)


def test_a_deputy_decides_in_anothers_place_for_a_bounded_time() -> None:
    """With the other's role; the record says for whom. Afterwards the right is gone."""
    ledger = factored()
    assert reason(agree(ledger, INCIDENT, "eva")) == "wrong_role"
    assert names(delegate(ledger, "max", "p-eva")) == ["Delegated"]
    ledger.later(1)
    assert names(agree(ledger, INCIDENT, "eva")) == ["ApprovalGiven"]
    assert ledger.case.plan is not None
    assert ledger.case.plan.given[0].on_behalf == "p-max"
    ledger = factored()
    delegate(ledger, "max", "p-eva", until=1000)
    ledger.later(1)
    assert reason(agree(ledger, INCIDENT, "eva")) == "wrong_role"


def test_a_person_and_their_deputy_are_one_voice() -> None:
    """Whoever of the two comes second adds nothing."""
    for order in permutations(("max", "eva")):
        ledger = factored(policy=RISING.replace(b"[approval.sev3]", b"[approval.sev3]\nquorum = 2"))
        delegate(ledger, "max", "p-eva")
        assert names(agree(ledger, INCIDENT, order[0])) == ["ApprovalGiven"]
        assert reason(agree(ledger, INCIDENT, order[1])) in {"same_person", "wrong_role"}


@pytest.mark.parametrize(
    ("to", "until", "why"),
    [
        ("p-remediation", HOUR, "no_person"),
        ("p-nobody", HOUR, "no_person"),
        ("p-max", HOUR, "no_person"),
        ("p-eva", 0, "bad_time"),
        ("p-eva", 15 * 24 * HOUR, "bad_time"),
    ],
)
def test_a_right_is_lent_to_another_person_for_a_time_alone(to: str, until: int, why: str) -> None:
    """Never to a service, to nobody, to oneself, or for ever."""
    assert reason(delegate(genesis(), "max", to, until)) == why


def test_a_lent_right_is_not_handed_on() -> None:
    """A deputy delegates nothing; and whoever has no right has none to delegate."""
    ledger = genesis()
    assert reason(delegate(ledger, "eva", "p-mia")) == "wrong_role"
    delegate(ledger, "max", "p-eva")
    assert reason(delegate(ledger, "eva", "p-mia", repeat=1)) == "onwards"


@pytest.mark.parametrize("excluded", ["p-max", "p-eva"])
def test_neither_an_excluded_person_nor_their_deputy_decides(excluded: str) -> None:
    """An exclusion is not got around by a delegation, in either direction."""
    ledger = factored()
    ledger.ask(a.ExcludePerson(incident=INCIDENT, principal=excluded, reason="released it"), "mia")
    delegate(ledger, "max", "p-eva")
    assert reason(agree(ledger, INCIDENT, "eva")) in {"wrong_role", "excluded"}


@pytest.mark.parametrize("end", ["taken back", "key revoked"])
def test_what_a_deputy_approved_counts_no_more_once_the_right_is_gone(end: str) -> None:
    """Taken back, or the key that lent it revoked: before the plan begins it has lost its quorum."""
    ledger = factored(("max-2", (Role.ML_MANAGER,), "p-max"))
    delegate(ledger, "max-2", "p-eva")
    agree(ledger, INCIDENT, "eva")
    agree(ledger, INCIDENT, "cleo")
    if end == "taken back":
        ledger.ask(RevokeDelegation(to="p-eva", reason="back"), "max")
    else:
        ledger.ask(c.RevokeKey(key=key_of("max-2").key_id, reason="lost"), "ada")
    assert reason(start(ledger)) == "quorum_lost"


def test_only_ones_own_delegation_is_taken_back() -> None:
    """Nobody ends what another has lent."""
    ledger = genesis()
    delegate(ledger, "max", "p-eva")
    assert reason(ledger.ask(RevokeDelegation(to="p-eva", reason="no"), "mia")) == "no_delegation"


def test_a_plan_that_people_ended_is_made_anew_when_a_person_asks() -> None:
    """Once, with a reason, and not while a plan is under way."""
    ledger = factored()
    wish = a.AskForPlan(incident=INCIDENT, reason="version 1 was validated")
    assert reason(ledger.ask(wish, "eva")) == "superseded"
    for who in ("max", "cleo"):
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), who)
    assert names(ledger.ask(replace(wish, repeat=1), "eva")) == ["PlanAskedFor"]
    assert reason(ledger.ask(replace(wish, repeat=2), "eva")) == "asked"
    asked(ledger, INCIDENT, 2)
    assert state(ledger) is PlanState.PENDING


def authorised() -> Ledger:
    """Return a ledger whose plan a manager and compliance agreed to."""
    ledger = factored(("vic", (Role.VALIDATOR,), ""), policy=PLAIN + END)
    agree(ledger, INCIDENT, "max")
    agree(ledger, INCIDENT, "cleo")
    return ledger


END = b'[remediation]\nevidence_first = ["high"]\n[recovery]\nsign_off = ["sev2"]\n'


def test_nothing_is_changed_for_good_before_evidence_is_frozen() -> None:
    """Traffic moves at once; the registry waits for a frozen window, or for somebody's word that there is none."""
    for said, who in (
        (evidence_kept(), "evidence"),
        (a.KeepNothing(incident=INCIDENT, reason="no predictions"), "mia"),
    ):
        ledger = authorised()
        list(carry_out(ledger, INCIDENT, 0))
        assert reason(start(ledger, 1)) == "no_evidence"
        ledger.ask(evidence_kept(kind="output_audit", digest="cd" * 32), "evidence")
        assert reason(start(ledger, 1, repeat=1)) == "no_evidence"
        ledger.ask(said, who)
        assert names(start(ledger, 1, repeat=2)) == ["ActionStarted"]


def test_recovery_waits_for_the_sign_off_of_somebody_who_decided_nothing() -> None:
    """Not before every step is read back, not by who approved, not by a manager; then the case recovers."""
    ledger = authorised()
    sign_off = a.SignOff(incident=INCIDENT, plan=ledger.plan, note="validated")
    assert reason(ledger.ask(sign_off, "vic")) == "not_done"
    ledger.ask(evidence_kept(), "evidence")
    done = [found for step in (0, 1) for found in carry_out(ledger, INCIDENT, step)]
    assert names(done[-1]) == ["ActionFinished"]
    assert reason(ledger.ask(sign_off, "cleo")) == "involved"
    assert reason(ledger.ask(sign_off, "max")) == "wrong_role"
    assert names(ledger.ask(replace(sign_off, repeat=1), "vic")) == ["SignedOff", "CaseRecovering"]
