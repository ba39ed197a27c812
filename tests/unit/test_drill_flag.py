"""A drill's incident is flagged by the ledger, is never one with a real incident, and counts in no figure."""

from dataclasses import replace
from typing import Any

from agents.communication.draft import draft
from agents.communication.telling import Told
from agents.feedback.proposal import judged
from agents.ledger.case import Case
from agents.metrics.history import histories
from agents.metrics.measures import recurrences, summary
from agents.metrics.register import register
from agents.metrics.trend import preceding, quarter_of, trend
from agents.roles.project import status
from agents.triage.inhibition import inhibited_by
from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas import commands as c
from schemas.case.learning import Finding, JudgeSignal, MissedControl
from schemas.case.messages import Audience
from schemas.case.response import Merge, OpenSplit, Split
from schemas.policy import TriagePolicy
from schemas.signals import IncidentOpened
from schemas.systems import read as read_systems
from schemas.values import Category
from streams.view.sentences import sentence
from tests.chapters.drills import BESIDE, BOTH, EXERCISE, PLAYED
from tests.feed import Feed, raised
from tests.ledgers import INCIDENT, START, Ledger, genesis
from tests.past import past
from tests.play import evidence, incident_grew, incident_opened

TWO = (evidence(model="played", version="1"), evidence(signal="s-2", model="played", version="1"))


def play(**changes: Any) -> Ledger:
    """Return a ledger with a drill's incident."""
    ledger = genesis(systems=BOTH)
    opened = incident_opened(id=EXERCISE, affected=PLAYED, evidence=TWO, **changes)
    ledger.ask(opened, "triage")
    return ledger


def exercise(ledger: Ledger, incident: str = EXERCISE) -> Case:
    """Return a case of the ledger."""
    return ledger.state.cases[incident]


def refusal(events: list[object]) -> str:
    """Return the word of a refusal."""
    return str(getattr(events[0], "reason", ""))


def test_only_models_of_drills_make_a_drill() -> None:
    """A real model beside, or one that nobody declares, makes it real: nobody hides an incident among drills."""
    ledger = play()
    assert exercise(ledger).drill
    for number, other in enumerate(("small", "undeclared")):
        affected = (*PLAYED, replace(PLAYED[0], model=other))
        ledger.ask(incident_opened(id=f"i-{number}", affected=affected), "triage")
        assert not exercise(ledger, f"i-{number}").drill
    assert ledger.control.drills == {EXERCISE}


def test_a_drill_and_a_real_incident_are_never_one() -> None:
    """Neither as a recurrence, nor by growth, nor by a merge, nor by what holds back a page; a split keeps the flag."""
    ledger = play(recurrence_of=INCIDENT)
    assert exercise(ledger).recurrence_of is None
    ledger.ask(incident_opened(id=BESIDE, recurrence_of=EXERCISE), "triage")
    assert exercise(ledger, BESIDE).recurrence_of is None
    ledger.ask(incident_opened(id="again", affected=PLAYED, recurrence_of=EXERCISE), "triage")
    assert exercise(ledger, "again").recurrence_of == EXERCISE
    real = replace(PLAYED[0], model="small")
    assert refusal(ledger.ask(incident_grew(id=EXERCISE, affected=(*PLAYED, real)), "triage")) == "drill"
    assert refusal(ledger.ask(incident_grew(id=BESIDE, affected=PLAYED), "triage")) == "drill"
    assert refusal(ledger.ask(Merge(incident="again", into=BESIDE, reason="same"), "max")) == "drill"
    assert refusal(ledger.ask(Merge(incident=BESIDE, into=EXERCISE, reason="same"), "max")) == "drill"
    ledger.ask(Split(incident=EXERCISE, signals=("s-2",), reason="another"), "max")
    (into,) = exercise(ledger).course.splits
    ledger.ask(OpenSplit(incident=into, origin=EXERCISE), "max")
    assert exercise(ledger, into).drill
    outage = replace(exercise(ledger), category=Category.INFRASTRUCTURE, opened_at=0)
    later = exercise(ledger, "again")
    for case, held in ((later, EXERCISE), (replace(later, drill=False), None)):
        assert inhibited_by(case, {EXERCISE: outage}, ledger.control.systems) == held


