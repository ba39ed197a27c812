"""What is watched: systems and their models, with tier, owner, dependencies, targets and the known-good version."""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from schemas import documents
from schemas.documents import Frozen
from schemas.inventory import CONTRACT, Jurisdiction, OperatorRole, Regime, Vendor
from schemas.output_rules import MAX_RULES, OutputRule, require_distinct
from schemas.probing import Probe
from schemas.values import Role

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,127}$")]
GroupName = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Tier = Literal["high", "medium", "low"]
STRICTEST_TIER: Tier = "high"
Sensitivity = Literal["special", "personal", "internal", "public"]

_TARGET = re.compile(r"envoy:[\w.-]{1,128}|mlflow:[\w.-]{1,128}/[\w.-]{1,128}", re.ASCII)


class Model(Frozen):
    """One model: where its traffic and its registry alias are, and which version to fall back on."""

    versions: tuple[str, ...] = Field((), description="versions that the gateway knows, in any order")
    known_good: str | None = Field(None, description="version to roll back to")
    traffic: str | None = Field(None, description="target that carries its traffic, envoy:<model>")
    registry: str | None = Field(None, description="target that names its version, mlflow:<model>/<alias>")
    favourable: str = Field(
        "", max_length=256, description="its favourable outcome, where policy names none: fairness compares its shares"
    )
    depends_on: tuple[Name, ...] = Field((), description="models whose output it reads")
    fallback: str = Field(
        "", max_length=500, description="what does its work while it is out of service, where no version can"
    )
    probe: Probe | None = Field(None, description="canary probes that say whether it is still the same model")
    output_rules: tuple[OutputRule, ...] = Field(
        (), max_length=MAX_RULES, description="what its outputs must keep to; checked when an incident opens"
    )

    @model_validator(mode="after")
    def _output_rules_have_names(self) -> "Model":
        require_distinct(self.output_rules)
        return self

    @model_validator(mode="after")
    def _targets_are_known(self) -> "Model":
        for target in (self.traffic, self.registry):
            if target is not None and not _TARGET.fullmatch(target):
                raise ValueError(f"{target} is no target; write envoy:<model> or mlflow:<model>/<alias>")
        if (self.traffic or self.registry) and not self.known_good:
            raise ValueError("a model with a target needs known_good, the version to roll back to")
        if self.known_good and self.versions and self.known_good not in self.versions:
            raise ValueError(f"known_good {self.known_good} is not among its versions")
        return self


class System(Frozen):
    """Models that serve one purpose, under one owner."""

    scope: str = Field(description="what it decides, in a sentence")
    owner: Role = Field(Role.ML_MANAGER, description="role that owns its incidents")
    tier: Tier = STRICTEST_TIER
    sensitivity: Sensitivity = "personal"
    third_party: bool = False
    drill: bool = Field(default=False, description="serves exercises: its incidents are flagged, and kept apart")
    vendor: Vendor | None = Field(None, description="who provides it, where a third party does")
    jurisdictions: tuple[Jurisdiction, ...] = Field(
        (), max_length=32, description="where it is used, the first being the operator's own: EU, DE, US-CA"
    )
    regulations: tuple[Regime, ...] = Field((), max_length=32, description="regimes that speak of it, by their names")
    operator_role: OperatorRole = Field("both", description="what the operator is to it under Regulation 2024/1689")
    protected_groups: tuple[GroupName, ...] = Field(
        (), max_length=8, description="group columns that are judged for fairness where policy names none"
    )
    models: dict[Name, Model] = Field(min_length=1)

    @model_validator(mode="after")
    def _a_person_owns_it(self) -> "System":
        if self.owner.service:
            raise ValueError(f"{self.owner.value} is a service's role; a system is owned by people")
        return self

    @model_validator(mode="after")
    def _only_a_third_partys_has_a_vendor(self) -> "System":
        if self.vendor is not None and not self.third_party:
            raise ValueError("a system with a vendor is a third party's: write third_party = true")
        return self

    @model_validator(mode="after")
    def _a_contract_is_no_regime(self) -> "System":
        if CONTRACT in self.regulations:
            raise ValueError(f"{CONTRACT} is no regime: its name stands for what vendors owe, which [vendor] says")
        return self

    @property
    def jurisdiction(self) -> str:
        """The operator's own jurisdiction; empty where none is declared."""
        return self.jurisdictions[0] if self.jurisdictions else ""


class Systems(Frozen):
    """The whole systems document."""

    version: int = Field(ge=1, le=1)
    systems: dict[Name, System] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_system_a_model(self) -> "Systems":
        owner: dict[str, str] = {}
        for name, system in self.systems.items():
            for model in system.models:
                if model in owner:
                    raise ValueError(f"model {model} is declared in both {owner[model]} and {name}")
                owner[model] = name
        for name, system in self.systems.items():
            for model, declared in system.models.items():
                unknown = [upstream for upstream in declared.depends_on if upstream not in owner]
                if unknown:
                    raise ValueError(f"{name}: {model} depends on {unknown[0]}, which no system declares")
                if any(self.systems[owner[upstream]].drill != system.drill for upstream in declared.depends_on):
                    raise ValueError(f"{name}: {model}: a drill's model and a real one do not depend on each other")
        self._require_distinct_targets()
        return self

    def _require_distinct_targets(self) -> None:
        owner: dict[str, str] = {}
        for system in self.systems.values():
            for name, model in system.models.items():
                for target in (model.traffic, model.registry):
                    if target is not None and owner.setdefault(target, name) != name:
                        raise ValueError(f"target {target} belongs to both {owner[target]} and {name}")

    def is_drills(self, model: str) -> bool:
        """Whether a model serves exercises; one that nobody declares is real."""
        found = self.find(model)
        return found is not None and found[1].drill

    def find(self, model: str) -> tuple[str, System, Model] | None:
        """Return the system that declares a model, or None: an undeclared model is judged by the strictest tier."""
        for name, system in self.systems.items():
            if model in system.models:
                return name, system, system.models[model]
        return None


def read(document: bytes, name: str = "the systems document") -> Systems:
    """Validate a systems document; PolicyError says where it is wrong."""
    return documents.read(Systems, document, name)
