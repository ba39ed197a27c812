"""The one table that says which role may issue which command."""

from schemas.values import Role

_ADMIN = ("EnrolKey", "RevokeKey", "AdoptPolicy", "AdoptSystems", "AdoptProfile")
_DECIDE = ("Approve", "Deny", "RevokeApproval")
_RESPOND = ("Acknowledge", "Declare", "Dismiss")

MAY: dict[Role, frozenset[str]] = {
    Role.ADMIN: frozenset(_ADMIN),
    Role.ML_MANAGER: frozenset((*_DECIDE, *_RESPOND, "AdoptProfile")),
    Role.ML_ENGINEER: frozenset(_RESPOND),
    Role.SRE: frozenset(_RESPOND),
    Role.COMPLIANCE: frozenset(("Deny", "RevokeApproval", "Acknowledge")),
    Role.AUDITOR: frozenset(),
    Role.REGISTRAR: frozenset(("TakeOver",)),
    Role.TRIAGE: frozenset(("IncidentOpened", "IncidentGrew", "IncidentQuieted")),
    Role.APPROVAL: frozenset(("RequestApproval", "ExpirePlan")),
    Role.REMEDIATION: frozenset(("ProposePlan", "StartAction", "ReportOutcome", "ReportRestored")),
    Role.RECOVERY: frozenset(("ReportRecovery",)),
    Role.EVIDENCE: frozenset(("AttachEvidence",)),
}

PERSONS_ONLY = frozenset(_ADMIN + _DECIDE + _RESPOND)


def permitted(roles: frozenset[Role], kind: str) -> bool:
    """Whether one of the roles may issue a command of this kind; a service's roles never reach a person's commands."""
    if kind in PERSONS_ONLY and any(role.service for role in roles):
        return False
    return any(kind in MAY[role] for role in roles)
