"""What a report is made of: a case, its verified entries, and the documents in force."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from agents.ledger.case import Case
from agents.ledger.control import NO_SYSTEMS, Control
from agents.ledger.fold import Verified
from agents.metrics.history import History, histories
from agents.reports.words import called
from agents.triage.reports import reporter_named
from schemas.errors import HeadgateError
from schemas.events import PlanProposed, SystemsAdopted
from schemas.policy import Policy
from schemas.systems import System, Systems, read

_Event = TypeVar("_Event")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An event, the entry that holds it, its time (ms) and who asked for it."""

    event: object
    entry: int
    at: int
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One incident as the ledger tells it.

    names
        People's names for principals, where they are known.
    systems
        The systems document that was in force when the case opened.
    """

    case: Case
    control: Control
    history: History
    seen: tuple[Seen, ...]
    names: Mapping[str, str]
    systems: Systems = NO_SYSTEMS

    @property
    def policy(self) -> Policy | None:
        """The policy that the case was opened under."""
        return self.control.policies.get(self.case.policy)

    @property
    def system(self) -> System | None:
        """The system as it was declared when the case opened, or None."""
        return self.systems.systems.get(self.case.system)

    def step(self, target: str, desired: str) -> str:
        """Return what a step does in a sentence, as the newest plan that has it says."""
        steps = [step for plan, _ in self.of(PlanProposed) for step in plan.steps]
        same = [step.summary for step in steps if (step.target, step.desired) == (target, desired)]
        return same[-1] if same else f"{target} was changed"

    def of(self, kind: type[_Event]) -> Iterator[tuple[_Event, Seen]]:
        """Yield the events of a type, each with where it stands."""
        for seen in self.seen:
            if isinstance(seen.event, kind):
                yield seen.event, seen

    def entries(self, *kinds: type) -> tuple[int, ...]:
        """Return the entries that hold events of these types."""
        return tuple(dict.fromkeys(seen.entry for seen in self.seen if isinstance(seen.event, kinds)))

    def named(self, text: str) -> str:
        """Return a text with the names that are known for the principals in it."""
        text = reporter_named(text, self.names)
        for principal, name in self.names.items():
            text = text.replace(principal, name)
        return text

    def person(self, principal: str) -> str:
        """Return a person with the roles they hold; the name of a service says what it is."""
        held = self.control.roles.get(principal, frozenset())
        roles = ", ".join(sorted(called(role) for role in held))
        name = self.names.get(principal, principal)
        return f"{name} ({roles})" if roles and roles != name else name


def record(case: Case, entries: list[Verified], control: Control, names: Mapping[str, str]) -> Record:
    """Return the record of a case from the entries that speak of it; HeadgateError where its beginning is missing."""
    told = [found for found in histories(entries) if found.incident == case.incident]
    if not told:
        raise HeadgateError(f"the entries of {case.incident} do not hold its beginning; read the whole ledger")
    seen = tuple(
        Seen(
            event=event,
            entry=found.index,
            at=found.entry.at,
            principal=found.asked.principal,
        )
        for found in entries
        if found.entry is not None and found.asked is not None and found.asked.incident == case.incident
        for event in found.events
    )
    return Record(
        case=case, control=control, history=told[0], seen=seen, names=names, systems=_declared(entries, seen[0].entry)
    )


def _declared(entries: list[Verified], before: int) -> Systems:
    """Return the systems that were declared before an entry."""
    documents = [
        event.document
        for found in entries
        if found.index < before
        for event in found.events
        if isinstance(event, SystemsAdopted)
    ]
    return read(documents[-1]) if documents else NO_SYSTEMS
