"""What remediation does next: aims, wanted states, plans and starts, and what must be kept; safe at any crash."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.case import Action, Case, PlanState
from agents.execute import intent_id
from agents.ledger_state import LedgerState
from agents.remediate import MAX_PLANS, Aim, aims, desired, next_start, open_actions, standing, told, wants_plan
from schemas import commands as c
from schemas import systems
from schemas.signals import Affected
from tests import play
from tests.ledgers import INCIDENT, Ledger, names, reason
from tests.play import AFTER, ALIAS, BEFORE, STEPS, TARGET, step

TWO = systems.read(
    b"""
version = 1
[systems.one]
scope = "two models and one without targets"
owner = "ml_manager"
models.a = {versions = ["1", "2"], known_good = "1", traffic = "envoy:a", registry = "mlflow:a/champion"}
models.b = {versions = ["7", "8"], known_good = "7", traffic = "envoy:b"}
models.bare = {versions = ["1"]}
models.noted = {versions = ["1", "2"], known_good = "1", registry = "mlflow:noted/champion"}
"""
)


def aim(purpose: str = "contain", *avoid: str, good: str = "1") -> Aim:
    """Return an aim for the shuttle model."""
    return Aim(target=TARGET, purpose=purpose, model="shuttle", avoid=frozenset(avoid or ("2",)), known_good=good)


def case_of(*affected: tuple[str, str]) -> Case:
    """Return a case that names these model versions."""
    return replace(play.opened().case, affected=tuple(Affected(model=m, version=v) for m, v in affected))


def told_aims(*affected: tuple[str, str]) -> list[tuple[str, str]]:
    """Return target and purpose of what such a case aims at."""
    return [(found.target, found.purpose) for found in aims(case_of(*affected), TWO)]


def test_all_traffic_is_moved_before_any_registry() -> None:
    """Models in the order of their names, each with its own bad versions and its own version to fall back on."""
    found = aims(case_of(("b", "8"), ("a", "2"), ("a", "3"), ("a", "2")), TWO)
    assert [(one.target, one.purpose) for one in found] == [
        ("envoy:a", "contain"),
        ("envoy:b", "contain"),
        ("mlflow:a/champion", "remediate"),
    ]
    assert [(sorted(one.avoid), one.known_good) for one in found] == [
        (["2", "3"], "1"),
        (["8"], "7"),
        (["2", "3"], "1"),
    ]


def test_nothing_is_aimed_at_where_no_version_is_known_to_be_good() -> None:
    """An undeclared model, one without targets, and one whose known-good version is itself affected: people decide."""
    assert told_aims(("unknown", "2")) == told_aims(("bare", "1")) == []
    assert told_aims(("a", "1")) == told_aims(("a", "2"), ("a", "1")) == []
    assert told_aims(("a", "1"), ("b", "8")) == [("envoy:b", "contain")]
    assert told_aims(("noted", "2")) == [("mlflow:noted/champion", "remediate")]


@pytest.mark.parametrize(
    ("shown", "avoid", "wanted"),
    [
        ('{"1":50,"2":50}', ["2"], '{"1":100,"2":0}'),
        ('{"1":20,"2":50,"3":30}', ["2"], '{"1":70,"2":0,"3":30}'),
        ('{"1":20,"2":50,"3":30}', ["2", "3"], '{"1":100,"2":0,"3":0}'),
        ('{"2":100}', ["2"], '{"1":100,"2":0}'),
        ('{"1":0,"2":100}', ["2"], '{"1":100,"2":0}'),
        ('{"1":100,"2":0}', ["2"], '{"1":100,"2":0}'),
        ('{"2":0,"3":100}', ["2"], '{"2":0,"3":100}'),
        ('{"3":100}', ["2"], '{"3":100}'),
        ('{"version":60,"2":40}', ["2"], '{"1":40,"2":0,"version":60}'),
    ],
)
def test_traffic_leaves_the_bad_versions_and_only_them(shown: str, avoid: list[str], wanted: str) -> None:
    """Their weight goes to the known-good version, also where it has none yet; nothing else moves."""
    assert desired(aim("contain", *avoid), shown) == wanted


@given(
    weights=st.dictionaries(st.sampled_from("12345"), st.integers(0, 100), min_size=1),
    avoid=st.sets(st.sampled_from("2345"), min_size=1),
)
def test_no_weight_is_lost_and_wanting_twice_is_wanting_once(weights: dict[str, int], avoid: set[str]) -> None:
    """The sum stays, the avoided have nothing, the others at least what they had, and the wanted state is at rest."""
    wanting = aim("contain", *avoid)
    text = desired(wanting, json.dumps(weights))
    wanted = json.loads(text)
    assert sum(wanted.values()) == sum(weights.values())
    assert all(weight == 0 for version, weight in wanted.items() if version in avoid)
    assert all(wanted[version] == weight for version, weight in weights.items() if version not in {*avoid, "1"})
    assert desired(wanting, text) == text


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        ('{"version":"2"}', '{"version":"1"}'),
        ('{"version":"1"}', '{"version":"1"}'),
        ('{"version":"3"}', '{"version":"3"}'),
        ('{"version":null}', '{"version":null}'),
    ],
)
def test_an_alias_leaves_a_bad_version_and_no_other(shown: str, wanted: str) -> None:
    """An alias that names another version, or none, is not this incident's to move."""
    assert desired(aim("remediate"), shown) == wanted


