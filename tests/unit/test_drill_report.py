"""Reports of drills: a manager reads them, programs read them too, and one page tells of a whole run."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from agents.drills.played import Played
from agents.drills.score import score
from schemas import drill_faults as f
from schemas import events as e
from schemas.case import by_hand as h
from schemas.drills import Expect
from schemas.errors import HeadgateError
from streams.drills.report import write_overview, write_report
from streams.view.drill_report import overview, report, verdict
from streams.view.drill_view import document, show
from streams.view.drill_words import fault, paragraphs, said
from tests.played import NAMES, answered, played, scenario

FAULTS = {
    f.Units: {"feature": "f1"},
    f.Stuck: {"feature": "f1", "value": 3.0},
    f.Missing: {"feature": "f1", "share": 0.5},
    f.Swapped: {"features": ("f1", "f2")},
    f.Population: {"feature": "f1", "by": 2.0},
    f.Concept: {"share": 0.5},
    f.Bias: {"group": "sex", "value": "f", "outcome": "no"},
    f.Poisoned: {"feature": "f1", "above": 0.9},
    f.Unsafe: {"judge": "toxic", "share": 0.5},
    f.Replaced: {},
    f.Slow: {"by_ms": 40},
    f.Failing: {"share": 0.5},
    f.Extraction: {},
}


@pytest.fixture(scope="module")
def drill() -> Played:
    """A drill that was answered as its file expects."""
    return played(answered())


def rows(drill: Played, title: str) -> list[tuple[str, ...]]:
    """Return the table of a part."""
    (part,) = [one for one in report(drill, score(drill)).parts if one.title == title]
    return list(part.rows)


def test_a_manager_reads_what_happened_in_order(drill: Played) -> None:
    """Faults, calls, decisions and their effects stand with drill times and names, without principals or services."""
    told = rows(drill, "What happened")
    assert told[0][:2] == ("11s", "The drill")
    assert ("20s", "Headgate", "max was called") in told
    assert ("3m20s", "max", "took the incident: on it") in told
    assert not any("answered the call" in row[2] for row in told)
    assert ("6m20s", "max", "agreed to the plan: looks right") in told
    assert ("8m21s", "Headgate", "the harm had stopped") in told
    assert any(row[2] == "The pipeline was put right." for row in told)
    text = json.dumps(told)
    assert not re.search(r"\bp-(max|mia|cleo)\b", text)
    assert "StartAction" not in text


def test_who_did_what_names_everybody(drill: Played) -> None:
    """Each person of the file has a line, also one who did nothing, or was called and did nothing."""
    people = {row[0]: row[2] for row in rows(drill, "Who did what")}
    assert list(people) == ["max", "mia", "cleo"]
    assert people["mia"] == "8m20s: agreed to the plan: looks right"
    assert "asked for declare and was refused" in people["cleo"]
    idle = {row[0]: row[2] for row in rows(replace(drill, names={}), "Who did what")}
    assert idle == {"max": "was called, and did nothing", "mia": "did nothing", "cleo": "did nothing"}


def test_the_verdict_is_one_sentence(drill: Played) -> None:
    """It says what was missed, and that nothing opened where nothing should."""
    assert verdict(score(drill)) == "Passed: 15 of 15 expectations were met."
    wrong = Expect(phase="closed", paged=("mia",), approvals=(), clocks=(), incidents=2)
    missed = replace(drill, scenario=drill.scenario.model_copy(update={"expect": wrong}))
    assert verdict(score(missed)) == (
        "Not passed: 1 of 6 expectations were met; missed: incidents that open, where the response ends and people who "
        "are called, and 2 more."
    )
    quiet = replace(drill, faulty=False, cases=(), happened=())
    assert verdict(score(quiet)) == "Passed: no fault was let in, and no incident opened."
    assert verdict(score(replace(drill, faulty=False))).startswith("Not passed: an incident opened although")


def test_what_was_done_by_hand_is_told(drill: Played) -> None:
    """The statement and the judgement stand in the report; an end that a person judged names no version."""
    made = {"incident": "i", "principal": "p-max", "statement": "the pumps run by hand", "evidence": "ticket 1"}
    events = (h.ContainedByHand(**made), h.RemediedByHand(**made), h.RecoveryJudged(**made))
    for event in events:
        assert said(replace(drill.happened[0], event=event), drill.happened, NAMES).endswith(": the pumps run by hand")
    over = e.CaseResolved(incident="i", model="", version="", clear_rows=0)
    assert said(replace(drill.happened[0], event=over), drill.happened, NAMES) == "the incident was over"


def test_refusals_of_services_are_no_managers_business(drill: Played) -> None:
    """A person's refused command is told with its sentence, a service's is not."""
    (refused,) = [one for one in drill.happened if isinstance(one.event, e.Refused)]
    assert "was refused: " in said(refused, drill.happened, NAMES)
    assert said(replace(refused, by="p-triage"), drill.happened, NAMES) == ""


def test_the_files_are_written_and_agree(drill: Played, tmp_path: Path) -> None:
    """One file of each form; the one for programs has the score, and the PDF is one."""
    card = score(drill)
    paths = write_report(drill, card, tmp_path / "one")
    assert sorted(path.name for path in paths) == ["report.html", "report.json", "report.md", "report.pdf"]
    told = json.loads((tmp_path / "one" / "report.json").read_bytes())
    assert told["score"]["passed"] is True
    assert len(told["score"]["lines"]) == len(card.lines)
    assert told["notices"] == [told["score"]["verdict"]]
    assert (tmp_path / "one" / "report.pdf").read_bytes().startswith(b"%PDF")
    for name in ("report.html", "report.md"):
        assert "A radiator is watched by a model. Its sensor was replaced last night." in (
            tmp_path / "one" / name
        ).read_text("utf-8")


def test_a_directory_that_cannot_be_written_is_said(drill: Played, tmp_path: Path) -> None:
    """The sentence names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(HeadgateError, match="cannot be written to"):
        write_report(drill, score(drill), tmp_path / "file" / "one")