def test_detection_opens_nothing_in_the_place_of_what_was_split_off() -> None:
    """Else a real incident would take the flag of a drill, by the name that a split of it is to have."""
    ledger = play()
    ledger.ask(Split(incident=EXERCISE, signals=("s-2",), reason="another"), "max")
    (into,) = exercise(ledger).course.splits
    assert refusal(ledger.ask(incident_opened(id=into), "triage")) == "split"
    assert not refusal(ledger.ask(OpenSplit(incident=into, origin=EXERCISE), "max"))
    assert exercise(ledger, into).affected == PLAYED


def test_a_model_is_real_or_a_drills_for_good() -> None:
    """A document that turns one into the other is refused, also where another one gave the model up in between."""
    ledger = genesis(systems=BOTH)
    real = BOTH.replace(b"drill = true\n", b"")
    assert refusal(ledger.ask(c.AdoptSystems(document=real), "ada")) == "drill"
    assert refusal(ledger.ask(c.AdoptSystems(document=b"version = 1\n"), "ada")) == ""
    assert refusal(ledger.ask(c.AdoptSystems(document=real + b"# anew\n"), "ada")) == "drill"
    assert refusal(ledger.ask(c.AdoptSystems(document=BOTH + b"# anew\n"), "ada")) == ""


def test_a_model_of_a_real_incident_never_becomes_a_drills() -> None:
    """Nobody hides what comes of it by declaring it afterwards: neither one it opened with, nor one that joined it."""
    ledger = genesis(systems=b"version = 1\n")
    ledger.ask(incident_opened(id=BESIDE, affected=(replace(PLAYED[0], model="small"),)), "triage")
    joined = (replace(PLAYED[0], model="small"), *PLAYED)
    ledger.ask(incident_grew(id=BESIDE, affected=joined), "triage")
    assert refusal(ledger.ask(c.AdoptSystems(document=BOTH), "ada")) == "drill"
    drill = BOTH.replace(b"drill = true\n", b"").replace(b"[systems.", b"[systems.x-")
    assert refusal(ledger.ask(c.AdoptSystems(document=drill), "ada")) == ""


def test_triage_groups_no_drill_with_what_is_real() -> None:
    """Even where one episode knew both models, as before the document said which is a drill's."""
    joined = BOTH.replace(b"drill = true\n", b"") + b'depends_on = ["small"]\n'
    judge = Judge("digest", TriagePolicy(gather_ms=1500), read_systems(joined))
    triage = Triage(judge)
    feed = Feed(triage)
    assert feed.say(raised("x", model="small", version="1")) == []
    triage.adopt(replace(judge, systems=read_systems(BOTH)))
    feed.say(raised("x", model="played", version="1"), at=10)
    opened = [one for one in feed.tick(5000) if isinstance(one, IncidentOpened)]
    assert [[each.model for each in one.affected] for one in opened] == [["small"], ["played"]]


def test_figures_leave_drills_out() -> None:
    """Trend, register, recurrences and feedback know nothing of a drill; metrics of drills are apart."""
    codes = (MissedControl.DATA_CONTRACT,)
    real, drill = past("a", codes=codes), past("b", at=100, codes=codes, drill=True)
    assert [one.occurrences for one in register([real, drill])] == [1]
    assert recurrences([real, replace(drill, recorded=past("b", at=86_400, codes=codes).recorded)]) == []
    period = quarter_of(START)
    told = trend([real, drill], period, START)
    assert (told.now.incidents, told.drills.incidents) == (1, 1)
    assert preceding(period) != period
    assert summary([drill], []).incidents == 1
    ledger = play()
    ledger.ask(JudgeSignal(incident=EXERCISE, signal="s-1", finding=Finding.TRUE, note=""), "max")
    found = histories(ledger.verified)
    assert found[0].case.learning.verdicts
    assert judged(found) == []


def test_whoever_reads_of_a_drill_reads_first_that_it_is_one() -> None:
    """The sentence of its opening, the status record and a draft say so; those of a real one do not."""
    ledger = play()
    case = exercise(ledger)
    assert sentence(ledger.verified[-1].events[0]).startswith("DRILL: ")
    assert status(case, 1, START).drill
    told = Told(case=case, systems=ledger.control.systems, now=START)
    for audience in Audience:
        assert draft(audience, told).startswith("EXERCISE")
        assert "EXERCISE" not in draft(audience, replace(told, case=replace(case, drill=False)))
