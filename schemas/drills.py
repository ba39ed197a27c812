"""A drill: systems served for it, people who play, faults that begin where they do in life, and what is expected.

A scenario says nothing to detection or triage. Its faults enter a model server, the requests, the health of an instance
or a person's report; all that follows is Headgate's own doing, and is compared with what `expect` says.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator

from schemas import documents
from schemas.drill_faults import Fault
from schemas.drill_models import Served
from schemas.spans import span
from schemas.systems import Name, System, Systems
from schemas.values import Category, Role, Severity

Person = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
Span = Annotated[timedelta, BeforeValidator(span)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Said = str | int | float | bool | tuple[str, ...]
Moment = Literal[
    "start",
    "opened",
    "declared",
    "planned",
    "approved",
    "contained",
    "recovering",
    "resolved",
    "review",
    "closed",
    "exhausted",
]
"""What a step may wait for: the scene's beginning, a phase of its incident, a plan that people are asked about, a
quorum, and an escalation that found nobody."""
MOMENTS: frozenset[str] = frozenset(get_args(Moment))
MAX_STEPS = 60


class Player(documents.Frozen):
    """One person of the drill."""

    roles: tuple[Role, ...] = Field(min_length=1, max_length=4)
    on_call: bool = Field(default=False, description="stands in the schedule that is paged first")
    reachable: bool = Field(default=True, description="a page arrives; a page that arrives may still go unanswered")

    @field_validator("roles")
    @classmethod
    def _people_are_no_services(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        if any(role.service for role in roles):
            raise ValueError("a person plays no service")
        return roles


class Step(documents.Frozen):
    """What happens `wait` after a moment, or after another step: faults begin or end, or a person says something.

    says, fields
        A command of schemas.commands by its name, and its fields; the incident, the plan's digest, a step-up's
        confirmation and times of now are filled in.
    """

    name: Name
    after: Moment | Name = "start"
    wait: Span = timedelta(0)
    tells: str = Field("", max_length=500, description="what the reader of the report is told")
    faults: tuple[Fault, ...] = Field((), max_length=8)
    mends: tuple[Name, ...] = Field((), max_length=8, description="steps whose faults end now")
    by: Person | None = None
    says: str = Field("", max_length=64)
    fields: Mapping[str, Said] = Field(default_factory=dict, max_length=16)
    refused: str = Field("", max_length=64, description="the word of the refusal that is expected; empty, none is")
    speed: float | None = Field(None, ge=1, le=1_000_000, description="of this wait; above 1000 nobody asks any more")

    @model_validator(mode="after")
    def _somebody_says_something(self) -> "Step":
        if (self.by is None) != (not self.says):
            raise ValueError(f"step {self.name}: `by` and `says` go together")
        return self


class Question(documents.Frozen):
    """What people at a table are asked, and what answers are right."""

    after: Moment | Name = "start"
    ask: Text
    choices: tuple[Text, ...] = Field(min_length=2, max_length=6)
    right: tuple[int, ...] = Field(min_length=1, max_length=6, description="numbers of right choices, from 1")
    why: Text

    @model_validator(mode="after")
    def _right_is_a_choice(self) -> "Question":
        if any(not 1 <= number <= len(self.choices) for number in self.right):
            raise ValueError(f"right = {list(self.right)} names no choice of {self.ask!r}")
        return self


class Within(documents.Frozen):
    """The longest that each may take: detection from the fault on, all else from the opening on."""

    detect: Span | None = None
    declare: Span | None = None
    acknowledge: Span | None = None
    contain: Span | None = None
    resolve: Span | None = None


class Expect(documents.Frozen):
    """What must come out of it; a field that is left out is not judged."""

    incidents: int = Field(1, ge=0, le=10)
    category: Category | None = None
    severity: Severity | None = None
    phase: str | None = Field(None, max_length=32, description="where the response stands in the end")
    affected: tuple[str, ...] | None = Field(None, description="model:version, all of them")
    origin: str | None = Field(None, description="the model where a cascade began")
    technique: str | None = Field(None, description="ATLAS id that is suspected")
    escalation: str | None = Field(None, description="name of the escalation policy that paged")
    paged: tuple[Person, ...] | None = Field(None, description="everybody who was paged, in order of their first page")
    approvals: tuple[Person, ...] | None = Field(None, description="everybody whose approval counted")
    effects: tuple[str, ...] | None = Field(None, description="targets that were changed, in order")
    clocks: tuple[str, ...] | None = Field(None, description="statutory clocks that began, all of them")
    due: Mapping[str, Span] = Field(default_factory=dict, description="how long a clock gives from its trigger on")
    within: Within = Within()


class Scenario(documents.Frozen):
    """The whole file."""

    version: int = Field(ge=1, le=1)
    title: str = Field(min_length=1, max_length=120)
    situation: Text = Field(description="what a manager is told before it begins")
    seed: int = Field(1, ge=0, le=2**31)
    speed: float = Field(240.0, ge=1, le=1_000_000, description="times faster than life while people are waited for")
    systems: dict[Name, System] = Field(min_length=1, max_length=8)
    served: dict[Name, Served] = Field(min_length=1, max_length=8, description="how each model behaves, by its name")
    people: dict[Person, Player] = Field(min_length=1, max_length=16)
    steps: tuple[Step, ...] = Field(min_length=1, max_length=MAX_STEPS)
    questions: tuple[Question, ...] = Field((), max_length=20)
    expect: Expect

    @field_validator("systems", mode="before")
    @classmethod
    def _flagged(cls, systems: Any) -> Any:
        """Flag every system as a drill's: a file cannot do otherwise."""
        if not isinstance(systems, dict) or not all(isinstance(one, dict) for one in systems.values()):
            return systems
        return {name: {**one, "drill": True} for name, one in systems.items()}

    @model_validator(mode="after")
    def _names_are_known(self) -> "Scenario":
        Systems(version=1, systems=self.systems)
        models = {model for system in self.systems.values() for model in system.models}
        if models != set(self.served):
            raise ValueError(f"served and declared models differ: {sorted(models ^ set(self.served))}")
        seen: set[str] = set()
        for step in self.steps:
            if step.name in seen or step.name in MOMENTS:
                raise ValueError(f"step {step.name}: the name is taken")
            if step.after not in seen and step.after not in MOMENTS:
                raise ValueError(f"step {step.name}: after = {step.after!r} is neither a moment nor an earlier step")
            if step.by is not None and step.by not in self.people:
                raise ValueError(f"step {step.name}: nobody is called {step.by}")
            if unknown := [name for name in step.mends if name not in seen]:
                raise ValueError(f"step {step.name}: mends {unknown[0]!r}, which is no earlier step")
            self._require_served(step)
            seen.add(step.name)
        return self

    def _require_served(self, step: Step) -> None:
        for fault in step.faults:
            served = self.served.get(fault.model)
            if served is None:
                raise ValueError(f"step {step.name}: model {fault.model} is not served")
            fault.require(served)


def read(document: bytes, name: str = "the scenario") -> Scenario:
    """Validate a scenario; PolicyError says where it is wrong."""
    return documents.read(Scenario, document, name)
