"""Whatever people say in whatever order: no clock of a case is ever lost."""

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.ledger import case as cases
from agents.ledger import rules
from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.recount import EDITION, called_for, follows, unfinished
from agents.ledger.regions.clocks import TRIGGERS, ClockState
from schemas.case import clocks as c
from schemas.case.clocks import Known
from schemas.events import CaseResolved, Refused
from schemas.regulation.catalogue import REGIMES
from schemas.regulation.clocks import FACTS
from schemas.values import Role
from tests.clocks import HOUR, declared
from tests.ledgers import INCIDENT, START

BEGUN = declared("ai_act_art73", "gpai_art55", "nis2_23")
RULED = frozenset({Role.COMPLIANCE, Role.LEGAL})
NAMES = sorted({*REGIMES, *(clock.key for one in REGIMES.values() for clock in one.clocks)})
KEYS = sorted(clock.key for one in REGIMES.values() for clock in one.clocks)
OURS = [name for name in NAMES if name.split(".")[0] in {"ai_act_art73", "gpai_art55", "nis2_23"}]
named = st.one_of(st.sampled_from(OURS), st.sampled_from(NAMES))
keyed = st.one_of(st.sampled_from([name for name in OURS if name in KEYS]), st.sampled_from(KEYS))
times = st.integers(-100, 2_000).map(lambda hours: START + hours * HOUR)
words: st.SearchStrategy[Any] = st.one_of(
    st.builds(
        c.RecordFact,
        incident=st.just(INCIDENT),
        fact=st.sampled_from([*FACTS, *sorted(TRIGGERS)]),
        known=st.sampled_from(Known),
        happened_at=st.one_of(st.just(0), times),
        basis=st.just("b"),
    ),
    st.builds(c.RegulateCase, incident=st.just(INCIDENT), regime=st.sampled_from(sorted(REGIMES)), reason=st.just("r")),
    st.builds(
        c.SubmitReport,
        incident=st.just(INCIDENT),
        clock=keyed,
        receipt=st.just("R"),
        submitted_at=st.one_of(st.just(0), times),
    ),
    st.builds(c.DeclareNotApplicable, incident=st.just(INCIDENT), clock=named, reason=st.just("r")),
    st.builds(c.ReopenClock, incident=st.just(INCIDENT), clock=named, reason=st.just("r")),
    st.builds(
        c.TollClock,
        incident=st.just(INCIDENT),
        clock=keyed,
        until=times,
        reason=st.just("r"),
        authority=st.just("a"),
    ),
    st.just(CaseResolved(incident=INCIDENT, model="shuttle", version="1", clear_rows=1)),
)


def asked(body: Any, who: str) -> Asked:
    """Return a word as the rules see it."""
    return Asked(
        kind=type(body).__name__, incident=INCIDENT, body=body, principal=who, key="k", roles=RULED, statement="00" * 32
    )


def after(case: Case, events: list[object], at: int) -> Case:
    """Return the case after the events."""
    for event in events:
        found = cases.evolve(case, event, at)
        assert found is not None
        case = found
    return case


def take(case: Case, body: Any, who: str, at: int) -> Case:
    """Let the rules decide a word, and compare the case with what it was: nothing is forgotten, what is due runs."""
    if isinstance(body, CaseResolved):
        events = follows(BEGUN.control, case, asked(body, who), [body], at)
    else:
        events = rules.decide(1, BEGUN.control, case, asked(body, who), at)
    assert not any(isinstance(event, Refused) and event.reason == "defect" for event in events)
    before, case = case, after(case, events, at)
    clocks = case.clocks
    assert [one.number for one in clocks.counted] == list(range(1, len(clocks.counted) + 1))
    running = {one.report: one for one in clocks.running}
    assert len(running) == len(clocks.running), "one clock at most runs for each report"
    for wanted in called_for(case):
        mine = running[f"{wanted.clock.regime}.{wanted.clock.name}"]
        assert (mine.clock, mine.strict_due) == (wanted.clock.key, wanted.strict_due)
        assert mine.trigger_at == wanted.trigger.at
    for one, was in zip(clocks.counted, before.clocks.counted, strict=False):
        if was.state is ClockState.RUNNING and one.state is not ClockState.RUNNING:
            by_person = one.state in {ClockState.SUBMITTED, ClockState.NOT_APPLICABLE}
            assert one.ended_by[0] == who or (by_person and who in one.ended_by) or EDITION.clock(one.ended_by[0])
    assert bool(clocks.running) <= bool(list(unfinished(case)))
    return case


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(words, st.integers(0, 72), st.booleans()), max_size=14))
def test_no_clock_is_lost(script: list[tuple[Any, int, bool]]) -> None:
    """Each clock that started runs or has ended by a submission, a named decision, or another tier of its report."""
    case, at = BEGUN.case, START
    for number, (body, hours, confirms) in enumerate(script):
        at += hours * HOUR
        case = take(case, replace(body, repeat=number) if hasattr(body, "repeat") else body, "p-cleo", at)
        if confirms and isinstance(body, c.SubmitReport):
            case = take(case, c.ConfirmReport(incident=INCIDENT, clock=body.clock, receipt="R"), "p-lea", at)
