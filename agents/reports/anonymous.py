"""An incident to share with strangers: made only of words that Headgate itself has, and of ranges.

Nothing of the record is copied. Each value comes from an enumeration or becomes one of a few ranges, so that no name,
number, time or sentence of the record can survive; the test of canaries shows it.
"""

from collections.abc import Iterator

from agents.ledger.regions.clocks import ClockState
from agents.reports.document import Part, Report
from agents.reports.record import Record
from agents.reports.words import HAPPENED, PHASES, SEVERE, called, plain
from schemas import events as e
from schemas.case.action import ActionStarted
from schemas.case.approval import DenialGiven
from schemas.case.glass import GlassBroken
from schemas.case.learning import CauseKind, Milestone
from schemas.regulation.catalogue import REGIMES
from schemas.signals import Evidence

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_TIMES = (
    (_MINUTE, "under a minute"),
    (15 * _MINUTE, "1 to 15 minutes"),
    (_HOUR, "15 minutes to an hour"),
    (4 * _HOUR, "1 to 4 hours"),
    (_DAY, "4 to 24 hours"),
    (7 * _DAY, "1 to 7 days"),
    (30 * _DAY, "7 to 30 days"),
)
_COUNTS = ((1, "none"), (2, "one"), (4, "2 or 3"), (10, "4 to 9"), (100, "10 to 99"), (1000, "100 to 999"))
_TIERS = frozenset({"high", "medium", "low"})


def anonymous(record: Record) -> Report:
    """Return the anonymised summary."""
    return Report(
        form="anonymised",
        title="An incident of a model in production",
        basis="Headgate's anonymised summary",
        facts=(
            ("Kind", plain(record.case.category.value)),
            ("Severity", SEVERE[record.case.severity]),
            ("State", plain(record.case.phase.value)),
            ("Exercise", "yes, a drill" if record.history.drill else "no"),
        ),
        notices=(
            "Names, versions, exact times and numbers, identifiers and everybody's own words are left out.",
            "A named person decides with whom it is shared.",
        ),
        parts=tuple(
            Part(number=str(number), title=title, text=tuple(said))
            for number, (title, said) in enumerate(
                (
                    ("What happened", _happened(record)),
                    ("How it was measured", _measured(record)),
                    ("How long it took", _lasted(record)),
                    ("What was done, and who decided", _done(record)),
                    ("Causes", _causes(record)),
                    ("Duties to report", _duties(record)),
                ),
                1,
            )
        ),
    )


def span(ms: int) -> str:
    """Return a length of time (ms) as a range."""
    return next((said for limit, said in _TIMES if ms < limit), "over 30 days")


def several(count: int) -> str:
    """Return a count as a range."""
    return next((said for limit, said in _COUNTS if count < limit), "1000 or more")


def _happened(record: Record) -> Iterator[str]:
    case = record.case
    tier = record.system.tier if record.system and record.system.tier in _TIERS else ""
    where = "built by a third party" if record.system and record.system.third_party else "built in-house"
    origin = where if record.system else "of unknown origin"
    yield f"The system is of {tier or 'undeclared'} risk and {origin}."
    yield f"{HAPPENED[case.category][:1].upper()}{HAPPENED[case.category][1:]}."
    models, versions = {each.model for each in case.affected}, len(case.affected)
    yield f"Models concerned: {several(len(models))}; versions: {several(versions)}."
    yield f"Models downstream that could be reached: {several(sum(1 for one in case.blast_radius if one.depth))}."
    yield "It had happened before." if case.recurrence_of else "No earlier incident of this cause was known."
    yield (
        "A known technique of attack was recognised." if case.technique else ("No technique of attack was recognised.")
    )
    yield PHASES[case.phase.value]


def _measured(record: Record) -> Iterator[str]:
    signals = record.case.course.signals
    yield f"Signals: {several(len(signals))}."
    for one in sorted(signals, key=lambda each: -each.score)[:5]:
        yield f"A signal of {plain(one.category.value)}: {_excess(one)}, over {several(one.rows)} predictions."


def _excess(one: Evidence) -> str:
    if one.threshold <= 0 or one.value < one.threshold:
        return "outside its limit"
    ratio = one.value / one.threshold
    return next((said for limit, said in _EXCESS if ratio < limit), "more than ten times its limit")


_EXCESS = ((1.5, "just over its limit"), (3.0, "1.5 to 3 times its limit"), (10.0, "3 to 10 times its limit"))


def _lasted(record: Record) -> Iterator[str]:
    reached = record.history.reached
    began, seen = reached(Milestone.OCCURRED), reached(Milestone.DETECTED)
    ends = (
        (Milestone.ACKNOWLEDGED, "until somebody took it"),
        (Milestone.CONTAINED, "until the harm was stopped"),
        (Milestone.RESOLVED, "until it was over"),
    )
    yield f"From the first harm until it was noticed: {_between(began, seen)}."
    for end, words in ends:
        yield f"From then {words}: {_between(seen, reached(end))}."


def _between(first: int | None, last: int | None) -> str:
    return "unknown" if first is None or last is None else span(max(last - first, 0))


def _done(record: Record) -> Iterator[str]:
    purposes = sorted({action.purpose for action in record.case.actions.values()} & {"contain", "remediate"})
    for purpose in purposes:
        steps = [action for action in record.case.actions.values() if action.purpose == purpose]
        worked = sum(1 for action in steps if action.outcome == "done")
        word = "containment" if purpose == "contain" else "remedy"
        yield f"Steps of {word}: {several(len(steps))}, of which {several(worked)} worked when read back."
    if not record.entries(ActionStarted):
        yield "Nothing was changed."
    agreed = {event.principal for event, _ in record.of(e.ApprovalGiven)}
    refused = {event.principal for event, _ in record.of(DenialGiven)}
    for who, words in ((agreed, "agreed to a plan"), (refused, "refused a plan")):
        for role in sorted({role for principal in who for role in _roles(record, principal)}):
            yield f"People of the role {role} {words}."
    if record.entries(GlassBroken):
        yield "Somebody acted in an emergency without the usual approval, which is recorded and reviewed."


def _roles(record: Record, principal: str) -> list[str]:
    return [called(role) for role in record.control.roles.get(principal, frozenset())]


def _causes(record: Record) -> Iterator[str]:
    causes = list(record.history.causes.values())
    for code in sorted({cause.code.value for cause in causes if cause.kind is CauseKind.ROOT}):
        yield f"At the root, the control that should have caught it: {plain(code)}."
    if not causes:
        yield "No cause is recorded."
    yield f"Causes found in all: {several(len(causes))}."


def _duties(record: Record) -> Iterator[str]:
    states = {
        ClockState.RUNNING: "a report was not sent yet",
        ClockState.SUBMITTED: "a report was sent",
        ClockState.NOT_APPLICABLE: "a named person decided that it does not apply",
    }
    said = {
        (REGIMES[one.regime].title, states[one.state])
        for one in record.case.clocks.counted
        if one.regime in REGIMES and one.state in states
    }
    for title, state in sorted(said):
        yield f"{title}: {state}."
    if not said:
        yield "No duty to report was linked to the case."
