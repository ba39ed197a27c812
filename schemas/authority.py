"""The one table that says which role may issue which command."""

from schemas.values import Role

_ADMIN = ("EnrolKey", "RevokeKey", "AdoptPolicy", "AdoptSystems", "AdoptProfile", "AdoptOnCall")
_HAND = ("StateContained", "StateRemedied")
_DECIDE = ("Approve", "Deny", "RevokeApproval")
_STAND_IN = ("Delegate", "RevokeDelegation", "ExcludePerson", "KeepNothing")
_REVIEW = ("ReviewBreakGlass", "ReviewStanding")
_CALL = ("AskForPlan", "BreakGlass")
_QUIET = ("AddSilence", "EndSilence")
_TAKE = ("Acknowledge", "AcknowledgePage")
_RESPOND = (*_TAKE, "Declare", "Dismiss", "CheckItem", *_QUIET)
_LEAD = (
    "Investigate",
    "Merge",
    "Absorb",
    "Split",
    "OpenSplit",
    "Regress",
    "Reopen",
    "BeginReview",
    "Close",
    "SetPriority",
    *_HAND,
)
_ASSESS = ("AssessHarm", "SetModifier", "SetSeverity")
_RELEASE = ("ReleaseHold",)
_REPORT = ("SetReportability",)
_TELL = ("ReportFailure",)
_SPEAK = ("DraftMessage", "RecordSent")
_AGREE = ("ApproveMessage",)
_WORK = ("AssumeDuty", "HandOver", "AddTask", "FinishTask", "AddNote", *_TELL, *_SPEAK)
_LEARN = ("RecordCause", "AttachReplay", "WritePostMortem", "JudgeSignal", "CorrectMilestone")
_ACCEPT = ("AcceptPostMortem",)
_RATE = ("RateResponse",)
_PAGE = (
    "StartPaging",
    "HoldPaging",
    "EndPaging",
    "ReportPage",
    "ReportNobodyReached",
    "ReportPageSkipped",
    "ReportAcknowledgeExpired",
    "ReportExhausted",
)
_SINGLE = ("DecideReview", "AssignReview")
_FACTS = ("RecordFact", "RegulateCase", "RecordDelivery")
_FILE = ("SubmitReport", "ConfirmReport", "ReopenClock")
_RULE_OUT = ("DeclareNotApplicable", "TollClock")

MAY: dict[Role, frozenset[str]] = {
    Role.ADMIN: frozenset(_ADMIN),
    Role.ML_MANAGER: frozenset(
        (
            *_DECIDE,
            *_STAND_IN,
            *_REVIEW,
            *_CALL,
            *_RESPOND,
            *_WORK,
            "AdoptProfile",
            "JudgeRecovered",
            *_AGREE,
            *_LEAD,
            *_ASSESS,
            *_FACTS,
            *_RELEASE,
            *_LEARN,
            *_ACCEPT,
            *_RATE,
            *_SINGLE,
        )
    ),
    Role.ML_ENGINEER: frozenset((*_LEARN, *_CALL, *_RESPOND, *_WORK, *_LEAD, *_ASSESS, *_FACTS)),
    Role.SRE: frozenset((*_LEARN, *_CALL, *_RESPOND, *_WORK, *_LEAD, *_ASSESS, *_FACTS)),
    Role.COMPLIANCE: frozenset(
        (
            *_DECIDE,
            *_STAND_IN,
            *_REVIEW,
            "SignOff",
            "JudgeRecovered",
            *_TAKE,
            *_WORK,
            *_ASSESS,
            *_FACTS,
            *_RELEASE,
            *_REPORT,
            *_FILE,
            *_RULE_OUT,
            *_LEARN,
            *_RATE,
            *_AGREE,
        )
    ),
    Role.AUDITOR: frozenset(),
    Role.VALIDATOR: frozenset(
        (*_DECIDE, *_STAND_IN, *_REVIEW, "SignOff", "JudgeRecovered", *_TAKE, "CheckItem", *_WORK, *_LEARN, *_ACCEPT)
    ),
    Role.LEGAL: frozenset(
        (
            *_RATE,
            *_DECIDE,
            *_STAND_IN,
            *_REVIEW,
            *_TAKE,
            *_WORK,
            *_ASSESS,
            *_FACTS,
            *_RELEASE,
            *_REPORT,
            *_FILE,
            *_RULE_OUT,
            *_AGREE,
        )
    ),
    Role.ETHICS: frozenset((*_RATE, *_DECIDE, *_STAND_IN, *_REVIEW, *_TAKE, *_WORK, *_ASSESS, *_FACTS)),
    Role.DPO: frozenset((*_RATE, *_DECIDE, *_STAND_IN, *_REVIEW, *_TAKE, *_WORK, *_ASSESS, *_FACTS, *_RELEASE, *_FILE)),
    Role.SECURITY: frozenset(
        (*_LEARN, *_DECIDE, *_STAND_IN, *_REVIEW, *_CALL, *_RESPOND, *_WORK, *_LEAD, *_ASSESS, *_FACTS)
    ),
    Role.EXECUTIVE: frozenset(
        (*_RATE, *_DECIDE, *_STAND_IN, *_REVIEW, *_TAKE, "AddNote", "ConfirmReport", *_TELL, *_AGREE)
    ),
    Role.REVIEWER: frozenset((*_RATE, *_TELL, *_SINGLE)),
    Role.STAFF: frozenset((*_RATE, *_TELL)),
    Role.REGISTRAR: frozenset(("TakeOver",)),
    Role.TRIAGE: frozenset(("IncidentOpened", "IncidentGrew", "IncidentQuieted")),
    Role.APPROVAL: frozenset(("RequestApproval", "ExpirePlan", "ExpireSilence", "RecountApprovals", "TakeFollowing")),
    Role.REMEDIATION: frozenset(("ProposePlan", "StartAction", "ReportOutcome", "ReportRestored")),
    Role.RECOVERY: frozenset(("ReportRecovery", "ReportRegression")),
    Role.EVIDENCE: frozenset(("AttachEvidence", "QueueReview", "ReportReviewOverdue")),
    Role.PAGING: frozenset(("ReportClockShare", "ReportGlassOverdue", "ReportUpdateMissed", *_PAGE)),
}

PERSONS_ONLY = frozenset((*_ADMIN, *_DECIDE, *_STAND_IN, *_REVIEW, *_CALL, "SignOff", "JudgeRecovered")) | frozenset(
    _RESPOND
    + _WORK
    + _LEAD
    + _ASSESS
    + _RELEASE
    + _REPORT
    + _LEARN
    + _ACCEPT
    + _RATE
    + _FACTS
    + _FILE
    + _RULE_OUT
    + _SINGLE
    + _AGREE
)


def permitted(roles: frozenset[Role], kind: str) -> bool:
    """Whether one of the roles may issue a command of this kind; a service's roles never reach a person's commands."""
    if kind in PERSONS_ONLY and any(role.service for role in roles):
        return False
    return any(kind in MAY[role] for role in roles)
