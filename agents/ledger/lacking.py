"""What of the learning from a case is missing: without it no post-mortem is accepted."""

from agents.ledger.case import Case
from agents.ledger.control import Control


def lacking(control: Control, case: Case) -> tuple[str, ...]:
    """Return what a post-mortem cannot be accepted without and the case does not have, each as a sentence."""
    keys = control.keys.values()
    acting = {enrolled.principal for enrolled in keys if not enrolled.revoked}
    unanswered = [item for item in control.policies[case.policy].checklist if item not in case.people.checked]
    ownerless = [name for name, task in case.people.tasks.items() if not task.done_at and task.owner not in acting]
    said = []
    if not case.learning.roots:
        said.append("no root cause is recorded")
    if unanswered:
        said.append(f"the checklist has no answer to {', '.join(unanswered)}")
    if ownerless:
        said.append(f"nobody who could act owns {', '.join(ownerless[:10])}")
    return tuple(said)
