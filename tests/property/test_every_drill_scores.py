"""The score of a drill is total: whatever happened, whatever was expected, it judges, and says the same again."""

from dataclasses import replace
from datetime import timedelta
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.drills.advice import advice
from agents.drills.played import Done, Played
from agents.drills.score import score
from schemas.drills import Expect, Within
from schemas.values import Category, Severity
from streams.view.drill_report import report, verdict
from tests.played import answered, played

SPANS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=400))
NAMES = st.lists(st.sampled_from(["max", "mia", "shuttle:2", "envoy:shuttle", "nis2_23.final", "", "x" * 300]))
TIMES = st.integers(-(1 << 53), 1 << 53)
EXPECTED = st.builds(
    Expect,
    incidents=st.integers(0, 10),
    category=st.none() | st.sampled_from(Category),
    severity=st.none() | st.sampled_from(Severity),
    phase=st.none() | st.text(max_size=32),
    origin=st.none() | st.text(),
    technique=st.none() | st.text(),
    escalation=st.none() | st.text(),
    affected=st.none() | NAMES,
    effects=st.none() | NAMES,
    clocks=st.none() | NAMES,
    due=st.dictionaries(st.text(), SPANS, max_size=3),
    within=st.builds(Within, detect=st.none() | SPANS, contain=st.none() | SPANS),
)


@cache
def whole() -> Played:
    """A drill that was answered as its file expects."""
    return played(answered())


@st.composite
def drills(draw: st.DrawFn) -> Played:
    """Draw a drill of which any part may be missing, doubled, or out of order."""
    drill = whole()
    steps = [step.name for step in drill.scenario.steps]
    done = st.builds(Done, step=st.sampled_from([*steps, "unknown"]), at=TIMES, refused=st.text(max_size=9))
    return replace(
        drill,
        scenario=drill.scenario.model_copy(update={"expect": draw(EXPECTED)}),
        faulty=draw(st.booleans()),
        fault_at=draw(st.none() | TIMES),
        begun_at=draw(TIMES),
        ended_at=draw(TIMES),
        cases=tuple(draw(st.lists(st.sampled_from(drill.cases), max_size=3))),
        happened=tuple(draw(st.lists(st.sampled_from(drill.happened), max_size=30))),
        done=tuple(draw(st.lists(done, max_size=5))),
        left=tuple(draw(st.lists(st.sampled_from([*steps, "unknown"]), max_size=3))),
    )


@settings(max_examples=40)
@given(drills())
def test_every_drill_has_a_score_and_a_report(drill: Played) -> None:
    """Nothing fails, the same drill has the same score, and what is missed is what is to be improved."""
    card = score(drill)
    assert card == score(drill)
    assert card.lines[0].subject == "incidents"
    assert card.passed is (not advice(card))
    assert verdict(card).startswith("Passed" if card.passed else "Not passed")
    told = report(drill, card)
    assert all(len(row) == len(part.columns) for part in told.parts for row in part.rows)
