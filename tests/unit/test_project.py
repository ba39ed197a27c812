"""The incident as it stands: what a subscriber reads of it, at each stage."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from agents.roles.project import status
from schemas.codec import frame, open_frame
from schemas.ledger import ActionStatus, IncidentStatus
from schemas.signals import Affected
from tests import play
from tests.ledgers import INCIDENT, START, Ledger
from tests.play import AFTER, TARGET

STAGES: list[tuple[Callable[[], Ledger], tuple[str, str, int, int]]] = [
    (play.opened, ("declared", "", 0, 0)),
    (play.proposed, ("declared", "proposed", 0, 0)),
    (play.requested, ("declared", "pending", 0, 2)),
    (play.authorised, ("declared", "authorised", 2, 2)),
    (play.contained, ("contained", "executing", 2, 2)),
    (play.recovering, ("recovering", "done", 2, 2)),
    (play.resolved, ("resolved", "done", 2, 2)),
]


def shown(ledger: Ledger) -> IncidentStatus:
    """Return the status as of the last entry."""
    return status(ledger.case, len(ledger.leaves) - 1, ledger.at)


@pytest.mark.parametrize(("stage", "expected"), STAGES, ids=[stage.__name__ for stage, _ in STAGES])
def test_each_stage_reads_as_it_stands(stage: Callable[[], Ledger], expected: tuple[str, str, int, int]) -> None:
    """Phase, plan and approvals are those of the case, under its index and sequence, and stand on the status topic."""
    ledger = stage()
    found = shown(ledger)
    assert (found.phase, found.plan_state, found.approvals, found.quorum) == expected
    assert found.plan == (ledger.plan if expected[1] else "")
    assert (found.incident, found.index, found.sequence) == (INCIDENT, len(ledger.leaves) - 1, ledger.case.sequence)
    assert open_frame(frame(found), (IncidentStatus,)) == found


def test_a_status_says_what_was_detected_and_what_was_done() -> None:
    """What the incident is, and each action with what its target showed."""
    found = shown(play.contained())
    assert (found.severity.value, found.category.value, found.system) == ("sev2", "data_drift", "radiator")
    assert (found.models, found.versions, found.title) == (("shuttle",), ("shuttle/2",), "shuttle 2 sees other data")
    assert (found.opened_at, found.acknowledged, found.recurrence_of) == (START, False, None)
    assert found.actions == (ActionStatus(target=TARGET, desired=AFTER, outcome="done", read_back=AFTER),)


def test_an_action_under_way_has_no_outcome_yet() -> None:
    """The intent is told before its outcome is known."""
    ledger = play.authorised()
    play.start(ledger)
    assert shown(ledger).actions == (ActionStatus(target=TARGET, desired=AFTER, outcome="", read_back=""),)


def test_a_model_and_a_version_are_named_once_in_their_order() -> None:
    """Instances of one version do not repeat it."""
    affected = (
        Affected(model="shuttle", version="2", instances=("a",)),
        Affected(model="other", version="2"),
        Affected(model="shuttle", version="3"),
        Affected(model="shuttle", version="2", instances=("b",)),
    )
    found = status(replace(play.opened().case, affected=affected, recurrence_of="incident-0"), 7, START)
    assert found.models == ("shuttle", "other")
    assert found.versions == ("shuttle/2", "other/2", "shuttle/3")
    assert found.recurrence_of == "incident-0"
