"""What a demonstration came to, told by the exported ledger alone, and by the traffic's own counts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agents.ledger.fold import Verified
from agents.triage.reports import reporter_named
from schemas import events as e
from schemas.case.action import ActionFinished


@dataclass(slots=True)
class Summary:
    """Collects from verified entries; `document` is what summary.json holds."""

    incidents: dict[str, dict[str, object]] = field(default_factory=dict)
    approvals: list[dict[str, object]] = field(default_factory=list)
    actions: list[dict[str, object]] = field(default_factory=list)
    authorised_at: int | None = None
    effect_at: int | None = None
    resolved: list[str] = field(default_factory=list)

    def take(self, verified: Iterable[Verified]) -> None:
        """Look at entries in their order."""
        for found in verified:
            if found.entry is None:
                continue
            for event in found.events:
                self._on(event, found.entry.at)

    def _on(self, event: object, at: int) -> None:
        match event:
            case e.CaseOpened():
                self.incidents[event.incident] = {
                    "id": event.incident,
                    "severity": event.severity.value,
                    "category": event.category.value,
                    "title": reporter_named(event.title, {}),
                    "model": event.affected[0].model if event.affected else "",
                    "versions": sorted({affected.version for affected in event.affected}),
                    "opened_at": event.at,
                    "first_bad_at": event.first_bad_at,
                }
            case e.ApprovalGiven():
                given = {"incident": event.incident, "plan": event.plan, "principal": event.principal, "at": at}
                self.approvals.append(given)
            case e.PlanAuthorised():
                self.authorised_at = self.authorised_at or at
            case ActionFinished():
                action = {"target": event.target, "outcome": event.outcome, "read_back": event.read_back, "at": at}
                self.actions.append({"incident": event.incident, **action})
                if event.outcome == "done":
                    self.effect_at = self.effect_at or at
            case e.CaseResolved():
                self.resolved.append(event.incident)

    def document(
        self, fault_at: int | None, counts: Mapping[str, object], audit: Mapping[str, object]
    ) -> dict[str, object]:
        """Return the whole summary; times are epoch milliseconds, durations seconds."""
        opened = [int(str(incident["opened_at"])) for incident in self.incidents.values()]
        to_incident = (min(opened) - fault_at) / 1000 if opened and fault_at is not None else None
        to_effect = None
        if self.authorised_at is not None and self.effect_at is not None:
            to_effect = (self.effect_at - self.authorised_at) / 1000
        failed = int(str(counts.get("failed", 0))) + int(str(counts.get("labels_failed", 0)))
        return {
            "predictions": counts.get("rows", 0),
            "incidents": list(self.incidents.values()),
            "resolved": self.resolved,
            "approvals": self.approvals,
            "actions": self.actions,
            "seconds": {"fault_to_incident": to_incident, "approval_to_effect": to_effect},
            "audit": dict(audit),
            "requests": {"total": counts.get("requests", 0), "failed": failed},
        }
