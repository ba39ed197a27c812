"""The people region of a case: who has which duty, what is checked, and which tasks are open."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas.case import people as p
from schemas.case.people import Duty


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task and its owner; `done_at` is 0 while it is open."""

    title: str
    owner: str
    due_at: int
    done_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Duties by who has them, answered checklist items by who answered, tasks by id, and how many notes there are."""

    duties: Mapping[Duty, str] = field(default_factory=dict)
    checked: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, Task] = field(default_factory=dict)
    notes: int = 0


def evolve(people: People, event: object, at: int) -> People:
    """Return the region after an event of the entry decided at `at` (ms); others leave it as it is."""
    match event:
        case p.DutyAssumed():
            return replace(people, duties={**people.duties, event.duty: event.principal})
        case p.DutyRenounced():
            return replace(people, duties={duty: who for duty, who in people.duties.items() if duty != event.duty})
        case p.ItemChecked():
            return replace(people, checked={**people.checked, event.item: event.principal})
        case p.TaskAdded():
            task = Task(title=event.title, owner=event.owner, due_at=event.due_at)
            return replace(people, tasks={**people.tasks, event.task: task})
        case p.TaskFinished():
            done = replace(people.tasks[event.task], done_at=at)
            return replace(people, tasks={**people.tasks, event.task: done})
        case p.NoteAdded():
            return replace(people, notes=people.notes + 1)
    return people
