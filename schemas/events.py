"""What happened, past tense: the events that an audit entry carries. Only these change a case or the control state."""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.case import regions
from schemas.case.approval import Impact, Needed
from schemas.case.response import Dismissal
from schemas.commands import Enrolment, Step
from schemas.signals import Affected, Evidence, Reached
from schemas.values import Category, Role, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEstablished:
    """The ledger began."""

    ledger: str
    log_key: str
    enrolments: tuple[Enrolment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarTookOver:
    """A registrar became active; leaves [void_from, this entry) count for nothing."""

    epoch: int
    void_from: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEnrolled:
    """A key may act for its principal from the next entry on."""

    enrolment: Enrolment


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked:
    """A key may not act from the next entry on."""

    key: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyAdopted:
    """Decisions follow this policy from the next entry on; `digest` is SHA-256 of the document, hexadecimal."""

    digest: str
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemsAdopted:
    """These systems are watched from the next entry on."""

    digest: str
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOpened:
    """A detected incident became a case, judged under the policy that the case keeps.

    drill
        Whether every model that it touches belongs to a system of drills: nothing real went wrong.
    """

    incident: str
    at: Millis
    system: str
    severity: Severity
    category: Category
    rule: str
    title: str
    affected: tuple[Affected, ...]
    evidence: tuple[Evidence, ...]
    first_bad_at: Millis
    recommended: str
    owner_role: str
    technique: str | None
    recurrence_of: str | None
    declared_system: bool
    policy: str
    blast_radius: tuple[Reached, ...] = ()
    drill: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseGrew:
    """The case reaches further, or more is known; its severity can only rise by itself.

    ruled
        The worst that the rules of its policy have said of it so far; people's judgement counts beside it.
    technique
        ATLAS id of the attack that is suspected now; None takes no earlier suspicion back.
    title
        What it is called from now on; empty, its title stays.
    """

    incident: str
    sequence: int
    severity: Severity
    ruled: Severity
    category: Category
    affected: tuple[Affected, ...]
    evidence: tuple[Evidence, ...]
    blast_radius: tuple[Reached, ...] = ()
    technique: str | None = None
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseQuieted:
    """Detection sees nothing of it any more."""

    incident: str
    sequence: int
    last_signal_at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAcknowledged:
    """Somebody took it."""

    incident: str
    principal: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeclared:
    """It is an incident, by a rule of the policy or by a person's word."""

    incident: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDismissed:
    """It is no incident."""

    incident: str
    principal: str
    reason: Dismissal
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProposed:
    """What is proposed, whole: an approval binds SHA-256 of exactly these bytes."""

    incident: str
    number: int
    proposer: str
    steps: tuple[Step, ...]
    dry_run: str
    impact: Impact | None = None
    excluded: tuple[str, ...] = ()
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested:
    """`quorum` distinct persons who hold `role` must agree before `decide_by`; execution starts before `execute_by`."""

    incident: str
    plan: str
    role: str
    quorum: int
    decide_by: Millis
    execute_within: int
    needs: tuple[Needed, ...] = ()
    denials: int = 1
    step_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalGiven:
    """One person agreed; `statement` is SHA-256 of the signed command, hexadecimal.

    roles
        The roles that the person decides with; those of `on_behalf` where a delegation is used.
    """

    incident: str
    plan: str
    principal: str
    key: str
    reason: str
    statement: str
    roles: tuple[Role, ...] = ()
    on_behalf: str = ""
    stepped_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRevoked:
    """One person took the approval back."""

    incident: str
    plan: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAuthorised:
    """The quorum is reached: its execution may start before `execute_by`."""

    incident: str
    plan: str
    execute_by: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEnded:
    """The plan can no longer be executed.

    why
        ``denied``, ``expired``, ``revoked``, ``failed``, ``target_changed``, or what became of the case: ``regressed``,
        ``split``, ``merged``.
    """

    incident: str
    plan: str
    why: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContained:
    """Every containing step shows its desired state: the harm has stopped."""

    incident: str
    read_back: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecovering:
    """Every step is done; the survivors are watched."""

    incident: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolved:
    """The bad version's share reads back as 0 and a survivor has been clear for the rows that policy asks."""

    incident: str
    model: str
    version: str
    clear_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The command was authentic and is not followed; `reason` is one word, `detail` a sentence."""

    incident: str
    kind: str
    reason: str
    detail: str


RECORDS = (
    LedgerEstablished,
    RegistrarTookOver,
    KeyEnrolled,
    KeyRevoked,
    PolicyAdopted,
    SystemsAdopted,
    CaseOpened,
    CaseGrew,
    CaseQuieted,
    CaseAcknowledged,
    CaseDeclared,
    CaseDismissed,
    PlanProposed,
    ApprovalRequested,
    ApprovalGiven,
    ApprovalRevoked,
    PlanAuthorised,
    PlanEnded,
    CaseContained,
    CaseRecovering,
    CaseResolved,
    *regions.EVENTS,
    Refused,
)
