"""What a person of a drill says: a step's `says` and `fields` as the command record that is signed."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, get_type_hints

from agents.ledger.case import Case
from agents.ledger.decisions.approve import CONFIRMED_DIGITS
from agents.ledger.regions.messages import MessageState
from agents.ledger.regions.plan import PlanState
from schemas import authority, commands
from schemas.avro import Millis
from schemas.case.learning import PostMortem
from schemas.case.silences import Aspect, Matcher
from schemas.drills import Said, Scenario, Step
from schemas.errors import PolicyError
from schemas.spans import span
from schemas.values import Role

_UNSAID = "Nothing to add: this was a drill."
_PEOPLE = frozenset({"to", "owner", "principal"})
_INCIDENTS = frozenset({"incident", "into", "merged"})
_OF_A_PLAN = frozenset({"Approve", "Deny"})
# What rests on something that a scenario cannot hold: keys, documents, a replay, an id that the ledger gives.
_BEYOND = frozenset({"EnrolKey", "RevokeKey", "AdoptPolicy", "AdoptSystems", "AdoptProfile", "AdoptOnCall"})
_BEYOND_TOO = frozenset({"AttachReplay", "OpenSplit"})
_PERSONS = frozenset(kind for role in Role if not role.service for kind in authority.MAY[role])
_RECORDS = {record.__name__: record for record in commands.RECORDS}
SAYABLE = tuple(sorted((_PERSONS & _RECORDS.keys()) - _BEYOND - _BEYOND_TOO))
"""Commands that a person of a drill can say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What is known when a person speaks.

    now
        Time by the drill's clock, ms.
    principals
        Each person's principal.
    cases
        Cases of the scene in the order in which they opened.
    silence
        Id of the newest silence, or empty.
    """

    now: int
    principals: Mapping[str, str]
    cases: tuple[Case, ...] = ()
    silence: str = ""


def check(scenario: Scenario, name: str = "the scenario") -> None:
    """Raise PolicyError where a step's words are no command, or none that its person could say."""
    nobody = Spoken(now=0, principals={person: person for person in scenario.people})
    for step in scenario.steps:
        if step.by is None:
            continue
        place = f"{name}: step {step.name}"
        if step.says not in SAYABLE:
            raise PolicyError(f"{place}: {step.says!r} is no command of a drill; there are {', '.join(SAYABLE)}")
        given = _given(step, nobody, place)
        lacking = [one.name for one in _fields(step.says) if one.name not in given and not _is_filled(one)]
        if lacking:
            raise PolicyError(f"{place}: {step.says} needs {', '.join(lacking)} among its fields")
        roles = frozenset(scenario.people[step.by].roles)
        if not step.refused and not authority.permitted(roles, step.says):
            raise PolicyError(
                f"{place}: no role of {step.by} may say {step.says}; give the person another role, or write "
                'refused = "wrong_role" where that is the point'
            )


def ready(step: Step, cases: tuple[Case, ...]) -> bool:
    """Whether there is something to speak of: its incidents have opened, and people are asked about a plan."""
    if step.by is not None and speaks_of(step) > len(cases):
        return False
    if step.says not in _OF_A_PLAN or step.refused:
        return True
    case = case_of(step, cases)
    return case is not None and case.plan is not None and case.plan.state is PlanState.PENDING


def speaks_of(step: Step) -> int:
    """Return how many incidents a step needs to have opened: their numbers count from 1."""
    numbers = [number for name in _INCIDENTS if isinstance(number := step.fields.get(name), int)]
    return max(numbers, default=int("incident" in _kinds(step.says)))


def said(step: Step, spoken: Spoken) -> object:
    """Return the command that the step's person says, with all that the file leaves to be filled in."""
    fields = _given(step, spoken, f"step {step.name}")
    case = case_of(step, spoken.cases)
    for one in _fields(step.says):
        if one.name not in fields and one.name in _FILL:
            fields[one.name] = _FILL[one.name](step, case, spoken)
    return _RECORDS[step.says](**fields)


def case_of(step: Step, cases: tuple[Case, ...]) -> Case | None:
    """Return the incident that a step speaks of; None where it has not opened."""
    number = step.fields.get("incident", 1)
    return cases[number - 1] if isinstance(number, int) and 0 < number <= len(cases) else None


def _message(step: Step, case: Case | None, _spoken: Spoken) -> str:
    wanted = MessageState.DRAFT if step.says == "ApproveMessage" else MessageState.APPROVED
    found = [key for key, one in case.messages.by_digest.items() if one.state is wanted] if case else []
    return found[-1] if found else ""


def _plan(case: Case | None) -> str:
    return case.plan.digest if case and case.plan else ""


def _prediction(_step: Step, case: Case | None, _spoken: Spoken) -> str:
    waiting = case.reviews.waiting if case else ()
    return waiting[0].prediction if waiting else ""


