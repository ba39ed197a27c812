"""A drill at a table: the scenario is told, people answer its questions, and nothing is started."""

import json
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from agents.drills.questions import Answered, Told, agenda, asked, chosen
from agents.reports.words import called
from schemas.drills import Question, Scenario
from schemas.errors import HeadgateError
from schemas.spans import written
from streams.drills.report import write
from streams.view.drill_table import document, picked, report, verdict
from streams.view.drill_view import MOMENTS, what
from streams.view.drill_words import paragraphs
from streams.view.rendering import clean

Reply = Callable[[], str | None]
_LETTERS = "abcdef"
_TRIES = 3
_MAX_BYTES = 65_536
_MAX_ANSWERS = 100
_FORM = 'write answers = ["b", [1, 3]] in a .toml file, or one answer a line as JSON'
_TOO_MUCH = f"answers are at most {_MAX_ANSWERS} in {_MAX_BYTES} bytes"


def play(name: str, scenario: Scenario, directory: Path, answers: Path | None = None) -> bool:
    """Tell a scenario, ask its questions, write the report, and return whether every answer was right.

    Parameters
    ----------
    answers
        A file of answers in the order of the questions; without it they are read from the terminal or a pipe. Where
        it ends, the questions that are left count as not answered.
    """
    reply, tries = (typed, _TRIES) if answers is None else (prepared(read_answers(answers)), 1)
    answered = sit(scenario, reply, tries)
    click.echo(f"\n{verdict(answered)}")
    score = document(name, scenario, answered)
    paths = write(report(name, scenario, answered), directory, "tabletop", score)
    click.echo(f"written: {', '.join(str(path) for path in paths)}")
    return bool(score["passed"])


def sit(scenario: Scenario, reply: Reply, tries: int = 1) -> list[Answered]:
    """Tell the situation and the steps in order, and ask each question where it belongs."""
    click.echo("\n\n".join(clean(text) for text in (scenario.title, *paragraphs(scenario.situation))))
    click.echo("\nPeople")
    for name, player in scenario.people.items():
        roles = ", ".join(called(role) for role in player.roles)
        click.echo(f"  {name}: {roles}{', on call' if player.on_call else ''}")
    answered: list[Answered] = []
    now, every = "", len(asked(scenario))
    for moment, one in agenda(scenario):
        if moment != now:
            now = moment
            click.echo(f"\n--- {MOMENTS[moment].capitalize()} ---")
        if isinstance(one, Told):
            _say(one)
        else:
            answered.append(_ask(one, f"{len(answered) + 1} of {every}", reply, tries))
    return answered


def _say(one: Told) -> None:
    later = f"{written(one.wait)} later, " if one.wait else ""
    click.echo(f"{later}{one.step.by or 'it happens'}: {clean(what(one.step))}")


def _ask(question: Question, place: str, reply: Reply, tries: int) -> Answered:
    click.echo(f"\nQuestion {place}: {clean(question.ask)}")
    for letter, choice in zip(_LETTERS, question.choices, strict=False):
        click.echo(f"  {letter}) {clean(choice)}")
    several = ", several may be right" if len(question.right) > 1 else ""
    numbers: tuple[int, ...] = ()
    for _ in range(tries):
        click.echo(f"Your answer (letters or numbers{several}; nothing to pass): ", nl=False)
        said = reply()
        if not said:
            click.echo("No answer." if said is None else "Passed.")
            break
        found = chosen(said, len(question.choices))
        if found is not None:
            numbers = found
            break
        click.echo(f"{clean(said)[:40]!r} names none of the choices; write for instance b, or 1, 3")
    answered = Answered(question=question, chosen=numbers)
    says = "Right." if answered.right else f"Wrong: right is {clean(picked(question, question.right))}."
    click.echo(f"{says} {clean(question.why)}")
    return answered


def typed() -> str | None:
    """Return the next line of the terminal or the pipe, which it prints; None where it has ended."""
    try:
        line = sys.stdin.readline(_MAX_BYTES)
    except UnicodeDecodeError:
        return "?"
    if line and not sys.stdin.isatty():
        click.echo(clean(line.strip()))
    return line.strip() if line else None


def prepared(answers: Sequence[str]) -> Reply:
    """Return what gives one answer after the other, printing each, and then None."""
    left = iter(answers)

    def reply() -> str | None:
        said = next(left, None)
        if said:
            click.echo(clean(said))
        return said

    return reply


def read_answers(path: Path) -> list[str]:
    """Return the answers of a TOML file, ``answers = ["b", [1, 3]]``, or of JSON lines; HeadgateError says why not."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise HeadgateError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _MAX_BYTES:
        raise HeadgateError(f"{path}: {_TOO_MUCH}")
    try:
        text = raw.decode()
        found = _of_toml(text) if path.suffix == ".toml" else [json.loads(one) for one in text.splitlines() if one]
        answers = [_spelt(one) for one in found]
    except (ValueError, RecursionError) as error:
        raise HeadgateError(f"{path} holds no answers: {error}; {_FORM}") from None
    if len(answers) > _MAX_ANSWERS:
        raise HeadgateError(f"{path}: {_TOO_MUCH}")
    return answers


def _of_toml(text: str) -> list[Any]:
    answers = tomllib.loads(text).get("answers")
    if isinstance(answers, list):
        return answers
    raise ValueError("it names no list `answers`")


def _spelt(answer: Any) -> str:
    match answer:
        case {"answer": one}:
            return _spelt(one)
        case bool():
            raise ValueError("an answer is letters or numbers")
        case str() | int():
            return str(answer)[:100]
        case list():
            return ",".join(_spelt(one) for one in answer[:10] if not isinstance(one, list | dict))
    raise ValueError("an answer is letters or numbers")
