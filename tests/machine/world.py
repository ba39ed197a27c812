"""A ledger's rules and state without bytes and signatures, so that a million commands can be decided and judged."""

import hashlib
from dataclasses import dataclass, field
from typing import Any, cast

from agents.ledger import rules
from agents.ledger.asked import Asked, incident_of
from agents.ledger.case import Case
from agents.ledger.state import LedgerState
from schemas import commands as c
from schemas.ledger import AuditEntry, EventBody
from schemas.values import Position, Role
from tests import ledgers
from tests.ledgers import START, enrolment, key_of

POLICY = (
    ledgers.POLICY
    + b"""
[[standing]]
name = "move-traffic"
severities = ["sev1"]
target_kinds = ["envoy"]
per_day = 3
"""
)
LAX = (
    ledgers.POLICY.replace(b"quorum = 2", b"quorum = 1")
    .replace(b'post_mortem = ["sev1", "sev2"]', b"post_mortem = []")
    .replace(b'[hold]\ntiers = ["high"]', b"[hold]\ntiers = []")
)
SYSTEMS = (
    ledgers.SYSTEMS
    + b"""
[systems.small]
scope = "a model of little harm"
tier = "low"
[systems.small.models.small]
[systems.bought]
scope = "a model of another house"
tier = "medium"
third_party = true
vendor = { name = "Acme", contact = "noc", sla_hours = { fix = 1 }, evidence_owed = ["notes"] }
[systems.bought.models.box]
"""
)
INCIDENTS = ("incident-1", "incident-2", "incident-3")
PEOPLE: dict[str, tuple[Role, ...]] = {
    "max": (Role.ML_MANAGER,),
    "mia": (Role.ML_MANAGER,),
    "bob": (Role.ML_MANAGER, Role.LEGAL),
    "eva": (Role.ML_ENGINEER,),
    "sam": (Role.SRE,),
    "cleo": (Role.COMPLIANCE,),
    "carl": (Role.COMPLIANCE, Role.VALIDATOR),
    "lea": (Role.LEGAL,),
    "dora": (Role.DPO,),
    "erik": (Role.ETHICS, Role.SECURITY),
    "vera": (Role.VALIDATOR,),
    "exec": (Role.EXECUTIVE,),
    "ada": (Role.ADMIN,),
}
SERVICES: dict[str, tuple[Role, ...]] = {role.value: (role,) for role in Role if role.service}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a principal, a key of it and the roles that it was enrolled with."""

    name: str
    key: str
    roles: frozenset[Role]


def _founded() -> LedgerState:
    ledger = ledgers.Ledger()
    everybody = (*PEOPLE.items(), *SERVICES.items())
    enrolled = tuple(enrolment(who, *roles) for who, roles in everybody)
    ledger.ask(ledgers.establishment(enrolments=enrolled), "ada")
    ledger.ask(c.AdoptPolicy(document=POLICY), "ada")
    ledger.ask(c.AdoptSystems(document=SYSTEMS), "ada")
    return ledger.state


FOUNDED = _founded()
WHO = {who: Principal(f"p-{who}", key_of(who).key_id, frozenset(roles)) for who, roles in (PEOPLE | SERVICES).items()}


@dataclass(slots=True)
class World:
    """One history: its state, its clock (ms), and how many commands were asked."""

    state: LedgerState = field(default_factory=lambda: LedgerState(control=FOUNDED.control))
    at: int = START
    asked: int = 0

    def ask(self, body: Any, who: Principal) -> tuple[Asked, list[object]]:
        """Decide a command under the rules in force, apply what follows, and return it."""
        self.asked += 1
        asked = Asked(
            kind=type(body).__name__,
            incident=incident_of(body),
            body=body,
            principal=who.name,
            key=who.key,
            roles=self.state.control.roles.get(who.name, frozenset()),
            statement=f"{self.asked:064x}",
        )
        at = max(self.at, self.state.control.at)
        events = self.state.decide(rules.CURRENT, asked, at)
        if events:
            self._apply(asked, events, at)
        return asked, events

    def _apply(self, asked: Asked, events: list[object], at: int) -> None:
        # What an event is named by is the hash of its bytes; that of its words names it as well, and is made quickly.
        bodies = tuple(
            EventBody(type="", fingerprint=b"", body=hashlib.sha256(f"{self.asked} {event}".encode()).digest())
            for event in events
        )
        entry = AuditEntry(
            index=self.state.control.next_index,
            follows=self.state.control.next_index - 1,
            at=at,
            rules=rules.CURRENT,
            policy="",
            source=Position(topic_id="", partition=0, offset=0),
            command=b"",
            outcome="",
            events=bodies,
        )
        self.state.apply(entry, asked, events, b"")

    def case(self, incident: str) -> Case | None:
        """Return a case as it stands."""
        return self.state.cases.get(incident)

    def acts(self, who: Principal) -> bool:
        """Whether the principal's key is in force, so that its commands are authentic."""
        return not self.state.control.keys[who.key].revoked


def digest_of(case: Case) -> str:
    """Return the digest of a case's plan, or one that names nothing."""
    return cast(str, case.plan.digest) if case.plan else "0" * 64
