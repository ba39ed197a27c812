"""Words that several records share: severities, categories, modes, roles and where a record came from."""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class Category(StrEnum):
    """What kind of thing went wrong."""

    DATA_DRIFT = "data_drift"
    DATA_QUALITY = "data_quality"
    CONFIDENCE = "confidence"
    PERFORMANCE = "performance"
    FAIRNESS = "fairness"
    ATTACK = "attack"
    OUTPUT_SAFETY = "output_safety"
    INFRASTRUCTURE = "infrastructure"
    HUMAN_REPORT = "human_report"


class Severity(StrEnum):
    """Harm, by rule; SEV1 is the worst."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"
    SEV4 = "sev4"

    @property
    def rank(self) -> int:
        """1 for the worst; smaller is more urgent."""
        return int(self.value[3:])


class Mode(StrEnum):
    """How a prediction was asked for."""

    REALTIME = "realtime"
    BATCH = "batch"
    SHADOW = "shadow"


class Role(StrEnum):
    """What a principal may be trusted with; authority.py says which role may issue which command."""

    ADMIN = "admin"
    ML_MANAGER = "ml_manager"
    ML_ENGINEER = "ml_engineer"
    SRE = "sre"
    COMPLIANCE = "compliance"
    AUDITOR = "auditor"
    VALIDATOR = "validator"
    LEGAL = "legal"
    ETHICS = "ethics"
    DPO = "dpo"
    SECURITY = "security"
    EXECUTIVE = "executive"
    REVIEWER = "reviewer"
    STAFF = "staff"
    REGISTRAR = "registrar"
    TRIAGE = "triage"
    APPROVAL = "approval"
    REMEDIATION = "remediation"
    RECOVERY = "recovery"
    EVIDENCE = "evidence"
    PAGING = "paging"

    @property
    def service(self) -> bool:
        """Whether only a service may hold it: services request and execute, never approve."""
        return self in SERVICE_ROLES


SERVICE_ROLES = frozenset(
    {
        Role.REGISTRAR,
        Role.TRIAGE,
        Role.APPROVAL,
        Role.REMEDIATION,
        Role.RECOVERY,
        Role.EVIDENCE,
        Role.PAGING,
    }
)


class Flag(IntEnum):
    """Why a cell of a column holds no value that can be used; one byte a row."""

    PRESENT = 0
    NULL = 1
    WRONG_TYPE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a record stands in Kafka.

    The topic id is part of it because a topic that was deleted and created again starts at offset 0 once more.
    """

    topic_id: str
    partition: int
    offset: int
