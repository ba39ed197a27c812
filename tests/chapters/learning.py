"""Causes, a replay, the post-mortem and its acceptance, ratings, verdicts and a corrected milestone."""

from schemas.case import learning as s
from schemas.case.learning import CauseKind, Finding, Milestone, MissedControl
from tests.learnt import POST_MORTEM, answer_everything, cause, write
from tests.ledgers import INCIDENT, Ledger


def tell(ledger: Ledger) -> None:
    """Find out why, and write it down."""
    ledger.ask(cause(), "mia")
    ledger.ask(cause(cause="c-2", parent="c-1", kind=CauseKind.ROOT, code=MissedControl.DATA_CONTRACT), "mia")
    replay = s.AttachReplay(incident=INCIDENT, digest="ef" * 32, policy="12" * 32, sentence="found 90 s earlier")
    ledger.ask(replay, "mia")
    ledger.ask(s.JudgeSignal(incident=INCIDENT, signal="s-1", finding=Finding.TRUE, note="a new unit"), "mia")
    occurred = s.CorrectMilestone(
        incident=INCIDENT, milestone=Milestone.OCCURRED, at=ledger.at - 60_000, reason="the deployment's own time"
    )
    ledger.ask(occurred, "mia")
    answer_everything(ledger, "mia")
    ledger.ask(write(text=POST_MORTEM), "mia")


def conclude(ledger: Ledger) -> None:
    """Rate the response, and accept what was written, once the response is over."""
    ledger.ask(s.RateResponse(incident=INCIDENT, score=4, comment="quick, and told late"), "mia")
    ledger.ask(s.AcceptPostMortem(incident=INCIDENT, digest=ledger.case.learning.written), "max-2")
