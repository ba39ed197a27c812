"""What people of a drill say: checked before anything starts, and filled in when it is said."""

import re
from pathlib import Path

import pytest

from agents.drills.saying import Spoken, check, ready, said
from schemas import commands as c
from schemas import drills
from schemas.case.assessment import AssessHarm
from schemas.case.people import AddTask, HandOver
from schemas.case.silences import AddSilence
from schemas.drills import Scenario, Step
from schemas.errors import PolicyError
from tests.unit.test_drill_script import BASE

_SPOKEN = Spoken(now=1_000_000, principals={"ana": "p-1", "ben": "p-2"})


def scenario(says: str, fields: str, more: str = "") -> Scenario:
    """Read a scenario in which Ana says this."""
    step = f'[[steps]]\nname = "spoken"\nby = "ana"\nsays = "{says}"\nfields = {{ {fields} }}\n{more}\n'
    return drills.read((BASE + '[people.ben]\nroles = ["sre"]\n' + step + "[expect]\n").encode())


def step(says: str, fields: str) -> Step:
    """Return the step in which Ana says this."""
    return scenario(says, fields).steps[-1]


@pytest.mark.parametrize(
    ("says", "fields", "wrong"),
    [
        ("Aprove", 'reason = "x"', "is no command of a drill"),
        ("IncidentOpened", "", "is no command of a drill"),
        ("ProposePlan", "", "is no command of a drill"),
        ("AdoptPolicy", 'document = "x"', "is no command of a drill"),
        ("Approve", "", "Approve needs reason"),
        ("Approve", 'reason = "x", quorum = 1', "Approve has no field quorum"),
        ("Declare", "reason = 5", "it is to be str"),
        ("AssessHarm", 'dimension = "souls", level = "sev2", reason = "x"', "it is one of safety, rights"),
        ("AddTask", 'task = "t", title = "x", owner = "zoe", due_at = "2h"', "nobody of the drill is called so"),
        ("AddTask", 'task = "t", title = "x", owner = "ben", due_at = "soon"', "is no length of time"),
        ("Merge", 'into = "2", reason = "x"', "named by its number"),
        ("SignOff", "", "no role of ana may say SignOff"),
    ],
)
def test_what_cannot_be_said_is_refused_before_anything_starts(says: str, fields: str, wrong: str) -> None:
    """An unknown command, field, person or word is named with the step; so is one that no role of the person allows."""
    with pytest.raises(PolicyError, match=f"file: step spoken: .*{re.escape(wrong)}"):
        check(scenario(says, fields), "file")


def test_a_refusal_that_is_expected_may_be_of_a_wrong_role() -> None:
    """Where the file expects a refusal, the person need not hold a role that may say it."""
    check(scenario("SignOff", "", 'refused = "wrong_role"'), "file")


def test_the_deployed_drills_say_what_can_be_said(request: pytest.FixtureRequest) -> None:
    """Every scenario of deploy/drills passes the check."""
    files = sorted(Path(request.config.rootpath, "deploy", "drills").glob("*.toml"))
    assert len(files) >= 10
    for file in files:
        check(drills.read(file.read_bytes(), file.name), file.name)


def test_what_the_file_leaves_out_is_filled_in() -> None:
    """Words, times of now and enumerations come as the record's own types."""
    harm = said(step("AssessHarm", 'dimension = "safety", level = "sev1", reason = "r"'), _SPOKEN)
    assert isinstance(harm, AssessHarm)
    assert (harm.dimension.value, harm.level.value, harm.incident) == ("safety", "sev1", "")
    approval = said(step("Approve", 'reason = "r"'), _SPOKEN)
    assert isinstance(approval, c.Approve)
    assert approval.confirmed_at == _SPOKEN.now


def test_times_are_said_from_now_on_and_people_by_their_names() -> None:
    """`2h` is two hours from now, and a person's name becomes the principal."""
    task = said(step("AddTask", 'task = "t", title = "x", owner = "ben", due_at = "2h"'), _SPOKEN)
    assert isinstance(task, AddTask)
    assert (task.owner, task.due_at) == ("p-2", _SPOKEN.now + 7_200_000)
    handed = said(step("HandOver", 'duty = "commander", to = "ben"'), _SPOKEN)
    assert isinstance(handed, HandOver)
    assert handed.to == "p-2"


def test_a_silence_is_said_by_its_matchers() -> None:
    """Matchers are written as ASPECT=VALUE; the silence begins now."""
    silence = said(step("AddSilence", 'matchers = ["model=readmission"], until = "1h", reason = "r"'), _SPOKEN)
    assert isinstance(silence, AddSilence)
    assert [(one.aspect.value, one.value) for one in silence.matchers] == [("model", "readmission")]
    assert (silence.starts_at, silence.until) == (_SPOKEN.now, _SPOKEN.now + 3_600_000)


def test_who_decides_on_a_plan_waits_until_people_are_asked() -> None:
    """An approval waits for a pending plan; all else is said when it is due."""
    assert not ready(step("Approve", 'reason = "r"'), ())
    assert ready(step("ReportFailure", 'model = "readmission", what = "odd"'), ())


def test_who_speaks_of_an_incident_waits_until_it_has_opened() -> None:
    """A step about the first incident, or about a second one, is not taken before that is there."""
    assert not ready(step("Acknowledge", ""), ())
    assert not ready(step("Merge", 'incident = 2, into = 1, reason = "r"'), ())
