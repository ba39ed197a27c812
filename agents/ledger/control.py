"""What the ledger says of itself: keys, roles, policy, systems, the active registrar and the leases on targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from agents.ledger import deputies
from agents.ledger.deputies import Deputies
from agents.ledger.regions import desk
from agents.ledger.regions.desk import Desk
from schemas import policy, systems
from schemas.case.action import ActionFinished, ActionStarted
from schemas.case.response import CaseMerged, CaseSplit, FollowingTaken, SignalsFollowed
from schemas.commands import Enrolment
from schemas.events import (
    CaseGrew,
    CaseOpened,
    KeyEnrolled,
    KeyRevoked,
    LedgerEstablished,
    PolicyAdopted,
    RegistrarTookOver,
    SystemsAdopted,
)
from schemas.keys import PublicKey
from schemas.oncall import OnCall, OnCallAdopted
from schemas.oncall import read as read_oncall
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
    oncalls
        Every on-call document ever adopted, by digest.
    profiles
        Digest of the reference profile of each model and version that has one.
    next_index
        Index after that of the last entry: no entry before it can become void any more.
    open
        Incidents whose response is not over: only into these may others be merged.
    merged
        Into which incident each merged one went.
    splits
        What left a case and has not opened its own yet, by the id of the incident that it is to open.
    following
        What was raised of a fault that had left a case, and is not told yet, by the incident that it left for.
    drills
        Incidents that are exercises.
    kinds
        Whether a model is a drill's: of each that a document ever declared, or a real incident ever touched.
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
    oncall_digest: str = ""
    oncalls: Mapping[str, OnCall] = field(default_factory=dict)
    next_index: int = 0
    open: frozenset[str] = frozenset()
    merged: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[str, CaseSplit] = field(default_factory=dict)
    deputies: Deputies = field(default_factory=Deputies)
    leases: Mapping[str, Lease] = field(default_factory=dict)
    desk: Desk = field(default_factory=Desk)
    following: Mapping[str, SignalsFollowed] = field(default_factory=dict)
    drills: frozenset[str] = frozenset()
    kinds: Mapping[str, bool] = field(default_factory=dict)
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


def _adopt(control: Control, event: PolicyAdopted | SystemsAdopted | ProfileAdopted | OnCallAdopted) -> Control:
    match event:
        case PolicyAdopted():
            policies = {**control.policies, event.digest: policy.read(event.document)}
            return replace(control, policy_digest=event.digest, policies=policies)
        case OnCallAdopted():
            oncalls = {**control.oncalls, event.digest: read_oncall(event.document)}
            return replace(control, oncall_digest=event.digest, oncalls=oncalls)
        case SystemsAdopted():
            adopted = systems.read(event.document)
            declared = {model: system.drill for system in adopted.systems.values() for model in system.models}
            kinds = {**declared, **control.kinds}
            return replace(control, systems_digest=event.digest, systems=adopted, kinds=kinds)
    return replace(control, profiles={**control.profiles, (event.model, event.version): event.digest})


def evolve(control: Control, event: object) -> Control:
    """Return the control state after an event; events of cases that say nothing of it leave it as it is."""
    told = desk.evolve(control.desk, event)
    if told is not control.desk:
        return replace(control, desk=told)
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
        case PolicyAdopted() | SystemsAdopted() | ProfileAdopted() | OnCallAdopted():
            return _adopt(control, event)
        case _:
            moved = deputies.evolve(control.deputies, event)
            return _of_case(control if moved is control.deputies else replace(control, deputies=moved), event)


def _real(control: Control, event: CaseOpened | CaseGrew) -> Control:
    """Return the control state after a case's word of the models that it touches: what is real stays so for good."""
    fresh = {one.model for one in event.affected} - control.kinds.keys()
    if not fresh or event.incident in control.drills:
        return control
    return replace(control, kinds={**control.kinds, **dict.fromkeys(sorted(fresh), False)})


def _of_case(control: Control, event: object) -> Control:
    """Return the control state after an event of a case: leases, merges and splits reach beyond it."""
    match event:
        case ActionStarted():
            lease = Lease(intent=event.intent, executor=event.executor, until=event.lease_until)
            return replace(control, leases={**control.leases, event.target: lease})
        case ActionFinished():
            held = {target: lease for target, lease in control.leases.items() if lease.intent != event.intent}
            return replace(control, leases=held)
        case CaseMerged():
            return replace(control, merged={**control.merged, event.incident: event.into})
        case CaseSplit():
            return replace(control, splits={**control.splits, event.into: event})
        case SignalsFollowed():
            return replace(control, following={**control.following, event.into: event})
        case FollowingTaken():
            waiting = {into: found for into, found in control.following.items() if into != event.incident}
            return replace(control, following=waiting)
        case CaseOpened():
            left = {into: split for into, split in control.splits.items() if into != event.incident}
            drills = control.drills | {event.incident} if event.drill else control.drills
            return _real(replace(control, splits=left, drills=drills), event)
        case CaseGrew():
            return _real(control, event)
        case _:
            return control
