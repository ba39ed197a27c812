"""From the record of a case to a flat set of facts: the one place where reports read regions of a case."""

from collections.abc import Iterator, Mapping

from agents.ledger.regions.clocks import ClockState, Counted
from agents.reports.deeds import deeds
from agents.reports.fact import NOT_RECORDED, Fact, known, lines
from agents.reports.record import Record
from agents.reports.words import HAPPENED, SEVERE, lasting, listed, plain, when
from schemas import events as e
from schemas.case.assessment import HarmAssessed, ModifierSet, PrioritySet, ReportabilitySet, SeverityJudged
from schemas.case.clocks import CaseRegulated, ClockStarted, FactRecorded
from schemas.case.contracts import REGIME as CONTRACT
from schemas.case.learning import Milestone, MilestoneCorrected
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.clocks import FACTS, Trigger
from schemas.signals import Evidence
from schemas.values import Category

_CLASSES: Mapping[str, str] = {
    "death": "death of a person",
    "serious_deterioration": "serious harm to a person's health",
    "critical_infrastructure": "serious and irreversible disruption of critical infrastructure",
    "widespread_infringement": "widespread infringement",
}
_NOT_REACHED = "the record does not show that it came so far"


def gather(record: Record) -> dict[str, Fact]:
    """Return every fact that the record has, by name; what is unknown is there too, with the reason."""
    return {
        **dict(_identity(record)),
        **dict(_system(record)),
        **dict(_dates(record)),
        **dict(_answers(record)),
        **dict(_judgement(record)),
        **dict(_extent(record)),
        **dict(_duties(record)),
        **dict(deeds(record)),
    }


def _identity(record: Record) -> Iterator[tuple[str, Fact]]:
    case, opened = record.case, record.entries(e.CaseOpened)
    told = record.entries(e.CaseOpened, e.CaseGrew)
    yield "incident", Fact(value=case.incident, entries=opened)
    yield "title", known(record.named(case.title), opened, unknown="the case has no title")
    yield "phase", Fact(value=plain(case.phase.value), entries=tuple(seen.entry for seen in record.seen[-1:]))
    drill = "yes: this was an exercise" if record.history.drill else "no"
    yield "drill", Fact(value=drill, entries=opened)
    yield "what_happened", Fact(value=_sentence(HAPPENED[case.category]), entries=told)
    yield "category", Fact(value=plain(case.category.value), entries=told)
    yield (
        "technique",
        known(record.case.technique, told, unknown="no attack technique was recognised or recorded"),
    )
    yield (
        "recurrence",
        known(case.recurrence_of or "", opened, unknown="no earlier incident of the same cause is known"),
    )
    yield "ledger", Fact(value=f"ledger {record.control.ledger}, genesis {record.control.genesis}", entries=(0,))
    yield "policy", Fact(value=f"policy document with SHA-256 {case.policy}", entries=opened)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."


def _system(record: Record) -> Iterator[tuple[str, Fact]]:
    system, case = record.system, record.case
    why = f"the systems document declares no system {case.system}"
    yield "system", known(case.system, record.entries(e.CaseOpened), unknown=why)
    versions = [f"{each.model} version {each.version}" for each in case.affected]
    opened = record.entries(e.CaseOpened, e.CaseGrew)
    yield "versions", known(lines(versions), opened, unknown="no version is named")
    yield "models", known(listed(each.model for each in case.affected), opened, unknown="no model is named")
    spots = [f"{each.model}: {', '.join(each.instances)}" for each in case.affected if each.instances]
    yield "instances", known(lines(spots) or "all instances of them", opened, unknown=why)
    models = dict(system.models) if system else {}
    good = [f"{name}: version {model.known_good}" for name, model in models.items() if model.known_good]
    back = [f"{name}: {model.fallback}" for name, model in models.items() if model.fallback]
    vendor = system.vendor if system else None
    said = {
        "system_scope": system.scope if system else "",
        "system_tier": system.tier if system else "",
        "system_owner": plain(system.owner.value) if system else "",
        "operator_role": _operator(system.operator_role) if system else "",
        "sensitivity": f"{system.sensitivity} data" if system else "",
        "known_good": lines(good),
        "fallback": lines(back),
    }
    for name, value in said.items():
        yield name, known(value, unknown=why if system is None else "the systems document does not say it")
    places = ", ".join(system.jurisdictions) if system else ""
    yield "countries", known(places, unknown="no jurisdiction is declared for the system", missing=_WHERE)
    yield (
        "vendor",
        known(
            f"{vendor.name}; {vendor.contact}" if vendor else "built and run in-house" if system else "", unknown=why
        ),
    )
    for name in ("provider", "representative", "submitter", "eu_database_id", "dpo", "industry", "training_data"):
        yield name, Fact(unknown=NOT_RECORDED)


