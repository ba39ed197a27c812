"""A drill at a table: told in order, asked where it belongs, judged, and reported like any other."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agents.drills.questions import NOBODY, NONE, Answered, Told, agenda, asked, chosen
from schemas.drills import Question, Scenario, read
from schemas.errors import HeadgateError
from streams.__main__ import headgate
from streams.drills.tabletop import play, prepared, read_answers, sit
from streams.view.drill_table import verdict
from streams.view.drill_view import show
from tests.ledgers import ROOT
from tests.played import scenario

SHIPPED = sorted((ROOT / "deploy" / "drills").glob("*.toml"))


def question(**changes: Any) -> Question:
    """Return a question of which the first two choices are right."""
    said = {"ask": "What now?", "choices": ("call", "write", "wait"), "right": (1, 2), "why": "Waiting harms."}
    return Question.model_validate({**said, **changes})


def with_questions(*questions: Question) -> Scenario:
    """Return the scenario with questions of its own."""
    return scenario().model_copy(update={"questions": questions})


@pytest.mark.parametrize(
    ("said", "numbers"),
    [
        ("2", (2,)),
        ("B", (2,)),
        (" 3, 1 ", (1, 3)),
        ("ca", (1, 3)),
        ("a a", (1,)),
        ("4", None),
        ("0", None),
        ("-1", None),
        ("aé", None),
        ("٣", None),
        ("9" * 5000, None),
        ("", None),
        (",", None),
    ],
)
def test_choices_are_named_by_number_or_letter(said: str, numbers: tuple[int, ...] | None) -> None:
    """One or several; what names none of them is no answer."""
    assert chosen(said, 3) == numbers


def test_only_exactly_the_right_choices_are_right() -> None:
    """Half of them, or one too many, is wrong, and so is no answer."""
    given = {numbers: Answered(question=question(), chosen=numbers).right for numbers in ((), (1,), (1, 2), (1, 2, 3))}
    assert given == {(): False, (1,): False, (1, 2): True, (1, 2, 3): False}


def test_questions_stand_where_they_belong() -> None:
    """One of a moment comes before what people do later, one of a step right after it, whatever the file's order."""
    told = with_questions(question(ask="of ack", after="ack"), question(ask="of opened", after="opened"))
    order = [one.step.name if isinstance(one, Told) else one.ask for _, one in agenda(told)]
    assert order == ["units", "of opened", "ack", "of ack", "cleo-declares", "mended"]
    lost = with_questions(question(ask="lost", after="no-such-step"))
    assert agenda(lost)[-1][1] == lost.questions[0]


def test_a_file_without_questions_is_asked_by_its_expectations() -> None:
    """Kind, first page, approvals, clocks, due times and effects, each with the right answer among the choices."""
    found = {one.ask: [one.choices[number - 1] for number in one.right] for one in asked(scenario())}
    assert found == {
        "What kind of incident is this?": ["data drift"],
        "How severe is it?": ["2 of 4, serious"],
        "Who is paged first?": ["max"],
        "Whose approvals let the plan go ahead?": ["max", "mia"],
        "Which statutory clocks run once all this has happened?": ["nis2_23.early_warning", "nis2_23.notification"],
        "How long does nis2_23.early_warning give, from its trigger on?": ["1d"],
        "What is changed, and in which order?": ["envoy:shuttle, then mlflow:shuttle/champion"],
    }
    nothing = scenario().expect.model_copy(update={"paged": (), "approvals": (), "clocks": (), "due": {}})
    bare = asked(scenario().model_copy(update={"expect": nothing}))
    answers = [one.choices[one.right[0] - 1] for one in bare]
    assert answers[2:5] == [NOBODY, NOBODY, NONE]


def test_answers_come_from_a_pipe_until_it_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What names no choice is asked again, an empty line passes, and the questions after the end have no answer."""
    table = with_questions(question(), question(after="opened"), question(after="contained"), question(after="closed"))
    monkeypatch.setattr("sys.stdin", io.StringIO("seven\n1 2\n\nab"))
    assert play("units", table, tmp_path) is False
    told = capsys.readouterr().out
    assert "'seven' names none of the choices" in told
    assert "Wrong: right is call; write. Waiting harms." in told
    assert "Not passed: 2 of 4 questions were answered right." in told
    score = json.loads((tmp_path / "tabletop.json").read_bytes())["score"]
    assert [one["chosen"] for one in score["answers"]] == [[1, 2], [], [1, 2], []]
    assert (tmp_path / "tabletop.pdf").read_bytes().startswith(b"%PDF")
    assert "| What now? | call; write | call; write | yes |" in (tmp_path / "tabletop.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.toml", 'answers = ["ab", 3, [1, 2]]'),
        ("a.jsonl", '"ab"\n{"answer": 3}\n\n[1, "b"]\n'),
    ],
)
def test_answers_come_from_a_file(tmp_path: Path, name: str, text: str) -> None:
    """TOML or lines of JSON, in the order of the questions; each is asked once."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    table = with_questions(question(), question(), question())
    assert [one.right for one in sit(table, prepared(read_answers(path)))] == [True, False, True]


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("a.toml", b"answer = 1"),
        ("a.toml", b"answers = [true]"),
        ("a.toml", b"\xff"),
        ("a.jsonl", b"nonsense"),
        ("a.jsonl", b"null"),
        ("a.jsonl", b"[" * 60_000),
        ("a.jsonl", b"1\n" * 101),
        ("a.jsonl", b" " * 70_000),
        ("absent.toml", None),
    ],
)
def test_a_file_without_answers_is_refused_in_a_sentence(tmp_path: Path, name: str, raw: bytes | None) -> None:
    """Whatever stands in it, and however large it is."""
    if raw is not None:
        (tmp_path / name).write_bytes(raw)
    with pytest.raises(HeadgateError, match=name):
        read_answers(tmp_path / name)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_drill_can_be_talked_through(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With its own questions, and with those made of its expectations: right answers to all make it passed."""
    whole = read(path.read_bytes(), path.name)
    for told in (whole, whole.model_copy(update={"questions": ()})):
        questions = [one for _, one in agenda(told) if isinstance(one, Question)]
        answered = sit(told, prepared([",".join(str(number) for number in one.right) for one in questions]))
        assert len(answered) == len(asked(told)) > 0
        assert all(one.right for one in answered)
    show(whole, path.stem)
    assert whole.title in capsys.readouterr().out


def test_a_table_without_questions_is_told_and_not_judged() -> None:
    """Nothing is claimed of what nobody was asked."""
    assert verdict([]).startswith("Told, not judged")


@pytest.mark.parametrize("option", [("--no-fault",), ("--speed", "2")])
def test_what_plays_no_part_at_a_table_is_not_taken_silently(option: tuple[str, ...]) -> None:
    """Nothing runs there, so neither faults nor a clock can be set: it says so instead of ignoring them."""
    said = CliRunner().invoke(headgate, ["drill", "run", "extraction", "--tabletop", *option])
    assert said.exit_code == 2
    assert option[0] in said.output
