"""The rules that decide commands, by version. Released rules are frozen: old entries re-execute under theirs."""

from collections.abc import Callable

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions import administer, approve, execute, learn, respond, staff
from agents.ledger.lifecycle import takes
from agents.ledger.refusal import refuse
from schemas.authority import permitted
from schemas.signals import IncidentOpened

CURRENT = 1

_ON_A_CASE = (respond.decide, approve.decide, execute.decide, staff.decide, learn.decide)

Decide = Callable[[Control, Case | None, Asked, int], list[object]]


def _decide_1(control: Control, case: Case | None, asked: Asked, at: int) -> list[object]:
    if asked.kind != "EstablishLedger" and not permitted(asked.roles, asked.kind):
        return refuse(asked, "wrong_role", f"{asked.kind} is not for {', '.join(sorted(asked.roles)) or 'no role'}")
    about_ledger = administer.decide(control, asked)
    if about_ledger is not None:
        return about_ledger
    if isinstance(asked.body, IncidentOpened):
        if case is not None:
            return []  # announced once more
        return respond.open_case(control, asked, asked.body, at)
    if case is None:
        return refuse(asked, "unknown_incident", "there is no such incident")
    if not takes(case.phase, asked.kind):
        return refuse(asked, "illegal_transition", f"the case is {case.phase.value}")
    for decider in _ON_A_CASE:
        decided = decider(control, case, asked, at)
        if decided is not None:
            return decided
    return refuse(asked, "unknown_command", f"{asked.kind} is not decided by these rules")


RULES: dict[int, Decide] = {1: _decide_1}


def decide(version: int, control: Control, case: Case | None, asked: Asked, at: int) -> list[object]:
    """Return what follows of a command under a version of the rules; total: a defect in them is a refusal.

    An empty list means that there is nothing to decide: the incident that is announced is known.
    """
    try:
        return RULES[version](control, case, asked, at)
    except Exception as defect:  # noqa: BLE001 - decide is total: the registrar must not stop at one command
        return refuse(asked, "defect", f"the rules failed: {type(defect).__name__}")
