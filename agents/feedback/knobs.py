"""Which setting of policy a signal was measured against, and how large the change was in that setting's own unit.

Only settings are here of which a detector says that it raises nothing below them: its threshold is the setting itself,
or what is usual and the setting together. A signal then says exactly what setting would have kept it quiet.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agents.detection.sample import BAD
from schemas.policy import Policy
from schemas.selection import NO_RULE
from schemas.signals import Evidence

Path = tuple[str, ...]
"""The names that lead to a setting below [detection]."""

_Measure = Callable[[Evidence, float], float]


def _itself(found: Evidence, _setting: float) -> float:
    return found.value


def _above(found: Evidence, setting: float) -> float:
    """Return the rise above what was usual, where threshold = usual + setting."""
    return found.value - (found.threshold - setting)


def _below(found: Evidence, setting: float) -> float:
    """Return the fall below what was usual, where threshold = usual − setting."""
    return (found.threshold + setting) - found.value


def _either(found: Evidence, setting: float) -> float:
    """Return the rise of a size that may have either sign."""
    return abs(found.value) - (abs(found.threshold) - setting)


def _times(found: Evidence, setting: float) -> float:
    """Return the factor over what was usual, where threshold = usual × setting."""
    return setting * found.value / found.threshold if found.threshold > 0 else 0.0


_KNOBS: Mapping[tuple[str, str, str], tuple[Path, _Measure]] = {
    ("psi", "psi", "reference"): (("psi",), _itself),
    ("psi", "psi", "rolling"): (("psi",), _itself),
    ("jump", "jump", "rolling"): (("drift", "jump"), _itself),
    **{("quality", kind, "reference"): (("quality", "rise"), _above) for kind in BAD},
    ("performance", "share", "rolling"): (("performance", "error_rise"), _above),
    ("performance", "share", "reference"): (("performance", "slow_rise"), _above),
    ("performance", "mean", "rolling"): (("performance", "residual_factor"), _times),
    ("calibration", "calibration_gap", "reference"): (("calibration", "gap"), _either),
    ("estimate", "estimated_accuracy", "rolling"): (("calibration", "fall"), _below),
    ("canary", "changed_answers", "reference"): (("canary", "changed_share"), _above),
}
"""By detector, statistic and baseline."""


def _at(values: Mapping[str, Any], path: Path) -> float | None:
    found: Any = values
    for name in path:
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return float(found) if isinstance(found, int | float) else None


def setting(policy: Policy, rule: str, path: Path) -> float:
    """Return a setting of policy: of the rule of this name, or for all where it is empty."""
    own = next((one.thresholds for one in policy.detection.when if one.name == rule), None)
    found = _at(own, path) if own is not None else None
    return found if found is not None else float(_at(policy.detection.model_dump(exclude={"when"}), path) or 0.0)


def rule_of(policy: Policy, applied: str, path: Path) -> str:
    """Return the rule that decides a setting where these rules applied (as a signal cites them); empty for none."""
    named = [] if applied == NO_RULE else applied.split(" + ")
    rules = [one.name for one in policy.detection.when if one.name in named and _at(one.thresholds, path) is not None]
    return rules[-1] if rules else ""


def measured(found: Evidence, judged_under: Policy) -> tuple[Path, float] | None:
    """Return the setting that a signal was measured against, and its size in that unit; None where none says it all.

    Parameters
    ----------
    judged_under
        The policy that the signal was raised under.
    """
    knob = _KNOBS.get((found.detector, found.statistic, found.baseline))
    if knob is None:
        return None
    path, measure = knob
    return path, measure(found, setting(judged_under, rule_of(judged_under, found.rule, path), path))
