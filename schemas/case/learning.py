"""What is learnt of a case: causes, replays, the post-mortem, ratings, verdicts on signals and corrected milestones."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.avro import Millis
from schemas.values import Role


class CauseKind(StrEnum):
    """What a node of the fault tree is: why it began, what made it possible or worse, or where the whys end."""

    TRIGGER = "trigger"
    CONTRIBUTING = "contributing"
    ROOT = "root"


class MissedControl(StrEnum):
    """The control that should have caught a cause: the fixed list by which causes are counted and recurrences found."""

    DATA_CONTRACT = "data_contract"
    TRAINING_DATA_REVIEW = "training_data_review"
    LABEL_QUALITY = "label_quality"
    OFFLINE_VALIDATION = "offline_validation"
    FAIRNESS_REVIEW = "fairness_review"
    ADVERSARIAL_TESTING = "adversarial_testing"
    CANARY_RELEASE = "canary_release"
    CHANGE_APPROVAL = "change_approval"
    ACCESS_CONTROL = "access_control"
    INPUT_GUARDRAIL = "input_guardrail"
    OUTPUT_GUARDRAIL = "output_guardrail"
    MONITORING_COVERAGE = "monitoring_coverage"
    MONITORING_THRESHOLD = "monitoring_threshold"
    UPSTREAM_MONITORING = "upstream_monitoring"
    CAPACITY_PLANNING = "capacity_planning"
    VENDOR_OVERSIGHT = "vendor_oversight"
    HUMAN_OVERSIGHT = "human_oversight"
    RUNBOOK = "runbook"
    ROLLBACK_PATH = "rollback_path"
    NO_CONTROL = "no_control"


class Finding(StrEnum):
    """What a signal was, once a person has looked."""

    TRUE = "true"
    FALSE = "false"
    BENIGN = "benign"
    DUPLICATE = "duplicate"


class Milestone(StrEnum):
    """A point in time from which the times of a response are measured."""

    OCCURRED = "occurred"
    FIRST_SIGNAL = "first_signal"
    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    DECLARED = "declared"
    CONTAINED = "contained"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCause:
    """Record or amend a node of the fault tree; five whys are a chain, each why naming as parent what it explains.

    cause
        Its id on the case; the same id again amends the node.
    parent
        The node that this one explains; None for one that explains the incident itself.
    code
        The control that should have caught it.
    """

    incident: str
    cause: str
    text: str
    kind: CauseKind
    code: MissedControl
    parent: str | None
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachReplay:
    """Attach a counterfactual replay: its result by digest in the evidence store, and what it shows in a sentence.

    policy
        SHA-256 of the policy document that history was judged under, hexadecimal.
    """

    incident: str
    digest: str
    policy: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortem:
    """What a post-mortem says; confidence, drift and importance are of the model, as they were at the time."""

    summary: str
    impact: str
    detection: str
    trigger: str
    resolution: str
    went_well: str
    went_wrong: str
    lucky: str
    lessons: str
    confidence: str
    drift: str
    importance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WritePostMortem:
    """Write the post-mortem of a case, or write it anew; its actions are the tasks of the case."""

    incident: str
    text: PostMortem
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptPostMortem:
    """Accept exactly the post-mortem with this digest."""

    incident: str
    digest: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateResponse:
    """Say how satisfied one is with the response, from 1 to 5; the newest rating of a person counts."""

    incident: str
    score: int
    comment: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeSignal:
    """Say what a signal of the case was; the newest word on a signal counts."""

    incident: str
    signal: str
    finding: Finding
    note: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectMilestone:
    """Say when a milestone was in truth; what the ledger recorded stays beside it."""

    incident: str
    milestone: Milestone
    at: Millis
    reason: str
    repeat: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseRecorded:
    """A node of the fault tree is known, or was amended."""

    incident: str
    cause: str
    text: str
    kind: CauseKind
    code: MissedControl
    parent: str | None
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayAttached:
    """A replay of history under another policy is kept with the case."""

    incident: str
    digest: str
    policy: str
    sentence: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortemWritten:
    """The post-mortem as it stands: an acceptance binds SHA-256 of exactly these bytes."""

    incident: str
    text: PostMortem
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostMortemAccepted:
    """Somebody other than its authors accepted the post-mortem with this digest."""

    incident: str
    digest: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingAsked:
    """The response is over, and those who hold one of these roles are asked how satisfied they are with it."""

    incident: str
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRated:
    """A person rated the response, from 1 (bad) to 5 (good)."""

    incident: str
    score: int
    comment: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalJudged:
    """A person said what a signal was."""

    incident: str
    signal: str
    finding: Finding
    note: str
    principal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneCorrected:
    """A person said when a milestone was in truth."""

    incident: str
    milestone: Milestone
    at: Millis
    reason: str
    principal: str


COMMANDS = (
    RecordCause,
    AttachReplay,
    WritePostMortem,
    AcceptPostMortem,
    RateResponse,
    JudgeSignal,
    CorrectMilestone,
)
EVENTS = (
    CauseRecorded,
    ReplayAttached,
    PostMortemWritten,
    PostMortemAccepted,
    RatingAsked,
    ResponseRated,
    SignalJudged,
    MilestoneCorrected,
)
