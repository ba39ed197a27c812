"""A scenario told at a table: its situation and steps in order, with questions of the file or made from its words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from schemas.drills import MOMENTS, Expect, Question, Scenario, Step
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
NOBODY = "Nobody"
_LONGEST = 500


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


def after(told_steps: tuple[Told, ...], question: Question) -> int:
    """Return how many steps are told before a question: those of its moment, or up to the step that it names."""
    if question.after not in MOMENTS:
        return next((at + 1 for at, one in enumerate(told_steps) if one.step.name == question.after), len(told_steps))
    rank = _ORDER.index(question.after)
    return sum(_ORDER.index(one.moment) <= rank for one in told_steps)


def asked(scenario: Scenario) -> tuple[Question, ...]:
    """Return the file's questions; where it has none, those that its expectations answer."""
    return scenario.questions or tuple(_made(scenario))


def _made(scenario: Scenario) -> Iterator[Question]:
    expect = scenario.expect
    people = sorted(scenario.people)
    if expect.incidents and expect.category is not None:
        yield _which_category(expect.category)
    if expect.paged is not None:
        first = expect.paged[:1]
        yield _of_people("opened", "Who is paged first?", people, first, "The escalation policy begins there.")
    if expect.approvals is not None:
        why = "A plan binds only with the quorum of persons that policy asks for, and nobody excluded among them."
        yield _of_people("planned", "Whose approvals let the plan go ahead?", people, expect.approvals, why)
    yield from _of_clocks(scenario, expect)
    if expect.effects:
        yield _order(expect.effects)


def _which_category(right: Category) -> Question:
    others = [one for one in Category if one is not right]
    choices = sorted([right, *others[:4]], key=list(Category).index)
    return Question(
        after="opened",
        ask="What kind of incident is this?",
        choices=tuple(one.value.replace("_", " ") for one in choices),
        right=(choices.index(right) + 1,),
        why=f"It is {right.value.replace('_', ' ')}; what is looked at first follows from that.",
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
        others = sorted(declared - {clock.split(".", 1)[0] for clock in expect.clocks})
        begun = [clock[:_LONGEST] for clock in sorted(set(expect.clocks))[:5]]
        choices = [*[*begun, *others][:5], "None"]
        if len(choices) > 1:
            right = tuple(range(1, len(begun) + 1)) or (len(choices),)
            why = "They begin with the opening, because of what the systems declare; an unknown fact never stops one."
            yield Question(
                after="opened", ask="Which statutory clocks run now?", choices=tuple(choices), right=right, why=why
            )
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
