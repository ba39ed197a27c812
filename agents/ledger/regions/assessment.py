"""The assessment of a case: harm by rule and by dimension, urgency, and what has to be reported."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas import events as e
from schemas.case import assessment as a
from schemas.case.assessment import Dimension, Modifier, Priority, Reportability
from schemas.values import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What was judged so far.

    ruled
        The worst that the policy's rules have said.
    judged
        A person's word in its place, or None.
    """

    ruled: Severity = Severity.SEV4
    judged: Severity | None = None
    harm: Mapping[Dimension, Severity] = field(default_factory=dict)
    modifiers: frozenset[Modifier] = frozenset()
    priority: Priority | None = None
    reportability: Mapping[str, Reportability] = field(default_factory=dict)

    @property
    def severity(self) -> Severity:
        """The worst of rule and dimensions, one level worse for each modifier."""
        found = min((self.judged or self.ruled, *self.harm.values()), key=lambda severity: severity.rank)
        return tuple(Severity)[max(found.rank - 1 - len(self.modifiers), 0)]


def ruled(assessment: Assessment, severity: Severity) -> Assessment:
    """Return the assessment after the rules have spoken once more: they only make it worse, and then count again."""
    if severity.rank >= assessment.ruled.rank:
        return assessment
    return replace(assessment, ruled=severity, judged=None)


def modified(assessment: Assessment, modifier: Modifier, *, applies: bool) -> Assessment:
    """Return the assessment with a modifier set or taken away."""
    others = assessment.modifiers - {modifier}
    return replace(assessment, modifiers=others | {modifier} if applies else others)


def evolve(assessment: Assessment, event: object) -> Assessment:
    """Return the region after an event; others leave it as it is."""
    match event:
        case e.CaseOpened():
            return replace(assessment, ruled=event.severity)
        case e.CaseGrew():
            return ruled(assessment, event.ruled)
        case a.HarmAssessed():
            return replace(assessment, harm={**assessment.harm, event.dimension: event.level})
        case a.ModifierSet():
            return modified(assessment, event.modifier, applies=event.applies)
        case a.SeverityJudged():
            return replace(assessment, judged=event.severity)
        case a.PrioritySet():
            return replace(assessment, priority=event.priority)
        case a.ReportabilitySet():
            return replace(assessment, reportability={**assessment.reportability, event.regime: event.answer})
    return assessment
