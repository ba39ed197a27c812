"""Severity, priority and reportability in sentences."""

from collections.abc import Callable
from typing import Any

from schemas.case import assessment as a


def _modifier(event: a.ModifierSet) -> str:
    return f"{event.modifier.value} {'applies' if event.applies else 'does not apply'}, says {event.by}: {event.reason}"


SAY: dict[type, Callable[[Any], str]] = {
    a.HarmAssessed: lambda x: f"harm to {x.dimension.value} is {x.level.value.upper()}, says {x.principal}: {x.reason}",
    a.ModifierSet: _modifier,
    a.SeverityJudged: lambda x: f"{x.principal} judges it {x.severity.value.upper()}: {x.evidence}",
    a.SeverityChanged: lambda x: f"severity {x.was.value.upper()} becomes {x.severity.value.upper()}: {x.reason}",
    a.PrioritySet: lambda x: f"priority {x.priority.value}, says {x.principal}: {x.reason}",
    a.ReportabilitySet: lambda x: (
        f"{x.regime}: {x.answer.value.replace('_', ' ')}, decided by {x.principal}: {x.reason}"
    ),
}
