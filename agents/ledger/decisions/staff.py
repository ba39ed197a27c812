"""Decide who does what on a case: duties assumed and handed over, the triage checklist, tasks and notes."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.refusal import refuse
from schemas.case import people as p
from schemas.ids import sound

MAX_TASKS = 200
MAX_NOTES = 2_000
MAX_TEXT = 4_000
MAX_TITLE = 300


def _assume(case: Case, asked: Asked, body: p.AssumeDuty) -> list[object]:
    holder = case.people.duties.get(body.duty, "")
    if holder == asked.principal:
        return refuse(asked, "held", f"this person is the {body.duty.value} already")
    assumed = p.DutyAssumed(
        incident=case.incident, duty=body.duty, principal=asked.principal, by=asked.principal, note=""
    )
    if not holder:
        return [assumed]
    return [p.DutyRenounced(incident=case.incident, duty=body.duty, principal=holder), assumed]


def _hand_over(control: Control, case: Case, asked: Asked, body: p.HandOver) -> list[object]:
    if case.people.duties.get(body.duty) != asked.principal:
        return refuse(asked, "not_held", f"only the {body.duty.value} hands the duty over; assume it first")
    if body.to == asked.principal:
        return refuse(asked, "held", "a duty is handed to another person")
    roles = control.roles.get(body.to, frozenset())
    if not roles or any(role.service for role in roles):
        return refuse(asked, "no_person", "a duty is handed to an enrolled person")
    return [
        p.DutyRenounced(incident=case.incident, duty=body.duty, principal=asked.principal),
        p.DutyAssumed(incident=case.incident, duty=body.duty, principal=body.to, by=asked.principal, note=body.note),
    ]


def _add_task(control: Control, case: Case, asked: Asked, body: p.AddTask) -> list[object]:
    if not sound(body.task) or not 0 < len(body.title) <= MAX_TITLE:
        return refuse(asked, "bad_task", f"a task has an id and a title of 1 to {MAX_TITLE} characters")
    if body.task in case.people.tasks:
        return refuse(asked, "known_task", "the case has a task of this id")
    if len(case.people.tasks) >= MAX_TASKS:
        return refuse(asked, "too_much", f"a case has at most {MAX_TASKS} tasks")
    roles = control.roles.get(body.owner, frozenset())
    if not roles or any(role.service for role in roles):
        return refuse(asked, "no_person", "a task is owned by an enrolled person")
    return [
        p.TaskAdded(
            incident=case.incident,
            task=body.task,
            title=body.title,
            owner=body.owner,
            due_at=body.due_at,
            principal=asked.principal,
        )
    ]


def _finish(case: Case, asked: Asked, body: p.FinishTask) -> list[object]:
    task = case.people.tasks.get(body.task)
    if task is None or task.done_at:
        return refuse(asked, "unknown_task", "no such task is open")
    return [p.TaskFinished(incident=case.incident, task=body.task, principal=asked.principal, note=body.note)]


def _note(case: Case, asked: Asked, body: p.AddNote, at: int) -> list[object]:
    if not 0 < len(body.text) <= MAX_TEXT:
        return refuse(asked, "bad_note", f"a note has 1 to {MAX_TEXT} characters")
    if not 0 <= body.happened_at <= at:
        return refuse(asked, "bad_time", "what a note tells has happened already; 0 stands for now")
    if case.people.notes >= MAX_NOTES:
        return refuse(asked, "too_much", f"a case has at most {MAX_NOTES} notes")
    note = p.NoteAdded(incident=case.incident, principal=asked.principal, text=body.text, happened_at=body.happened_at)
    return [note]


def decide(control: Control, case: Case, asked: Asked, at: int) -> list[object] | None:
    """Return the events of a command about people and their work, or None where it is none."""
    if isinstance(asked.body, p.HandOver | p.CheckItem | p.FinishTask) and len(asked.body.note) > MAX_TEXT:
        return refuse(asked, "bad_note", f"a note has at most {MAX_TEXT} characters")
    match asked.body:
        case p.AssumeDuty():
            return _assume(case, asked, asked.body)
        case p.HandOver():
            return _hand_over(control, case, asked, asked.body)
        case p.CheckItem(item=item, note=note):
            if item not in control.policies[case.policy].checklist:
                return refuse(asked, "unknown_item", "the case's policy has no such checklist item")
            return [p.ItemChecked(incident=case.incident, item=item, principal=asked.principal, note=note)]
        case p.AddTask():
            return _add_task(control, case, asked, asked.body)
        case p.FinishTask():
            return _finish(case, asked, asked.body)
        case p.AddNote():
            return _note(case, asked, asked.body, at)
    return None
