"""Drafts for people inside: the executive, the legal department and customer service."""

from collections.abc import Iterator

from agents.communication.outsiders import happened
from agents.communication.telling import UNKNOWN, Part, Told, as_of, moment, next_word, progress, since, some
from agents.ledger.regions.clocks import ClockState
from agents.ledger.regions.plan import PlanState
from agents.reports.words import HAPPENED, SEVERE, plain

_OPERATOR = {"both": "provider and deployer"}


def _head(told: Told) -> Part:
    return "", (as_of(told), f"Incident {told.case.incident}.")


def _what(told: Told) -> Part:
    case = told.case
    return (
        "What happened",
        (
            f"System “{some([case.system] if case.system else [])}”: {HAPPENED[case.category]}.",
            f"Its seriousness is {SEVERE[case.severity]}.",
        ),
    )


def _who(told: Told) -> Part:
    case = told.case
    versions = [f"{one.model} version {one.version}" for one in case.affected]
    further = [one.model for one in case.blast_radius if one.depth]
    harm = [f"{plain(kind.value)} {level.value}" for kind, level in case.assessment.harm.items()]
    return (
        "Who is affected",
        (
            f"Models: {some(versions)}. Could be reached too: {some(further) if further else 'none that is known'}.",
            f"Harm as people judged it: {some(harm)}.",
            "How many people: unknown. The record counts answers, not people.",
        ),
    )


def _done(told: Told) -> Part:
    actions = list(told.case.actions.values())
    worked = sum(1 for one in actions if one.outcome == "done")
    steps = f"Steps carried out: {len(actions)}, of which {worked} were checked and had worked." if actions else ""
    return "What is done", tuple(line for line in (progress(told.case), steps) if line)


def _unknown(told: Told) -> Part:
    case = told.case
    lines = ["How many people are affected."]
    if not case.learning.roots:
        lines.append("Why it happened, at the root.")
    if not case.assessment.harm:
        lines.append("How great the harm is.")
    if not case.assessment.reportability and not case.clocks.regimes:
        lines.append("Whether an authority has to be told.")
    lines += [f"{plain(fact)}." for fact, known in case.clocks.known.items() if known is None]
    return "What is not known", tuple(lines[:20])


def executive(told: Told) -> Iterator[Part]:
    """Return the message to the executive."""
    yield from (_head(told), _what(told), ("Since when", since(told)), _who(told), _done(told), _unknown(told))
    case, do = told.case, []
    if case.plan is not None and case.plan.state is PlanState.PENDING:
        do.append(f"A plan waits for people's decision until {moment(case.plan.decide_by)}: see that they are free.")
    running = sorted(case.clocks.statutory, key=lambda one: one.due)
    if running:
        do.append(f"{len(running)} reports to authorities are due, the first on {moment(running[0].due)}.")
    yield "What you should do", tuple(do) or ("Nothing is asked of you now.",)
    yield next_word(told)


def legal(told: Told) -> Iterator[Part]:
    """Return the message to the legal department."""
    case = told.case
    yield from (_head(told), _what(told), ("Since when", since(told)), _who(told))
    yield "What the system is", tuple(_systems(told)) or ("unknown: no system that is declared is concerned",)
    yield "Which reports are due", tuple(_clocks(told)) or ("unknown: no duty to report is linked to the incident",)
    answers = [f"{regime}: {plain(answer.value)}" for regime, answer in case.assessment.reportability.items()]
    yield "What people answered on duties to report", (some(answers),)
    held = f"held since {moment(case.hold.since)}" if case.hold.stands else "not held: retention goes on"
    yield "Evidence", (f"{len(case.evidence)} pieces are kept; the records are {held}.",)
    yield from (_done(told), _unknown(told))
    do = "Say which duties apply, and which do not, with the reason; each word of yours is recorded with your name."
    yield "What you should do", (do,)
    yield next_word(told)


def _systems(told: Told) -> Iterator[str]:
    for name, system in list(told.touched.items())[:5]:
        vendor = system.vendor.name if system.vendor else UNKNOWN if system.third_party else "none, built in-house"
        yield (
            f"{name}: risk {system.tier}, data {system.sensitivity}, used in {some(list(system.jurisdictions))}, "
            f"we are its {_OPERATOR.get(system.operator_role, system.operator_role)}; vendor: {vendor}."
        )


def _clocks(told: Told) -> Iterator[str]:
    for one in sorted(told.case.clocks.statutory, key=lambda each: each.due)[:20]:
        late = ", OVERDUE" if one.due < told.now else ""
        yield f"- {one.clock}: {moment(one.due)}{late}"
    sent = [one.clock for one in told.case.clocks.counted if one.state is ClockState.SUBMITTED]
    if sent:
        yield f"Sent already: {some(sent)}."


def customer_service(told: Told) -> Iterator[Part]:
    """Return the message to those whom customers call."""
    yield from (_head(told), _what(told), ("Since when", since(told)))
    yield "Who may call", ("Whoever had an answer of this system in that time. How many people: unknown.",)
    yield _done(told)
    yield (
        "What you may say",
        (
            f"“{happened(told)} {progress(told.case)}",
            "If an answer seems wrong to you, a person will look at it again.”",
        ),
    )
    yield _unknown(told)
    yield (
        "What you should do",
        (
            "Do not guess at causes, numbers or dates, and promise nothing beyond what stands here.",
            "Write down each complaint with its time, and report it: `headgate report-failure --help` says how.",
        ),
    )
    yield next_word(told)
