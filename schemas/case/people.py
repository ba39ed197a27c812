"""Who does what on a case: duties, checklist, tasks and notes, as commands and as events."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis


class Duty(StrEnum):
    """What a person does on one case; it gives no right that a role does not give."""

    COMMANDER = "commander"
    SCRIBE = "scribe"
    COMMUNICATIONS = "communications"
    OPERATIONS = "operations"
    SECURITY = "security"
    DATA_STEWARD = "data_steward"
    VENDOR_LIAISON = "vendor_liaison"
    OBSERVER = "observer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumeDuty:
    """Take a duty on a case; whoever had it is relieved of it."""

    incident: str
    duty: Duty
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Hand one's own duty to another principal, with what they must know."""

    incident: str
    duty: Duty
    to: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckItem:
    """Answer an item of the triage checklist that the case's policy names."""

    incident: str
    item: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AddTask:
    """Give a task an owner (a principal) and a due time; `task` is its id on the case."""

    incident: str
    task: str
    title: str
    owner: str
    due_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishTask:
    """Say that a task is done, and how it shows."""

    incident: str
    task: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNote:
    """Tell something for the timeline; `happened_at` is when it happened as the writer knows it, 0 for now."""

    incident: str
    text: str
    happened_at: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAssumed:
    """A person has a duty from now on."""

    incident: str
    duty: Duty
    principal: str
    by: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyRenounced:
    """A person no longer has a duty."""

    incident: str
    duty: Duty
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChecked:
    """An item of the triage checklist was answered."""

    incident: str
    item: str
    principal: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAdded:
    """A task has an owner and a due time."""

    incident: str
    task: str
    title: str
    owner: str
    due_at: Millis
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFinished:
    """A task is done."""

    incident: str
    task: str
    principal: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteAdded:
    """A person told something for the timeline."""

    incident: str
    principal: str
    text: str
    happened_at: Millis


COMMANDS = (AssumeDuty, HandOver, CheckItem, AddTask, FinishTask, AddNote)
EVENTS = (DutyAssumed, DutyRenounced, ItemChecked, TaskAdded, TaskFinished, NoteAdded)
