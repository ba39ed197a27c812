"""Words for a world: any command with values that mean something where it is said, and the next one of a response."""

import dataclasses
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from agents.ledger.case import Case
from agents.ledger.decisions.execute import intent_id
from schemas import commands as c
from schemas import signals as s
from schemas.authority import MAY
from schemas.regulation.clocks import FACTS, Trigger
from schemas.shapes import Choice, Field, Many, Maybe, Nested, Primitive, fields_of
from tests import play
from tests.machine.onward import aside, onward
from tests.machine.world import INCIDENTS, LAX, PEOPLE, POLICY, SYSTEMS, WHO, Principal, World, digest_of

KINDS = tuple(cls for cls in c.RECORDS if cls is not c.EstablishLedger)
RARE = frozenset({"TakeOver", "EnrolKey", "RevokeKey", "AdoptPolicy", "AdoptSystems", "AdoptProfile", "Dismiss"})
COMMON = (*(cls for cls in KINDS if cls.__name__ not in RARE), s.IncidentOpened, s.IncidentGrew, s.IncidentQuieted)
_PERSONS = tuple(f"p-{who}" for who in PEOPLE)
_EVIDENCE = tuple(play.evidence(signal=f"s-{n}", version=str(n), summary=f"f{n} has drifted") for n in (2, 3))
_AFFECTED = (
    (s.Affected(model="shuttle", version="2"),),
    (s.Affected(model="small", version="2"),),
    (s.Affected(model="shuttle", version="2"), s.Affected(model="shuttle", version="3")),
    (s.Affected(model="box", version="2"),),
)
_FIXED: dict[str, tuple[Any, ...]] = {
    "id": INCIDENTS,
    "incident": INCIDENTS,
    "into": INCIDENTS,
    "merged": INCIDENTS,
    "origin": INCIDENTS,
    "model": ("shuttle", "shuttle", "small"),
    "version": ("1", "1", "2", "3"),
    "outcome": ("done", "done", "failed", "target_changed"),
    "read_back": (*(step.desired for step in play.STEPS), "{}"),
    "executor": ("x-1", "x-2"),
    "step": (0, 1, 2),
    "attempt": (1, 2, 3),
    "number": (1, 2, 3),
    "minutes": (10, 60, 600),
    "clear_rows": (0, 1000),
    "signals": (("s-2",), ("s-3",), ("s-2", "s-3"), ()),
    "evidence": (_EVIDENCE, _EVIDENCE[:1]),
    "affected": _AFFECTED,
    "steps": (play.STEPS, play.STEPS[:1], play.STEPS[1:], play.STEPS[::-1]),
    "principal": _PERSONS,
    "to": _PERSONS,
    "owner": _PERSONS,
    "excluded": ((), (), ("p-bob",)),
    "policy": ("",),
    "document": (POLICY, LAX, SYSTEMS),
    "impact": (None,),
    "fact": (*FACTS, *(trigger.value for trigger in Trigger), "aware", "occurred"),
    "regime": ("gdpr_33", "nis2_23", "hipaa_annual", "sec_8k_105"),
    "share": (50, 80, 100),
    "score": (1, 5),
    "blast_radius": ((),),
}


_SMALL: dict[str, tuple[Any, ...]] = {
    "long": (0, 1, 2, 5),
    "double": (0.0, 0.5, 9.0),
    "boolean": (False, True),
    "bytes": (b"x",),
    "string": ("because", "because", "t-1", "c-1", "gdpr_33", ""),
}


_TYPES: dict[str, type] = {"string": str, "long": int, "double": float, "boolean": bool, "bytes": bytes}


@cache
def _fields(cls: type) -> tuple[Field, ...]:
    return fields_of(cls)