def test_a_step_is_told_in_a_sentence() -> None:
    """It names the model, the versions to avoid in order, and the one that takes over."""
    assert told(aim("contain", "3", "2")) == "no more traffic to shuttle version 2 and 3; version 1 takes its share"
    assert told(aim("remediate")) == "the registry names version 1 of shuttle instead of 2"


def test_a_declared_case_wants_one_plan() -> None:
    """Until it is proposed; then never while it is under way, nor while the case waits for a person or for rows."""
    assert [case.incident for case in wants_plan(play.opened().state)] == [INCIDENT]
    for stage in (play.proposed, play.requested, play.authorised, play.contained, play.recovering, play.resolved):
        assert wants_plan(stage().state) == []
    undecided = play.opened()
    changed = replace(undecided.case, phase=type(undecided.case.phase).TRIAGE)
    assert wants_plan(replace(undecided.state, cases={INCIDENT: changed})) == []


@pytest.mark.parametrize("outcome", ["target_changed", "failed"])
def test_a_plan_that_met_another_target_is_made_anew(outcome: str) -> None:
    """The next plan is accepted, asks for new approvals, and the first plan's authority starts nothing any more."""
    ledger = play.authorised()
    play.start(ledger)
    play.finish(ledger, outcome=outcome, read_back=BEFORE)
    assert [case.plans for case in wants_plan(ledger.state)] == [1]
    assert next_start(ledger.case, "x-1", ledger.at) is None
    assert names(ledger.ask(play.proposal(attempt=2), "remediation")) == ["PlanProposed"]
    assert wants_plan(ledger.state) == []
    assert next_start(ledger.case, "x-1", ledger.at) is None


def test_plans_are_made_anew_only_so_often() -> None:
    """After the last, people decide."""
    ledger = play.authorised()
    play.start(ledger)
    play.finish(ledger, outcome="failed")
    for plans, wanted in ((MAX_PLANS - 1, 1), (MAX_PLANS, 0)):
        state = replace(ledger.state, cases={INCIDENT: replace(ledger.case, plans=plans)})
        assert len(wants_plan(state)) == wanted


@pytest.mark.parametrize("end", ["denied", "expired", "revoked"])
def test_a_plan_that_people_ended_is_not_made_anew(end: str) -> None:
    """A no, or no answer, is not asked about again."""
    ledger = play.authorised() if end == "revoked" else play.requested()
    assert ledger.case.plan is not None
    if end == "denied":
        ledger.ask(c.Deny(incident=INCIDENT, plan=ledger.plan, reason="no"), "max")
    elif end == "revoked":
        ledger.ask(c.RevokeApproval(incident=INCIDENT, plan=ledger.plan, reason="no"), "max")
    else:
        deadline = ledger.case.plan.decide_by
        ledger.at = deadline
        ledger.ask(c.ExpirePlan(incident=INCIDENT, plan=ledger.plan, deadline=deadline), "approval")
    assert (ledger.case.plan.state, ledger.case.plan.why) == (PlanState.ENDED, end)
    assert wants_plan(ledger.state) == []
    assert next_start(ledger.case, "x-1", ledger.at) is None


def begin(ledger: Ledger, executor: str = "x-1") -> list[str]:
    """Ask for the start that is proposed now; return the names of the events."""
    wanted = next_start(ledger.case, executor, ledger.at)
    return [] if wanted is None else names(ledger.ask(wanted, "remediation"))


def test_steps_start_in_order_each_once_the_one_before_is_done() -> None:
    """Nothing before authority; one open intent at a time; nothing after the last."""
    for stage in (play.opened, play.proposed, play.requested):
        early = stage()
        assert next_start(early.case, "x-1", early.at) is None
    ledger = play.authorised()
    assert begin(ledger) == ["ActionStarted"]
    assert [action.step for action in open_actions(ledger.case)] == [0]
    assert begin(ledger) == []
    play.finish(ledger)
    assert open_actions(ledger.case) == []
    assert begin(ledger) == ["ActionStarted"]
    assert [action.step for action in open_actions(ledger.case)] == [1]
    play.finish(ledger, 1)
    assert begin(ledger) == []
    done = replace(ledger.case.plan or pytest.fail("no plan"), state=PlanState.EXECUTING)
    assert next_start(replace(ledger.case, plan=done), "x-1", ledger.at) is None


def test_an_intent_without_an_outcome_is_taken_up_once_its_lease_has_run_out() -> None:
    """After a crash another executor starts the same intent again, as the next attempt, and not a moment earlier."""
    ledger = play.authorised()
    begin(ledger)
    (first,) = open_actions(ledger.case)
    ledger.at = first.lease_until - 1
    assert begin(ledger, "x-2") == []
    ledger.at += 1
    assert begin(ledger, "x-2") == ["ActionStarted"]
    (again,) = open_actions(ledger.case)
    assert (again.intent, again.executor, again.attempt) == (first.intent, "x-2", 2)
    assert begin(ledger, "x-1") == []


