"""A drill at a table as a report: what was told, what was asked and answered, and what to look at again."""

from collections.abc import Sequence
from typing import Any

from agents.drills.questions import Answered, told
from agents.reports.document import Part, Report
from agents.reports.words import called, listed
from schemas.drills import Question, Scenario
from streams.view.drill_report import situation
from streams.view.drill_view import moment, what

NO_ANSWER = "no answer"


def report(name: str, scenario: Scenario, answered: Sequence[Answered]) -> Report:
    """Return the report of a drill that was talked through."""
    people = [f"{who} ({', '.join(called(role) for role in one.roles)})" for who, one in scenario.people.items()]
    steps = tuple((moment(one), one.step.by or "–", what(one.step)) for one in told(scenario))
    rows = tuple(
        (one.question.ask, picked(one.question, one.chosen), picked(one.question, one.question.right), _met(one))
        for one in answered
    )
    wrong = [one for one in answered if not one.right]
    again = tuple(f"{one.question.ask} {one.question.why}" for one in wrong)
    return Report(
        form="tabletop",
        title=f"Tabletop drill: {scenario.title}",
        basis="An exercise at a table: nothing in it happened to anybody, and nothing was started for it.",
        facts=(("File", name), ("Systems", listed(scenario.systems)), ("People", listed(people))),
        notices=(verdict(answered),),
        parts=(
            situation(scenario),
            Part(title="What was told", columns=("When", "Who", "What"), rows=steps),
            Part(title="Questions", columns=("Question", "Answered", "Right", "Met"), rows=rows),
            Part(title="What to look at again", text=again or ("Nothing: every answer was right.",)),
            Part(title="How to repeat it", text=(f"headgate drill run {name} --tabletop",)),
        ),
    )


def verdict(answered: Sequence[Answered]) -> str:
    """Return how it went in one sentence."""
    if not answered:
        return "Told, not judged: the file has no questions, and expects nothing that could be asked for."
    right = sum(one.right for one in answered)
    if right == len(answered):
        return f"Passed: all {right} questions were answered right."
    return f"Not passed: {right} of {len(answered)} questions were answered right."


def picked(question: Question, numbers: Sequence[int]) -> str:
    """Return choices by their texts."""
    return "; ".join(question.choices[number - 1] for number in numbers) or NO_ANSWER


def document(name: str, scenario: Scenario, answered: Sequence[Answered]) -> dict[str, Any]:
    """Return the answers and their score for programs."""
    return {
        "name": name,
        "title": scenario.title,
        "passed": all(one.right for one in answered),
        "verdict": verdict(answered),
        "right": sum(one.right for one in answered),
        "of": len(answered),
        "answers": [
            {
                "ask": one.question.ask,
                "after": one.question.after,
                "chosen": list(one.chosen),
                "right": list(one.question.right),
                "met": one.right,
            }
            for one in answered
        ],
    }


def _met(one: Answered) -> str:
    return "yes" if one.right else "NO"
