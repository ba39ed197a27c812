"""What carrying out a plan would do, from the declared systems and what the targets show; it is part of the plan."""

import json
from collections.abc import Sequence
from typing import Any

from agents.ledger.control import Control
from agents.roles.remediate import Aim
from schemas.case.approval import Impact
from schemas.commands import Step
from schemas.systems import Systems

REVERSIBLE = frozenset({"envoy", "mlflow"})
"""Kinds of targets whose earlier state can be set again: weights of traffic, and the alias of a registry."""
_MAX_DEPENDENTS = 100


def dependents(systems: Systems, models: Sequence[str]) -> tuple[str, ...]:
    """Return the models that read the output of these, directly or through others, as system/model."""
    reached, grown = set(models), True
    while grown:
        below = {
            name
            for system in systems.systems.values()
            for name, model in system.models.items()
            if reached.intersection(model.depends_on)
        }
        grown = not below <= reached
        reached |= below
    found = sorted(
        f"{name}/{model}" for name, system in systems.systems.items() for model in system.models if model in reached
    )
    changed = {f"{declared[0]}/{model}" for model in models if (declared := systems.find(model)) is not None}
    return tuple(one for one in found if one not in changed)[:_MAX_DEPENDENTS]


def _weights(state: str) -> dict[str, int]:
    shown: dict[str, Any] = json.loads(state)
    return {version: weight for version, weight in shown.items() if isinstance(weight, int)}


def moved_percent(step: Step) -> int:
    """Return the share of its target's traffic that a step moves, in percent, rounded up; 0 for an alias."""
    if step.purpose != "contain":
        return 0
    before, after = _weights(step.observed), _weights(step.desired)
    total = sum(before.values())
    moved = sum(max(0, weight - after.get(version, 0)) for version, weight in before.items())
    return -(-100 * moved // total) if total > 0 else 0


def _checks(control: Control, aim: Aim, steps: Sequence[Step]) -> list[str]:
    good = f"version {aim.known_good} of {aim.model}"
    found = [f"{good} is declared known-good, and is not among the affected versions"]
    traffic = next((step for step in steps if step.target == aim.target and step.purpose == "contain"), None)
    if traffic is not None:
        before = _weights(traffic.observed)
        total = max(1, sum(before.values()))
        share = 100 * before.get(aim.known_good, 0) // total
        serves = f"takes {share} % of the traffic now" if share else "takes no traffic now: how it serves is unknown"
        found.append(f"{good} {serves}")
        profile = (aim.model, aim.known_good) in control.profiles
        found.append(f"{good} has {'a' if profile else 'no'} reference profile in the ledger")
    return found


def impact(control: Control, aims: Sequence[Aim], steps: Sequence[Step]) -> Impact:
    """Return the impact of these steps, which serve some of the aims."""
    targets = {step.target for step in steps}
    served = [aim for aim in aims if aim.target in targets]
    models = sorted({aim.model for aim in served})
    below = dependents(control.systems, models)
    checks = [check for aim in served for check in _checks(control, aim, steps)]
    percent = max((moved_percent(step) for step in steps), default=0)
    reads = f"; {len(below)} models read their output" if below else ""
    return Impact(
        dependents=below,
        traffic_percent=percent,
        reversible=all(target.partition(":")[0] in REVERSIBLE for target in targets),
        checks=tuple(dict.fromkeys(checks)),
        expected=f"{percent} % of the traffic of {', '.join(models)} moves away from the affected versions{reads}",
    )
