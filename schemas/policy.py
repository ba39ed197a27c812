"""How Headgate judges: thresholds, severity, approval, recovery; adopted by a ledger entry, never a constant."""

from types import MappingProxyType
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from schemas import documents
from schemas.approving import ApprovalRule, BreakGlassRule, Persons, Seconds, StandingRule
from schemas.communicating import CommunicationPolicy
from schemas.documents import Frozen
from schemas.quiet import ReportPolicy, SilencePolicy
from schemas.reviewing import ReviewPolicy
from schemas.selection import Detection
from schemas.systems import Tier
from schemas.values import Category, Severity

ItemName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]

CHECKLIST = MappingProxyType(
    {
        "who-is-harmed": "Who is harmed, how badly, and can it be undone?",
        "how-many": "How many persons or decisions are affected, and since when?",
        "still-happening": "Does it go on? What stops it at once, and what does that cost?",
        "whose-data": "Is personal or special-category data exposed, or training data touched?",
        "which-version": "Which model, version and instances, and what changed before it began?",
        "who-must-know": "Which authorities, customers and vendors have to be told, and by when?",
    }
)
"""The triage checklist where a policy names none."""


class SeverityRule(Frozen):
    """If the category is one of these and the system's tier too, the severity is at least this."""

    name: str
    severity: Severity
    categories: tuple[Category, ...] = ()
    tiers: tuple[Tier, ...] = ()
    declare: bool = Field(False, description="declare the incident at once, without waiting for a person")

    def order(self) -> tuple[int, bool]:
        """Return what sorts the worst rule first, and of equally bad ones those that declare."""
        return self.severity.rank, not self.declare

    def matches(self, category: Category, tier: str) -> bool:
        """Whether the rule speaks of this category and tier; an empty list speaks of all."""
        return (not self.categories or category in self.categories) and (not self.tiers or tier in self.tiers)


class TriagePolicy(Frozen):
    """When signals become an incident, and when an episode is over."""

    promote_score: float = Field(3.0, ge=0, description="−log10 p of the strongest signal that opens an incident")
    gather_ms: int = Field(
        100, ge=0, le=60_000, description="wait this long (event time or clock) for signals of the same cause"
    )
    join_seconds: Seconds = Field(
        300,
        description="signals whose first bad rows lie further apart than this, and than twice the rows that showed "
        "them, are of different faults; so are inputs that were seen to move before outputs were wrong, however near",
    )
    grow_every_seconds: Seconds = Field(
        60, description="at most one growth record in this time, but for a change of scope"
    )
    quiet_seconds: Seconds = Field(60, description="nothing raised for this long ends an episode")
    max_episode_hours: int = Field(
        168, ge=1, le=8784, description="what is newly raised so long after an incident opened is another, a recurrence"
    )


class RecoveryPolicy(Frozen):
    """What counts as recovered."""

    clear_rows: int = Field(1000, ge=1, le=10_000_000, description="rows that a survivor judges with nothing raised")
    abort_rows: int = Field(
        0,
        ge=0,
        le=100_000_000,
        description="a survivor that still raises something after so many watched rows fails the recovery, and the "
        "case is to be contained again; 0 leaves that to people",
    )
    sign_off: tuple[Severity, ...] = Field(
        (), description="a validator or compliance signs off what was done, before recovery is watched"
    )


class RemediationPolicy(Frozen):
    """How actions are carried out."""

    lease_seconds: int = Field(10, ge=5, le=600, description="how long an executor holds a target")
    evidence_first: tuple[Tier, ...] = Field(
        (), description="no remediating step of systems of these tiers before evidence is frozen"
    )


class ArchivePolicy(Frozen):
    """Which predictions are kept beyond the days of Kafka, and for how long."""

    sample: float = Field(0.05, ge=0, le=1, description="share of all predictions kept, chosen by a hash of their id")
    keep_days: int = Field(180, ge=1, le=36_500, description="days until a kept prediction is deleted")
    tiers: tuple[Tier, ...] = Field(("high",), description="every prediction of systems of these tiers is kept")
    risk: float = Field(0.5, ge=0, description="a prediction whose risk is a number is kept from this one on")
    risks: tuple[str, ...] = Field(("high", "critical"), description="a prediction whose risk is one of these is kept")
    shadow: bool = Field(default=True, description="every prediction in shadow mode is kept")
    rows_per_file: int = Field(50_000, ge=100, le=1_000_000, description="files are closed when so many rows wait")
    close_seconds: int = Field(60, ge=1, le=86_400, description="and when the first of them has waited so long")
    evidence_rows: int = Field(
        1000, ge=10, le=100_000, description="most predictions frozen with an incident, and with versions that join it"
    )


class HoldPolicy(Frozen):
    """Which cases hold their evidence from the moment they are declared."""

    tiers: tuple[Tier, ...] = Field(("high",), description="cases that touch a model of these tiers hold its evidence")


class ClosingPolicy(Frozen):
    """What must be done before a case may be closed, beside what is always asked."""

    post_mortem: tuple[Severity, ...] = Field(
        (Severity.SEV1, Severity.SEV2), description="severities that close with an accepted post-mortem only"
    )


class RegulationPolicy(Frozen):
    """How reports to authorities are recorded."""

    two_persons_file: bool = Field(default=True, description="a report counts as sent once a second person confirms it")


class Policy(Frozen):
    """The whole policy document."""

    version: int = Field(ge=1, le=1)
    detection: Detection = Detection()
    triage: TriagePolicy = TriagePolicy()
    severity: tuple[SeverityRule, ...] = Field(min_length=1)
    approval: dict[Severity, ApprovalRule]
    standing: tuple[StandingRule, ...] = Field((), max_length=50)
    break_glass: BreakGlassRule = BreakGlassRule()
    persons: Persons = Persons()
    recovery: RecoveryPolicy = RecoveryPolicy()
    remediation: RemediationPolicy = RemediationPolicy()
    archive: ArchivePolicy = ArchivePolicy()
    reports: ReportPolicy = ReportPolicy()
    silences: SilencePolicy = SilencePolicy()
    hold: HoldPolicy = HoldPolicy()
    closing: ClosingPolicy = ClosingPolicy()
    regulation: RegulationPolicy = RegulationPolicy()
    reviews: ReviewPolicy = ReviewPolicy()
    communication: CommunicationPolicy = CommunicationPolicy()
    checklist: dict[ItemName, str] = Field(
        default_factory=lambda: dict(CHECKLIST), max_length=50, description="what triage must answer, by item"
    )

    @model_validator(mode="after")
    def _covers_every_severity(self) -> "Policy":
        names = [rule.name for rule in self.standing]
        if len(set(names)) < len(names):
            raise ValueError("each standing rule has a name of its own")
        missing = [severity.value for severity in Severity if severity not in self.approval]
        if missing:
            raise ValueError(f"approval says nothing for {', '.join(missing)}")
        if not any(not rule.categories and not rule.tiers for rule in self.severity):
            raise ValueError("severity needs one rule without categories and tiers, so that every incident has one")
        return self

    def judge(self, category: Category, tier: str) -> SeverityRule:
        """Return the worst rule that matches; of equally bad ones, one that declares, then the first."""
        return min((rule for rule in self.severity if rule.matches(category, tier)), key=SeverityRule.order)


def read(document: bytes, name: str = "the policy") -> Policy:
    """Validate a policy document; PolicyError says where it is wrong."""
    return documents.read(Policy, document, name)