def _operator(role: str) -> str:
    return f"the operator is its {'provider and deployer' if role == 'both' else role}"


_WHERE = "this is where the system is used; where the harm occurred a person has to say"


def _dates(record: Record) -> Iterator[tuple[str, Fact]]:
    for milestone in Milestone:
        recorded = record.history.reached(milestone, corrected=False)
        said = record.history.corrected.get(milestone)
        value = when(recorded) if recorded is not None else ""
        places = record.entries(_EVENT_OF[milestone]) if milestone in _EVENT_OF else ()
        if said is not None:
            noted = f" (recorded: {value})" if value else ""
            value = f"{when(said.at)}, says {record.person(said.principal)}: {said.reason}{noted}"
            places = (*places, *record.entries(MilestoneCorrected))
        yield milestone.value, known(value, places, unknown=_NOT_REACHED)
    began, ended = record.history.reached(Milestone.OCCURRED), record.history.reached(Milestone.RESOLVED)
    span = lasting(ended - began) if began is not None and ended is not None and began <= ended else ""
    places = (*record.entries(e.CaseResolved), *record.entries(MilestoneCorrected))
    unknown = "it is not resolved, or when it began is not known or said to be after its end"
    yield "duration", known(span, places, unknown=unknown)
    for trigger, moment in record.case.clocks.moments.items():
        who = f", says {record.person(moment.who)}" if moment.who else ""
        value = f"{when(moment.at)}{who}: {moment.basis}"
        yield f"when_{trigger.value}", Fact(value=value, entries=record.entries(FactRecorded))
    for trigger in Trigger:
        if trigger not in record.case.clocks.moments:
            yield f"when_{trigger.value}", Fact(unknown=f"nobody has said when ({plain(trigger.value)})")


_EVENT_OF: Mapping[Milestone, type] = {
    Milestone.OCCURRED: e.CaseOpened,
    Milestone.FIRST_SIGNAL: e.CaseOpened,
    Milestone.DETECTED: e.CaseOpened,
    Milestone.ACKNOWLEDGED: e.CaseAcknowledged,
    Milestone.DECLARED: e.CaseDeclared,
    Milestone.CONTAINED: e.CaseContained,
    Milestone.MITIGATED: e.CaseRecovering,
    Milestone.RESOLVED: e.CaseResolved,
}


def _answers(record: Record) -> Iterator[tuple[str, Fact]]:
    """Yield the questions that select statutory clocks, with the answers that people gave."""
    clocks = record.case.clocks
    for fact, question in FACTS.items():
        answer, said = clocks.known.get(fact), clocks.asked.get(fact)
        places = tuple(seen.entry for event, seen in record.of(FactRecorded) if event.fact == fact)
        if answer is None or said is None:
            why = "answered with “unknown”" if said is not None else "nobody has answered it"
            yield f"fact_{fact}", Fact(unknown=f"{question} {_sentence(why)}", entries=places)
            continue
        value = f"{'Yes' if answer else 'No'}, says {record.person(said.who)}: {said.basis}"
        yield f"fact_{fact}", Fact(value=f"{question} {value}", entries=places)
    classes = [_CLASSES[fact] for fact in _CLASSES if clocks.known.get(fact)]
    yield (
        "harm_class",
        known(
            lines(classes),
            record.entries(FactRecorded),
            unknown="no person has said which class of serious incident it is",
        ),
    )


def _judgement(record: Record) -> Iterator[tuple[str, Fact]]:
    case, judged = record.case, record.case.assessment
    rule = f"rule {record.history.opened.rule} of the policy began it"
    yield (
        "severity",
        Fact(
            value=f"{case.severity.value.upper()} ({SEVERE[case.severity]}); {rule}",
            entries=record.entries(e.CaseOpened, e.CaseGrew, SeverityJudged),
        ),
    )
    harm = [f"{plain(dimension.value)}: {level.value.upper()}" for dimension, level in judged.harm.items()]
    yield "harm", known(lines(harm), record.entries(HarmAssessed), unknown="nobody has judged the harm by dimension")
    more = [plain(modifier.value) for modifier in sorted(judged.modifiers)]
    yield "modifiers", known(listed(more), record.entries(ModifierSet), unknown="no modifier was set by a person")
    priority = judged.priority.value.upper() if judged.priority else ""
    yield "priority", known(priority, record.entries(PrioritySet), unknown="nobody has set a priority")
    answers = [f"{_titled(name)}: {plain(answer.value)}" for name, answer in judged.reportability.items()]
    yield (
        "reportability",
        known(
            lines(answers), record.entries(ReportabilitySet), unknown="nobody has decided which duties to report apply"
        ),
    )
    yield "oecd_severity", Fact(unknown="a person enters it; it is never derived from Headgate's own severity")