def _now(_step: Step, _case: Case | None, spoken: Spoken) -> int:
    return spoken.now


def _always(value: object) -> "_Filler":
    return lambda _step, _case, _spoken: value


_Filler = Callable[[Step, Case | None, Spoken], object]
_FILL: Mapping[str, _Filler] = MappingProxyType(
    {
        "incident": lambda _step, case, _: case.incident if case else "",
        "plan": lambda _step, case, _: _plan(case),
        "confirmed": lambda _step, case, _: _plan(case)[:CONFIRMED_DIGITS],
        "message": _message,
        "digest": lambda _step, case, _: case.learning.written if case else "",
        "signal": lambda _step, case, _: case.course.signals[0].signal if case and case.course.signals else "",
        "prediction": _prediction,
        "silence": lambda _step, _case, spoken: spoken.silence,
        "note": _always(""),
        "version": _always(""),
        "rule": _always(""),
        "zone": _always("UTC"),
        "window_seconds": _always(0),
        "next_update_by": _always(0),
        "parent": _always(None),
        **dict.fromkeys(("confirmed_at", "happened_at", "submitted_at", "starts_at", "at"), _now),
    }
)


def _is_filled(one: "dataclasses.Field[Any]") -> bool:
    return one.name in _FILL or one.default is not dataclasses.MISSING


@cache
def _kinds(says: str) -> Mapping[str, Any]:
    return get_type_hints(_RECORDS[says], include_extras=True)


def _fields(says: str) -> tuple["dataclasses.Field[Any]", ...]:
    return dataclasses.fields(_RECORDS[says])


def _given(step: Step, spoken: Spoken, place: str) -> dict[str, Any]:
    """Return the fields that the file gives, as the record's own types."""
    kinds = _kinds(step.says)
    texts = {one.name for one in dataclasses.fields(PostMortem)} if kinds.get("text") is PostMortem else set()
    if unknown := sorted(step.fields.keys() - (kinds.keys() - ({"text"} if texts else set())) - texts - {"incident"}):
        raise PolicyError(f"{place}: {step.says} has no field {unknown[0]}; it has {', '.join(texts or kinds)}")
    given: dict[str, Any] = {}
    if texts:
        given["text"] = PostMortem(**{name: str(step.fields.get(name, _UNSAID)) for name in sorted(texts)})
    for name, value in step.fields.items():
        if name in texts or name == "incident":
            continue
        try:
            given[name] = _value(name, kinds[name], value, spoken)
        except (ValueError, TypeError) as error:
            raise PolicyError(f"{place}: {name} = {str(value)[:80]!r}: {error}") from None
    return given


def _value(name: str, kind: Any, value: Said, spoken: Spoken) -> object:
    """Return a value of the file as a field's type; ValueError says why it is none."""
    if name in _PEOPLE | _INCIDENTS:
        return _named(name, value, spoken)
    if kind == Millis:
        return spoken.now + _after(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _word(kind, value)
    if kind == tuple[Matcher, ...]:
        return tuple(_matcher(one) for one in _texts(value))
    if kind == tuple[str, ...]:
        return _texts(value)
    wanted = str if kind == (str | None) else kind
    if type(value) is not wanted:
        raise ValueError(f"it is to be {getattr(wanted, '__name__', wanted)}")
    return value


def _named(name: str, value: Said, spoken: Spoken) -> str:
    """Return the principal of a person, or the id of an incident."""
    if name in _PEOPLE:
        if value not in spoken.principals:
            raise ValueError("nobody of the drill is called so")
        return spoken.principals[str(value)]
    if not isinstance(value, int) or value < 1:
        raise ValueError("an incident is named by its number, the first to open being 1")
    return spoken.cases[value - 1].incident if value <= len(spoken.cases) else ""


def _after(value: Said) -> int:
    """Return how far from now a time is: ``2h`` from now on, ``-30m`` before."""
    text = str(value)
    length = span(text.removeprefix("-")) / timedelta(milliseconds=1)
    return round(-length if text.startswith("-") else length)


def _word(kind: type[Enum], value: Said) -> object:
    known = {str(one.value): one for one in kind}
    if value not in known:
        raise ValueError(f"it is one of {', '.join(known)}")
    return known[str(value)]


def _texts(value: Said) -> tuple[str, ...]:
    if not isinstance(value, tuple):
        raise TypeError("it is a list of texts")
    return value


def _matcher(text: str) -> Matcher:
    aspect, _, wanted = text.partition("=")
    if aspect not in {one.value for one in Aspect} or not wanted:
        raise ValueError(f"a matcher is ASPECT=VALUE, of {', '.join(one.value for one in Aspect)}")
    return Matcher(aspect=Aspect(aspect), value=wanted)
