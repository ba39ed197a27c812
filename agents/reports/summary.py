"""The plain-language summary: for a judge or a manager, in short sentences, with what is not known."""

from collections.abc import Iterator, Mapping

from agents.ledger.regions.clocks import ClockState
from agents.reports.document import Part, Report
from agents.reports.fact import Fact
from agents.reports.form import block
from agents.reports.record import Record
from agents.reports.words import HAPPENED, PHASES, SEVERE, lasting, listed, when
from schemas import events as e
from schemas.case.action import ActionStarted
from schemas.case.approval import DenialGiven
from schemas.case.contracts import REGIME as CONTRACT
from schemas.case.glass import GlassBroken
from schemas.case.learning import CauseKind, Milestone
from schemas.regulation.catalogue import REGIMES

_ASKED = (
    ("persons_affected", "How many people were affected."),
    ("root_causes", "Why it happened, at the root."),
    ("harm", "How great the harm was for people, their rights and their data."),
    ("reportability", "Which authorities have to be told."),
    ("when_aware", "When the operator became aware, in the sense of the law."),
    ("contained_by", "How the harm was stopped."),
    ("resolved", "When it was over."),
    ("post_mortem", "What is to be learnt from it."),
)


def summary(facts: Mapping[str, Fact], record: Record) -> Report:
    """Return the summary in plain language."""
    parts = (
        ("What happened", _happened(record)),
        ("Who was affected", _affected(record)),
        ("What was done", _done(record)),
        ("Who decided", _decided(record)),
        ("Why it happened", _why(record)),
        ("Who has to be told", _told(record)),
        ("What is not known", _unknown(facts)),
        ("How this can be checked", _checked(record)),
    )
    return Report(
        form="summary",
        title="What happened, in plain words",
        basis="Headgate's own summary, from the ledger of the incident",
        facts=block(record),
        notices=("This summary was written by a program from a signed record. A named person checks it before use.",),
        parts=tuple(Part(number=str(n), title=title, text=tuple(said)) for n, (title, said) in enumerate(parts, 1)),
    )


def _happened(record: Record) -> Iterator[str]:
    case, reached = record.case, record.history.reached
    if record.history.drill:
        yield "This was an exercise. Nothing real went wrong."
    yield f"The computer system “{case.system}” did not work as it should."
    if record.system:
        yield f"Its purpose, as its owner declares it: {record.system.scope.rstrip('.')}."
    yield f"What was seen: {HAPPENED[case.category]}."
    began, seen = reached(Milestone.OCCURRED), reached(Milestone.DETECTED)
    if began is not None:
        yield f"It began on {when(began)}, as far as is known."
    if seen is not None:
        late = f", {lasting(seen - began)} later" if began is not None and seen > began else ""
        yield f"It was noticed on {when(seen)}{late}."
    yield f"Its seriousness is {SEVERE[case.severity]}."
    yield PHASES[case.phase.value]
    if record.history.post_mortem is not None:
        yield f"The people who looked into it write: “{record.history.post_mortem.text.summary}”"


def _affected(record: Record) -> Iterator[str]:
    case = record.case
    names = listed(f"“{each.model}” in its version {each.version}" for each in case.affected)
    yield f"The parts concerned are {names}." if names else "Which part is concerned is not known."
    rows = max((one.rows for one in case.course.signals), default=0)
    if rows:
        yield f"Up to {rows} of its answers were looked at when it was noticed."
    yield "How many people these answers concern is not known: the record counts answers, not people."
    further = [one.model for one in case.blast_radius if one.depth]
    if further:
        yield f"Other parts take its answers and could be touched: {listed(further)}."
    if record.history.post_mortem is not None:
        yield f"The people who looked into it write of the effect: “{record.history.post_mortem.text.impact}”"


def _done(record: Record) -> Iterator[str]:
    count = 0
    for event, seen in record.of(ActionStarted):
        action = record.case.actions.get(event.intent)
        said = record.step(event.target, event.desired)
        count += 1
        yield f"{when(seen.at)}: {said}. {_outcome(action.outcome if action else '')}"
    if not count:
        yield "Nothing has been changed yet."
    for milestone, words in (
        (Milestone.CONTAINED, "The harm was stopped"),
        (Milestone.RESOLVED, "It was over"),
    ):
        at = record.history.reached(milestone)
        if at is not None:
            yield f"{words} on {when(at)}."


def _outcome(outcome: str) -> str:
    if outcome == "done":
        return "It was checked afterwards, and it had worked."
    return "It did not work as meant." if outcome else "Whether it worked is not known yet."


def _decided(record: Record) -> Iterator[str]:
    decided = False
    for event, seen in record.of(e.CaseDeclared):
        decided = True
        by = record.person(event.by) if event.by in record.control.roles else "a rule that people had agreed on before"
        yield f"{when(seen.at)}: that it is an incident was decided by {by}."
    for approval, seen in record.of(e.ApprovalGiven):
        decided = True
        yield f"{when(seen.at)}: {record.person(approval.principal)} agreed to the plan: “{approval.reason}”"
    for denial, seen in record.of(DenialGiven):
        decided = True
        yield f"{when(seen.at)}: {record.person(denial.principal)} refused the plan: “{denial.reason}”"
    for broken, seen in record.of(GlassBroken):
        decided = True
        yield f"{when(seen.at)}: {record.person(broken.principal)} acted at once in an emergency: “{broken.reason}”"
    if not decided:
        yield "No person has decided anything yet."


def _why(record: Record) -> Iterator[str]:
    roots = [cause.text for cause in record.history.causes.values() if cause.kind is CauseKind.ROOT]
    others = [cause.text for cause in record.history.causes.values() if cause.kind is not CauseKind.ROOT]
    for text in roots:
        yield f"At the root: {text.rstrip('.')}."
    for text in others:
        yield f"What led to it: {text.rstrip('.')}."
    if not roots:
        yield "Why it happened at the root is not known yet."


def _told(record: Record) -> Iterator[str]:
    counted = [one for one in record.case.clocks.counted if one.regime != CONTRACT]
    for one in counted:
        regime = REGIMES.get(one.regime.split(":", 1)[0])
        title = regime.title if regime else one.regime
        match one.state:
            case ClockState.RUNNING:
                yield f"{title} ({one.clock}): a report is due on {when(one.due)} and has not been sent."
            case ClockState.SUBMITTED:
                late = ", too late" if one.late else ""
                yield f"{title} ({one.clock}): a report was sent on {when(one.submitted_at)}{late}."
            case ClockState.NOT_APPLICABLE:
                who = listed(map(record.person, one.ended_by))
                yield f"{title} ({one.clock}): {who} decided that no report is due: “{one.why}”"
            case ClockState.SUPERSEDED | ClockState.MET:
                continue
    if not counted:
        yield "Whether an authority has to be told is not known: no such duty was linked to the case."


def _unknown(facts: Mapping[str, Fact]) -> Iterator[str]:
    missing = [f"{question} ({facts[name].unknown}.)" for name, question in _ASKED if facts[name].unknown]
    yield from missing or ["Nothing that this summary asks for is missing."]


def _checked(record: Record) -> Iterator[str]:
    yield (
        "Every statement here comes from a record that is signed and chained, so that nothing can be changed or taken "
        "out unseen."
    )
    yield f"The record has the identity {record.control.genesis}; this incident is called {record.case.incident}."
    yield "“headgate audit verify” checks all of it, without trusting whoever wrote it."