def _extent(record: Record) -> Iterator[tuple[str, Fact]]:
    case = record.case
    told = record.entries(e.CaseOpened, e.CaseGrew)
    ranked = sorted(case.course.signals, key=lambda one: -one.score)
    yield "signals", known(lines(map(_measured, ranked[:8])), told, unknown="no signal is attached to the case")
    rows = max((one.rows for one in ranked), default=0)
    seen = f"up to {rows} predictions in the windows that were judged" if rows else ""
    yield "predictions", known(seen, told, unknown="no window of predictions was judged")
    yield (
        "persons_affected",
        known(
            seen,
            told,
            unknown="persons are not counted",
            missing="how many persons these concern: predictions are counted, persons are not",
        ),
    )
    reached = [
        f"{one.model}, {one.depth} steps downstream: "
        + ("shows signals" if one.seen else "could be reached, shows nothing")
        for one in case.blast_radius
    ]
    yield "blast_radius", known(lines(reached), told, unknown="no dependent model is declared")
    kinds = sorted({one.detector for one in ranked})
    people = case.category is Category.HUMAN_REPORT
    how = ("a person reported it" if people else f"Headgate's monitoring saw it ({listed(kinds)})") if kinds else ""
    yield "how_detected", known(how, told, unknown="no detector is named")
    groups = sorted({one.subject for one in ranked if one.category.value == "fairness"})
    yield (
        "groups",
        known(listed(groups), told, unknown="no signal compares groups of people", missing="who these people are"),
    )


def _measured(one: Evidence) -> str:
    return f"{one.summary} ({one.statistic} {one.value:.3g}, limit {one.threshold:.3g}, {one.rows} predictions)"


def _titled(clock: str) -> str:
    regime = REGIMES.get(clock.split(".", 1)[0])
    return regime.title if regime else clock


def _duties(record: Record) -> Iterator[tuple[str, Fact]]:
    clocks = record.case.clocks
    yield (
        "regimes",
        known(
            lines(_titled(name) for name in clocks.regimes),
            record.entries(CaseRegulated),
            unknown="no duty to report was linked to the case, by its declaration or by a person",
        ),
    )
    yield from filing(record, ()).items()


def filing(record: Record, regimes: tuple[str, ...]) -> dict[str, Fact]:
    """Return the facts on reports: those of these regimes (all where none is named), and those under other laws."""
    statutory = [one for one in record.case.clocks.counted if one.regime != CONTRACT]
    counted = [one for one in statutory if one.state is not ClockState.SUPERSEDED]
    ours = [one for one in counted if not regimes or one.regime.split(":", 1)[0] in regimes]
    others = [one for one in counted if one not in ours]
    started = record.entries(ClockStarted)

    def told(clocks: list[Counted], unknown: str, missing: str = "") -> Fact:
        said = lines(f"{_titled(one.clock)} [{one.clock}]: {state_of(one, record)}" for one in clocks)
        return known(said, started if clocks else (), unknown=unknown, missing=missing if clocks else "")

    running = sorted((one for one in ours if one.state is ClockState.RUNNING), key=lambda one: one.due)
    sent = [one for one in ours if one.state is ClockState.SUBMITTED]
    late = [one for one in sent if one.late]
    on_time = Fact(value="none of the reports that were sent was late", entries=started)
    return {
        "reports": told(ours, "no clock of this duty was started on the case"),
        "other_reports": told(others, "no clock of another duty was started on the case"),
        "next_report": told(running[:1], "no clock of this duty runs on the case"),
        "submitted": told(sent, "by what the record says no report was filed"),
        "late": told(late, "no report was sent yet", "the reasons for the delay") if late or not sent else on_time,
        "not_reportable": told(
            [one for one in ours if one.state is ClockState.NOT_APPLICABLE],
            "nobody has decided that the duty does not apply",
        ),
    }


def state_of(one: Counted, record: Record) -> str:
    """Return where a clock stands, in words."""
    match one.state:
        case ClockState.RUNNING:
            return f"due {when(one.due)}, not filed by what the record says"
        case ClockState.SUBMITTED:
            by = listed(map(record.person, one.ended_by))
            return f"filed {when(one.submitted_at)}, receipt {one.receipt}, say {by}{' (late)' if one.late else ''}"
        case ClockState.NOT_APPLICABLE:
            return f"does not apply, decided {listed(map(record.person, one.ended_by))}: {one.why}"
        case ClockState.MET:
            by = listed(map(record.person, one.ended_by))
            return f"met {when(one.submitted_at)}, say {by}{' (late)' if one.late else ''}"
        case ClockState.SUPERSEDED:
            return f"gave way to {listed(one.ended_by)}: {one.why}"
