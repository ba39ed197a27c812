"""Which statutory clocks run on a case, by what is known of it, and what that changes in the ledger.

Rules of version 1 count by the edition of the catalogue that is named here, whatever editions follow: so an entry is
decided again as it was. Each event of a clock carries the edition's digest.
"""

from collections.abc import Iterator

from agents.ledger.asked import Asked
from agents.ledger.case import Case, Phase, evolve
from agents.ledger.contracts import begun
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from agents.ledger.regions.clocks import Counted, covers
from agents.regulation.select import Facts, Moment, Running, running
from schemas.case import clocks as c
from schemas.case import contracts as k
from schemas.case.response import CaseReopened
from schemas.events import CaseDeclared, CaseGrew, CaseOpened, CaseResolved
from schemas.regulation.catalogue import edition
from schemas.regulation.clocks import Clock, Trigger

EDITION = edition("2026-11-21")
MAX_CLOCKS = 500
_CALL = (CaseDeclared, CaseResolved, CaseReopened, CaseGrew, *c.EVENTS, *k.EVENTS)
_FACT_EVENTS = (c.FactRecorded, c.ReportSubmitted, c.ClockNotApplicable, c.ClockReopened)


def facts_of(case: Case) -> Facts:
    """Return what is known of a case; its opening is the latest moment that counts as awareness."""
    opened = Moment(at=case.opened_at, who="", basis="the case was opened")
    return Facts(opened=opened, moments=case.clocks.moments, known=case.clocks.known)


def called_for(case: Case) -> tuple[Running, ...]:
    """Return the clocks that the catalogue calls for on a case as it stands."""
    clocks = case.clocks

    def without(clock: Clock) -> bool:
        return any(covers(name, clock.key) for name in clocks.excluded)

    regimes = [EDITION.regimes[name] for name in clocks.regimes if name in EDITION.regimes]
    return running(regimes, facts_of(case), clocks.submissions, without)


def unfinished(case: Case) -> Iterator[str]:
    """Return what of the clocks still stands open, a sentence each."""
    owing = [one.clock for one in case.clocks.running if one.regime == k.REGIME]
    if owing:
        yield f"vendors have not met {', '.join(owing[:5])}: say that they did, or that it is not applicable"
    names = [one.clock for one in case.clocks.statutory]
    if names:
        some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        yield f"statutory clocks run: {some}; each ends with its report, or with the word that it is not applicable"
    unknown = [one for one in case.clocks.regimes if one not in EDITION.regimes and one not in case.clocks.excluded]
    if unknown:
        yield f"the catalogue does not know {', '.join(unknown[:5])}: somebody has to say that it is not applicable"


def follows(control: Control, case: Case | None, asked: Asked, events: list[object], at: int) -> list[object]:
    """Return the events with what follows of them for the clocks, in the same entry.

    Where a case is declared the regimes of its systems begin to speak of it; whatever else becomes known may start a
    clock, or move it. A clock once started ends with a submission, with a person's decision, or with another tier of
    its report; never because facts no longer call for it.
    """
    events = [*events, *_inherited(control, asked, events)]
    if not any(isinstance(event, _CALL) for event in events):
        return events
    after = _after(case, events, at)
    if after is None:
        return events
    calls = any(not isinstance(event, c.EVENTS) for event in events)
    regimes = [*_regulated(control, after), *begun(control, after, events, at)] if calls else []
    after = _after(after, regimes, at)
    assert after is not None
    found = [*regimes, *_recount(after, _why(events))]
    statutory = sum(one.regime != k.REGIME for one in after.clocks.counted)
    if statutory + len(found) > MAX_CLOCKS and isinstance(asked.body, c.RecordFact | c.SubmitReport | c.ConfirmReport):
        return refuse(asked, "too_much", f"a case counts at most {MAX_CLOCKS} clocks")
    return [*events, *found]


def _inherited(control: Control, asked: Asked, events: list[object]) -> Iterator[object]:
    """Return since when somebody was aware of what was split off: since they were of the case that it left."""
    split = control.splits.get(asked.incident)
    if split is None or not split.aware_at or not any(isinstance(event, CaseOpened) for event in events):
        return
    yield c.FactRecorded(
        incident=asked.incident,
        fact=Trigger.AWARE.value,
        known=c.Known.YES,
        happened_at=split.aware_at,
        principal=asked.principal,
        basis=f"it was split from {split.incident}, of which somebody was aware then",
    )


