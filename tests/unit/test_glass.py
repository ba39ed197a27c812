"""Containment before the quorum: standing approvals of the policy, broken glasses, and the reviews that both need."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.ledger.closing import unfinished
from agents.ledger.regions.plan import PlanState
from agents.roles.remediate import abandoned, next_start, open_actions
from schemas import commands as c
from schemas.case import glass as g
from schemas.case.approval import Impact
from schemas.case.glass import Justified
from schemas.case.people import AssumeDuty, Duty
from schemas.case.response import Split
from schemas.values import Role
from tests.chapters.approval import POLICY, agree, asked, carry_out
from tests.ledgers import INCIDENT, SYSTEMS, Ledger, enrolment, genesis, key_of, names, reason
from tests.play import STEPS, finish, incident_opened, proposal, start

_AT = POLICY.index(b"[[standing]]"), POLICY.index(b"[break_glass]")
STANDING = POLICY[: _AT[1]]
GLASS = (
    POLICY[: _AT[0]]
    + b"""[break_glass]
roles = ["ml_manager"]
commander = true
minutes = 30
"""
)


def waiting(policy: bytes, **changes: Any) -> Ledger:
    """Return a ledger whose plan waits for people."""
    ledger = genesis(policy, SYSTEMS)
    ledger.ask(c.EnrolKey(enrolment=enrolment("bob", Role.ML_MANAGER)), "ada")
    ledger.ask(incident_opened(), "triage")
    ledger.ask(proposal(**changes), "remediation")
    ledger.ask(c.RequestApproval(incident=INCIDENT, plan=ledger.plan), "approval")
    return ledger


def smash(ledger: Ledger, who: str = "max", **changes: Any) -> list[object]:
    """Break the glass for the first step."""
    body = g.BreakGlass(incident=INCIDENT, plan=ledger.plan, step=0, reason="harm is under way", minutes=15)
    return ledger.ask(replace(body, **changes), who)


def judge(ledger: Ledger, who: str, **changes: Any) -> list[object]:
    """Review the first broken glass."""
    body = g.ReviewBreakGlass(incident=INCIDENT, number=1, verdict=Justified.JUSTIFIED, note="harm was real")
    return ledger.ask(replace(body, **changes), who)


def follow(ledger: Ledger) -> list[str]:
    """Have the start that remediation asks for now decided."""
    wanted = next_start(ledger.control, ledger.case, "x-1", ledger.at)
    return [] if wanted is None else names(ledger.ask(wanted, "remediation"))


def test_containment_that_a_standing_rule_covers_starts_at_once() -> None:
    """Even before people are asked; it is recorded with the steps and its review, and the rest waits for people."""
    ledger = genesis(STANDING, SYSTEMS)
    ledger.ask(incident_opened(), "triage")
    ledger.ask(proposal(), "remediation")
    assert follow(ledger) == ["StandingApprovalUsed", "ActionStarted"]
    used = ledger.verified[-1].events[0]
    assert isinstance(used, g.StandingApprovalUsed)
    assert (used.rule, used.steps, used.review_by) == ("shed", (0,), ledger.at + 86_400_000)
    assert names(finish(ledger)) == ["ActionFinished", "CaseContained"]
    assert ledger.case.plan is not None
    assert (ledger.case.phase, ledger.case.plan.state) == (Phase.CONTAINED, PlanState.PROPOSED)
    assert follow(ledger) == []
    assert reason(start(ledger, 1)) == "not_authorised"


def test_what_a_standing_rule_began_is_taken_up_after_a_crash() -> None:
    """The use is recorded once; another executor starts the same step again when the lease is over."""
    ledger = waiting(STANDING)
    assert follow(ledger) == ["StandingApprovalUsed", "ActionStarted"]
    ledger.later(10)
    wanted = next_start(ledger.control, ledger.case, "x-2", ledger.at)
    assert names(ledger.ask(wanted, "remediation")) == ["ActionStarted"]


@pytest.mark.parametrize(
    "other",
    [
        STANDING.replace(b'severities = ["sev2"]', b'severities = ["sev1"]'),
        STANDING.replace(b'target_kinds = ["envoy"]', b'target_kinds = ["other"]'),
        STANDING + b'tiers = ["low"]\n',
        STANDING + b'categories = ["fairness"]\n',
        GLASS,
    ],
)
def test_a_standing_rule_covers_only_what_it_names(other: bytes) -> None:
    """Another severity, kind of target, tier or category, or no rule at all: people decide first."""
    ledger = waiting(other)
    assert follow(ledger) == []
    assert reason(start(ledger)) == "not_authorised"


def test_a_standing_rule_covers_nothing_that_cannot_be_undone_and_no_remediation() -> None:
    """Whatever its target."""
    lasting = Impact(dependents=(), traffic_percent=0, reversible=False, checks=(), expected="")
    for changes in ({"impact": lasting}, {"steps": (replace(STEPS[0], purpose="remediate"),)}):
        assert reason(start(waiting(STANDING, **changes))) == "not_authorised"


def test_a_standing_rule_is_used_so_often_a_day_and_no_more() -> None:
    """Over all incidents; a day later again."""
    ledger = waiting(STANDING)
    start(ledger)
    finish(ledger)
    ledger.ask(incident_opened(id="incident-2"), "triage")
    digest = asked(ledger, "incident-2")
    body = c.StartAction(incident="incident-2", plan=digest, step=0, executor="x-1", attempt=1)
    assert reason(ledger.ask(body, "remediation")) == "not_authorised"
    ledger.later(86_400)
    assert names(ledger.ask(replace(body, repeat=1), "remediation")) == ["StandingApprovalUsed", "ActionStarted"]


def test_a_use_of_a_standing_approval_is_reviewed_by_its_role_once() -> None:
    """Until then the case is unfinished."""
    ledger = waiting(STANDING)
    start(ledger)
    body = g.ReviewStanding(incident=INCIDENT, number=1, verdict=Justified.JUSTIFIED, note="as meant")
    assert any("standing" in said for said in unfinished(ledger.control, ledger.case))
    assert reason(ledger.ask(body, "cleo")) == "wrong_role"
    assert reason(ledger.ask(replace(body, number=2), "mia")) == "unknown_use"
    assert reason(ledger.ask(replace(body, note=""), "mia")) == "bad_reason"
    assert names(ledger.ask(body, "mia")) == ["StandingReviewed"]
    assert reason(ledger.ask(body, "bob")) == "reviewed"
    assert not any("standing" in said for said in unfinished(ledger.control, ledger.case))


def test_a_denial_stops_what_a_standing_rule_has_not_begun() -> None:
    """What began is read back and recorded, and leads to no recovery; nothing more of the plan starts."""
    ledger = waiting(STANDING)
    start(ledger)
    for who in ("max", "cleo"):
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), who)
    (action,) = open_actions(ledger.case)
    assert not abandoned(ledger.control, ledger.case, action, ledger.at)
    assert abandoned(ledger.control, ledger.case, action, action.lease_until)
    assert names(finish(ledger)) == ["ActionFinished", "CaseContained"]
    assert reason(start(ledger, 1)) == "not_authorised"


def test_a_broken_glass_lets_one_step_start_for_its_minutes() -> None:
    """Loud at once: the entry names who must be told. It gives no authority beyond its step and its time."""
    ledger = waiting(GLASS)
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "mia")
    assert follow(ledger) == []
    assert names(smash(ledger)) == ["GlassBroken"]
    broken = ledger.verified[-1].events[0]
    assert isinstance(broken, g.GlassBroken)
    assert (broken.until, broken.tell) == (ledger.at + 900_000, ("p-cleo", "p-mia"))
    assert follow(ledger) == ["ActionStarted"]
    finish(ledger)
    assert ledger.case.plan is not None
    assert ledger.case.plan.state is PlanState.PENDING
    assert reason(start(ledger, 1)) == "not_authorised"
    late = waiting(GLASS)
    smash(late)
    late.later(900)
    assert reason(start(late)) == "not_authorised"


def test_a_glass_is_broken_for_a_later_step_without_the_ones_before() -> None:
    """Containing steps do not wait for each other there; the quorum still covers the others in order."""
    other = replace(STEPS[0], target="envoy:other")
    ledger = waiting(GLASS, steps=(STEPS[0], other, STEPS[1]))
    smash(ledger, step=1)
    assert follow(ledger) == ["ActionStarted"]
    assert ledger.case.actions
    assert next(iter(ledger.case.actions.values())).target == "envoy:other"


def test_a_glass_of_a_revoked_key_is_no_leave() -> None:
    """Whoever stole a key and broke the glass gets nothing once it is revoked."""
    ledger = waiting(GLASS)
    smash(ledger)
    ledger.ask(c.RevokeKey(key=key_of("max").key_id, reason="stolen"), "ada")
    assert reason(start(ledger)) == "not_authorised"


@pytest.mark.parametrize(
    ("who", "changes", "why"),
    [
        ("eva", {}, "wrong_role"),
        ("cleo", {}, "wrong_role"),
        ("remediation", {}, "wrong_role"),
        ("max", {"step": 1}, "not_reversible"),
        ("max", {"step": 2}, "unknown_step"),
        ("max", {"step": -1}, "unknown_step"),
        ("max", {"minutes": 31}, "bad_time"),
        ("max", {"minutes": 0}, "bad_time"),
        ("max", {"reason": ""}, "bad_reason"),
        ("max", {"plan": "0" * 64}, "unknown_plan"),
    ],
)
def test_a_glass_that_may_not_be_broken_is_not(who: str, changes: dict[str, Any], why: str) -> None:
    """Other persons, services, remediation, a longer time, no reason, another plan."""
    assert reason(smash(waiting(GLASS), who, **changes)) == why


def test_a_glass_is_not_broken_twice_at_once_and_not_where_the_policy_names_nobody() -> None:
    """Nor for a plan that has ended, or that people have agreed to."""
    ledger = waiting(GLASS)
    smash(ledger)
    assert reason(smash(ledger, "mia")) == "broken"
    assert reason(smash(waiting(STANDING))) == "wrong_role"
    ended = waiting(GLASS)
    for who in ("max", "cleo"):
        agree(ended, INCIDENT, who)
    assert reason(smash(ended)) == "not_pending"


def test_the_commander_may_break_the_glass_where_the_policy_says_so() -> None:
    """By the duty alone, while they have it."""
    ledger = waiting(GLASS)
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "eva")
    assert names(smash(ledger, "eva")) == ["GlassBroken"]


def test_a_broken_glass_is_reviewed_by_somebody_who_had_no_part() -> None:
    """Not by whoever broke it, approved or had a duty, also one handed over; and the case stays unfinished until."""
    ledger = waiting(GLASS)
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "mia")
    smash(ledger)
    ledger.ask(AssumeDuty(incident=INCIDENT, duty=Duty.COMMANDER), "max")
    assert any("glass" in said for said in unfinished(ledger.control, ledger.case))
    agree(ledger, INCIDENT, "cleo")
    assert reason(judge(ledger, "max")) == reason(judge(ledger, "mia")) == reason(judge(ledger, "cleo")) == "involved"
    assert reason(judge(ledger, "bob", number=2)) == "unknown_glass"
    assert reason(judge(ledger, "eva")) == "wrong_role"
    assert names(judge(ledger, "bob")) == ["GlassReviewed"]
    assert reason(judge(ledger, "bob", note="again")) == "reviewed"
    assert not any("glass" in said for said in unfinished(ledger.control, ledger.case))
    assert ledger.case.glass.broken[0].verdict is Justified.JUSTIFIED


def test_an_intent_whose_glass_has_run_out_is_given_up() -> None:
    """Nobody may start it again, so that the executor reports it failed when its lease is over."""
    ledger = waiting(GLASS)
    smash(ledger, minutes=1)
    follow(ledger)
    (action,) = open_actions(ledger.case)
    assert not abandoned(ledger.control, ledger.case, action, action.lease_until)
    assert abandoned(ledger.control, ledger.case, action, ledger.at + 60_000)
    assert next_start(ledger.control, ledger.case, "x-2", ledger.at + 60_000) is None


def test_an_outcome_of_a_plan_that_ended_is_recorded_under_the_next_one() -> None:
    """An open step is never lost: the next plan does not hide it, and is not moved by it."""
    ledger = waiting(STANDING)
    start(ledger)
    (action,) = open_actions(ledger.case)
    for who in ("max", "cleo"):
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), who)
    asked(ledger, INCIDENT, 2)
    report = c.ReportOutcome(
        incident=INCIDENT, intent=action.intent, outcome="failed", read_back="{}", detail="never carried out"
    )
    assert names(ledger.ask(report, "remediation")) == ["ActionFinished"]
    assert open_actions(ledger.case) == []
    assert ledger.case.plan is not None
    assert ledger.case.plan.state is PlanState.PENDING


def test_the_whole_plan_done_in_advance_needs_nobody() -> None:
    """Where every step is containing and covered, the case recovers while the request still stands."""
    ledger = waiting(STANDING, steps=STEPS[:1])
    done = list(carry_out(ledger, INCIDENT))
    assert names(done[-1]) == ["ActionFinished", "CaseContained", "CaseRecovering"]


def test_a_case_is_not_split_while_a_step_is_under_way() -> None:
    """What began without the quorum ends before the case takes another shape."""
    ledger = waiting(STANDING)
    split = Split(incident=INCIDENT, signals=("s-1",), reason="another fault")
    assert reason(ledger.ask(split, "max")) == "nothing_left"
    start(ledger)
    assert reason(ledger.ask(replace(split, reason="another fault, I say"), "max")) == "too_late"
