"""What detection judges by: the policy in force, which of its rules speak of a model, and the references adopted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.detection.reference import Adopted
from schemas.selection import NO_RULE, Detection, Selected, Traits, traits_of
from schemas.systems import Systems
from schemas.thresholds import Thresholds
from schemas.values import Mode

NO_SYSTEMS = Systems(version=1)


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
    _known: dict[tuple[Traits, Mode | None], Selected] = field(default_factory=dict, compare=False, repr=False)

    def select(self, model: str, mode: Mode | None = None) -> Selected:
        """Return the thresholds of a model in a mode, or those that all its modes share, and the rules behind them."""
        if not isinstance(self.thresholds, Detection) or not self.thresholds.when:
            return Selected(NO_RULE, self.thresholds)
        found = self.systems.find(model)
        # Names come from outside without end; what is remembered is bounded by the names that rules speak of.
        named = any(model in rule.models for rule in self.thresholds.when)
        traits = traits_of(model if named else "", found[1] if found else None)
        if (traits, mode) not in self._known:
            self._known[traits, mode] = self.thresholds.select(traits, mode)
        return self._known[traits, mode]
