"""What people do on a case and have learnt of it, in a few lines: duties, checklist, tasks, causes, post-mortem."""

from collections.abc import Iterator, Mapping

from agents.ledger.case import Case
from agents.ledger.control import Control
from streams.view.rendering import when

_MOST_TASKS = 10


def lines(case: Case, control: Control, names: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines; none where nobody has done anything yet."""
    people, learning = case.people, case.learning
    for duty, principal in people.duties.items():
        yield f"{duty.value}: {names.get(principal, principal)}"
    asked = control.policies[case.policy].checklist
    if people.checked:
        missing = [item for item in asked if item not in people.checked]
        left = f"; open: {', '.join(missing)}" if missing else ""
        yield f"checklist: {len(asked) - len(missing)} of {len(asked)} answered{left}"
    opened = [(name, task) for name, task in people.tasks.items() if not task.done_at]
    if people.tasks:
        yield f"tasks: {len(people.tasks) - len(opened)} of {len(people.tasks)} done"
    for name, task in opened[:_MOST_TASKS]:
        yield f"  {name}, {names.get(task.owner, task.owner)}, until {when(task.due_at)}: {task.title}"
    if waiting := case.reviews.waiting:
        late = f", {len(case.reviews.overdue)} overdue" if case.reviews.overdue else ""
        yield f"decisions to review: {len(waiting)} of {len(case.reviews.queued)} wait{late}; `headgate reviews`"
    if learning.causes:
        yield f"causes: {len(learning.causes)}, root: {', '.join(learning.roots) or 'none yet'}"
    if learning.written:
        who = names.get(learning.accepted_by, learning.accepted_by)
        yield f"post-mortem {learning.written[:12]}: " + (f"accepted by {who}" if who else "not accepted yet")
    if learning.verdicts:
        yield f"signals judged: {len(learning.verdicts)} of {len(learning.signals)}"
    if learning.ratings:
        scores = sorted(learning.ratings.values())
        yield f"response rated: {', '.join(map(str, scores))} of 5"