def test_a_start_stays_the_same_for_ten_seconds_and_is_then_asked_for_anew() -> None:
    """Every tick says the same bytes; a refusal for good is outlived by the next."""
    ledger = play.authorised()
    first = next_start(ledger.case, "x-1", ledger.at)
    assert first is not None
    assert next_start(ledger.case, "x-1", ledger.at + 9999) == first
    assert next_start(ledger.case, "x-1", ledger.at + 10_000) == replace(first, repeat=first.repeat + 1)
    begin(ledger)
    until = open_actions(ledger.case)[0].lease_until
    second = next_start(ledger.case, "x-1", until)
    assert second == next_start(ledger.case, "x-1", until + 9999) == replace(first, attempt=2, repeat=0)


def test_a_step_that_ended_otherwise_is_never_started_again() -> None:
    """Even were its plan still under way."""
    ledger = play.authorised()
    begin(ledger)
    intent = intent_id(ledger.plan, 0)
    failed = replace(ledger.case.actions[intent], outcome="failed")
    assert next_start(replace(ledger.case, actions={intent: failed}), "x-1", ledger.at + 10**6) is None


def kept(state: LedgerState) -> list[tuple[str, str, str]]:
    """Return incident, target and state of what is to be kept."""
    return [(case.incident, action.target, action.desired) for case, action in standing(state)]


def test_what_was_done_is_kept_while_the_case_is_open() -> None:
    """Both targets of a done plan, nothing before an outcome, nothing once the case is over."""
    assert kept(play.authorised().state) == []
    under_way = play.authorised()
    play.start(under_way)
    assert kept(under_way.state) == []
    assert kept(play.contained().state) == [(INCIDENT, TARGET, AFTER)]
    assert kept(play.recovering().state) == [(INCIDENT, TARGET, AFTER), (INCIDENT, ALIAS, '{"version":"1"}')]
    assert kept(play.resolved().state) == []


def second_case(ledger: Ledger) -> tuple[str, list[Action]]:
    """Let another incident move the same traffic further; return its plan's digest and its open actions."""
    other = "incident-2"
    ledger.ask(play.incident_opened(id=other, affected=(Affected(model="shuttle", version="3"),)), "triage")
    moved = step(desired='{"1":100,"2":0,"3":0}', observed=AFTER)
    ledger.ask(play.proposal(incident=other, steps=(moved, STEPS[1])), "remediation")
    plan = ledger.state.cases[other].plan
    assert plan is not None
    ledger.ask(c.RequestApproval(incident=other, plan=plan.digest), "approval")
    for who in ("max", "mia"):
        ledger.ask(c.Approve(incident=other, plan=plan.digest, reason=""), who)
    start = next_start(ledger.state.cases[other], "x-1", ledger.at)
    assert names(ledger.ask(start, "remediation")) == ["ActionStarted"]
    return plan.digest, open_actions(ledger.state.cases[other])


def test_two_cases_never_fight_over_a_target() -> None:
    """What an open intent moves is left alone, and then the newest word holds, though the older case is open longer."""
    ledger = play.contained().later(1)
    _, (opened,) = second_case(ledger)
    assert kept(ledger.state) == []
    report = c.ReportOutcome(
        incident="incident-2", intent=opened.intent, outcome="done", read_back=opened.desired, detail=""
    )
    assert names(ledger.ask(report, "remediation")) == ["ActionFinished", "CaseContained"]
    assert kept(ledger.state) == [("incident-2", TARGET, opened.desired)]
    over = replace(ledger.state.cases["incident-2"], phase=play.resolved().case.phase)
    state = replace(ledger.state, cases={**ledger.state.cases, "incident-2": over}, active={INCIDENT})
    assert kept(state) == []


def test_two_cases_do_not_start_on_one_target_at_once() -> None:
    """The second is refused while the first holds the lease, asks again, and gets it afterwards."""
    ledger = play.authorised()
    _, (opened,) = second_case(ledger)
    held = next_start(ledger.case, "x-9", ledger.at)
    assert reason(ledger.ask(held, "remediation")) == "lease_held"
    body: dict[str, Any] = {"outcome": "done", "read_back": opened.desired, "detail": ""}
    ledger.ask(c.ReportOutcome(incident="incident-2", intent=opened.intent, **body), "remediation")
    assert ledger.ask(held, "remediation") == []
    assert begin(ledger.later(10), "x-9") == ["ActionStarted"]


def test_a_later_plan_of_a_case_says_what_its_target_shows() -> None:
    """Of two done actions on one target the newer is kept."""
    ledger = play.contained()
    (first,) = ledger.case.actions.values()
    newer = replace(first, intent="i-2", desired='{"1":90,"2":10}', started_at=first.started_at + 1)
    for actions in ({"i-2": newer, first.intent: first}, {first.intent: first, "i-2": newer}):
        state = replace(ledger.state, cases={INCIDENT: replace(ledger.case, actions=actions)})
        assert kept(state) == [(INCIDENT, TARGET, newer.desired)]
