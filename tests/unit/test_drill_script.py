"""Which step of a scenario is due, how fast its clock may run, and when a scene is over."""

from dataclasses import replace

from agents.drills.script import Standing, asks, due_at, left
from schemas import drills
from schemas.drills import Scenario

BASE = """
version = 1
title = "t"
situation = "s"
speed = 60
[systems.ward]
scope = "s"
tier = "high"
[systems.ward.models.readmission]
versions = ["1", "2"]
known_good = "1"
traffic = "envoy:readmission"
[served.readmission.features]
age = { mean = 62, sd = 15 }
[people.ana]
roles = ["ml_manager"]
[[steps]]
name = "fault"
faults = [{ kind = "stuck", model = "readmission", feature = "age", value = 1.0 }]
[[steps]]
name = "ack"
after = "opened"
wait = "3m"
by = "ana"
says = "Acknowledge"
[[steps]]
name = "approve"
after = "ack"
wait = "1m"
speed = 600
by = "ana"
says = "Approve"
fields = { reason = "agreed" }
"""
_EXPECT = '[expect]\nphase = "resolved"\nwithin = { detect = "15s" }\n'
_BEGAN = Standing(moments={"start": 1000})
_BROKEN = replace(_BEGAN, done={"fault": 1000}, latest=1000)
_OPENED = replace(_BROKEN, moments={"start": 1000, "opened": 5000}, phases=("declared",), latest=5000)
_PLANNED = replace(_OPENED, moments={**_OPENED.moments, "planned": 6000}, latest=6000)


def scenario(more: str = "", expect: str = _EXPECT) -> Scenario:
    """Read the scenario of these tests, with more steps, and what is expected."""
    return drills.read((BASE + more + expect).encode())


def test_a_step_is_due_so_long_after_what_it_waits_for() -> None:
    """A step after a moment or another step is due its wait later, and never before that has come."""
    fault, ack, approve = scenario().steps
    assert due_at(fault, _BEGAN) == 1000
    assert due_at(ack, _BEGAN) is None
    assert due_at(ack, _OPENED) == 185_000
    assert due_at(approve, replace(_OPENED, done={"ack": 190_000})) == 250_000


def test_what_begins_at_the_start_is_due_at_once() -> None:
    """At the beginning the fault is asked for, and nothing else."""
    asked = asks(scenario(), _BEGAN, 1000)
    assert [step.name for step in asked.due] == ["fault"]
    assert (asked.rate, asked.over) == (1.0, False)


def test_the_clock_runs_as_fast_as_life_while_headgate_is_at_work() -> None:
    """Neither detection nor planning is sped up, although somebody's wait has begun meanwhile."""
    assert asks(scenario(), _BROKEN, 9000).rate == 1.0
    assert asks(scenario(), _OPENED, 8000).rate == 1.0


def test_people_are_waited_for_at_the_scenarios_speed_up_to_their_time() -> None:
    """Once people are asked, the clock runs faster, exactly up to when the next of them acts."""
    asked = asks(scenario(), _PLANNED, 7000)
    assert (asked.rate, asked.until) == (60.0, 185_000)
    assert asks(scenario(), _PLANNED, 7000, speed=300).rate == 300.0
    assert [step.name for step in asks(scenario(), _PLANNED, 185_000).due] == ["ack"]


def test_a_steps_own_speed_counts_for_its_wait() -> None:
    """A step that names a speed is waited for at that speed, whatever the run was given."""
    standing = replace(_PLANNED, done={"fault": 1000, "ack": 190_000})
    assert asks(scenario(), standing, 190_500, speed=30).rate == 600.0


def test_work_that_does_not_end_holds_nobody_up() -> None:
    """Where no plan comes, people are waited for at speed after a few seconds all the same."""
    assert asks(scenario(), _OPENED, 9500).rate == 60.0


def test_the_scene_is_over_once_all_is_done_and_the_expected_phase_is_reached() -> None:
    """It goes on while a step is left or the phase is another one, and ends when all is still."""
    moments = {**_PLANNED.moments, "approved": 250_000, "contained": 251_000, "recovering": 252_000}
    done = {"fault": 1000, "ack": 190_000, "approve": 250_000}
    going = replace(_PLANNED, moments=moments, done=done, phases=("recovering",), latest=252_000)
    ended = replace(going, moments={**moments, "resolved": 256_000}, phases=("resolved",), latest=256_000)
    assert not asks(scenario(), going, 255_000).over
    assert not asks(scenario(), ended, 256_500).over
    assert asks(scenario(), ended, 258_000).over
    assert not asks(scenario(), replace(ended, done={"fault": 1000, "ack": 190_000}), 258_000).over


def test_an_escalation_that_nobody_answers_is_waited_for_at_speed() -> None:
    """While somebody is paged in vain and a step waits for the end of it, the clock runs faster."""
    woken = '[[steps]]\nname = "wakes"\nafter = "exhausted"\nby = "ana"\nsays = "AddNote"\nfields = { text = "up" }\n'
    done = {"fault": 1000, "ack": 190_000, "approve": 250_000}
    paged = replace(_PLANNED, done=done, paged=True, latest=250_000)
    assert asks(scenario(woken), paged, 300_000).rate == 60.0
    assert asks(scenario(woken), replace(paged, paged=False), 300_000).rate == 1.0


def test_where_nothing_is_to_open_some_quiet_ends_the_scene() -> None:
    """A scenario that expects no incident is over some seconds after its last step."""
    quiet = scenario(expect="[expect]\nincidents = 0\n")
    done = replace(_BROKEN, done={"fault": 1000, "ack": 1000, "approve": 1000})
    assert not asks(quiet, done, 5000).over
    assert asks(quiet, done, 12_000).over


def test_steps_that_were_never_due_are_left() -> None:
    """What was not taken is told in the order of the file."""
    assert left(scenario(), _OPENED) == ("ack", "approve")
