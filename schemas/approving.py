"""Who decides on a plan, what is approved in advance, and who may break the glass: parts of the policy document."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from schemas.authority import permitted
from schemas.documents import Frozen
from schemas.ids import sound
from schemas.systems import Tier
from schemas.values import Category, Role, Severity

Seconds = Annotated[int, Field(ge=1, le=86_400 * 30)]
RuleName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
TargetKind = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,32}$")]


def _require_persons(roles: tuple[Role, ...], kind: str) -> None:
    for role in roles:
        if role.service:
            raise ValueError(f"{role.value} is a service's role; services never approve")
        if not permitted(frozenset({role}), kind):
            raise ValueError(f"{role.value} may not issue {kind}, so nobody could ever decide so")


class Factor(Frozen):
    """So many distinct persons of one role."""

    role: Role
    count: int = Field(1, ge=1, le=9)


class ApprovalRule(Frozen):
    """How many persons of which roles decide on a plan, and within which time."""

    role: Role = Role.ML_MANAGER
    quorum: int = Field(1, ge=1, le=9, description="distinct persons who must agree")
    factors: tuple[Factor, ...] = Field(
        (), max_length=6, description="distinct persons by role, instead of `role`; each person fills one place"
    )
    denials: int = Field(1, ge=1, le=9, description="distinct persons whose refusal ends the plan")
    step_up: bool = Field(False, description="an approval counts only with the plan's digest confirmed anew")
    step_up_within: Seconds = Field(300, description="seconds that such a confirmation is fresh")
    decide_within: Seconds = Field(1800, description="seconds until an undecided plan expires")
    execute_within: Seconds = Field(600, description="seconds from the last approval until it may no longer start")

    @model_validator(mode="after")
    def _persons_decide(self) -> "ApprovalRule":
        _require_persons(tuple(factor.role for factor in self.needs), "Approve")
        roles = [factor.role for factor in self.needs]
        if len(set(roles)) < len(roles):
            raise ValueError("each role is one factor; give it a count")
        return self

    @property
    def needs(self) -> tuple[Factor, ...]:
        """The places to be filled, by role."""
        return self.factors or (Factor(role=self.role, count=self.quorum),)

    @property
    def persons(self) -> int:
        """Distinct persons in all."""
        return max(self.quorum, sum(factor.count for factor in self.needs))


class StandingRule(Frozen):
    """Containment that is approved in advance: reversible steps of such cases start at once, and are reviewed after."""

    name: RuleName
    severities: tuple[Severity, ...] = Field(min_length=1)
    categories: tuple[Category, ...] = ()
    tiers: tuple[Tier, ...] = Field((), description="every affected model must be of one of these; empty: any")
    target_kinds: tuple[TargetKind, ...] = Field(
        min_length=1, description="such as envoy: what stands before the colon"
    )
    per_day: int = Field(3, ge=1, le=1000, description="plans that may use it within 24 hours")
    review_within: Seconds = Field(86_400, description="seconds until each use must have been reviewed")
    reviewer: Role = Role.ML_MANAGER

    @model_validator(mode="after")
    def _a_person_reviews(self) -> "StandingRule":
        _require_persons((self.reviewer,), "ReviewStanding")
        return self


class BreakGlassRule(Frozen):
    """Who may start one reversible containing step without the quorum, and who reviews it afterwards."""

    roles: tuple[Role, ...] = Field((), description="nobody, unless named here or by `commander`")
    commander: bool = Field(False, description="whoever has the duty of commander on the case, too")
    minutes: int = Field(60, ge=1, le=60, description="longest time that a broken glass lasts")
    review_within: Annotated[int, Field(ge=1, le=86_400)] = 86_400
    reviewers: tuple[Role, ...] = Field((Role.COMPLIANCE, Role.VALIDATOR, Role.ML_MANAGER), min_length=1)

    @model_validator(mode="after")
    def _persons_only(self) -> "BreakGlassRule":
        _require_persons(self.roles, "BreakGlass")
        _require_persons(self.reviewers, "ReviewBreakGlass")
        return self


class Persons(Frozen):
    """Principals who take no part in decisions, and for how long a person may be stood in for."""

    excluded: tuple[str, ...] = Field((), max_length=100, description="principals whose approval never counts")
    executor_owners: tuple[str, ...] = Field(
        (), max_length=20, description="principals who own the executing service: their approval never counts either"
    )
    delegation_days: int = Field(14, ge=1, le=90, description="longest time for which a right to decide is delegated")

    @model_validator(mode="after")
    def _are_principals(self) -> "Persons":
        for name in (*self.excluded, *self.executor_owners):
            if not sound(name):
                raise ValueError(f"{name[:80]} is no principal; `headgate keys list` shows them")
        return self
