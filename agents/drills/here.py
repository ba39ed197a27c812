"""What of a drill can be played on a pipeline that runs: its own models and faults, and people who are the real ones.

No plan is made there: the running remediation reaches its own gateway, never that of the drill's models. Nobody speaks
by the file: people who are there do, when they do, and are paged by their own on-call document.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from agents.drills.hoped import FACTS, JUDGED
from schemas.drills import Expect, Scenario, Step
from schemas.systems import System

_BY_PLAN = frozenset({"planned", "approved", "exhausted"})  # whether people answer a page is theirs
_AFTER_IT = frozenset({"contained", "recovering", "resolved", "review", "closed"})
_UNDER_WAY = frozenset({"containing", "investigating", "remediating"})
_OF_A_PLAN = frozenset({"Approve", "Deny", "RevokeApproval", "SignOff"})
_BY_HAND = "StateContained"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A scenario as a running pipeline can play it.

    dropped
        What is not played, as the score would name it: fields of ``expect``, ``time:<name>`` and ``step:<name>``.
    """

    scenario: Scenario
    dropped: tuple[str, ...]


def fitted(scenario: Scenario, escalations: Collection[str]) -> Fitted:
    """Return a scenario without targets, in real time, and without all that cannot come of it.

    Parameters
    ----------
    escalations
        Names of the escalation policies in force.
    """
    never = _never(scenario)
    gone = [step.name for step in scenario.steps if step.after in never or step.says in _OF_A_PLAN or step.refused]
    left = without(scenario, gone)
    kept = {step.name for step in left.steps}
    lost = tuple(step for step in scenario.steps if step.name not in kept)
    expect, fields = _expected(scenario.expect, never, frozenset(step.says for step in lost), escalations)
    changes: dict[str, Any] = {
        "systems": {name: untargeted(system) for name, system in scenario.systems.items()},
        "steps": tuple(_in_life(step) for step in left.steps),
        "expect": expect,
        "speed": 1.0,
    }
    dropped = (*fields, *(f"step:{step.name}" for step in lost))
    return Fitted(scenario=scenario.model_copy(update=changes), dropped=dropped)


def without(scenario: Scenario, names: Iterable[str]) -> Scenario:
    """Return a scenario without these steps, and without those that wait for one of them."""
    gone = set(names)
    for step in scenario.steps:  # a step waits for an earlier one
        if step.after in gone:
            gone.add(step.name)
    return scenario.model_copy(update={"steps": tuple(step for step in scenario.steps if step.name not in gone)})


def untargeted(system: System, *, probed: bool = True) -> System:
    """Return a system whose models have no target; without probes too, where nobody answers them."""
    changes: dict[str, Any] = {"traffic": None, "registry": None} | ({} if probed else {"probe": None})
    models = {name: model.model_copy(update=changes) for name, model in system.models.items()}
    return system.model_copy(update={"models": models})


def _never(scenario: Scenario) -> frozenset[str]:
    """Return the moments that cannot come; where there is no target, or people stop the harm by hand, more can."""
    models = [model for system in scenario.systems.values() for model in system.models.values()]
    by_plan = any(model.traffic or model.registry for model in models)
    by_hand = any(step.says == _BY_HAND for step in scenario.steps)
    return _BY_PLAN | _AFTER_IT if by_plan and not by_hand else _BY_PLAN


def _in_life(step: Step) -> Step:
    """Return a step in real time; for a person it is there as soon as it can be said."""
    return step.model_copy(update={"speed": None} | ({"wait": timedelta(0)} if step.by else {}))


def _expected(
    expect: Expect, never: Collection[str], unsaid: frozenset[str], escalations: Collection[str]
) -> tuple[Expect, tuple[str, ...]]:
    """Return the expectations that can come, and the names of those that cannot."""
    changes: dict[str, Any] = {"paged": None, "approvals": None, "effects": None}
    if expect.escalation not in escalations:
        changes["escalation"] = None
    if expect.phase in never or ("contained" in never and expect.phase in _UNDER_WAY):
        changes["phase"] = None
    if unsaid & (FACTS | JUDGED):  # what people were to say decides these
        changes |= {"clocks": None, "due": {}} | ({"severity": None} if unsaid & JUDGED else {})
    dropped = [name for name in changes if getattr(expect, name) not in (None, {})]
    if "contained" in never:
        stopped = {"contain": "contained", "resolve": "resolved"}
        dropped += [f"time:{name}" for field, name in stopped.items() if getattr(expect.within, field) is not None]
        changes["within"] = expect.within.model_copy(update=dict.fromkeys(stopped))
    return expect.model_copy(update=changes), tuple(dropped)
