"""Statutory clocks at the command line, on a real broker: the demo's system declares regimes, and people answer."""

import time
from pathlib import Path

import pytest

from agents.ledger.fold import Verified
from schemas.case.clocks import ClockShareReached
from schemas.values import Role
from streams.roles.clocks import Clocks
from streams.settings import DEPLOY, Settings
from streams.view.asking import OpenLedger
from tests.desk import Desk, registrar
from tests.told import tell

pytestmark = pytest.mark.broker
INCIDENT, RISK, REPORT = "timed-1", "ai_act_art26_5.risk", "ai_act_art73.report"
PEOPLE = {"ana": Role.COMPLIANCE, "lea": Role.LEGAL}


def shares(entries: list[Verified]) -> list[tuple[str, int]]:
    """Return the shares of clocks that were recorded."""
    found = (event for each in entries for event in each.events if isinstance(event, ClockShareReached))
    return [(event.clock, event.share) for event in found]


def test_people_answer_the_clocks_of_an_incident(settings: Settings, tmp_path: Path) -> None:
    """What is due is listed, facts choose the tier, two persons file, a named one rules out; the users are told."""
    desk = Desk(settings)
    desk.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(desk.settings):
        for name, role in PEOPLE.items():
            desk.run("keys", "new", name)
            desk.run("keys", "enrol", str(settings.keys_directory / f"{name}.pub"), "--role", role.value)
        desk.opened(INCIDENT)
        told = desk.json("clocks", "due", "--within", "3d")
        assert [one["clock"] for one in told] == [RISK, "ai_act_art26_5.serious", f"{REPORT}.widespread"]
        for fact in ("widespread_infringement", "critical_infrastructure"):
            desk.run("clocks", "fact", INCIDENT, fact, "no", "--basis", "one site", "--as", "ana")
        desk.run("clocks", "submit", INCIDENT, RISK, "--receipt", "M-7", "--as", "ana")
        assert "another one confirms it" in desk.fails(
            "clocks", "confirm", INCIDENT, RISK, "--receipt", "M-7", "--as", "ana"
        )
        desk.run("clocks", "confirm", INCIDENT, RISK, "--receipt", "M-7", "--as", "lea")
        desk.run("clocks", "not-applicable", INCIDENT, f"{REPORT}.death", "--reason", "nobody is there", "--as", "lea")
        said = desk.run("clocks", "show", INCIDENT)
        assert "receipt M-7, says ana and lea" in said
        assert f"{REPORT}.general: due" in said
        assert "(DE, Europe/Berlin)" in said
        assert f"clock        {REPORT}.general, due" in desk.run("incidents", "show", INCIDENT)
        tell(desk, INCIDENT, tmp_path, "ana", "lea")
        role = Clocks(desk.key("paging"))
        with OpenLedger(settings) as ledger:
            role.take(ledger.entries, ledger.state)
            for body in role.proposals(ledger.state, int(time.time() * 1000)):
                ledger.ask_once(desk.key("paging"), body)
            assert shares(ledger.entries) == [("ai_act_art26_5.serious", 100)]
            role.take(ledger.entries, ledger.state)
            assert role.proposals(ledger.state, int(time.time() * 1000)) == []