def test_an_overview_is_one_page_of_all_drills(drill: Played, tmp_path: Path) -> None:
    """A line for each drill, what to improve by drill, and the commands that repeat them."""
    quiet = replace(drill, faulty=False, cases=(), happened=())
    missed = replace(drill, name="other", cases=(), happened=())
    every = [(one, score(one)) for one in (drill, quiet, missed)]
    told = overview(every)
    assert told.notices == ("2 of 3 drills passed.",)
    assert [row[1:4] for row in told.parts[0].rows] == [
        ("passed", "15 of 15", "9s"),
        ("passed", "1 of 1", "–"),
        ("not passed", "1 of 15", "–"),
    ]
    assert len(told.parts[1].rows) == 1
    assert told.parts[2].text == ("headgate drill run units other; headgate drill run --no-fault units",)
    assert {path.name for path in write_overview(every, tmp_path)} >= {"overview.pdf", "overview.json"}


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.__name__)
def test_every_fault_has_words(kind: type) -> None:
    """It says where it is, and nothing of its class."""
    one = kind(kind=kind.__name__.lower(), model="shuttle", version="2", **FAULTS[kind])
    assert fault(one).startswith("shuttle version 2: ")
    assert len(FAULTS) == len(get_args(get_args(f.Fault)[0]))


def test_a_scenario_is_shown_whole() -> None:
    """Situation, people, steps in order with their times, and what is expected; for programs, as the file has it."""
    shown = CliRunner().invoke(click.Command("show", callback=lambda: show(scenario(), "units"))).output
    for text in (
        "A radiator is watched by a model. Its sensor was replaced last night.",
        "3m after an incident opened",
        "4m after an incident opened",
        "and is refused: forbidden",
        "mlflow:shuttle/champion",
        "nis2_23.early_warning gives  1d",
        "within 15m",
    ):
        assert text in shown
    told = document(scenario())
    assert told["steps"][1]["wait"] == "3m"
    assert told["expect"]["within"]["contain"] == "15m"


def test_lines_that_were_broken_for_the_file_are_joined() -> None:
    """A blank line begins a paragraph, a single break does not."""
    assert paragraphs("one\ntwo\n\n three ") == ("one two", "three")
