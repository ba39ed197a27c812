"""Who may decide on a case's plan, what it would do, and what must be known before and after it is carried out."""

from dataclasses import dataclass

from schemas.avro import Millis
from schemas.values import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """So many distinct persons of one role."""

    role: Role
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What carrying out a plan would do; part of the bytes that are approved.

    dependents
        Models and systems that read the output of what is changed.
    traffic_percent
        Share of the traffic of the changed models that moves, in percent, rounded up.
    checks
        What was looked at of the versions to fall back on, a sentence each; what is unknown is said.
    """

    dependents: tuple[str, ...]
    traffic_percent: int
    reversible: bool
    checks: tuple[str, ...]
    expected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludePerson:
    """Keep a principal who triggered the change, or has another interest in it, from deciding on this case."""

    incident: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForPlan:
    """Ask for another plan after the last one ended."""

    incident: str
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecountApprovals:
    """State that an authorised plan has lost its quorum before it began: a key was revoked since."""

    incident: str
    plan: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepNothing:
    """State that nothing of the case can or need be frozen, so that remediation need not wait for evidence."""

    incident: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignOff:
    """Confirm that what the plan with this digest did is right, before recovery is watched."""

    incident: str
    plan: str
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonExcluded:
    """A principal's decisions count for nothing on this case from now on."""

    incident: str
    principal: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAskedFor:
    """A person wants another plan, the `number`-th of the case."""

    incident: str
    number: int
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialGiven:
    """One person refused; the plan ends when as many have as its policy says."""

    incident: str
    plan: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalsRecounted:
    """The plan asks for more, or has less, than before: only the approvals of `counted` still count.

    why
        ``severity_rose``, ``person_excluded`` or ``key_revoked``.
    pending
        Whether people have to decide again; False where those who agreed are still enough.
    """

    incident: str
    plan: str
    why: str
    role: str
    needs: tuple[Needed, ...]
    quorum: int
    denials: int
    step_up: bool
    counted: tuple[str, ...]
    pending: bool
    decide_by: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToKeep:
    """A person answers for it that there is no evidence to freeze."""

    incident: str
    principal: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """An independent person confirmed what the plan did."""

    incident: str
    plan: str
    principal: str
    note: str


COMMANDS = (ExcludePerson, AskForPlan, RecountApprovals, KeepNothing, SignOff)
EVENTS = (
    PersonExcluded,
    PlanAskedFor,
    DenialGiven,
    ApprovalsRecounted,
    NothingToKeep,
    SignedOff,
)
