"""What people did in an incident, as players and steps of a drill: by their roles, and after the same delays."""

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, get_type_hints

from agents.drills.milestones import reached
from agents.drills.played import Happened
from agents.drills.saying import SAYABLE
from agents.ledger.control import Control
from agents.ledger.fold import Verified
from schemas.avro import Millis
from schemas.case.learning import PostMortem
from schemas.case.paging import EscalationExhausted, PageSent, PagingStarted
from schemas.drills import MAX_STEPS
from schemas.events import Refused
from schemas.spans import written
from schemas.values import Role

WORDS = "as it was in the incident"
"""In place of what people wrote: their words may name anybody."""
MAX_PEOPLE = 16
_FILLED = frozenset(
    {
        *("incident", "plan", "confirmed", "confirmed_at", "message", "digest", "signal", "prediction", "silence"),
        *("repeat", "next_update_by"),
    }
)
_BOOKS = frozenset(
    {
        *("AddNote", "CheckItem", "AddTask", "FinishTask", "RecordCause", "JudgeSignal", "CorrectMilestone"),
        *("DraftMessage", "ApproveMessage", "RecordSent", "RateResponse", "WritePostMortem", "AcceptPostMortem"),
    }
)
_UNSURE = frozenset({"AssignReview", "DecideReview"})
"""What rests on rows that the drill may not have: which decisions wait for a person."""
_PEOPLE = frozenset({"to", "owner", "principal"})
_FREE = frozenset({"reason", "note", "basis", "text", "what", "why", "evidence", "receipt", "title", "channel"})
_ELSEWHERE = frozenset({"into", "merged", "system"})
_PLAIN = re.compile(r"[A-Za-z0-9_.:-]{0,64}")
_LONGEST = timedelta(days=60)
_REPEATED = "wrong_role"
"""The only refusal that comes again of itself: others rest on what was there just then."""

Speaks = Callable[[dict[str, Any], Mapping[str, Any]], bool]
"""Whether a step of a file can be said by its person, given the players."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Players by their names in the drill; whom each principal, and each person of the on-call document, plays as."""

    players: Mapping[str, dict[str, Any]]
    of: Mapping[str, str]


def happened(entries: Iterable[Verified]) -> list[Happened]:
    """Return each event of entries with its time."""
    return [
        Happened(entry=one.index, at=one.entry.at, incident=one.asked.incident, by=one.asked.principal, event=event)
        for one in entries
        if one.entry is not None and one.asked is not None
        for event in one.events
    ]


def cast(entries: Sequence[Verified], control: Control) -> Cast:
    """Return everybody who spoke in an incident or was paged, named by their roles in the order of their coming."""
    found: dict[str, tuple[Role, ...]] = {}
    also: dict[str, str] = {}
    duty: set[str] = set()
    deaf: set[str] = set()
    digest = ""
    for one in entries:
        if one.asked is not None and (roles := _roles(control, one.asked.principal)):
            found.setdefault(one.asked.principal, roles)
        for event in one.events:
            if isinstance(event, PagingStarted):
                digest = event.digest
            elif isinstance(event, PageSent | EscalationExhausted):
                unreached = event.unreached if isinstance(event, PageSent) else ()
                for person in (*event.persons, *unreached):
                    if person.startswith("webhook:"):
                        continue
                    principal = _principal(control, digest, person)
                    also[person] = principal
                    found.setdefault(principal, _roles(control, principal) or _of_target(event))
                    if isinstance(event, PageSent) and (event.subject, event.step, event.round) == ("", 0, 0):
                        duty.add(principal)
                deaf |= {also[person] for person in unreached if person in also}
    return _named(found, also, duty, deaf)


def _named(found: Mapping[str, tuple[Role, ...]], also: Mapping[str, str], duty: set[str], deaf: set[str]) -> Cast:
    players: dict[str, dict[str, Any]] = {}
    of: dict[str, str] = {}
    for principal, roles in list(found.items())[:MAX_PEOPLE]:
        stem = roles[0].value.replace("_", "-")
        name = f"{stem}-{sum(one.startswith(f'{stem}-') for one in players) + 1}"
        players[name] = {"roles": [role.value for role in roles]}
        if principal in duty:
            players[name]["on_call"] = True
        if principal in deaf:
            players[name]["reachable"] = False
        of[principal] = name
    if not any(player.get("on_call") for player in players.values()) and len(players) < MAX_PEOPLE:
        players["on-call"] = {"roles": [Role.SRE.value], "on_call": True}
    return Cast(
        players=players,
        of=of | {person: of[principal] for person, principal in also.items() if principal in of},
    )


def _roles(control: Control, principal: str) -> tuple[Role, ...]:
    held = control.roles.get(principal, frozenset())
    return tuple(role for role in Role if role in held and not role.service)[:4]


