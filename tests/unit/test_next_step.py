"""Once the response is over, people are told what is left to be done, and where a merged case goes on."""

from dataclasses import replace

import pytest

from agents.ledger.case import Phase
from streams.view.next_step import next_step
from tests import play
from tests.ledgers import INCIDENT, START

LEDGER = play.resolved()


@pytest.mark.parametrize(
    ("phase", "sentence", "command"),
    [
        (Phase.RESOLVED, "people to review it", "headgate incidents review inc --as NAME"),
        (Phase.REVIEW, "no post-mortem is written; ", "headgate incidents close inc --as NAME"),
        (Phase.REVIEW, "the hold on evidence stands", "headgate incidents close inc --as NAME"),
        (Phase.CLOSED, "nothing: it is closed", ""),
        (Phase.MERGED, "nothing: it goes on in incident-3", ""),
    ],
)
def test_what_is_left_is_said(phase: Phase, sentence: str, command: str) -> None:
    """Of a case under review all that keeps it from being closed; of a merged one the end of its mergers."""
    control = replace(LEDGER.control, merged={INCIDENT: "incident-2", "incident-2": "incident-3"})
    step = next_step(replace(LEDGER.case, phase=phase), control, START, "inc", {})
    assert sentence in step.sentence
    assert step.command == command
