"""Histories of incidents as tests make them up: milestones in seconds after START."""

from dataclasses import replace
from typing import Any

from agents.ledger.case import Phase
from agents.metrics.history import Correction, History, histories
from schemas.case.learning import CauseKind, CauseRecorded, Milestone, MissedControl
from schemas.signals import Affected
from tests.ledgers import START
from tests.play import resolved

DAY = 86_400
TIMES = {"occurred": -60, "detected": 0, "acknowledged": 30, "contained": 300, "mitigated": 200, "resolved": 900}
(REAL,) = histories(resolved().verified)
EMPTY: dict[str, int] = {}


def past(
    name: str,
    at: float = 0,
    times: dict[str, int] | None = None,
    corrected: dict[str, int] | None = None,
    codes: tuple[MissedControl, ...] = (),
    model: str = "shuttle",
    **case: Any,
) -> History:
    """Return the history of an incident that was detected so many seconds after START."""
    moved = {Milestone(key): int(START + 1000 * (at + value)) for key, value in (times or TIMES).items()}
    said = {
        Milestone(key): Correction(at=int(START + 1000 * (at + value)), principal="p-max", reason="the log")
        for key, value in (corrected or EMPTY).items()
    }
    causes = {
        f"r-{code}": CauseRecorded(
            incident=name, cause=f"r-{code}", text="why", kind=CauseKind.ROOT, code=code, parent=None, principal="p-max"
        )
        for code in codes
    }
    facts = {"incident": name, "affected": (Affected(model=model, version="2"),), "phase": Phase.RESOLVED} | case
    return replace(
        REAL, case=replace(REAL.case, **facts), recorded=moved, corrected=said, causes=causes, evidence={}, broken=0
    )