def _after(case: Case | None, events: list[object], at: int) -> Case | None:
    for event in events:
        if isinstance(event, (*_CALL, CaseOpened)):
            case = evolve(case, event, at)
    return case


def _why(events: list[object]) -> str:
    match next((event for event in events if isinstance(event, _FACT_EVENTS)), None):
        case c.FactRecorded(fact=fact, known=known):
            return f"{fact} is {known.value}"
        case c.ReportSubmitted(clock=clock):
            return f"{clock} was submitted"
        case c.ClockNotApplicable(clock=clock):
            return f"{clock} is not applicable"
        case c.ClockReopened(clock=clock):
            return f"{clock} was reopened"
    return "more is known of the case"


def _regulated(control: Control, case: Case) -> list[object]:
    """Return the regimes that the systems of the case declare and that do not speak of it yet."""
    if case.phase is Phase.TRIAGE or case.phase.final:
        return []
    found: dict[str, str] = {}
    for model in sorted({affected.model for affected in case.affected}):
        declared = control.systems.find(model)
        for regime in declared[1].regulations if declared else ():
            found.setdefault(regime, declared[0] if declared else "")
    return [
        c.CaseRegulated(incident=case.incident, regime=name, by="systems", reason=f"{system} is declared under it")
        for name, system in found.items()
        if name not in case.clocks.regimes
    ]


def _recount(case: Case, why: str) -> list[object]:
    """Return what changes of the running clocks: at most one runs for each report."""
    events: list[object] = []
    number, live = len(case.clocks.counted), case.clocks.running
    wanted = called_for(case)
    for one in wanted:
        key = one.clock.key
        same = [each for each in live if each.report == _report(one.clock)]
        mine = next((each for each in same if each.clock == key), None)
        events += [_superseded(case, each, key, why) for each in same if each is not mine]
        if mine is None:
            number += 1
            events.append(_started(case, one, number))
        elif (mine.trigger_at, mine.strict_due, mine.assumed) != (one.trigger.at, one.strict_due, one.assumed):
            events.append(_moved(case, mine, one, why))
    return [*events, *_finally(case, wanted, why)]


def _finally(case: Case, wanted: tuple[Running, ...], why: str) -> Iterator[object]:
    """Return that a report which was due again and again is not, once its regime's last report was submitted."""
    sent = {(one.regime, one.name) for one in case.clocks.submissions}
    reports = {_report(one.clock) for one in wanted}
    for one in case.clocks.running:
        clock = EDITION.clock(one.clock)
        last = EDITION.regimes[one.regime].clocks[-1] if clock is not None else None
        if clock is None or last is None or one.report in reports or not clock.repeats:
            continue
        if (last.regime, last.name) in sent:
            yield _superseded(case, one, last.key, why)


def _report(clock: Clock) -> str:
    return f"{clock.regime}.{clock.name}"


def _superseded(case: Case, one: Counted, by: str, why: str) -> c.ClockSuperseded:
    return c.ClockSuperseded(incident=case.incident, clock=one.clock, number=one.number, by=by, why=why)


def _trigger(one: Running) -> str:
    return (Trigger.DISCOVERED if one.clock.trigger is Trigger.YEAR_END else one.clock.trigger).value


def _started(case: Case, one: Running, number: int) -> c.ClockStarted:
    return c.ClockStarted(
        incident=case.incident,
        clock=one.clock.key,
        regime=one.clock.regime,
        number=number,
        trigger=_trigger(one),
        trigger_at=one.trigger.at,
        assumed=one.assumed,
        strict_due=one.strict_due,
        catalogue=EDITION.digest,
    )


def _moved(case: Case, mine: Counted, one: Running, why: str) -> c.ClockMoved:
    return c.ClockMoved(
        incident=case.incident,
        clock=mine.clock,
        number=mine.number,
        trigger=_trigger(one),
        trigger_at=one.trigger.at,
        assumed=one.assumed,
        was=mine.strict_due,
        strict_due=one.strict_due,
        why=why,
        catalogue=EDITION.digest,
    )
