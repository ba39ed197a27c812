"""The one table that says which role may issue which command."""

from schemas.values import Role

_ADMIN = ("EnrolKey", "RevokeKey", "AdoptPolicy", "AdoptSystems", "AdoptProfile")
_DECIDE = ("Approve", "Deny", "RevokeApproval")
_RESPOND = ("Acknowledge", "Declare", "Dismiss", "CheckItem")
_WORK = ("AssumeDuty", "HandOver", "AddTask", "FinishTask", "AddNote")
_LEARN = ("RecordCause", "AttachReplay", "WritePostMortem", "JudgeSignal", "CorrectMilestone")
_ACCEPT = ("AcceptPostMortem",)
_RATE = ("RateResponse",)

MAY: dict[Role, frozenset[str]] = {
    Role.ADMIN: frozenset(_ADMIN),
    Role.ML_MANAGER: frozenset((*_DECIDE, *_RESPOND, *_WORK, *_LEARN, *_ACCEPT, *_RATE, "AdoptProfile")),
    Role.ML_ENGINEER: frozenset((*_RESPOND, *_WORK, *_LEARN)),
    Role.SRE: frozenset((*_RESPOND, *_WORK, *_LEARN)),
    Role.COMPLIANCE: frozenset(("Deny", "RevokeApproval", "Acknowledge", *_WORK, *_LEARN, *_RATE)),
    Role.AUDITOR: frozenset(),
    Role.VALIDATOR: frozenset(("Acknowledge", "CheckItem", *_WORK, *_LEARN, *_ACCEPT)),
    Role.LEGAL: frozenset(("Acknowledge", *_WORK, *_RATE)),
    Role.ETHICS: frozenset(("Acknowledge", *_WORK, *_RATE)),
    Role.DPO: frozenset(("Acknowledge", *_WORK, *_RATE)),
    Role.SECURITY: frozenset((*_RESPOND, *_WORK, *_LEARN)),
    Role.EXECUTIVE: frozenset(("Acknowledge", "AddNote", *_RATE)),
    Role.REVIEWER: frozenset(_RATE),
    Role.STAFF: frozenset(_RATE),
    Role.REGISTRAR: frozenset(("TakeOver",)),
    Role.TRIAGE: frozenset(("IncidentOpened", "IncidentGrew", "IncidentQuieted")),
    Role.APPROVAL: frozenset(("RequestApproval", "ExpirePlan")),
    Role.REMEDIATION: frozenset(("ProposePlan", "StartAction", "ReportOutcome", "ReportRestored")),
    Role.RECOVERY: frozenset(("ReportRecovery",)),
    Role.EVIDENCE: frozenset(("AttachEvidence",)),
    Role.PAGING: frozenset(),
}

PERSONS_ONLY = frozenset(_ADMIN + _DECIDE + _RESPOND + _WORK + _LEARN + _ACCEPT + _RATE)


def permitted(roles: frozenset[Role], kind: str) -> bool:
    """Whether one of the roles may issue a command of this kind; a service's roles never reach a person's commands."""
    if kind in PERSONS_ONLY and any(role.service for role in roles):
        return False
    return any(kind in MAY[role] for role in roles)
