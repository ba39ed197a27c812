"""What the ledger says of itself: keys, roles, policy, systems, the active registrar and the leases on targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from schemas import policy, systems
from schemas.commands import Enrolment
from schemas.events import (
    ActionFinished,
    ActionStarted,
    KeyEnrolled,
    KeyRevoked,
    LedgerEstablished,
    PolicyAdopted,
    RegistrarTookOver,
    SystemsAdopted,
)
from schemas.keys import PublicKey
from schemas.policy import Policy
from schemas.profiles import ProfileAdopted
from schemas.systems import Systems
from schemas.values import Role

NO_SYSTEMS = Systems(version=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    """A key and whom it acts for."""

    principal: str
    public: PublicKey
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who holds a target until when (ms)."""

    intent: str
    executor: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """The control state as of an entry.

    genesis
        SHA-256 of the first leaf, hexadecimal: the origin that every later command names.
    policies
        Every policy ever adopted, by digest: a case keeps the one it opened under.
    profiles
        Digest of the reference profile of each model and version that has one.
    next_index
        Index after that of the last entry: no entry before it can become void any more.
    read
        Next offset to read of each source topic, by topic id.
    """

    ledger: str = ""
    genesis: str = ""
    log_key: str = ""
    epoch: int = 0
    at: int = 0
    keys: Mapping[str, Enrolled] = field(default_factory=dict)
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    policy_digest: str = ""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    systems_digest: str = ""
    systems: Systems = NO_SYSTEMS
    profiles: Mapping[tuple[str, str], str] = field(default_factory=dict)
    next_index: int = 0
    leases: Mapping[str, Lease] = field(default_factory=dict)
    read: Mapping[str, int] = field(default_factory=dict)

    @property
    def policy(self) -> Policy | None:
        """The policy in force."""
        return self.policies.get(self.policy_digest)


def _enrol(control: Control, enrolment: Enrolment) -> Control:
    public = PublicKey(enrolment.public_key)
    held = control.roles.get(enrolment.principal, frozenset())
    return replace(
        control,
        keys={**control.keys, public.key_id: Enrolled(principal=enrolment.principal, public=public)},
        roles={**control.roles, enrolment.principal: held | frozenset(enrolment.roles)},
    )


def _adopt(control: Control, event: PolicyAdopted | SystemsAdopted | ProfileAdopted) -> Control:
    match event:
        case PolicyAdopted():
            policies = {**control.policies, event.digest: policy.read(event.document)}
            return replace(control, policy_digest=event.digest, policies=policies)
        case SystemsAdopted():
            return replace(control, systems_digest=event.digest, systems=systems.read(event.document))
    return replace(control, profiles={**control.profiles, (event.model, event.version): event.digest})


def evolve(control: Control, event: object) -> Control:
    """Return the control state after an event; events of cases that say nothing of it leave it as it is."""
    match event:
        case LedgerEstablished():
            started = replace(control, ledger=event.ledger, log_key=event.log_key)
            for enrolment in event.enrolments:
                started = _enrol(started, enrolment)
            return started
        case RegistrarTookOver():
            return replace(control, epoch=event.epoch)
        case KeyEnrolled():
            return _enrol(control, event.enrolment)
        case KeyRevoked():
            revoked = replace(control.keys[event.key], revoked=True)
            return replace(control, keys={**control.keys, event.key: revoked})
        case PolicyAdopted() | SystemsAdopted() | ProfileAdopted():
            return _adopt(control, event)
        case ActionStarted():
            lease = Lease(intent=event.intent, executor=event.executor, until=event.lease_until)
            return replace(control, leases={**control.leases, event.target: lease})
        case ActionFinished():
            held = {target: lease for target, lease in control.leases.items() if lease.intent != event.intent}
            return replace(control, leases=held)
        case _:
            return control
