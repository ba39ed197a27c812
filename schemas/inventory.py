"""What an inventory says of a system beyond its models: who provides it, where it is used, which law speaks of it."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.documents import Frozen

Jurisdiction = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
"""EU, a country (ISO 3166-1 alpha-2) or a part of one (ISO 3166-2), such as DE or US-CA."""

Regime = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$")]
"""A regime of the clock catalogue, by its name."""

OperatorRole = Literal["provider", "deployer", "both", "importer", "distributor"]
"""What the operator is to the system (Regulation (EU) 2024/1689, Art. 3(3)-(7)); both where it built what it uses."""

CONTRACT = "contract"
"""Stands in a clock's name where a regime would: no regime is called so."""

SlaName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Hours = Annotated[float, Field(gt=0, le=8784)]
Owed = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Vendor(Frozen):
    """Whoever provides a third party's system, and what they owe when it fails."""

    name: str = Field(min_length=1, max_length=200)
    contact: str = Field(min_length=1, max_length=300, description="how they are told of an incident")
    sla_hours: dict[SlaName, Hours] = Field(
        default_factory=dict, max_length=16, description="hours that the contract gives them, by what for: acknowledge"
    )
    evidence_owed: tuple[Owed, ...] = Field((), max_length=16, description="what they must hand over, each in a phrase")
    rollback: bool | None = Field(None, description="whether they bring an earlier version back; unknown if not said")
    fallback: str = Field("", max_length=500, description="what does the work while theirs is out of service")
