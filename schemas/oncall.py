"""Who is told, and when: people, roles, schedules, overrides and escalation policies, as deploy/oncall.toml says.

The first escalation policy of the document that matches wins; order is meaning. A document in which a policy could
never match, a name leads nowhere, or an incident would find no policy is refused.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import pairwise

from pydantic import Field, model_validator

from schemas import documents
from schemas.addressees import Name, Person, Target, name_of
from schemas.documents import Frozen
from schemas.escalation import CaseFacts, EscalationPolicy
from schemas.rota import Override, Schedule


class OnCall(Frozen):
    """The whole on-call document."""

    version: int = Field(ge=1, le=1)
    receivers: tuple[Name, ...] = Field(min_length=1, max_length=50, description="ways to reach somebody, by name")
    people: dict[Name, Person] = Field(min_length=1, max_length=500)
    roles: dict[Name, tuple[Target, ...]] = Field(
        default_factory=dict, max_length=100, description="who answers for a role: user:<person> or schedule:<name>"
    )
    schedules: dict[Name, Schedule] = Field(default_factory=dict, max_length=50)
    overrides: tuple[Override, ...] = Field((), max_length=500)
    policies: tuple[EscalationPolicy, ...] = Field(
        min_length=1, max_length=50, description="the first that matches wins"
    )

    @model_validator(mode="after")
    def _names_lead_somewhere(self) -> "OnCall":
        known: dict[str, Container[str]] = {
            "user": self.people,
            "schedule": self.schedules,
            "role": self.roles,
            "webhook": self.receivers,
            "receiver": self.receivers,
        }
        for where, target in self._mentioned():
            kind, _, name = target.partition(":")
            if name not in known[kind]:
                raise ValueError(f"{where} names {target}, which the document does not declare")
        return self

    @model_validator(mode="after")
    def _roles_are_held_by_people(self) -> "OnCall":
        for name, held in self.roles.items():
            if not held or any(not target.startswith(("user:", "schedule:")) for target in held):
                raise ValueError(f"role {name} must name at least one user:<person> or schedule:<name>, and only those")
        for policy in self.policies:
            if not any(target.startswith("user:") for target in self.roles.get(policy.final, ())):
                raise ValueError(
                    f"policy {policy.name} ends at role {policy.final}, which must name at least one user:<person>, "
                    "so that a gap in a schedule cannot leave it empty"
                )
        return self

    @model_validator(mode="after")
    def _a_principal_is_one_person(self) -> "OnCall":
        held: dict[str, str] = {}
        for name, person in self.people.items():
            if held.setdefault(person.principal, name) != name:
                raise ValueError(f"{held[person.principal]} and {name} are both principal {person.principal}")
        return self

    @model_validator(mode="after")
    def _every_policy_can_match_and_every_incident_finds_one(self) -> "OnCall":
        names = [policy.name for policy in self.policies]
        for one, other in pairwise(sorted(names)):
            if one == other:
                raise ValueError(f"two policies are named {one}; rename one")
        for at, later in enumerate(self.policies):
            for earlier in self.policies[:at]:
                if earlier.match.covers(later.match):
                    raise ValueError(
                        f"policy {later.name} never applies, because {earlier.name} before it matches all of it; "
                        f"put {later.name} first"
                    )
        if not any(policy.match.everything for policy in self.policies):
            raise ValueError("one policy needs an empty match, as the last, so that every incident pages somebody")
        return self

    def _mentioned(self) -> Iterator[tuple[str, str]]:
        for name, person in self.people.items():
            yield from ((f"person {name}", f"receiver:{contact}") for contact in person.contacts)
        for name, held in self.roles.items():
            yield from ((f"role {name}", target) for target in held)
        for name, schedule in self.schedules.items():
            yield from ((f"schedule {name}", f"user:{member}") for member in schedule.people)
        for override in self.overrides:
            yield "an override", f"schedule:{override.schedule}"
            yield "an override", f"user:{override.person}"
            if override.replaces is not None:
                yield "an override", f"user:{override.replaces}"
        for policy in self.policies:
            yield f"policy {policy.name}", f"role:{policy.final}"
            yield from ((f"policy {policy.name}", target) for step in policy.steps for target in step.targets)

    def choose(self, facts: CaseFacts) -> EscalationPolicy | None:
        """Return the first policy that matches; None only for facts about a clock that no policy speaks of."""
        return next((policy for policy in self.policies if policy.match.holds(facts)), None)

    def policy(self, name: str) -> EscalationPolicy | None:
        """Return the policy of this name."""
        return next((policy for policy in self.policies if policy.name == name), None)

    @property
    def milestones(self) -> tuple[int, ...]:
        """Percentages of a statutory clock at which some policy begins to match, ascending."""
        found = {policy.match.clock_percent for policy in self.policies}
        return tuple(sorted(percent for percent in found if percent is not None))

    def person_of(self, principal: str) -> str | None:
        """Return the name of the person who is this principal."""
        return next((name for name, person in self.people.items() if person.principal == principal), None)

    def overrides_of(self, schedule: str) -> tuple[Override, ...]:
        """Return the overrides of one schedule, in the order of the document."""
        return tuple(override for override in self.overrides if override.schedule == schedule)

    def contacts_of(self, addressee: str) -> tuple[str, ...]:
        """Return the receivers of a person, or the receiver of webhook:<name>; empty for somebody unknown."""
        if addressee.startswith("webhook:"):
            return (name_of(addressee),)
        person = self.people.get(addressee)
        return person.contacts if person else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptOnCall:
    """Page by this on-call document (TOML, UTF-8) from now on; what has begun goes on by its own policy."""

    document: bytes
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallAdopted:
    """People are paged by this document from the next entry on; `digest` is SHA-256 of it, hexadecimal."""

    digest: str
    document: bytes


def read(document: bytes, name: str = "the on-call document") -> OnCall:
    """Validate an on-call document; PolicyError says where it is wrong, and the way out."""
    return documents.read(OnCall, document, name)
