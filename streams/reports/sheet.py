"""A report with what every renderer puts around it: timeline, drawing, and how the ledger behind it can be checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.ledger.fold import Verified
from agents.reports.document import Report
from agents.reports.record import Record
from agents.reports.reports import report
from streams.reports.chart import chart
from streams.view.timeline import Line, timeline

ANONYMOUS = "anonymised"
_MAX_LINES = 120
_QUIET = frozenset(
    {
        "CaseGrew",
        "ItemChecked",
        "ClockShareReached",
        "ClockMoved",
        "ClockSuperseded",
        "Refused",
        "SilenceAdded",
        "SilenceEnded",
        "RatingAsked",
        "SignalJudged",
        "ApprovalsRecounted",
    }
)
"""Events that a reader of a form need not read; the ledger has them."""
_MAIN = frozenset(
    {
        "FirstBadRow",
        "CaseOpened",
        "CaseAcknowledged",
        "CaseDeclared",
        "CaseDismissed",
        "CaseMerged",
        "PlanProposed",
        "ApprovalGiven",
        "ApprovalRevoked",
        "DenialGiven",
        "GlassBroken",
        "StandingApprovalUsed",
        "ActionFinished",
        "CaseContained",
        "CaseInvestigating",
        "CaseRecovering",
        "CaseRegressed",
        "CaseResolved",
        "CaseReopened",
        "CaseClosed",
        "EvidenceHeld",
        "HoldReleased",
        "ReportSubmitted",
        "ClockNotApplicable",
        "PostMortemAccepted",
        "NoteAdded",
    }
)
"""The events that the summary tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What a report rests on: the ledger's genesis, and size and root of the checkpoint that covers it."""

    ledger: str
    genesis: str
    size: int
    root: str

    def sentence(self) -> str:
        """Return what stands at the foot of each page."""
        return (
            f"Ledger {self.ledger}, {self.size} entries, root {self.root}. "
            "Verify: headgate audit verify, or verify.py of the evidence package."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A report, ready to be rendered.

    kind
        What it is of, at the head of each PDF.
    chart
        An SVG element of our own making; empty without one.
    lines
        The timeline; `left_out` says how many events of the ledger it leaves out.
    at
        When the record ends (ms): the report's own date.
    """

    report: Report
    kind: str = "incident report"
    at: int = 0
    chart: str = ""
    chart_says: str = ""
    lines: tuple[Line, ...] = ()
    left_out: int = 0
    seal: Seal | None = None


def sheet(form: str, record: Record, entries: Sequence[Verified], seal: Seal, names: Mapping[str, str]) -> Sheet:
    """Return a report of the case's entries; an anonymised one has neither times, drawing nor seal."""
    filled = report(form, record)
    if form == ANONYMOUS:
        return Sheet(report=filled)
    every = timeline([one for one in entries if one.asked and one.asked.incident == record.case.incident], names)
    chosen = [line for line in every if _told(form, line.event)]
    told = chosen[:_MAX_LINES]
    drawn = chart(record)
    return Sheet(
        report=filled,
        at=record.seen[-1].at,
        chart=drawn.svg if drawn else "",
        chart_says=drawn.says if drawn else "",
        lines=tuple(told),
        left_out=len(every) - len(told),
        seal=seal,
    )


def _told(form: str, event: str) -> bool:
    return event in _MAIN if form == "summary" else event not in _QUIET
