"""The rules that decide commands, by version. Released rules are frozen: old entries re-execute under theirs."""

from collections.abc import Callable

from agents.ledger.asked import Asked
from agents.ledger.case import Case, evolve
from agents.ledger.control import Control
from agents.ledger.decisions import (
    administer,
    approve,
    assess,
    by_hand,
    communicate,
    consent,
    contract,
    count,
    deputise,
    desk,
    detect,
    execute,
    glass,
    keep,
    lead,
    learn,
    page,
    plan,
    respond,
    review,
    split,
    staff,
)
from agents.ledger.lifecycle import takes
from agents.ledger.quorum import DELEGABLE, acting_roles
from agents.ledger.recount import follows
from agents.ledger.refusal import refuse
from schemas.authority import permitted
from schemas.case.response import OpenSplit
from schemas.events import Refused
from schemas.signals import IncidentOpened

CURRENT = 1

_ON_A_CASE = (
    detect.decide,
    respond.decide,
    plan.decide,
    approve.decide,
    execute.decide,
    by_hand.decide,
    consent.decide,
    glass.decide,
    staff.decide,
    learn.decide,
    lead.decide,
    split.decide,
    assess.decide,
    keep.decide,
    count.decide,
    contract.decide,
    communicate.decide,
    page.decide,
    review.decide,
)


Decide = Callable[[Control, Case | None, Asked, int], list[object]]


def _with_what_follows(control: Control, case: Case, decided: list[object], at: int) -> list[object]:
    """Return the events and what always follows of them for the case's plan; nothing follows of a refusal."""
    if not decided or isinstance(decided[0], Refused):
        return decided
    after: Case | None = case
    for event in decided:
        after = evolve(after, event, at)
    return [*decided, *plan.follows(control, case, after or case, at)]


def _unauthorised(control: Control, asked: Asked, at: int) -> list[object] | None:
    """Return the refusal of a command that no role of the sender may issue, or None."""
    roles = asked.roles
    if asked.kind in DELEGABLE:
        roles |= acting_roles(control, asked.principal, at)
    if asked.kind == "EstablishLedger" or permitted(roles, asked.kind):
        return None
    said = f"{asked.kind} is not for {', '.join(sorted(asked.roles)) or 'no role'}"
    return deputise.onwards(control, asked, at) or refuse(asked, "wrong_role", said)


def _decide_1(control: Control, case: Case | None, asked: Asked, at: int) -> list[object]:
    return follows(control, case, asked, _decided_1(control, case, asked, at), at)


def _decided_1(control: Control, case: Case | None, asked: Asked, at: int) -> list[object]:
    if (unauthorised := _unauthorised(control, asked, at)) is not None:
        return unauthorised
    about_ledger = (
        administer.decide(control, asked)
        or page.adopt(control, asked)
        or deputise.decide(control, asked, at)
        or desk.decide(control, asked, at)
    )
    if about_ledger is not None:
        return about_ledger
    if isinstance(asked.body, IncidentOpened):
        if case is not None:
            return []  # announced once more
        return detect.open_case(control, asked, asked.body, at)
    if isinstance(asked.body, OpenSplit) and case is None:
        return split.open_split(control, asked, asked.body, at)
    if case is None:
        return refuse(asked, "unknown_incident", "there is no such incident")
    if not takes(case.phase, asked.kind):
        return refuse(asked, "illegal_transition", f"the case is {case.phase.value}")
    for decider in _ON_A_CASE:
        decided = decider(control, case, asked, at)
        if decided is not None:
            return _with_what_follows(control, case, decided, at)
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
