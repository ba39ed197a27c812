"""What remediation should do next: plan, start a step, act on an intent, or put a moved target back."""

import json
from dataclasses import dataclass
from typing import Any

from agents.ledger.case import Action, Case, Phase
from agents.ledger.control import Control
from agents.ledger.decisions.execute import intent_id, is_done
from agents.ledger.decisions.plan import moved_on
from agents.ledger.leave import BREAK_GLASS, STANDING, lacks_evidence, leave
from agents.ledger.regions.plan import Plan, PlanState
from agents.ledger.state import LedgerState
from agents.ledger.targets import movable
from schemas.commands import StartAction
from schemas.systems import Systems

MAX_PLANS = 5
_AGAIN_MS = 10_000  # a start that was refused is asked for once more: each statement is decided once
REPLAN = frozenset({"target_changed", "failed", "regressed", "split", "superseded"})
"""Why a plan may end and be followed by another without a person asking for it."""
_ACTING = frozenset({PlanState.AUTHORISED, PlanState.EXECUTING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a target should show: `avoid` these versions, prefer `known_good`."""

    target: str
    purpose: str
    model: str
    avoid: frozenset[str]
    known_good: str


def aims(case: Case, systems: Systems) -> list[Aim]:
    """Return the targets to move, traffic before registry: traffic is fast and reversible, the alias is the truth."""
    found = [
        Aim(
            target=one.target,
            purpose=one.purpose,
            model=one.model,
            avoid=case.bad_versions(one.model),
            known_good=one.known_good,
        )
        for one in movable(case, systems)
    ]
    return sorted(found, key=lambda aim: aim.purpose)


def desired(aim: Aim, observed: str) -> str:
    """Return the state (canonical JSON) wanted of a target that shows `observed`: the same where nothing is avoided."""
    state: dict[str, Any] = json.loads(observed)
    if aim.purpose == "remediate":
        wanted = {"version": aim.known_good} if state.get("version") in aim.avoid else state
    else:
        moved = sum(weight for version, weight in state.items() if version in aim.avoid)
        wanted = {version: 0 if version in aim.avoid else weight for version, weight in state.items()}
        if moved:
            wanted[aim.known_good] = state.get(aim.known_good, 0) + moved
    return json.dumps(wanted, sort_keys=True, separators=(",", ":"))


def told(aim: Aim) -> str:
    """Return what a step does, as a sentence for whoever approves it."""
    avoided = " and ".join(sorted(aim.avoid))
    if aim.purpose == "contain":
        return f"no more traffic to {aim.model} version {avoided}; version {aim.known_good} takes its share"
    return f"the registry names version {aim.known_good} of {aim.model} instead of {avoided}"


def wants_plan(state: LedgerState) -> list[Case]:
    """Return the declared cases that have no plan, or whose last one ended so that another is wanted."""
    cases = []
    for incident in sorted(state.active):
        case = state.cases[incident]
        if case.phase in {Phase.TRIAGE, Phase.RECOVERING}:
            continue
        if case.deciding.wanted > case.plans or (case.plans < MAX_PLANS and wants_another(state.control, case)):
            cases.append(case)
    return cases


def wants_another(control: Control, case: Case) -> bool:
    """Whether a plan follows without a person asking: there is none, its target moved, or the facts have changed.

    What people refused, or left undecided, is not asked again by itself while the case names the same versions.
    """
    if case.plan is None:
        return True
    return case.plan.state is PlanState.ENDED and (case.plan.why in REPLAN or moved_on(control, case, case.plan))


def next_undone(case: Case, plan: Plan) -> int | None:
    """Return the number of the first step that is not done, or None when all are."""
    return next((number for number in range(len(plan.steps)) if not is_done(case, plan, number)), None)


def waits_for_evidence(control: Control, case: Case, plan: Plan) -> bool:
    """Whether the next step is one that waits until evidence of the case is frozen."""
    number = next_undone(case, plan)
    return number is not None and plan.steps[number].purpose == "remediate" and lacks_evidence(control, case)


def _startable(control: Control, case: Case, plan: Plan, now: int) -> int | None:
    """Return the step that may start now: the next one, or before the quorum one that something else entitles."""
    if plan.state in _ACTING:
        return None if waits_for_evidence(control, case, plan) else next_undone(case, plan)
    if plan.state not in {PlanState.PROPOSED, PlanState.PENDING}:
        return None
    undone = [number for number in range(len(plan.steps)) if not is_done(case, plan, number)]
    for number in undone:
        entitled = leave(control, case, plan, number, now)
        if entitled == BREAK_GLASS or (entitled == STANDING and number == undone[0]):
            return number
    return None


def next_start(control: Control, case: Case, executor: str, now: int) -> StartAction | None:
    """Return the request to start, or to take up again, the next step; None while another's lease runs."""
    plan = case.plan
    number = None if plan is None else _startable(control, case, plan, now)
    if plan is None or number is None:
        return None
    known = case.actions.get(intent_id(plan.digest, number))
    if known is not None and (known.outcome or now < known.lease_until):
        return None
    since = known.lease_until if known else plan.execute_by - plan.execute_within
    return StartAction(
        incident=case.incident,
        plan=plan.digest,
        step=number,
        executor=executor,
        attempt=known.attempt + 1 if known else 1,
        repeat=(now - since) // _AGAIN_MS,
    )


def abandoned(control: Control, case: Case, action: Action, now: int) -> bool:
    """Whether nobody will take up an open intent: its lease is over, and its plan ended or lost its leave to start."""
    if now < action.lease_until:
        return False
    plan = case.plan
    return plan is None or plan.digest != action.plan or not leave(control, case, plan, action.step, now)


def open_actions(case: Case) -> list[Action]:
    """Return the intents whose outcome is not known."""
    return [action for action in case.actions.values() if not action.outcome]


def standing(state: LedgerState) -> list[tuple[Case, Action]]:
    """Return what targets must go on showing: the newest done action of each, while its own case is open.

    What was done before a case was reopened says nothing of it any more.
    A target that an open intent is about to change is left out; and once a later case has moved a target, the earlier
    one no longer says what it shows, even after the later is over.
    """
    newest: dict[str, tuple[Case, Action]] = {}
    busy: set[str] = set()
    for case in state.cases.values():
        for action in case.actions.values():
            found = newest.get(action.target)
            if not action.outcome and not case.phase.over:
                busy.add(action.target)
            elif action.outcome == "done" and (found is None or action.started_at >= found[1].started_at):
                newest[action.target] = (case, action)
    kept = [
        (case, action)
        for target, (case, action) in newest.items()
        if target not in busy and not case.phase.over and action.started_at > case.course.reopened_at
    ]
    return sorted(kept, key=lambda found: (found[0].incident, found[1].step))
