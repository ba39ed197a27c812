"""What a drill's servers and requests are told: which models there are, by which instances, and what is wrong now."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from zlib import crc32

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from schemas.documents import Frozen
from schemas.drill_faults import Fault
from schemas.drill_models import Served
from schemas.drills import Scenario
from schemas.errors import PolicyError
from schemas.systems import Model
from streams.serving.files import Watched

GROUP = "group:"
CALLER = "request:caller"
"""Columns of a request that are no inputs: a group's name after its prefix, and the caller's pseudonym."""

Faults = tuple[Fault, ...]
_Named = TypeAdapter(dict[str, Faults])


class Hosted(Frozen):
    """A model as it is served.

    route
        Its name at the gateway.
    versions
        The instances of each, by name.
    """

    model: str
    route: str
    seed: int
    served: Served
    versions: Mapping[str, tuple[str, ...]] = Field(min_length=1)

    def chance(self, *of: int | str) -> np.random.Generator:
        """Return the dice for one request: the same request, the same throws."""
        return np.random.default_rng([self.seed, *(crc32(str(part).encode()) for part in (self.model, *of))])


class Hosting(Frozen):
    """Every model of a drill."""

    models: tuple[Hosted, ...] = Field(min_length=1)


def hosting(scenarios: Iterable[Scenario]) -> Hosting:
    """Return what is to be served for these scenarios, no two of which declare the same model."""
    return Hosting(
        models=tuple(
            _hosted(model, declared, scenario)
            for scenario in scenarios
            for system in scenario.systems.values()
            for model, declared in system.models.items()
        )
    )


def read_hosting(file: Path) -> Hosting:
    """Read what is to be served; PolicyError where the file says nothing of use."""
    try:
        return Hosting.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise PolicyError(f"{file} does not say which models are served: {type(error).__name__}") from None


def written(faults: Mapping[str, Faults]) -> str:
    """Return the faults that are on, by the step that began them, as a file says it."""
    return _Named.dump_json(dict(faults)).decode()


def watched(file: Path | None) -> Watched[Faults]:
    """Return which faults are on; no file, or one of no use, is none."""
    return Watched(file, _read, ())


def _read(text: str) -> Faults:
    return tuple(fault for faults in _Named.validate_json(text).values() for fault in faults)


def _hosted(name: str, model: Model, scenario: Scenario) -> Hosted:
    served = scenario.served[name]
    versions = model.versions or ((model.known_good,) if model.known_good else ("1",))
    if unknown := [version for version in served.instances if version not in versions]:
        raise PolicyError(f"{name} has no version {unknown[0]}, but instances of it")
    return Hosted(
        model=name,
        route=model.traffic.partition(":")[2] if model.traffic else name,
        seed=scenario.seed,
        served=served,
        versions={
            version: tuple(f"v{version}-{number}" for number in range(1, served.instances.get(version, 1) + 1))
            for version in versions
        },
    )
