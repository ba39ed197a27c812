"""A drill on a running pipeline: what cannot come there is neither waited for nor judged, and is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from agents.drills.advice import advice
from agents.drills.here import fitted, without
from agents.drills.score import NOBODY, score
from schemas import systems
from schemas.drills import Scenario, read
from schemas.errors import PolicyError
from streams.drills.declared import joined, parted
from streams.settings import DEPLOY
from streams.view.drill_report import report
from tests.played import SCENARIO, answered, played

DOCUMENT = (DEPLOY / "systems.toml").read_bytes()
BY_HAND = b"""
[[steps]]
name = "stopped-by-hand"
after = "opened"
by = "max"
says = "StateContained"
fields = { statement = "the sensor is unplugged", evidence = "nothing arrives" }
[expect]"""
NEW = SCENARIO.replace(b"radiator", b"heater").replace(b"shuttle", b"valve").replace(b"other", b"dial")


def scenario(text: bytes = SCENARIO) -> Scenario:
    """Return a scenario from its file."""
    return read(text)


def test_what_a_plan_or_the_files_people_would_bring_is_dropped_and_named() -> None:
    """Approvals, effects, containment and who is paged are not judged; nobody has to be refused."""
    found = fitted(scenario(), ["all"])
    assert found.dropped == (
        "paged",
        "approvals",
        "effects",
        "time:contained",
        "step:cleo-declares",
        "step:mended",
    )
    expect = found.scenario.expect
    assert (expect.category, expect.origin, expect.escalation) == ("data_drift", "shuttle", "all")
    assert (expect.within.detect, expect.within.contain) == (timedelta(seconds=15), None)
    assert "escalation" in fitted(scenario(), ["night"]).dropped


def test_it_is_played_in_real_time_without_targets() -> None:
    """A person's step is there as soon as it can be said, and no model has a target that a plan could move."""
    made = fitted(scenario(), ["all"]).scenario
    assert [(step.name, step.wait) for step in made.steps] == [("units", timedelta(0)), ("ack", timedelta(0))]
    assert made.speed == 1.0
    models = made.systems["radiator"].models
    assert [(model.traffic, model.registry) for model in models.values()] == [(None, None)] * 3
    assert models["shuttle"].known_good == "1"


def test_harm_that_people_stop_by_hand_is_judged() -> None:
    """Where the file's people contain without a plan, containment can come, and what waits for it is played."""
    found = fitted(scenario(SCENARIO.replace(b"\n[expect]", BY_HAND)), ["all"])
    assert "time:contained" not in found.dropped
    assert "mended" in [step.name for step in found.scenario.steps]


def test_what_people_were_to_judge_is_not_judged_without_their_words() -> None:
    """Where a dropped step would have said how bad it is, severity and clocks are dropped with it."""
    said = b'says = "AssessHarm"\nfields = { dimension = "rights", level = "sev1", reason = "it spreads" }'
    text = SCENARIO.replace(b'says = "Declare"\nfields = { reason = "it spreads" }', said)
    assert {"severity", "clocks", "due"} <= set(fitted(scenario(text), ["all"]).dropped)


def test_without_a_step_those_that_wait_for_it_are_gone_too() -> None:
    """What nobody did takes along what was to follow, and nothing else."""
    assert [step.name for step in without(scenario(), ["ack"]).steps] == ["units", "mended"]


def test_what_nobody_said_is_missed_and_said_so() -> None:
    """A person's step that was waited for in vain is no moment that never came."""
    made = fitted(scenario(), ["all"])
    one = replace(
        played(answered()), scenario=made.scenario, pipeline="headgate", dropped=made.dropped, done=(), left=("ack",)
    )
    card = score(one)
    (missed,) = [line for line in card.missed if line.subject == "step:ack"]
    assert missed.found == NOBODY
    assert "Nobody took the step “ack”, although it was waited for." in advice(card)
    told = report(one, card)
    assert "Not played, and not judged: people who are called" in told.notices[1]
    assert "Approvals" not in " ".join(row[0] for part in told.parts for row in part.rows)


def test_a_drills_systems_come_beside_those_adopted_and_leave_again() -> None:
    """What is there stays as it was, with its comments; what an earlier drill left is replaced."""
    added = fitted(scenario(NEW), ["all"]).scenario.systems
    both = joined(DOCUMENT, added)
    assert both.startswith(DOCUMENT[:500])
    assert systems.read(both).systems["heater"].drill
    assert systems.read(parted(both, added)) == systems.read(DOCUMENT)
    assert systems.read(joined(both, added)) == systems.read(both)
    assert parted(DOCUMENT, added) == DOCUMENT


@pytest.mark.parametrize("taken", [b"heater", b"valve"])
def test_a_name_that_is_taken_is_refused(taken: bytes) -> None:
    """Neither a system nor a model of what is real can be declared again as a drill's."""
    real = b"radiator" if taken == b"heater" else b"shuttle"
    with pytest.raises(PolicyError, match="declared already"):
        joined(DOCUMENT, scenario(NEW.replace(taken, real)).systems)
