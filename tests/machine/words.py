"""Words for a world: any command with values that mean something where it is said, and the next one of a response."""

import dataclasses
import random
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from agents.ledger.case import Case, Phase
from agents.ledger.decisions.execute import intent_id
from agents.ledger.regions.plan import PlanState
from schemas import commands as c
from schemas import signals as s
from schemas.authority import MAY
from schemas.case import approval, glass, learning, people, response
from schemas.case.hold import ReleaseHold
from schemas.case.learning import CauseKind, MissedControl
from schemas.shapes import Choice, Field, Many, Maybe, Nested, Primitive, fields_of
from tests import play
from tests.learnt import POST_MORTEM
from tests.machine.world import LAX, PEOPLE, POLICY, SYSTEMS, WHO, Principal, World, digest_of

INCIDENTS = ("incident-1", "incident-2", "incident-3")
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
    "blast_radius": ((),),
}


_SMALL: dict[str, tuple[Any, ...]] = {
    "long": (0, 1, 2, 5),
    "double": (0.0, 0.5, 9.0),
    "boolean": (False, True),
    "bytes": (b"x",),
    "string": ("because", "because", "t-1", "c-1", "gdpr_33", ""),
}


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
        if name in names and names[name] and rng.random() < 0.9 and not isinstance(field.shape, Many):
            return rng.choice(names[name])
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
        aside = self.rng.random() < 0.1
        todo = list(_aside(case, self.world) if aside else _onward(case, self.world))
        return self.rng.choice(todo) if todo else None


def _planned(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what may follow of the case's plan."""
    plan, incident = case.plan, case.incident
    if plan is None or plan.state is PlanState.ENDED:
        yield play.proposal(incident=incident, attempt=case.plans + 1, dry_run=str(world.asked)), "remediation"
        return
    match plan.state:
        case PlanState.PROPOSED:
            yield c.RequestApproval(incident=incident, plan=plan.digest), "approval"
        case PlanState.PENDING:
            for who in ("max", "mia", "bob"):
                yield (
                    c.Approve(
                        incident=incident,
                        plan=plan.digest,
                        reason="right",
                        repeat=world.asked,
                        confirmed=plan.digest[:8],
                        confirmed_at=world.at,
                    ),
                    who,
                )
    yield approval.KeepNothing(incident=incident, reason="shadow"), "max"
    for number, step in enumerate(plan.steps):
        intent = intent_id(plan.digest, number)
        action = case.actions.get(intent)
        if action is None:
            start = c.StartAction(incident=incident, plan=plan.digest, step=number, executor="x-1", attempt=1)
            yield dataclasses.replace(start, repeat=world.asked), "remediation"
            if step.purpose == "contain":
                broken = glass.BreakGlass(
                    incident=incident, plan=plan.digest, step=number, reason="now", minutes=10, repeat=world.asked
                )
                yield broken, "max"
        elif not action.outcome:
            yield (
                c.ReportOutcome(incident=incident, intent=intent, outcome="done", read_back=step.desired, detail=""),
                "remediation",
            )
    yield approval.SignOff(incident=incident, plan=plan.digest, note="right", repeat=world.asked), "vera"


def _causes(case: Case) -> Iterator[tuple[Any, str]]:
    for kind, name, parent in ((CauseKind.TRIGGER, "c-1", None), (CauseKind.ROOT, "c-2", "c-1")):
        if name not in case.learning.causes:
            code = MissedControl.DATA_CONTRACT
            yield (
                learning.RecordCause(
                    incident=case.incident, cause=name, text="units", kind=kind, code=code, parent=parent
                ),
                "mia",
            )


def _work(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what is left of the checklist and of the tasks."""
    for item in world.state.control.policies[case.policy].checklist:
        if item not in case.people.checked:
            yield people.CheckItem(incident=case.incident, item=item, note="as noted", repeat=world.asked), "mia"
    for task, found in case.people.tasks.items():
        if not found.done_at:
            yield people.FinishTask(incident=case.incident, task=task, note="done"), "mia"


def _learnt(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what is left to be done before the case closes."""
    incident, rest = case.incident, world.asked
    yield from _work(case, world)
    yield from _causes(case)
    if not case.learning.written:
        yield learning.WritePostMortem(incident=incident, text=POST_MORTEM), "mia"
    elif not case.learning.accepted:
        yield learning.AcceptPostMortem(incident=incident, digest=case.learning.written), "max"
    for broken in case.glass.unreviewed():
        for cls, who in ((glass.ReviewBreakGlass, "cleo"), (glass.ReviewStanding, "mia")):
            yield cls(incident=incident, number=broken.number, verdict=glass.Justified.JUSTIFIED, note="seen"), who
    if case.hold.stands:
        for who in ("max", "lea"):
            yield ReleaseHold(incident=incident, reason="no claim", repeat=rest), who
    yield response.Close(incident=incident, note="", repeat=rest), "max"


def _over(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    incident, rest = case.incident, world.asked
    if case.phase is Phase.RESOLVED:
        yield response.BeginReview(incident=incident, note="", repeat=rest), "max"
    elif case.phase is Phase.REVIEW:
        yield from _learnt(case, world)
        for into, split in world.state.control.splits.items():
            yield response.OpenSplit(incident=into, origin=split.incident, repeat=rest), "max"
        for merged, into in world.state.control.merged.items():
            yield response.Absorb(incident=into, merged=merged, repeat=rest), "max"
    elif case.phase is Phase.CLOSED:
        yield response.Reopen(incident=incident, reason="again", repeat=rest), "max"


def _aside(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    """Return what leads a case elsewhere."""
    incident, rest, plan = case.incident, world.asked, digest_of(case)
    for other in INCIDENTS:
        yield response.Merge(incident=incident, into=other, reason="the same", repeat=rest), "eva"
    yield response.Split(incident=incident, signals=("s-2",), reason="another", repeat=rest), "eva"
    yield response.Regress(incident=incident, reason="worse", repeat=rest), "eva"
    yield c.RevokeApproval(incident=incident, plan=plan, reason="wait", repeat=rest), "max"
    yield c.Deny(incident=incident, plan=plan, reason="no", repeat=rest), "mia"
    yield response.Investigate(incident=incident, reason="why?", repeat=rest), "eva"
    if case.plan is not None:
        expire = c.ExpirePlan(incident=incident, plan=plan, deadline=case.plan.decide_by, repeat=rest)
        yield expire, "approval"
    for into, split in world.state.control.splits.items():
        yield response.OpenSplit(incident=into, origin=split.incident, repeat=rest), "max"
    for merged, into in world.state.control.merged.items():
        yield response.Absorb(incident=into, merged=merged, repeat=rest), "max"


def _onward(case: Case, world: World) -> Iterator[tuple[Any, str]]:
    if case.phase.over:
        yield from _over(case, world)
    elif case.phase is Phase.TRIAGE:
        yield c.Declare(incident=case.incident, reason="it is one", repeat=world.asked), "max"
    elif case.phase is Phase.RECOVERING:
        report = play.recovery(incident=case.incident, model=case.affected[0].model if case.affected else "shuttle")
        yield dataclasses.replace(report, observation=str(world.asked)), "recovery"
    else:
        yield from _planned(case, world)
