"""What keeps an incident from being closed, each with the command that settles it."""

from collections.abc import Iterator

from agents.ledger.case import Case
from agents.ledger.closing import standing
from agents.ledger.control import Control

_SETTLES = {
    "tasks": "headgate incidents task done {incident} NAME --as NAME",
    "post_mortem": "headgate incidents post-mortem template {incident}   (then write, and accept)",
    "glass": "headgate incidents review-break-glass {incident} --help   (or review-standing)",
    "hold": "headgate incidents release-hold {incident} --as NAME",
    "merged": "headgate incidents show {incident}",
    "split": "headgate incidents show {incident}",
    "clocks": "headgate clocks show {incident}   (then submit and confirm, delivered, or not-applicable)",
    "reviews": "headgate reviews   (then uphold or override)",
    "messages": "headgate messages list {incident}   (then draft, approve, sent)",
}
_SAYS = {
    "no root cause is recorded": "headgate incidents cause {incident} --help",
    "the checklist has no answer": "headgate incidents checklist {incident}   (then check)",
    "nobody who could act owns": "headgate incidents task list {incident}",
}


def left_to_do(case: Case, control: Control, shown: str) -> Iterator[tuple[str, str]]:
    """Return a sentence and a command for each thing that stands open; `shown` is the id as it is to be typed."""
    for matter, sentence in standing(control, case):
        command = next((told for said, told in _SAYS.items() if sentence.startswith(said)), _SETTLES[matter])
        yield sentence, command.format(incident=shown)