def _strings(value: object, name: str, found: dict[str, list[Any]]) -> None:
    """Collect the texts of a case by the name under which they stand; a mapping's keys stand under its singular."""
    if isinstance(value, str):
        if type(value) is str and value:
            found.setdefault(name, []).append(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _strings(key, name.removesuffix("s"), found)
            _strings(item, name.removesuffix("s"), found)
    elif isinstance(value, tuple | frozenset):
        for item in sorted(value, key=str)[:8]:
            _strings(item, name.removesuffix("s"), found)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for each in dataclasses.fields(value):
            _strings(getattr(value, each.name), each.name, found)


def known(case: Case | None) -> dict[str, list[Any]]:
    """Return what a case names, by field."""
    found: dict[str, list[Any]] = {}
    if case is None:
        return found
    _strings(case, "case", found)
    plan = digest_of(case)
    found["plan"] = [plan]
    found["confirmed"] = [plan[:8]]
    found["intent"] = [intent_id(plan, step) for step in range(2)]
    found["attempt"] = [case.plans + 1, 1, 2]
    found["deadline"] = [case.plan.decide_by, case.plan.execute_by] if case.plan else [0]
    found["due"] = [one.due for one in case.clocks.running]
    found["digest"] = [case.learning.written, "ab" * 32]
    return found


class Speaker:
    """Says anything; `rng` decides what, so that the same numbers say the same."""

    def __init__(self, world: World, rng: random.Random) -> None:
        self.world, self.rng = world, rng

    def incident(self) -> str:
        """Return an incident, rarely one that was split off or that does not exist."""
        if self.rng.random() < 0.5:
            return INCIDENTS[0]  # so that one of them gets far
        return self.rng.choice(INCIDENTS if self.rng.random() < 0.9 else (*self.world.state.cases, "incident-9"))

    def who(self, kind: str) -> Principal:
        """Return somebody who may say it, or now and then anybody; only with a key in force."""
        able = [who for who in WHO.values() if any(kind in MAY[role] for role in who.roles)]
        if not able or self.rng.random() < 0.1:
            able = list(WHO.values())
        able = [who for who in able if self.world.acts(who)] or [WHO["ada"]]
        return self.rng.choice(able)

    def anything(self) -> Any:
        """Return a command of any kind about one of the incidents."""
        rare = self.rng.random() < 0.01
        cls = self.rng.choice(KINDS if rare else COMMON)
        incident = self.incident()
        case = self.world.case(incident)
        return self.record(cls, known(case) | {"incident": [incident], "id": [incident]})

    def record(self, cls: type, names: Mapping[str, list[Any]]) -> Any:
        """Return a record of a class with values that its fields' names suggest."""
        return cls(**{field.name: self.value(field, names) for field in _fields(cls)})

    def value(self, field: Field, names: Mapping[str, list[Any]]) -> Any:
        """Return a value of a field."""
        name, rng = field.name, self.rng
        if name == "repeat":
            return self.world.asked
        if isinstance(field.shape, Primitive) and rng.random() < 0.9:
            fitting = [found for found in names.get(name, ()) if isinstance(found, _TYPES[field.shape.avro])]
            if fitting:
                return rng.choice(fitting)
        if name in _FIXED and isinstance(_FIXED[name][0], tuple) is isinstance(field.shape, Many):
            return rng.choice(_FIXED[name])
        return self._shaped(field.shape, names)

    def _shaped(self, shape: Any, names: Mapping[str, list[Any]]) -> Any:
        rng = self.rng
        match shape:
            case Primitive():
                return self._primitive(shape)
            case Choice(of=enum):
                return rng.choice(tuple(enum))
            case Maybe(of=inner):
                return None if rng.random() < 0.5 else self._shaped(inner, names)
            case Many(of=inner):
                return tuple(self._shaped(inner, names) for _ in range(rng.choice((0, 1, 1, 2))))
            case Nested(of=cls):
                return self.record(cls, names)
        raise AssertionError(shape)

    def _primitive(self, shape: Primitive) -> Any:
        if shape.millis:
            return max(0, self.world.at + self.rng.choice((-3_600_000, -1, 0, 1, 3_600_000)))
        return self.rng.choice(_SMALL[shape.avro])

    def next(self) -> tuple[Any, str] | None:
        """Return what leads one of the incidents on, and who should say it."""
        incident = self.incident()
        case = self.world.case(incident)
        if case is None:
            opened = play.incident_opened(
                id=incident, affected=self.rng.choice(_AFFECTED), evidence=self.rng.choice(_FIXED["evidence"])
            )
            return (opened, "triage") if incident in INCIDENTS else None
        elsewhere = self.rng.random() < 0.1
        todo = list(aside(case, self.world) if elsewhere else onward(case, self.world))
        return self.rng.choice(todo) if todo else None
