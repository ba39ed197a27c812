"""Paging in tests: a policy in few words, and a case that is paged for under it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agents.oncall.decide import Refusal, decide, report
from agents.oncall.escalation import advance, deadline
from agents.oncall.paging import Paging, evolve
from schemas.case.paging import AcknowledgePage, Event, PagingStarted, PagingState
from schemas.escalation import CaseFacts, EscalationPolicy, EscalationStep
from schemas.values import Category, Severity

START = 1_800_000_000_000
FACTS = CaseFacts(severity=Severity.SEV1, category=Category.FAIRNESS, tier="high")
MINUTE = 60_000


def step(*targets: str, **more: object) -> EscalationStep:
    """Return a step that pages these targets."""
    return EscalationStep.model_validate({"targets": targets, **more})


def policy(*steps: EscalationStep, **more: object) -> EscalationPolicy:
    """Return a policy that ends at the boss, waits ten minutes after a round, and keeps an answer for an hour."""
    return EscalationPolicy.model_validate(
        {"name": "p", "steps": steps, "final": "boss", "acknowledge_timeout_seconds": 3600, **more}
    )


@dataclass
class Case:
    """A case that is paged for; what `advance` proposes is reported to `decide`, as the paging role does it."""

    policy: EscalationPolicy
    persons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    facts: CaseFacts = FACTS
    now: int = START
    paging: Paging = field(default_factory=lambda: Paging(incident="i"))
    said: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        due = self.now + self.policy.steps[0].after_seconds * 1000
        self.happened([PagingStarted(incident="i", policy="p", digest="d", escalation=b"", at=self.now, due=due)])

    def resolve(self, target: str) -> tuple[str, ...]:
        """Return who a target is: as the test says, else user:<name> is the name and a webhook itself."""
        if target in self.persons:
            return self.persons[target]
        kind, _, name = target.partition(":")
        return {"user": (name,), "webhook": (target,)}.get(kind, (target.replace(":", "."),))

    def happened(self, events: Sequence[Event]) -> None:
        """Fold events."""
        for event in events:
            self.paging = evolve(self.paging, self.policy, event)
            self.said.append(event)

    def turn(self) -> list[Event]:
        """Let time act now, through the ledger's decisions; the ledger says exactly what was proposed."""
        done: list[Event] = []
        for event in advance(self.paging, self.policy, self.facts, self.now, self.resolve):
            asked = report(event)
            assert asked is not None
            decided = decide(self.paging, self.policy, asked, "paging", self.now)
            assert decided == [event]
            self.happened([event])
            done.append(event)
        return done

    def wait(self) -> list[Event]:
        """Go to the next deadline and let time act; nothing where only people can act."""
        due = deadline(self.paging)
        if due is None:
            return []
        self.now = max(self.now, due)
        return self.turn()

    def play(self, most: int = 1000) -> list[Event]:
        """Let nobody answer until time alone does nothing more; `most` bounds what may happen."""
        done: list[Event] = []
        while self.paging.state is PagingState.TRIGGERED:
            done += self.wait()
            assert len(done) <= most
        return done

    def acknowledge(self, who: str) -> list[Event] | Refusal:
        """Have somebody acknowledge now."""
        answer = decide(self.paging, self.policy, AcknowledgePage(incident="i", note="on it"), who, self.now)
        if not isinstance(answer, Refusal):
            self.happened(answer)
        return answer


def told(events: Sequence[Event]) -> list[tuple[str, ...]]:
    """Return whom the events name, or the kind of the event where it names nobody."""
    return [getattr(event, "persons", ()) or (type(event).__name__,) for event in events]
