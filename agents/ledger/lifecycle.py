"""The one table that says which commands a case still takes when its response is over, and when it is closed."""

from agents.ledger.case import Phase

_TOLD = frozenset({"IncidentGrew", "IncidentQuieted", "AttachEvidence", "JudgeSignal", "RateResponse"})
"""What detection and evidence still tell of a case, and what people think of it, whatever its phase."""

_AFTERWARDS = frozenset(
    {
        "AssumeDuty",
        "HandOver",
        "CheckItem",
        "AddTask",
        "FinishTask",
        "AddNote",
        "RecordCause",
        "AttachReplay",
        "WritePostMortem",
        "AcceptPostMortem",
        "CorrectMilestone",
    }
)
"""What people still do once the response is over, until the case is closed."""


def takes(phase: Phase, kind: str) -> bool:
    """Whether a case in this phase may take a command of this kind; its decider says more."""
    if kind in _TOLD or not phase.over:
        return True
    return kind in _AFTERWARDS and not phase.final
