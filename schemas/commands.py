"""What is asked of the registrar: imperative bodies, each signed inside a `schemas.ledger.Command`.

IncidentOpened, IncidentGrew and IncidentQuieted (schemas.signals) are commands too: triage proposes, the registrar
decides. A body holds nothing random and no time of its sender unless that is a fact that the decision needs, so the
same proposal made twice has the same bytes and is decided once. Where one may say the same again and mean it (adopt
an earlier policy once more, approve after a revocation, start after a refusal), `repeat` tells the statements apart:
0 at first, then any other number.
"""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.case import regions
from schemas.case.approval import Impact
from schemas.case.response import Dismissal
from schemas.profiles import AdoptProfile
from schemas.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A principal's key: `principal` is a random id that names nobody by itself."""

    principal: str
    public_key: bytes
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstablishLedger:
    """Begin a ledger: its name, the key that signs its checkpoints and the first keys, one of them an admin's."""

    ledger: str
    log_key: str
    enrolments: tuple[Enrolment, ...]
    nonce: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """Become the active registrar; every leaf from `void_from` up to this entry counts for nothing."""

    epoch: int
    void_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolKey:
    """Enrol one more key; its principal may be new or known."""

    enrolment: Enrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """End a key's validity from this entry on."""

    key: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptPolicy:
    """Judge by this policy document (TOML, UTF-8) from now on."""

    document: bytes
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AdoptSystems:
    """Watch the systems that this document (TOML, UTF-8) declares from now on."""

    document: bytes
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of one target to an absolute state.

    observed, precondition
        The target's state when the plan was made, and its SHA-256: checked again just before acting.
    purpose
        ``contain`` (stop the harm) or ``remediate`` (put right what is wrong).
    """

    target: str
    purpose: str
    desired: str
    observed: str
    precondition: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposePlan:
    """Propose what to do about an incident; `dry_run` says what would change, and what depends on it.

    excluded
        Principals who may not decide on it, beside those that policy and case name.
    """

    incident: str
    attempt: int
    steps: tuple[Step, ...]
    dry_run: str
    impact: Impact | None = None
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestApproval:
    """Ask people to decide on the plan with this digest."""

    incident: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Agree to exactly the plan with this digest.

    confirmed, confirmed_at
        For a step-up: the first 8 digits of the plan's digest as the person typed them once more, and when, by the
        clock of their machine; the registrar refuses what is not fresh.
    """

    incident: str
    plan: str
    reason: str
    repeat: int = 0
    confirmed: str = ""
    confirmed_at: Millis = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """Refuse the plan with this digest; one refusal ends it."""

    incident: str
    plan: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeApproval:
    """Take an approval back before execution has started."""

    incident: str
    plan: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirePlan:
    """State that a deadline of the plan has passed; the id of what follows comes from the deadline."""

    incident: str
    plan: str
    deadline: Millis
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAction:
    """Ask to execute one step now, under a lease on its target held by `executor`."""

    incident: str
    plan: str
    step: int
    executor: str
    attempt: int
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOutcome:
    """What became of an action, as read back from its target.

    outcome
        ``done`` (the target shows the desired state), ``target_changed`` (the precondition no longer held, nothing
        was touched) or ``failed``.
    """

    incident: str
    intent: str
    outcome: str
    read_back: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRestored:
    """The target had moved away from the approved state and was set back to it, for the `number`-th time."""

    incident: str
    intent: str
    number: int
    found: str
    read_back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecovery:
    """A surviving version has judged `clear_rows` rows since containment with nothing raised."""

    incident: str
    model: str
    version: str
    clear_rows: int
    observation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachEvidence:
    """Bytes that bear on an incident are kept in the evidence store, encrypted, under `digest`.

    kind
        What they are: ``window`` (rows of the triggering predictions), ``output_audit``, …
    digest
        SHA-256 of what is stored, hexadecimal: of the ciphertext, so that nobody can guess at inputs with it.
    rows
        How many predictions they speak of.
    summary
        What they show, in a sentence that names nobody.
    """

    incident: str
    kind: str
    digest: str
    rows: int
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge:
    """Say that somebody is on it."""

    incident: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare:
    """Declare an incident that no rule declared by itself."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dismiss:
    """Close a candidate that is no incident, or a declared case that proved to be none; `note` says why."""

    incident: str
    reason: Dismissal
    note: str
    repeat: int = 0


RECORDS = (
    EstablishLedger,
    TakeOver,
    EnrolKey,
    RevokeKey,
    AdoptPolicy,
    AdoptSystems,
    ProposePlan,
    RequestApproval,
    Approve,
    Deny,
    RevokeApproval,
    ExpirePlan,
    StartAction,
    ReportOutcome,
    ReportRestored,
    ReportRecovery,
    AttachEvidence,
    AdoptProfile,
    Acknowledge,
    Declare,
    Dismiss,
    *regions.COMMANDS,
)
