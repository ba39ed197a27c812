"""Who approves what is told to whom, and how often an audience must hear: a part of the policy document."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field, model_validator

from schemas.approving import Seconds
from schemas.authority import permitted
from schemas.case.messages import Audience
from schemas.documents import Frozen
from schemas.values import Role, Severity

APPROVERS: Mapping[Audience, tuple[Role, ...]] = MappingProxyType(
    {
        Audience.EXECUTIVE: (Role.ML_MANAGER,),
        Audience.LEGAL: (Role.LEGAL,),
        Audience.CUSTOMER_SERVICE: (Role.ML_MANAGER,),
        Audience.AFFECTED_USERS: (Role.LEGAL, Role.COMPLIANCE),
        Audience.PARTNERS: (Role.LEGAL, Role.COMPLIANCE),
        Audience.VENDOR: (Role.ML_MANAGER,),
    }
)
"""Whose word an audience's draft needs where the policy names nobody: one person of one of these roles."""


class Cadence(Frozen):
    """How often an audience must hear while the response goes on."""

    every_seconds: Seconds = Field(description="seconds from the declaration, and then from each message, to the next")


class CommunicationPolicy(Frozen):
    """Approvers by audience, and by severity how often which audience must hear."""

    approvers: dict[Audience, tuple[Role, ...]] = Field(
        default_factory=dict, description="roles of which one person agrees to a draft; what is not named is as shipped"
    )
    audiences: dict[Severity, dict[Audience, Cadence]] = Field(
        default_factory=dict, description="who must hear, and how often; nobody where a severity is not named"
    )

    @model_validator(mode="after")
    def _persons_approve(self) -> "CommunicationPolicy":
        for audience, roles in self.approvers.items():
            if not roles:
                raise ValueError(f"somebody must be able to approve what {audience.value} is told")
            for role in roles:
                if role.service or not permitted(frozenset({role}), "ApproveMessage"):
                    raise ValueError(f"{role.value} may not approve messages; name a role of people that may")
        return self

    def approvers_of(self, audience: Audience) -> tuple[Role, ...]:
        """Return the roles of which one person must agree to a draft."""
        return self.approvers.get(audience, APPROVERS[audience])

    def every_ms(self, severity: Severity, audience: Audience) -> int:
        """Return how often (ms) an audience must hear; 0 where the policy asks nothing."""
        cadence = self.audiences.get(severity, {}).get(audience)
        return cadence.every_seconds * 1000 if cadence else 0
