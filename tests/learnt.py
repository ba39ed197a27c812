"""What tests say when something is learnt of the incident."""

from typing import Any

from schemas.case import learning as s
from schemas.case.learning import CauseKind, MissedControl, PostMortem
from schemas.case.people import CheckItem
from tests.ledgers import INCIDENT, Ledger

POST_MORTEM = PostMortem(
    summary="A pipeline sent degrees Fahrenheit.",
    impact="500 rows judged by version 2, none of them acted on.",
    detection="PSI of f1, 500 rows after the first bad one.",
    trigger="a deployment of the pipeline",
    resolution="traffic moved to version 1",
    went_well="two persons approved within a minute",
    went_wrong="nobody told the pipeline's owner",
    lucky="it was in shadow mode for most",
    lessons="units belong into the contract",
    confidence="0.81 before, 0.64 after",
    drift="psi of f1 1.5, threshold 0.15",
    importance="unknown: explanations are not recorded for this model",
)


def cause(**changes: Any) -> s.RecordCause:
    """Return a cause of the incident itself."""
    said: dict[str, Any] = {
        "incident": INCIDENT,
        "cause": "c-1",
        "text": "version 2 reads another unit",
        "kind": CauseKind.TRIGGER,
        "code": MissedControl.OFFLINE_VALIDATION,
        "parent": None,
    }
    return s.RecordCause(**(said | changes))


def root(**changes: Any) -> s.RecordCause:
    """Return a root cause of the incident."""
    return cause(**({"cause": "r-1", "kind": CauseKind.ROOT} | changes))


def write(**changes: Any) -> s.WritePostMortem:
    """Return the post-mortem as it is written."""
    return s.WritePostMortem(**({"incident": INCIDENT, "text": POST_MORTEM} | changes))


def answer_everything(ledger: Ledger, who: str) -> None:
    """Answer each item of the checklist that is open."""
    for item in ledger.control.policies[ledger.case.policy].checklist:
        if item not in ledger.case.people.checked:
            ledger.ask(CheckItem(incident=INCIDENT, item=item, note="as the notes say"), who)
