"""Duties, the checklist, tasks and notes in sentences."""

from collections.abc import Callable
from typing import Any

from schemas.case import people as p

SAY: dict[type, Callable[[Any], str]] = {
    p.DutyAssumed: lambda x: f"{x.principal} is {x.duty.value}" + (f": {x.note}" if x.note else ""),
    p.DutyRenounced: lambda x: f"{x.principal} is no longer {x.duty.value}",
    p.ItemChecked: lambda x: f"checked, {x.item}: {x.note}",
    p.TaskAdded: lambda x: f"task {x.task} for {x.owner}: {x.title}",
    p.TaskFinished: lambda x: f"task {x.task} is done: {x.note}",
    p.NoteAdded: lambda x: f"noted by {x.principal}: {x.text}",
}
