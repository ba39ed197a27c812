"""What detection judges by: the policy in force, which of its rules speak of a model, and the references adopted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.detection.reference import Adopted
from schemas.selection import NO_RULE, Detection, Selected, Traits, traits_of
from schemas.systems import Systems
from schemas.thresholds import Thresholds
from schemas.values import Mode

NO_SYSTEMS = Systems(version=1)

_Key = tuple[Traits, Mode | None, tuple[tuple[str, ...], str]]


@dataclass(frozen=True, slots=True)
class Standard:
    """The policy's digest and its part on detection, and the systems; replaced as a whole when another is adopted.

    thresholds
        A schemas.selection.Detection, or plain thresholds that judge every model alike.
    profiles
        Profiles by model and version; a version without one learns from its first rows.
    """

    policy: str
    thresholds: Thresholds
    systems: Systems = NO_SYSTEMS
    profiles: Mapping[tuple[str, str], Adopted] = field(default_factory=dict)
    _known: dict[_Key, Selected] = field(default_factory=dict, compare=False, repr=False)

    def select(self, model: str, mode: Mode | None = None) -> Selected:
        """Return the thresholds of a model in a mode, or those that all its modes share, and the rules behind them."""
        rules = self.thresholds if isinstance(self.thresholds, Detection) and self.thresholds.when else None
        found = self.systems.find(model)
        declared = (found[1].protected_groups, found[2].favourable) if found else ((), "")
        # Names come from outside without end; what is remembered is bounded by the names that rules speak of.
        named = rules is not None and any(model in rule.models for rule in rules.when)
        traits = traits_of(model if named else "", found[1] if found else None)
        key = traits, mode, declared
        if key not in self._known:
            selected = Selected(NO_RULE, self.thresholds) if rules is None else rules.select(traits, mode)
            self._known[key] = Selected(selected.rule, _with_declared(selected.thresholds, *declared))
        return self._known[key]


def _with_declared(thresholds: Thresholds, groups: tuple[str, ...], favourable: str) -> Thresholds:
    """Return thresholds with the groups and the outcome that a system declares, where policy names none."""
    fairness = thresholds.fairness
    changes = {"groups": fairness.groups or groups, "favourable": fairness.favourable or favourable}
    if (fairness.groups, fairness.favourable) == (changes["groups"], changes["favourable"]):
        return thresholds
    return thresholds.model_copy(update={"fairness": fairness.model_copy(update=changes)})
