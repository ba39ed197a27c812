"""What stands beside approvals at the command line: broken glasses, deputies and exclusions, on a real broker."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from schemas.values import Role
from streams.settings import DEPLOY, Settings
from tests.desk import Desk, registrar

pytestmark = pytest.mark.broker
PEOPLE = {"ana": Role.ML_MANAGER, "ben": Role.ML_MANAGER, "eva": Role.SRE}


@pytest.fixture
def desk(settings: Settings) -> Iterator[Desk]:
    """A ledger with policy, systems and three persons, and a registrar at work on it."""
    made = Desk(settings)
    made.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(settings):
        for name, role in PEOPLE.items():
            made.run("keys", "new", name)
            made.run("keys", "enrol", str(settings.keys_directory / f"{name}.pub"), "--role", role.value)
        yield made


def test_a_broken_glass_and_a_deputy_are_told_wherever_people_look(desk: Desk) -> None:
    """Who broke it, until when, who must know, that its review is open; and in whose place somebody approved."""
    incident = desk.opened("glass-1")
    digest = desk.planned(incident)
    said = desk.run("incidents", "break-glass", incident, "--step", "1", "--reason", "harm now", "--as", "ana")
    assert "GLASS BROKEN" in said
    assert "GLASS BROKEN 1 (harm now): not reviewed" in desk.run("incidents", "show", incident)
    verdict = ("--verdict", "justified", "--note", "harm was real")
    assert "had a part" in desk.fails("incidents", "review-break-glass", incident, *verdict, "--as", "ana")
    assert "justified" in desk.run("incidents", "review-break-glass", incident, *verdict, "--as", "ben")
    assert [one["verdict"] for one in desk.json("incidents", "show", incident)["reviews"]] == ["justified"]
    until = datetime.fromtimestamp(time.time() + 3600, UTC).isoformat()
    assert "in the place of" in desk.run("delegate", "eva", "--until", until, "--reason", "away", "--as", "ana")
    assert "eva" in desk.run("delegate")
    assert "1 of 2" in desk.run("approve", incident, "--as", "eva", "--plan", digest, "--reason", "seen")
    assert "no longer" in desk.run("delegate", "eva", "--revoke", "--reason", "back", "--as", "ana")
    why = ("--person", "ben", "--reason", "released it")
    assert "takes no part" in desk.run("incidents", "exclude", incident, *why, "--as", "ana")
    assert "has a part" in desk.fails("approve", incident, "--as", "ben", "--plan", digest, "--reason", "seen")
