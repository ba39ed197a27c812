"""The table that says which commands a case takes in which phase; their deciders say more."""

from collections.abc import Mapping

from agents.ledger.case import Phase

_TOLD = frozenset({"IncidentGrew", "IncidentQuieted", "AttachEvidence", "Absorb", "JudgeSignal", "RateResponse"})
"""What detection, evidence and other cases still tell of a case, and what people think of it, whatever its phase."""

_AFTERWARDS = frozenset(
    {
        "AssumeDuty",
        "HandOver",
        "CheckItem",
        "AddTask",
        "FinishTask",
        "AddNote",
        "AssessHarm",
        "SetModifier",
        "SetSeverity",
        "SetPriority",
        "SetReportability",
        "RecordCause",
        "AttachReplay",
        "WritePostMortem",
        "AcceptPostMortem",
        "CorrectMilestone",
        "ReportUpdateMissed",
    }
)
"""What people still do once the response is over, until the case is closed."""

_COUNTED = frozenset(
    {
        "RecordFact",
        "RegulateCase",
        "RecordDelivery",
        "SubmitReport",
        "ConfirmReport",
        "DeclareNotApplicable",
        "ReopenClock",
        "TollClock",
        "ReportClockShare",
    }
)
"""What is said of statutory clocks until a case is closed; also where one was merged or dismissed while they ran."""

_PAGED = frozenset(
    {
        "EndPaging",
        "StartPaging",
        "AcknowledgePage",
        "ReportPage",
        "ReportNobodyReached",
        "ReportPageSkipped",
        "ReportAcknowledgeExpired",
        "ReportExhausted",
        "ReportGlassOverdue",
    }
)
"""What is said of paging in any phase: a clock may run, and people be paged about it, after the response is over."""

_REVIEWED = frozenset({"AssignReview", "DecideReview", "ReportReviewOverdue"})
"""What is said of single decisions that wait for a person, until a case is closed."""

_SETTLED = frozenset({"ReviewBreakGlass", "ReviewStanding", "DraftMessage", "ApproveMessage", "RecordSent"})
"""What people still owe until a case is closed; also where it was merged, or dismissed after it had been declared."""

_STANDING = frozenset(phase for phase in Phase if not phase.over)

MOVES: Mapping[str, frozenset[Phase]] = {
    "Declare": frozenset({Phase.TRIAGE}),
    "Dismiss": _STANDING - {Phase.RECOVERING},
    "StateContained": frozenset({Phase.DECLARED, Phase.CONTAINING, Phase.INVESTIGATING, Phase.REMEDIATING}),
    "StateRemedied": frozenset({Phase.CONTAINED, Phase.INVESTIGATING}),
    "JudgeRecovered": frozenset({Phase.RECOVERING}),
    "Merge": frozenset({Phase.TRIAGE, Phase.DECLARED}),
    "Split": _STANDING,
    "QueueReview": _STANDING - {Phase.TRIAGE},
    "ProposePlan": frozenset(
        {Phase.DECLARED, Phase.CONTAINING, Phase.CONTAINED, Phase.INVESTIGATING, Phase.REMEDIATING}
    ),
    "Investigate": frozenset({Phase.DECLARED, Phase.CONTAINED}),
    "Regress": frozenset({Phase.RECOVERING}),
    "ReportRegression": frozenset({Phase.RECOVERING}),
    "ReportRecovery": frozenset({Phase.RECOVERING}),
    "BeginReview": frozenset({Phase.RESOLVED}),
    "Close": frozenset({Phase.REVIEW}),
    "Reopen": frozenset({Phase.RESOLVED, Phase.REVIEW, Phase.CLOSED}),
    "ReleaseHold": frozenset({Phase.RESOLVED, Phase.REVIEW, Phase.MERGED, Phase.DISMISSED}),
}
"""The phases in which a command that moves the case, or says something of its phase, is legal: in no other one."""


def takes(phase: Phase, kind: str) -> bool:
    """Whether a case in this phase may take a command of this kind; its decider says more."""
    if kind in MOVES:
        return phase in MOVES[kind]
    if kind in _COUNTED | _REVIEWED | _SETTLED:
        return phase is not Phase.CLOSED
    if kind in _TOLD | _PAGED or not phase.over:
        return True
    return kind in _AFTERWARDS and not phase.final
