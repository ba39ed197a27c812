"""What a model's outputs must keep to: range, allowed values, rate of adverse outcomes, disparity between groups."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.documents import Frozen

RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Value = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Part = Annotated[float, Field(ge=0, le=1)]

MAX_RULES = 16


class _Rule(Frozen):
    name: RuleName
    min_rows: int = Field(100, ge=1, le=1_000_000, description="outputs below which there is not enough data")


class RangeRule(_Rule):
    """Each output is a number from minimum to maximum."""

    kind: Literal["range"]
    minimum: float | None = None
    maximum: float | None = None
    max_share: Part = Field(0.0, description="share of outputs that may be outside")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.minimum is None and self.maximum is None:
            raise ValueError("a range has a minimum, a maximum, or both")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("the minimum is above the maximum")
        return self


class AllowedRule(_Rule):
    """Each output is one of these."""

    kind: Literal["allowed"]
    values: tuple[Value, ...] = Field(min_length=1, max_length=1000)
    max_share: Part = Field(0.0, description="share of outputs that may be others")


class _OfOutcome(_Rule):
    adverse: tuple[Value, ...] = Field((), max_length=100, description="outputs that are adverse to a person")
    above: float | None = Field(None, description="or: a number above this is adverse")
    below: float | None = Field(None, description="or: a number below this is adverse")

    @model_validator(mode="after")
    def _says_what_is_adverse(self) -> Self:
        if not self.adverse and self.above is None and self.below is None:
            raise ValueError("say which outputs are adverse: adverse = [...], above or below")
        return self


class AdverseRule(_OfOutcome):
    """Adverse outcomes are at most this share of the outputs."""

    kind: Literal["adverse_rate"]
    max_rate: Part


class DisparityRule(_OfOutcome):
    """The share of adverse outcomes differs little between the groups of a column; min_rows holds for each group.

    A ratio is that of favourable outcomes, the least favoured group's over the most favoured one's: 0.8 is the
    four-fifths rule (29 CFR 1607.4 D).
    """

    kind: Literal["disparity"]
    group: Value
    max_gap: Part | None = None
    min_ratio: Part | None = None

    @model_validator(mode="after")
    def _has_a_limit(self) -> Self:
        if self.max_gap is None and self.min_ratio is None:
            raise ValueError("a disparity has max_gap, min_ratio, or both")
        return self


OutputRule = Annotated[RangeRule | AllowedRule | AdverseRule | DisparityRule, Field(discriminator="kind")]


def require_distinct(rules: tuple[RangeRule | AllowedRule | AdverseRule | DisparityRule, ...]) -> None:
    """Raise ValueError where two rules have one name: a report could not say which of them failed."""
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} names two output rules")
