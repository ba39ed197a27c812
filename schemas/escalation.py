"""Escalation policies: which cases they speak of, whom they page when, and where they end."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from schemas.addressees import Name, Target, webhook
from schemas.avro import Millis
from schemas.documents import Frozen
from schemas.rota import Hours, Zone
from schemas.systems import Tier
from schemas.values import Category, Severity

Seconds = Annotated[int, Field(ge=0, le=86_400 * 7)]


class Ack(StrEnum):
    """Whose acknowledgement stops a step."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What is known of a case when it is decided whom to page.

    uncertainty, risk
        Of the decisions that it touches; None where unknown, which is in no band.
    clock_percent
        How much of a statutory clock has run, where the paging is about one; None where it is about the case itself.
    signals
        When its signals were raised, ms.
    """

    severity: Severity
    category: Category
    tier: str
    system: str = ""
    uncertainty: float | None = None
    risk: float | None = None
    clock_percent: int | None = None
    signals: tuple[Millis, ...] = ()


class Band(Frozen):
    """Numbers from `at_least` up to, and without, `below`."""

    at_least: float = Field(ge=0)
    below: float = Field(1e9, gt=0)

    def holds(self, value: float | None) -> bool:
        """Whether a known value lies in the band."""
        return value is not None and self.at_least <= value < self.below

    def covers(self, other: "Band | None") -> bool:
        """Whether every value of the other band lies in this one."""
        return other is not None and self.at_least <= other.at_least and other.below <= self.below


class Match(Frozen):
    """Cases that a policy speaks of: all that is given must hold; an empty list speaks of all."""

    severities: tuple[Severity, ...] = ()
    categories: tuple[Category, ...] = ()
    tiers: tuple[Tier, ...] = ()
    systems: tuple[Name, ...] = ()
    uncertainty: Band | None = None
    risk: Band | None = None
    clock_percent: int | None = Field(
        None, ge=1, le=100, description="speaks of statutory clocks of which so much has run, and of nothing else"
    )

    @property
    def everything(self) -> bool:
        """Whether it speaks of every incident."""
        return self == Match()

    def holds(self, facts: CaseFacts) -> bool:
        """Whether the facts are such a case."""
        lists: tuple[tuple[tuple[str, ...], str], ...] = (
            (self.severities, facts.severity),
            (self.categories, facts.category),
            (self.tiers, facts.tier),
            (self.systems, facts.system),
        )
        if not all(not allowed or value in allowed for allowed, value in lists):
            return False
        if self.clock_percent is None or facts.clock_percent is None:
            if self.clock_percent is not facts.clock_percent:
                return False
        elif facts.clock_percent < self.clock_percent:
            return False
        bands = ((self.uncertainty, facts.uncertainty), (self.risk, facts.risk))
        return all(band is None or band.holds(value) for band, value in bands)

    def covers(self, other: "Match") -> bool:
        """Whether this one matches whatever the other does."""
        lists: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
            (self.severities, other.severities),
            (self.categories, other.categories),
            (self.tiers, other.tiers),
            (self.systems, other.systems),
        )
        if not all(not wide or (narrow and set(narrow) <= set(wide)) for wide, narrow in lists):
            return False
        if self.clock_percent is None or other.clock_percent is None:
            if self.clock_percent is not other.clock_percent:
                return False
        elif self.clock_percent > other.clock_percent:
            return False
        bands = ((self.uncertainty, other.uncertainty), (self.risk, other.risk))
        return all(wide is None or wide.covers(narrow) for wide, narrow in bands)


class Condition(Frozen):
    """When a step counts: within hours of the week, and where at least so many signals came within a time."""

    hours: Hours | None = None
    zone: Zone = "UTC"
    signals: int | None = Field(None, ge=1, le=1000)
    within_seconds: int | None = Field(None, ge=1, le=86_400)

    @model_validator(mode="after")
    def _says_something_whole(self) -> "Condition":
        if (self.signals is None) != (self.within_seconds is None):
            raise ValueError("signals and within_seconds go together: at least so many signals within so long")
        if self.hours is None and self.signals is None:
            raise ValueError("only_if needs hours, or signals and within_seconds")
        return self


class EscalationStep(Frozen):
    """Whom to page next."""

    after_seconds: Seconds = Field(0, description="after the step before it; of the first, after paging began")
    targets: tuple[Target, ...] = Field(min_length=1, max_length=10)
    important: bool = Field(default=True, description="wakes people up")
    ack: Ack = Field(Ack.ANY, description="all: everybody paged here must acknowledge before the escalation stops")
    only_if: Condition | None = None

    @property
    def pages_people(self) -> bool:
        """Whether one of its targets is somebody."""
        return any(not webhook(target) for target in self.targets)


class EscalationPolicy(Frozen):
    """Whom to page, until somebody answers.

    A round is every step once. `repeat` more rounds follow, `wait_seconds` after the last step of the one before; then
    the final role is told. A round that reached nobody at all goes on to the final role at once.
    """

    name: Name
    match: Match = Match()
    steps: tuple[EscalationStep, ...] = Field(min_length=1, max_length=20)
    repeat: int = Field(0, ge=0, le=5)
    wait_seconds: int = Field(600, ge=10, le=86_400 * 7, description="from a round's last step until what follows it")
    final: Name = Field(description="role that is told when nobody answered")
    acknowledge_timeout_seconds: int | None = Field(
        None, ge=60, le=86_400 * 30, description="an acknowledgement not followed up for so long counts no more"
    )

    def canonical(self) -> bytes:
        """Return the policy as JSON: the same bytes each time, for the record of a case that goes by it."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":")).encode()

    @model_validator(mode="after")
    def _somebody_is_paged(self) -> "EscalationPolicy":
        if not any(step.pages_people for step in self.steps):
            raise ValueError(f"policy {self.name} pages webhooks only; one step needs a user, a schedule or a role")
        return self
