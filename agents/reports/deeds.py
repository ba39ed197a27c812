"""Facts on what people and services did: measures, decisions, causes, lessons, and what is kept as evidence."""

from collections import Counter
from collections.abc import Iterator

from agents.reports.fact import Fact, known, lines
from agents.reports.record import Record
from agents.reports.words import listed, plain, when
from schemas import events as e
from schemas.case.action import ActionFinished, ActionStarted
from schemas.case.approval import DenialGiven
from schemas.case.by_hand import ContainedByHand, RecoveryJudged, RemediedByHand
from schemas.case.glass import GlassBroken, StandingApprovalUsed
from schemas.case.hold import EvidenceHeld, HoldReleased
from schemas.case.learning import CauseKind, CauseRecorded, PostMortemAccepted, PostMortemWritten, ReplayAttached
from schemas.case.messages import MessageSent
from schemas.case.people import DutyAssumed, TaskAdded, TaskFinished
from schemas.case.reviews import ReviewDecided
from schemas.evidence import LINEAGE, EvidenceAttached

_MEASURES: tuple[tuple[str, str, type[ContainedByHand | RemediedByHand]], ...] = (
    ("contained_by", "contain", ContainedByHand),
    ("remedied_by", "remediate", RemediedByHand),
)
"""The fact, the purpose of the steps that it tells, and what people say where they did it by hand."""
_NO_POST_MORTEM = "the post-mortem is not written yet"


def deeds(record: Record) -> Iterator[tuple[str, Fact]]:
    """Yield what was done, decided, found out and kept."""
    yield from _measures(record)
    yield from _decisions(record)
    yield from _learnt(record)
    yield from _kept(record)
    yield from _said(record)


def _measures(record: Record) -> Iterator[tuple[str, Fact]]:
    done = record.entries(ActionStarted, ActionFinished)
    for name, purpose, kind in _MEASURES:
        acts = [
            f"{when(act.started_at)}: {record.step(act.target, act.desired)}: {plain(act.outcome) or 'under way'}"
            for act in record.case.actions.values()
            if act.purpose == purpose
        ]
        hand = [
            f"{when(seen.at)}: by hand, says {record.person(event.principal)}: {event.statement}; "
            f"shown by: {event.evidence}"
            for event, seen in record.of(kind)
        ]
        places = dict.fromkeys((*(done if acts else ()), *record.entries(kind)))
        yield name, known(lines((*acts, *hand)), places, unknown=f"no step of the kind “{purpose}” was carried out")
    plan = record.case.plan
    planned = [step.summary for step in plan.steps] if plan else []
    state = f"the plan is {plain(plan.standing)}" if plan else ""
    yield "planned", known(lines((*planned, state)), record.entries(e.PlanProposed), unknown="no plan was proposed")
    yield "recommended", known(record.history.opened.recommended, record.entries(e.CaseOpened), unknown="nothing was")
    people = record.case.people
    tasks = [
        f"{task.title}: {record.person(task.owner)}, "
        + (f"done {when(task.done_at)}" if task.done_at else f"open, due {when(task.due_at)}")
        for task in people.tasks.values()
    ]
    yield "tasks", known(lines(tasks), record.entries(TaskAdded, TaskFinished), unknown="no task was recorded")
    duties = [f"{plain(duty.value)}: {record.person(who)}" for duty, who in people.duties.items()]
    yield "duties", known(lines(duties), record.entries(DutyAssumed), unknown="nobody took a duty on the case")


