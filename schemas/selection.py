"""Which thresholds judge which model: rules of policy by mode, sensitivity, impact tier, third party and model name."""

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self, get_args

from pydantic import Field, StringConstraints, ValidationError, model_validator

from schemas.documents import Frozen
from schemas.systems import STRICTEST_TIER, Sensitivity, System, Tier
from schemas.thresholds import Thresholds
from schemas.values import Mode

STRICTEST_SENSITIVITY: Sensitivity = "special"

MAX_RULES = 32
NO_RULE = "default"
"""What a signal cites where no rule of policy speaks of its model."""

_OF_A_PARTITION = frozenset({"max_monitors"})
_OF_A_MODEL = frozenset({"max_sources", "labels"})

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=256)]


@dataclass(frozen=True, slots=True)
class Traits:
    """What rules select a model by."""

    model: str
    sensitivity: Sensitivity
    tier: Tier
    third_party: bool


def traits_of(model: str, system: System | None) -> Traits:
    """Return a model's traits; one that no system declares has the strictest tier and sensitivity."""
    if system is None:
        return Traits(model, STRICTEST_SENSITIVITY, STRICTEST_TIER, third_party=False)
    return Traits(model, system.sensitivity, system.tier, system.third_party)


class ThresholdRule(Frozen):
    """Thresholds that differ where all of this matches; an empty list matches everything."""

    name: RuleName
    modes: tuple[Mode, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    tiers: tuple[Tier, ...] = ()
    third_party: bool | None = Field(None, description="only third-party models, or only our own; both where unset")
    models: tuple[ModelName, ...] = ()
    thresholds: dict[str, Any] = Field(min_length=1, description="fields of [detection] and their values here")

    def matches(self, traits: Traits, mode: Mode | None) -> bool:
        """Whether the rule speaks of a model in a mode; without a mode, of all its modes together."""
        return (
            (not self.modes or mode in self.modes)
            and (not self.sensitivities or traits.sensitivity in self.sensitivities)
            and (not self.tiers or traits.tier in self.tiers)
            and (self.third_party is None or traits.third_party is self.third_party)
            and (not self.models or traits.model in self.models)
        )

    @model_validator(mode="after")
    def _only_what_a_monitor_has(self) -> Self:
        for name in sorted(_OF_A_PARTITION & self.thresholds.keys()):
            raise ValueError(f"{name} holds for a whole partition, so no rule can change it")
        for name in sorted(_OF_A_MODEL & self.thresholds.keys()) if self.modes else ():
            raise ValueError(f"{name} is shared by all modes of a model, so a rule with modes cannot change it")
        return self


@dataclass(frozen=True, slots=True)
class Selected:
    """The thresholds that judge a model in a mode, and the names of the rules that made them, in their order."""

    rule: str
    thresholds: Thresholds


class Detection(Thresholds):
    """The policy's part on detection: thresholds for all, and rules under which some differ."""

    when: tuple[ThresholdRule, ...] = Field((), max_length=MAX_RULES)

    def select(self, traits: Traits, mode: Mode | None) -> Selected:
        """Return the base with what each matching rule changes, the last rule last."""
        return self._made([rule for rule in self.when if rule.matches(traits, mode)])

    @model_validator(mode="after")
    def _every_selection_is_valid(self) -> Self:
        names = [rule.name for rule in self.when]
        for name in names:
            if names.count(name) > 1 or name == NO_RULE:
                raise ValueError(f"{name} names two rules, or is {NO_RULE!r}; a signal could not say which applied")
        for rules in self._selections():
            try:
                self._made(rules)
            except ValidationError as error:
                first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                place = ".".join(str(part) for part in first["loc"])
                where = " + ".join(rule.name for rule in rules)
                raise ValueError(f"rule {where}: {place + ': ' if place else ''}{first['msg']}") from None
        return self

    def _made(self, rules: Iterable[ThresholdRule]) -> Selected:
        rules = list(rules)
        values = self.model_dump(exclude={"when"})
        for rule in rules:
            values = _merged(values, rule.thresholds)
        return Selected(" + ".join(rule.name for rule in rules) or NO_RULE, Thresholds.model_validate(values))

    def _selections(self) -> list[list[ThresholdRule]]:
        """Return every set of rules that can meet: over all traits, and models named alike by the rules."""
        named: dict[frozenset[str], str] = {frozenset(): ""}
        for model in sorted({model for rule in self.when for model in rule.models}):
            named.setdefault(frozenset(rule.name for rule in self.when if model in rule.models), model)
        found: dict[tuple[str, ...], list[ThresholdRule]] = {}
        kinds = itertools.product(named.values(), get_args(Sensitivity), get_args(Tier), (False, True), (None, *Mode))
        for model, sensitivity, tier, third_party, mode in kinds:
            traits = Traits(model, sensitivity, tier, third_party)
            rules = [rule for rule in self.when if rule.matches(traits, mode)]
            found.setdefault(tuple(rule.name for rule in rules), rules)
        return list(found.values())


def _merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, change in changes.items():
        before = merged.get(name)
        merged[name] = _merged(before, change) if isinstance(before, dict) and isinstance(change, dict) else change
    return merged
