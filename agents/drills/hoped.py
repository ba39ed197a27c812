"""What a drill of an incident expects: what really came of it, as far as the drill can bring it about."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from agents.drills.milestones import reached
from agents.drills.reenact import Cast, happened
from agents.ledger.case import Case, Phase
from agents.ledger.fold import Verified
from schemas import events as e
from schemas.case.action import ActionFinished
from schemas.case.paging import EscalationExhausted, PageSent, PagingStarted
from schemas.spans import written

DETECT = "60s"
"""By when a drill's fault must have opened its incident: its models are asked hundreds of times a second."""
_MARGIN = timedelta(minutes=2)
_OF_PEOPLE = {Phase.DISMISSED: "Dismiss", Phase.REVIEW: "BeginReview", Phase.CLOSED: "Close"}
FACTS = frozenset({"RecordFact", "RegulateCase", "SetReportability", "DeclareNotApplicable"})
JUDGED = frozenset({"SetSeverity", "AssessHarm", "SetModifier"})


def expected(
    case: Case,
    entries: Sequence[Verified],
    said: Sequence[Mapping[str, Any]],
    players: Cast,
    models: Mapping[str, str],
    escalations: Collection[str],
) -> dict[str, Any]:
    """Return what is expected; what rests on a command that could not be taken over is left out."""
    told = happened(entries)
    events = [one.event for one in told]
    kept = [str(step["says"]) for step in said if not step.get("refused")]
    asked = [one.asked.kind for one in entries if one.asked is not None and one.asked.principal in players.of]
    found: dict[str, Any] = {"incidents": 1, "category": case.category.value}
    if not JUDGED & set(asked):
        found["severity"] = case.severity.value
    decided = kept.count("Approve") == asked.count("Approve")
    if decided and (phase := _phase(case, kept, events)) is not None:
        found["phase"] = phase
    if len(models) == 1:
        found["affected"] = [f"{models[one.model]}:{one.version}" for one in case.affected if one.model in models]
    else:
        found["origin"] = models[case.affected[0].model]
    if case.technique:
        found["technique"] = case.technique
    found |= _paged(events, players, escalations)
    approved = list(dict.fromkeys(_approvals(events)))
    if decided and all(who in players.of for who in approved):
        found["approvals"] = [players.of[who] for who in approved]
        if approved:
            found["effects"] = _effects(events, models)
    clocks = [one.clock for one in case.clocks.counted]
    if not FACTS & set(asked) and not any(one.startswith("contract") for one in clocks):
        found["clocks"] = list(dict.fromkeys(clocks))
    return found | {"within": _within(reached(told, case.incident), kept, decided=decided)}


def _phase(case: Case, kept: Sequence[str], events: Iterable[object]) -> str | None:
    """Return where the response ends that the drill's people can bring about."""
    needed = _OF_PEOPLE.get(case.phase)
    if case.phase is Phase.MERGED:
        return None
    if needed is None or needed in kept:
        return case.phase.value
    return Phase.RESOLVED.value if any(isinstance(event, e.CaseResolved) for event in events) else None


def _paged(events: Iterable[object], players: Cast, escalations: Collection[str]) -> dict[str, Any]:
    """Return by which policy people were paged, where drills have it, and who was."""
    policy, paged = "", list[str]()
    for event in events:
        if isinstance(event, PagingStarted) and not event.subject:
            policy = event.policy
        elif isinstance(event, PageSent | EscalationExhausted):
            paged += [person for person in event.persons if not person.startswith("webhook:")]
    if policy not in escalations or any(person not in players.of for person in paged):
        return {}
    return {"escalation": policy, "paged": list(dict.fromkeys(players.of[person] for person in paged))}


def _approvals(events: Iterable[object]) -> Iterator[str]:
    standing: dict[str, list[str]] = {}
    for event in events:
        match event:
            case e.ApprovalGiven(plan=plan, principal=who):
                standing.setdefault(plan, []).append(who)
            case e.ApprovalRevoked(plan=plan, principal=who):
                standing[plan] = [each for each in standing.get(plan, []) if each != who]
            case e.PlanAuthorised(plan=plan):
                yield from standing.get(plan, [])


def _effects(events: Iterable[object], models: Mapping[str, str]) -> list[str]:
    """Return what was changed, by the drill's names: a target is envoy:<model> or mlflow:<model>/<alias>."""
    found = []
    for event in events:
        if isinstance(event, ActionFinished) and event.outcome == "done":
            kind, _, name = event.target.partition(":")
            model, slash, alias = name.partition("/")
            if model in models:
                found.append(f"{kind}:{models[model]}{slash}{alias}")
    return list(dict.fromkeys(found))


def _within(at: Mapping[str, int], kept: Sequence[str], *, decided: bool) -> dict[str, str]:
    """Return how long it took, with a margin for machines; what needs people who do not speak is left out."""
    found = {"detect": DETECT}
    wanted = {"acknowledge": "acknowledged"} | ({"contain": "contained", "resolve": "resolved"} if decided else {})
    if "Acknowledge" not in kept and "AcknowledgePage" not in kept:
        del wanted["acknowledge"]
    for name, moment in wanted.items():
        if moment in at and "opened" in at:
            minutes = -(-(at[moment] - at["opened"]) // 60_000)
            found[name] = written(timedelta(minutes=max(minutes, 1)) + _MARGIN)
    return found
