"""What of a case still stands open, a sentence each: while there is one, the case does not close."""

from collections.abc import Callable, Iterator, Mapping

from agents.ledger import recount, updates
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.lacking import lacking

_NAMED = 5


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _tasks(_control: Control, case: Case) -> Iterator[str]:
    opened = [name for name, task in case.people.tasks.items() if not task.done_at]
    if opened:
        yield f"tasks are open: {_some(opened)}"


def _glass(_control: Control, case: Case) -> Iterator[str]:
    broken = [str(one.number) for one in case.glass.broken if one.verdict is None]
    if broken:
        yield f"broken glasses are not reviewed: {_some(broken)}"
    used = [str(one.number) for one in case.glass.used if one.verdict is None]
    if used:
        yield f"uses of standing approvals are not reviewed: {_some(used)}"


def _hold(_control: Control, case: Case) -> Iterator[str]:
    if case.hold.stands:
        yield "the hold on evidence stands: two persons release it, one of them legal"


def _merged(control: Control, case: Case) -> Iterator[str]:
    into = [name for name, other in control.merged.items() if other == case.incident]
    unsaid = [name for name in into if name not in case.course.absorbed]
    if unsaid:
        yield f"incidents merged into it are not recorded here: {_some(unsaid)}"


def _split(control: Control, case: Case) -> Iterator[str]:
    waiting = [into for into, split in control.splits.items() if split.incident == case.incident]
    if waiting:
        yield f"what was split from it is not opened: {_some(waiting)}"


def _learning(control: Control, case: Case) -> Iterator[str]:
    if case.severity not in control.policies[case.policy].closing.post_mortem:
        return
    if not case.learning.written:
        yield "no post-mortem is written"
    elif not case.learning.accepted:
        yield "the post-mortem is not accepted"
    if not case.learning.accepted:
        yield from lacking(control, case)


def _clocks(_control: Control, case: Case) -> Iterator[str]:
    return recount.unfinished(case)


def _messages(_control: Control, case: Case) -> Iterator[str]:
    waiting = [audience.value for audience in updates.promised(case)]
    if waiting:
        yield f"another update was promised to {_some(waiting)}: a last message promises none"


def _reviews(_control: Control, case: Case) -> Iterator[str]:
    waiting = [review.prediction for review in case.reviews.waiting]
    if waiting:
        yield f"decisions wait for a review: {_some(waiting)}"


_MATTERS: Mapping[str, Callable[[Control, Case], Iterator[str]]] = {
    "tasks": _tasks,
    "post_mortem": _learning,
    "glass": _glass,
    "hold": _hold,
    "merged": _merged,
    "split": _split,
    "clocks": _clocks,
    "reviews": _reviews,
    "messages": _messages,
}
"""Each matter says what of it stands open."""


def standing(control: Control, case: Case) -> tuple[tuple[str, str], ...]:
    """Return all that keeps a case from being closed: of which matter, and a sentence; empty when it may be."""
    return tuple((matter, said) for matter, says in _MATTERS.items() for said in says(control, case))


def unfinished(control: Control, case: Case) -> tuple[str, ...]:
    """Return the sentences of what stands open."""
    return tuple(said for _, said in standing(control, case))
