"""The faults of drills, each at the place where it begins in life: a pipeline, a version, an instance, a caller."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.documents import Frozen
from schemas.drill_models import Column, Outcome, Served, Share
from schemas.systems import Name

Version = Annotated[str, Field(min_length=1, max_length=256)]


class OnModel(Frozen):
    """What every fault says: the model, and the version where it is one's own fault; else all of them."""

    of_version: ClassVar[bool] = True

    model: Name
    version: Version | None = None

    def named(self) -> tuple[str, ...]:
        """Return the inputs that it speaks of."""
        return ()

    def require(self, served: Served) -> None:
        """Raise ValueError where the model has nothing of what the fault speaks of."""
        if unknown := [name for name in self.named() if name not in served.features]:
            raise ValueError(f"{self.model} has no feature {unknown[0]}")
        if self.version is not None and not self.of_version:
            raise ValueError(f"{self.model}:{self.version} cannot have changed life or its callers; leave version out")


class _OfFeature(OnModel):
    feature: Column

    def named(self) -> tuple[str, ...]:
        """Return the input."""
        return (self.feature,)


class _OfNumber(_OfFeature):
    def require(self, served: Served) -> None:
        """Raise ValueError where the model has no such feature, or one of categories."""
        super().require(served)
        if served.features[self.feature].values:
            raise ValueError(f"the feature {self.feature} of {self.model} is no number")


class Units(_OfNumber):
    """A pipeline hands a number over in another unit: times `factor`, plus `offset`."""

    kind: Literal["units"]
    factor: float = 1.0
    offset: float = 0.0


class Stuck(_OfFeature):
    """A pipeline hands over one value, whatever the input: a default of a store that does not answer."""

    kind: Literal["stuck"]
    value: float | Outcome


class Missing(_OfFeature):
    """A share of an input is missing."""

    kind: Literal["missing"]
    share: Share


class Swapped(OnModel):
    """Two inputs arrive in each other's place."""

    kind: Literal["swapped"]
    features: tuple[Column, Column]

    def named(self) -> tuple[str, ...]:
        """Return both inputs."""
        return self.features


class Population(_OfNumber):
    """Those who ask have changed: a number lies `by` standard deviations higher, in life as in the model's inputs."""

    of_version: ClassVar[bool] = False

    kind: Literal["population"]
    by: float


class Concept(OnModel):
    """What is true has changed, and no input shows it: this share of the truth is the other outcome."""

    of_version: ClassVar[bool] = False

    kind: Literal["concept"]
    share: Share


class Bias(OnModel):
    """A version gives this outcome to a share of one group, whatever their inputs."""

    kind: Literal["bias"]
    group: Column
    value: Outcome
    outcome: Outcome
    share: Share = 1.0

    def require(self, served: Served) -> None:
        """Raise ValueError where the model has no such group or outcome."""
        if self.value not in served.groups.get(self.group, {}):
            raise ValueError(f"{self.model} has no group {self.group} = {self.value}")
        if self.outcome not in served.outcomes:
            raise ValueError(f"{self.model} has no outcome {self.outcome}")


class Poisoned(_OfFeature):
    """A version learned from poisoned data: above this quantile of an input it says the other outcome."""

    kind: Literal["poisoned"]
    above: float = Field(ge=0, lt=1)


class Unsafe(OnModel):
    """A share of the outputs is unsafe, as a guardrail sees it."""

    kind: Literal["unsafe"]
    judge: Column
    share: Share

    def require(self, served: Served) -> None:
        """Raise ValueError where no such guardrail scores the model."""
        if self.judge not in served.judges:
            raise ValueError(f"{self.model} has no judge {self.judge}")


class Replaced(OnModel):
    """Another model answers under the same name and version: its weights times `factor`, its intercept plus `shift`."""

    kind: Literal["replaced"]
    factor: float = 1.0
    shift: float = 0.0


class Slow(OnModel):
    """Requests take so many milliseconds more."""

    kind: Literal["slow"]
    by_ms: float = Field(gt=0, le=5000)


class Failing(OnModel):
    """A share of the requests fails, and the instance says so in its health."""

    kind: Literal["failing"]
    share: Share


class Extraction(OnModel):
    """One caller walks the inputs along a grid, and sends this share of all rows."""

    of_version: ClassVar[bool] = False

    kind: Literal["extraction"]
    caller: Outcome = "walker"
    share: Share = 0.5


Fault = Annotated[
    Units
    | Stuck
    | Missing
    | Swapped
    | Population
    | Concept
    | Bias
    | Poisoned
    | Unsafe
    | Replaced
    | Slow
    | Failing
    | Extraction,
    Field(discriminator="kind"),
]
