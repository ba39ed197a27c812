"""Who does what on a case: duties, the checklist, tasks and notes, and each way in which they are refused."""

from typing import Any

import pytest

from agents.ledger.decisions.staff import MAX_NOTES, MAX_TASKS, MAX_TEXT, MAX_TITLE
from schemas import commands as c
from schemas.case import people as p
from schemas.case.people import Duty
from schemas.case.response import Dismissal
from schemas.signals import Affected
from streams.view.timeline import timeline
from tests.ledgers import INCIDENT, START, genesis, names, reason
from tests.play import incident_opened, opened
from tests.story import LOW


def assume(**changes: Any) -> p.AssumeDuty:
    """Take command of the incident."""
    return p.AssumeDuty(**({"incident": INCIDENT, "duty": Duty.COMMANDER} | changes))


def hand_over(**changes: Any) -> p.HandOver:
    """Hand the command to mia."""
    return p.HandOver(**({"incident": INCIDENT, "duty": Duty.COMMANDER, "to": "p-mia", "note": "all moved"} | changes))


def check(**changes: Any) -> p.CheckItem:
    """Answer an item of the checklist."""
    return p.CheckItem(**({"incident": INCIDENT, "item": "who-is-harmed", "note": "nobody"} | changes))


def task(**changes: Any) -> p.AddTask:
    """Give eva a task."""
    said = {"incident": INCIDENT, "task": "t-1", "title": "Look upstream", "owner": "p-eva", "due_at": START + 1}
    return p.AddTask(**(said | changes))


def done(**changes: Any) -> p.FinishTask:
    """Say that the task is done."""
    return p.FinishTask(**({"incident": INCIDENT, "task": "t-1", "note": "merged"} | changes))


def note(**changes: Any) -> p.AddNote:
    """Tell something."""
    return p.AddNote(**({"incident": INCIDENT, "text": "customers call", "happened_at": START - 60_000} | changes))


def test_a_duty_has_one_holder_at_a_time() -> None:
    """Who assumes it relieves the one before in the same entry, and a hand-over says by whom and what to know."""
    ledger = opened()
    assert names(ledger.ask(assume(), "max")) == ["DutyAssumed"]
    assert names(ledger.ask(assume(), "mia")) == ["DutyRenounced", "DutyAssumed"]
    assert ledger.case.people.duties == {Duty.COMMANDER: "p-mia"}
    assert names(ledger.ask(hand_over(to="p-eva"), "mia")) == ["DutyRenounced", "DutyAssumed"]
    assert ledger.case.people.duties == {Duty.COMMANDER: "p-eva"}


def test_tasks_items_and_notes_are_kept_with_who_and_when() -> None:
    """A checked item names who answered, a task its owner and when it was done, and notes are counted."""
    ledger = opened()
    ledger.ask(check(), "eva")
    ledger.ask(task(), "max")
    ledger.later(5).ask(done(), "eva")
    ledger.ask(note(), "cleo")
    people = ledger.case.people
    assert people.checked == {"who-is-harmed": "p-eva"}
    assert (people.tasks["t-1"].owner, people.tasks["t-1"].done_at) == ("p-eva", START + 5000)
    assert people.notes == 1


LONG = "x" * (MAX_TEXT + 1)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (assume(repeat=1), "held"),
        (hand_over(duty=Duty.SCRIBE), "not_held"),
        (hand_over(to="p-max"), "held"),
        (hand_over(to="p-nobody"), "no_person"),
        (hand_over(to="p-triage"), "no_person"),
        (hand_over(note=LONG), "bad_note"),
        (check(item="what-else"), "unknown_item"),
        (check(note=LONG), "bad_note"),
        (task(task="a b"), "bad_task"),
        (task(task="t-2", title=""), "bad_task"),
        (task(task="t-2", title="x" * (MAX_TITLE + 1)), "bad_task"),
        (task(title="again"), "known_task"),
        (task(task="t-2", owner="p-remediation"), "no_person"),
        (task(task="t-2", owner="p-nobody"), "no_person"),
        (done(task="t-9"), "unknown_task"),
        (done(note=LONG), "bad_note"),
        (note(text=""), "bad_note"),
        (note(text=LONG), "bad_note"),
        (note(happened_at=START + 3_600_000), "bad_time"),
        (note(happened_at=-1), "bad_time"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(body: object, why: str) -> None:
    """A refused word changes nothing of who does what."""
    ledger = opened()
    ledger.ask(assume(), "max")
    ledger.ask(task(), "max")
    before = ledger.case.people
    assert reason(ledger.ask(body, "max")) == why
    assert ledger.case.people == before


def test_a_finished_task_is_not_finished_twice() -> None:
    """The second word on a task is refused, whoever says it."""
    ledger = opened()
    ledger.ask(task(), "max")
    ledger.ask(done(), "eva")
    assert reason(ledger.ask(done(note="again"), "eva")) == "unknown_task"


def test_a_case_takes_a_bounded_number_of_tasks_and_notes() -> None:
    """Nobody fills a case without end."""
    ledger = opened()
    for number in range(MAX_TASKS):
        ledger.fold.state.cases[INCIDENT].people.tasks[f"n-{number}"] = None  # type: ignore[index]
    assert reason(ledger.ask(task(), "max")) == "too_much"
    object.__setattr__(ledger.case.people, "notes", MAX_NOTES)
    assert reason(ledger.ask(note(), "max")) == "too_much"


@pytest.mark.parametrize("who", ["ada", "triage", "remediation"])
@pytest.mark.parametrize(
    "body", [assume(), hand_over(), check(), task(), done(), note()], ids=lambda b: type(b).__name__
)
def test_neither_an_administrator_nor_a_service_does_the_work_of_people(body: object, who: str) -> None:
    """What people do on a case is refused to services and to who only administers."""
    assert reason(opened().ask(body, who)) == "wrong_role"


def test_a_dismissed_candidate_takes_no_more_work() -> None:
    """People have nothing more to do on what was no incident."""
    ledger = genesis(systems=LOW)
    ledger.ask(incident_opened(affected=(Affected(model="small", version="2"),)), "triage")
    assert reason(ledger.ask(note(), "max")) == ""
    ledger.ask(c.Dismiss(incident=INCIDENT, reason=Dismissal.PLANNED_CHANGE, note="a backfill"), "max")
    assert reason(ledger.ask(note(text="later"), "max")) == "illegal_transition"


def test_the_timeline_stands_in_the_order_of_what_happened() -> None:
    """A note stands at the time it tells, with the time at which the ledger had it; all else at the ledger's time."""
    ledger = opened()
    ledger.later(60).ask(note(happened_at=START + 30_000), "max")
    ledger.later(1).ask(note(text="now", happened_at=0), "max")
    lines = timeline(ledger.verified, {"p-max": "max"})
    assert [line.event for line in lines][-2:] == ["NoteAdded", "NoteAdded"]
    first, second = lines[-2:]
    assert (first.at, first.told_at, first.recorded_at) == (START + 30_000, START + 30_000, START + 60_000)
    assert (second.at, second.told_at) == (second.recorded_at, 0)
    assert first.sentence == "noted by max: customers call"
    assert [line.at for line in lines] == sorted(line.at for line in lines)
    assert "FirstBadRow" in {line.event for line in lines}
