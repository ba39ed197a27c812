"""How bad, how urgent and how reportable a case is: three questions, each with its own deciders."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from schemas.values import Severity


class Dimension(StrEnum):
    """What can be harmed."""

    SAFETY = "safety"
    RIGHTS = "rights"
    DATA = "data"
    PERFORMANCE = "performance"
    REACH = "reach"
    COMPLIANCE = "compliance"


class Modifier(StrEnum):
    """What makes any harm one level worse."""

    IRREVERSIBLE = "irreversible"
    THIRD_PARTY_BLACK_BOX = "third_party_black_box"


class Priority(StrEnum):
    """How urgent it is; p1 is the most urgent."""

    P1 = "p1"
    P2 = "p2"
    P3 = "p3"
    P4 = "p4"


class Reportability(StrEnum):
    """Whether a regime asks for a report."""

    REPORTABLE = "reportable"
    NOT_REPORTABLE = "not_reportable"
    UNDETERMINED = "undetermined"


def _row(*levels: str) -> Mapping[Severity, str]:
    return MappingProxyType(dict(zip(Severity, levels, strict=True)))


MATRIX: Mapping[Dimension, Mapping[Severity, str]] = MappingProxyType(
    {
        Dimension.SAFETY: _row(
            "death or serious injury, or a safety-critical control",
            "an injury is plausible",
            "indirect discomfort",
            "none",
        ),
        Dimension.RIGHTS: _row(
            "large-scale, or in several states",
            "one protected group, in material decisions",
            "a disparity over the limit, no adverse decision yet",
            "a signal only",
        ),
        Dimension.DATA: _row(
            "special-category or health data leaked, or a poisoned model in production",
            "personal data leaked, or a poisoned candidate",
            "internal data",
            "none",
        ),
        Dimension.PERFORMANCE: _row(
            "reliability below 90 % on high-risk decisions with no fallback",
            "below 90 % with a fallback, or PSI above 15 % on key features",
            "drift over the limit, quality inside its objective",
            "a drift warning",
        ),
        Dimension.REACH: _row(
            "a cascade over two systems or more, or critical infrastructure",
            "100 affected or more, or customers have seen it for over an hour",
            "fewer than 100 affected, internal",
            "none",
        ),
        Dimension.COMPLIANCE: _row(
            "a clock of 24 hours or 2 days is plausible",
            "any other statutory clock is plausible",
            "a breach of policy",
            "none",
        ),
    }
)
"""What each level means in each dimension; the severity of a case is the worst over all of them and the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessHarm:
    """Judge the harm in one dimension by the matrix."""

    incident: str
    dimension: Dimension
    level: Severity
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetModifier:
    """Say whether a modifier applies, which makes the harm one level worse."""

    incident: str
    modifier: Modifier
    applies: bool
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSeverity:
    """Put a person's word in place of what the rules say; dimensions and modifiers still count."""

    incident: str
    severity: Severity
    evidence: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPriority:
    """Say how urgent it is, whatever its severity."""

    incident: str
    priority: Priority
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReportability:
    """Decide for one regime whether it asks for a report."""

    incident: str
    regime: str
    answer: Reportability
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HarmAssessed:
    """The harm in a dimension is judged."""

    incident: str
    dimension: Dimension
    level: Severity
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifierSet:
    """A modifier applies, or no longer does; `by` is a principal, or ``systems`` where the declaration says so."""

    incident: str
    modifier: Modifier
    applies: bool
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityJudged:
    """A person's word stands in place of what the rules say, until they say worse than they did."""

    incident: str
    severity: Severity
    principal: str
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityChanged:
    """The case is worse, or less bad, than it was."""

    incident: str
    was: Severity
    severity: Severity
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrioritySet:
    """Somebody said how urgent it is."""

    incident: str
    priority: Priority
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportabilitySet:
    """Compliance or legal decided for one regime."""

    incident: str
    regime: str
    answer: Reportability
    principal: str
    reason: str


COMMANDS = (AssessHarm, SetModifier, SetSeverity, SetPriority, SetReportability)
EVENTS = (HarmAssessed, ModifierSet, SeverityJudged, SeverityChanged, PrioritySet, ReportabilitySet)