def _decisions(record: Record) -> Iterator[tuple[str, Fact]]:
    said = [
        (f"{when(seen.at)}: declared an incident by {record.person(event.by)}: {event.reason}", seen.entry)
        for event, seen in record.of(e.CaseDeclared)
    ]
    said += [
        (f"{when(seen.at)}: plan approved by {record.person(event.principal)}: {event.reason}", seen.entry)
        for event, seen in record.of(e.ApprovalGiven)
    ]
    said += [
        (f"{when(seen.at)}: plan refused by {record.person(event.principal)}: {event.reason}", seen.entry)
        for event, seen in record.of(DenialGiven)
    ]
    said += [
        (f"{when(seen.at)}: acted in an emergency: {record.person(event.principal)}: {event.reason}", seen.entry)
        for event, seen in record.of(GlassBroken)
    ]
    said += [
        (f"{when(seen.at)}: standing approval {event.rule} of the policy used", seen.entry)
        for event, seen in record.of(StandingApprovalUsed)
    ]
    said += [
        (f"{when(seen.at)}: recovered, judges {record.person(event.principal)}: {event.statement}", seen.entry)
        for event, seen in record.of(RecoveryJudged)
    ]
    said += [
        (
            f"{when(seen.at)}: dismissed by {record.person(event.principal)}: {plain(event.reason)}, {event.note}",
            seen.entry,
        )
        for event, seen in record.of(e.CaseDismissed)
    ]
    ordered = sorted(said, key=lambda one: one[1])
    yield (
        "decisions",
        known(
            lines(text for text, _ in ordered),
            dict.fromkeys(entry for _, entry in ordered),
            unknown="no person has decided anything on it yet",
        ),
    )
    approvers = listed(record.person(event.principal) for event, _ in record.of(e.ApprovalGiven))
    yield "approvers", known(approvers, record.entries(e.ApprovalGiven), unknown="nobody has approved a plan")


def _learnt(record: Record) -> Iterator[tuple[str, Fact]]:
    causes = record.history.causes.values()
    found = record.entries(CauseRecorded)
    roots = [f"{one.text} (missed by: {plain(one.code.value)})" for one in causes if one.kind is CauseKind.ROOT]
    yield "root_causes", known(lines(roots), found, unknown="no root cause was recorded yet")
    others = [f"{plain(one.kind.value)}: {one.text}" for one in causes if one.kind is not CauseKind.ROOT]
    yield "other_causes", known(lines(others), found, unknown="no further cause was recorded")
    shown = [event.sentence for event, _ in record.of(ReplayAttached)]
    yield "replays", known(lines(shown), record.entries(ReplayAttached), unknown="no replay of history is attached")
    written = record.history.post_mortem
    places = record.entries(PostMortemWritten)
    for name in ("summary", "impact", "detection", "trigger", "resolution", "lessons", "confidence", "drift"):
        yield f"said_{name}", known(getattr(written.text, name) if written else "", places, unknown=_NO_POST_MORTEM)
    by = record.case.learning.accepted_by
    yield (
        "post_mortem",
        known(
            f"accepted by {record.person(by)}" if by else "written, not accepted yet" if written else "",
            record.entries(PostMortemWritten, PostMortemAccepted),
            unknown=_NO_POST_MORTEM,
        ),
    )


def _kept(record: Record) -> Iterator[tuple[str, Fact]]:
    kept = [f"{one.kind}: {one.rows} predictions, SHA-256 {one.digest}" for one in record.case.evidence]
    places = record.entries(EvidenceAttached)
    yield "evidence", known(lines(kept), places, unknown="no evidence was attached to the case yet")
    traced = [f"document with SHA-256 {one.digest}" for one in record.case.evidence if one.kind == LINEAGE]
    why = "the registry has not been asked yet where the versions come from"
    yield "lineage", known(lines(traced), places, unknown=why)
    hold = record.case.hold
    held = listed(f"{one.model} version {one.version}" for one in hold.held)
    state = f"held since {when(hold.since)}: {held}" if hold.stands else "was held, and released" if held else ""
    yield "hold", known(state, record.entries(EvidenceHeld, HoldReleased), unknown="no hold on evidence was recorded")


def _said(record: Record) -> Iterator[tuple[str, Fact]]:
    """Yield what audiences were told, and which single decisions of the model people looked at again."""
    sent = record.entries(MessageSent)
    words = [f"{when(seen.at)}: {plain(event.audience)}, by {event.channel}" for event, seen in record.of(MessageSent)]
    yield "messages", known(lines(words), sent, unknown="no message to anybody was recorded")
    counts = Counter(event.verdict.value for event, _ in record.of(ReviewDecided))
    verdicts = ", ".join(f"{verdict}: {count}" for verdict, count in sorted(counts.items()))
    yield (
        "reviews",
        known(verdicts, record.entries(ReviewDecided), unknown="no single decision of the model was reviewed"),
    )
