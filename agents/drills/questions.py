"""A scenario told at a table: its situation and steps in order, with questions of the file or made from its words."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from agents.reports.words import HAPPENED, SEVERE, plain
from schemas.drills import MOMENTS, Expect, Question, Scenario, Step
from schemas.regulation.catalogue import REGIMES
from schemas.spans import written
from schemas.values import Category

_ORDER = (
    "start",
    "opened",
    "declared",
    "exhausted",
    "planned",
    "approved",
    "contained",
    "recovering",
    "resolved",
    "review",
    "closed",
)
_OTHER_SPANS = tuple(timedelta(hours=hours) for hours in (24, 72, 168, 360))
_OTHER_REGIMES = ("nis2_23", "gdpr_33")
NOBODY, NONE = "Nobody", "None"
_LONGEST = 500
_DIGITS = 2
_SEPARATED = re.compile(r"[\s,;]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step as it is told: `moment` it hangs on in the end, and `wait` after that."""

    step: Step
    moment: str
    wait: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question with what was chosen, numbers from 1; nothing where nobody answered."""

    question: Question
    chosen: tuple[int, ...]

    @property
    def right(self) -> bool:
        """Whether exactly the right choices were named."""
        return bool(self.chosen) and set(self.chosen) == set(self.question.right)


def told(scenario: Scenario) -> tuple[Told, ...]:
    """Return the steps in the order in which they are told: by the moment they hang on, then by their wait."""
    placed: dict[str, Told] = {}
    for step in scenario.steps:
        before = placed.get(step.after)
        moment, wait = (step.after, timedelta(0)) if before is None else (before.moment, before.wait)
        placed[step.name] = Told(step=step, moment=moment, wait=wait + step.wait)
    return tuple(sorted(placed.values(), key=lambda one: (_ORDER.index(one.moment), one.wait)))


def agenda(scenario: Scenario) -> tuple[tuple[str, Told | Question], ...]:
    """Return steps and questions in order, each with its moment: a question comes before what people do later on.

    One of a moment comes right after what happens at that moment; one of a step comes right after the step.
    """
    steps = told(scenario)
    items: list[tuple[tuple[int, timedelta, int], str, Told | Question]] = [
        ((_ORDER.index(one.moment), one.wait, 2 * number), one.moment, one) for number, one in enumerate(steps)
    ]
    places = {one.step.name: key for (key, _, one) in items if isinstance(one, Told)}
    for question in asked(scenario):
        if question.after in MOMENTS:
            key, moment = (_ORDER.index(question.after), timedelta(0), 2 * len(steps)), question.after
        elif question.after in places:
            rank, wait, number = places[question.after]
            key, moment = (rank, wait, number + 1), _ORDER[rank]
        else:
            key, moment = (len(_ORDER), timedelta(0), 0), "closed"
        items.append((key, moment, question))
    return tuple((moment, one) for _, moment, one in sorted(items, key=lambda item: item[0]))


def asked(scenario: Scenario) -> tuple[Question, ...]:
    """Return the file's questions; where it has none, those that its expectations answer."""
    return scenario.questions or tuple(_made(scenario))


def _made(scenario: Scenario) -> Iterator[Question]:
    expect = scenario.expect
    people = sorted(scenario.people)
    if expect.incidents and expect.category is not None:
        yield _which_category(expect.category)
    if expect.severity is not None:
        yield Question(
            after="opened",
            ask="How severe is it?",
            choices=tuple(SEVERE.values()),
            right=(list(SEVERE).index(expect.severity) + 1,),
            why=f"{SEVERE[expect.severity]}, by the severity rules of the policy.",
        )
    if expect.paged is not None:
        first = expect.paged[:1]
        yield _of_people("opened", "Who is paged first?", people, first, "The escalation policy begins there.")
    if expect.approvals is not None:
        why = "A plan binds only with the quorum of persons that policy asks for, and nobody excluded among them."
        yield _of_people("opened", "Whose approvals let the plan go ahead?", people, expect.approvals, why)
    yield from _of_clocks(scenario, expect)
    if expect.effects:
        yield _order(expect.effects)


def _which_category(right: Category) -> Question:
    others = [one for one in Category if one is not right]
    choices = sorted([right, *others[:4]], key=list(Category).index)
    return Question(
        after="opened",
        ask="What kind of incident is this?",
        choices=tuple(plain(one.value) for one in choices),
        right=(choices.index(right) + 1,),
        why=f"{plain(right.value).capitalize()}: {HAPPENED[right]}.",
    )


def _of_people(moment: str, ask: str, people: list[str], right: tuple[str, ...], why: str) -> Question:
    right = tuple(dict.fromkeys(right))[:5]
    shown = [*right, *(one for one in people if one not in right)][:5]
    choices = [*sorted(shown), NOBODY]
    numbers = tuple(sorted(choices.index(one) + 1 for one in right)) or (len(choices),)
    return Question(after=moment, ask=ask, choices=tuple(choices), right=numbers, why=why)


def _of_clocks(scenario: Scenario, expect: Expect) -> Iterator[Question]:
    if expect.clocks is not None:
        declared = {regime for system in scenario.systems.values() for regime in system.regulations}
        named = [*(name for name in REGIMES if name in declared), *_OTHER_REGIMES]
        others = [clock.key for name in named for clock in REGIMES[name].clocks if clock.key not in expect.clocks]
        begun = [clock[:_LONGEST] for clock in sorted(set(expect.clocks))[:5]]
        choices = [*sorted([*begun, *dict.fromkeys(others)][:5]), NONE]
        right = tuple(choices.index(clock) + 1 for clock in begun) or (len(choices),)
        why = "Clocks follow from what the systems declare and from what is known; an unknown fact never stops one."
        ask = "Which statutory clocks run once all this has happened?"
        yield Question(after="opened", ask=ask, choices=tuple(choices), right=right, why=why)
    for clock, span in list(expect.due.items())[:4]:
        spans = sorted({span, *[one for one in _OTHER_SPANS if one != span][:3]})
        yield Question(
            after="opened",
            ask=f"How long does {clock[:_LONGEST]} give, from its trigger on?",
            choices=tuple(written(one) for one in spans),
            right=(spans.index(span) + 1,),
            why=f"It gives {written(span)}.",
        )


def _order(effects: tuple[str, ...]) -> Question:
    said = ", then ".join(effects)[:_LONGEST]
    others = [", then ".join(reversed(effects))[:_LONGEST]] if len(effects) > 1 else []
    choices = tuple(dict.fromkeys((*others, said, "Nothing: the model is only watched")))
    return Question(
        after="approved",
        ask="What is changed, and in which order?",
        choices=choices,
        right=(choices.index(said) + 1,),
        why="Traffic leaves the bad version first, because that stops the harm; the rest follows.",
    )


def chosen(said: str, count: int) -> tuple[int, ...] | None:
    """Return the choices that an answer names, by number or letter: ``2``, ``b``, ``1, 3`` or ``ac``; None for none."""
    parts = _SEPARATED.split(said.strip().lower())
    if len(parts) == 1 and parts[0].isalpha():
        parts = list(parts[0])
    numbers = [_number(part) for part in parts if part]
    if not numbers or any(not 1 <= number <= count for number in numbers):
        return None
    return tuple(sorted(set(numbers)))


def _number(part: str) -> int:
    if len(part) == 1 and "a" <= part <= "z":
        return ord(part) - ord("a") + 1
    return int(part) if part.isascii() and part.isdecimal() and len(part) <= _DIGITS else 0
