"""How a drill's model behaves: its inputs, its outcomes, who asks it, and when the truth is known."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from schemas.documents import Frozen
from schemas.systems import Name

Column = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Share = Annotated[float, Field(gt=0, le=1)]
Outcome = Annotated[str, StringConstraints(min_length=1, max_length=64)]


class Feature(Frozen):
    """One input: a number around `mean`, or one of `values` by their shares, or what another model said.

    weight
        What one standard deviation (or, of a category, each step along `values`) adds to the log-odds of the second
        outcome.
    """

    mean: float = 0.0
    sd: float = Field(1.0, gt=0)
    skewed: bool = Field(default=False, description="lognormal of this mean and standard deviation")
    values: Mapping[Outcome, Share] = Field(default_factory=dict, max_length=20)
    reads: Name | None = Field(None, description="model whose probability of its second outcome this is")
    weight: float = 0.0

    @model_validator(mode="after")
    def _shares_are_whole(self) -> "Feature":
        if self.values and abs(sum(self.values.values()) - 1.0) > 1e-6:
            raise ValueError("the shares of a feature's values sum to 1")
        if self.skewed and self.mean <= 0:
            raise ValueError("a skewed feature has a mean above 0")
        return self


class Served(Frozen):
    """A model that answers from a logistic formula of its inputs; what is true follows the same formula.

    A version is served by one instance, except where `instances` says otherwise. Of a model with several versions each
    gets an equal share of the requests.
    """

    outcomes: tuple[Outcome, Outcome] = ("no", "yes")
    intercept: float = 0.0
    features: Mapping[Column, Feature] = Field(min_length=1, max_length=20)
    rows_per_second: int = Field(500, ge=1, le=1000)
    instances: Mapping[str, int] = Field(default_factory=dict)
    groups: Mapping[Column, Mapping[Outcome, Share]] = Field(default_factory=dict, max_length=2)
    label_after_seconds: float | None = Field(None, gt=0, le=60, description="until the truth is reported; never")
    judges: tuple[Column, ...] = Field((), max_length=4, description="guardrails that score each output, 0 harmless")
    callers: int = Field(0, ge=0, le=1000, description="how many callers ask it, by their pseudonyms; 0, unknown")
    probed: bool = Field(default=False, description="canary probes ask it, as one asks a third party's model")
