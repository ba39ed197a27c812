"""A game day on a pipeline that runs: a drill's models beside its own, and people who answer as in life."""

import io
import threading
from pathlib import Path

import pytest
from rich.console import Console

from schemas import systems
from schemas.case.response import Dismissal
from schemas.commands import Acknowledge, Dismiss
from schemas.drills import read
from schemas.errors import HeadgateError
from schemas.values import Category
from streams.demo.timeline import Timeline
from streams.drills.here import Here, administrator, directory_of, runs
from streams.drills.run import play_here
from streams.ledger.genesis import key_of
from streams.settings import Settings
from streams.view.asking import OpenLedger
from tests.plant import Plant, wait_for

pytestmark = pytest.mark.broker
BOILER = b"""version = 1
title = "A sensor of a boiler is exchanged"
situation = "A boiler is watched by a model."
[systems.boiler]
scope = "Says when a boiler needs water."
tier = "high"
[systems.boiler.models.level]
versions = ["1"]
known_good = "1"
traffic = "envoy:level"
[served.level]
outcomes = ["full", "low"]
[served.level.features]
litres = { mean = 100, sd = 20, weight = 1 }
heat = { mean = 60, sd = 5, weight = -0.5 }
[people.kim]
roles = ["ml_manager"]
on_call = true
[[steps]]
name = "gallons"
tells = "The new sensor counts gallons."
faults = [{ kind = "units", model = "level", feature = "litres", factor = 0.22 }]
[[steps]]
name = "taken"
after = "opened"
wait = "3m"
by = "kim"
says = "Acknowledge"
fields = { note = "on it" }
[[steps]]
name = "agreed"
after = "planned"
by = "kim"
says = "Approve"
fields = { reason = "go" }
[[steps]]
name = "mended"
after = "taken"
mends = ["gallons"]
[expect]
category = "data_drift"
severity = "sev2"
phase = "resolved"
affected = ["level:1"]
paged = ["kim"]
approvals = ["kim"]
within = { detect = "30s", acknowledge = "2m", contain = "10m" }
"""


def declared(settings: Settings) -> systems.Systems:
    """Return the systems in force."""
    with OpenLedger(settings) as ledger:
        return ledger.state.control.systems


def answers(plant: Plant, done: threading.Event) -> None:
    """Let a person who is there take the drill's incident as in life."""
    with OpenLedger(plant.settings, plant.trust) as ledger:
        while not done.is_set():
            ledger.poll(0.1)
            for case in ledger.state.cases.values():
                if case.drill and not case.acknowledged:
                    ledger.ask(key_of(plant.settings, "mia"), Acknowledge(incident=case.incident, note="mine"))
                    return


def test_a_game_day_is_played_beside_what_runs_and_taken_out_again(
    settings: Settings, environ: dict[str, str], tmp_path: Path
) -> None:
    """Its incident is a drill's, and whoever is there takes it; its systems stay declared only while it is open."""
    assert not runs(settings)
    with pytest.raises(HeadgateError, match="no pipeline runs for these settings"):
        administrator(settings)
    scenarios = {"boiler": read(BOILER)}
    told = io.StringIO()
    timeline = Timeline(Console(file=told, highlight=False, soft_wrap=True, width=200))
    with Plant(settings, environ) as plant:
        with pytest.raises(HeadgateError, match="has adopted no policy"):
            Here(settings, scenarios, tmp_path / "none", administrator(settings))
        plant.start(("registrar", "detect", "triage"))
        wait_for(lambda: runs(settings), "a registrar runs")
        before = declared(settings)
        done = threading.Event()
        person = threading.Thread(target=answers, args=(plant, done))
        person.start()
        try:
            place = Here(settings, scenarios, directory_of(settings), administrator(settings), timeline.say)
            (card,) = play_here(place, timeline, tmp_path / "reports")
        finally:
            done.set()
            person.join()
        (case,) = plant.cases().values()
        assert card.passed, told.getvalue()
        assert (case.drill, case.category, case.plan) == (True, Category.DATA_DRIFT, None)
        assert card.dropped == ("paged", "approvals", "phase", "time:contained", "step:agreed")
        assert (
            "waiting for a person, ml_manager for instance, to say Acknowledge (`headgate incidents show"
            in told.getvalue()
        )
        assert f"incident {case.incident} is open" in told.getvalue()
        assert declared(settings).systems.keys() == before.systems.keys() | {"boiler"}
        with pytest.raises(HeadgateError, match="of an earlier drill of the system boiler is open"):
            Here(settings, scenarios, tmp_path / "again", administrator(settings))
        over = Dismiss(incident=case.incident, reason=Dismissal.TEST, note="a game day")
        assert plant.ledger.ask(key_of(settings, "mia"), over).refusal is None
        with Here(settings, scenarios, tmp_path / "again", administrator(settings), timeline.say):
            assert declared(settings).systems["boiler"].drill
        assert declared(settings) == before