def _of_target(event: PageSent | EscalationExhausted) -> tuple[Role, ...]:
    """Return the role that somebody was paged for who holds no key."""
    named = event.role if isinstance(event, EscalationExhausted) else event.target.removeprefix("role:")
    return (Role(named),) if named in {role.value for role in Role if not role.service} else (Role.SRE,)


def _principal(control: Control, digest: str, person: str) -> str:
    document = control.oncalls.get(digest)
    known = document.people.get(person) if document is not None else None
    return (known.principal if known is not None else "") or person


def steps(
    entries: Sequence[Verified], players: Cast, models: Mapping[str, str], speaks: Speaks
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return what people said, each as long after what came before it as it was; and what could not be taken over.

    Parameters
    ----------
    models
        What each model is called in the drill.
    """
    kept = _kept(entries, players, models, speaks)
    left: dict[str, int] = {}
    made: list[dict[str, Any]] = []
    anchor, since, seen = "opened", entries[0].entry.at if entries and entries[0].entry else 0, {"acknowledged"}
    for one in entries:
        if one.entry is None or one.asked is None:
            continue
        said = kept.get(one.index)
        if said is not None:
            name = f"{len(made) + 1}-{_kebab(one.asked.kind)}"
            made.append({"name": name, "after": anchor, "wait": _wait(one.entry.at - since)} | said)
            anchor, since = name, one.entry.at
        elif one.asked.principal in players.of:
            left[one.asked.kind] = left.get(one.asked.kind, 0) + 1
            continue  # what followed of it does not come of itself
        for moment in _moments(one):
            if moment not in seen:
                seen.add(moment)
                anchor, since = moment, one.entry.at
    return made, left


def _moments(one: Verified) -> Iterator[str]:
    """Yield the moments that an entry brings about; that a page on a clock or an update found nobody is none."""
    told = [
        each for each in happened([one]) if not (isinstance(each.event, EscalationExhausted) and each.event.subject)
    ]
    yield from reached(told, told[0].incident) if told else ()


def _kept(
    entries: Sequence[Verified], players: Cast, models: Mapping[str, str], speaks: Speaks
) -> dict[int, dict[str, Any]]:
    """Return what was said and can be said again, by the entry; where it is too much, what only keeps books goes."""
    found: dict[int, dict[str, Any]] = {}
    for one in entries:
        said = _said(one, players, models)
        if said is not None and speaks({"name": "again", "after": "start"} | said, players.players):
            found[one.index] = said
    books = [index for index, said in found.items() if said["says"] in _BOOKS]
    for index in [*reversed(books), *reversed(found)]:
        if len(found) <= MAX_STEPS - 2:
            break
        found.pop(index, None)
    return found


def _said(one: Verified, players: Cast, models: Mapping[str, str]) -> dict[str, Any] | None:
    if one.asked is None or one.entry is None:
        return None
    kind, person = one.asked.kind, players.of.get(one.asked.principal)
    refused = one.events[0].reason if one.events and isinstance(one.events[0], Refused) else ""
    if person is None or kind not in SAYABLE or kind in _UNSURE or refused not in ("", _REPEATED):
        return None
    fields = _fields(one.asked.body, one.entry.at, players, models)
    if fields is None:
        return None
    said: dict[str, Any] = {"by": person, "says": kind}
    return said | ({"fields": fields} if fields else {}) | ({"refused": refused} if refused else {})


def _kebab(kind: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind).lower()


def _fields(body: Any, at: int, players: Cast, models: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the fields of a command as a file gives them; None where they speak of what a drill has not."""
    given: dict[str, Any] = {}
    kinds = get_type_hints(type(body), include_extras=True)
    for one in dataclasses.fields(body):
        value = getattr(body, one.name)
        if kinds[one.name] == Millis and value is not None:
            value = written(timedelta(milliseconds=value - at)) if value > 0 else None  # 0 is now, or never
        elif one.name in _PEOPLE and isinstance(value, str):
            value = players.of.get(value, ())
        elif isinstance(value, Enum):
            value = value.value
        elif isinstance(value, str):
            value = _text(one.name, value, models)
        if one.name in _FILLED or value is None or isinstance(value, PostMortem):
            continue
        if one.name in _ELSEWHERE or not isinstance(value, str | bool | int | float):
            return None
        given[one.name] = value
    return given


def _text(name: str, value: str, models: Mapping[str, str]) -> str:
    if name == "model":
        return models.get(value, value)
    return value if name not in _FREE and _PLAIN.fullmatch(value) else WORDS if value else ""


def _wait(ms: int) -> str:
    return written(min(max(timedelta(milliseconds=round(ms, -3)), timedelta()), _LONGEST))
