"""Decide on what people did by hand, where Headgate has nothing to move; its rows, or another person, judge its end."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions.learn import rating_asked
from agents.ledger.decisions.split import committed, ended
from agents.ledger.leave import judged_by_people, lacks_evidence
from agents.ledger.refusal import MAX_TEXT, refuse
from agents.ledger.targets import movable
from schemas.authority import permitted
from schemas.case import by_hand as b
from schemas.events import CaseContained, CaseRecovering, CaseResolved

Said = b.StateContained | b.StateRemedied | b.JudgeRecovered


def _unsaid(asked: Asked, body: Said) -> list[object] | None:
    if all(0 < len(text.strip()) <= len(text) <= MAX_TEXT for text in (body.statement, body.evidence)):
        return None
    return refuse(asked, "bad_statement", f"say what was done and what shows it, each in 1 to {MAX_TEXT} characters")


def _can_move(control: Control, case: Case, asked: Asked, purposes: tuple[str, ...]) -> list[object] | None:
    """Return the refusal where there is something to move, so that a plan does it, or where a plan is carried out."""
    found = [one.target for one in movable(case, control.systems) if one.purpose in purposes]
    if found:
        return refuse(asked, "has_target", f"a plan moves {found[0]}: `headgate incidents ask-plan` asks for one")
    if committed(case):
        return refuse(asked, "too_late", "a plan is being carried out; revoke or finish it first")
    return None


def _contained(case: Case, asked: Asked, body: b.StateContained) -> list[object]:
    stated = b.ContainedByHand(
        incident=case.incident, principal=asked.principal, statement=body.statement, evidence=body.evidence
    )
    over = ended(case, "by_hand", asked.principal, body.statement)
    return [*over, stated, CaseContained(incident=case.incident, read_back="")]


def _remedied(control: Control, case: Case, asked: Asked, body: b.StateRemedied) -> list[object]:
    if lacks_evidence(control, case):
        return refuse(asked, "no_evidence", "the policy wants evidence frozen, or `headgate incidents keep-nothing`")
    stated = b.RemediedByHand(
        incident=case.incident, principal=asked.principal, statement=body.statement, evidence=body.evidence
    )
    over = ended(case, "by_hand", asked.principal, body.statement)
    return [*over, stated, CaseRecovering(incident=case.incident)]


def _judged(control: Control, case: Case, asked: Asked, body: b.JudgeRecovered) -> list[object]:
    if not case.course.remedied_by:
        return refuse(asked, "not_by_hand", "a plan was carried out: the rows of the survivors judge it")
    if asked.principal in case.course.by_hand:
        return refuse(asked, "same_person", "whoever did it by hand does not judge it; another person does")
    if asked.principal in case.deciding.excluded:
        return refuse(asked, "excluded", "this person takes no part in decisions on the case")
    if judged_by_people(control, case):
        if not permitted(asked.roles, "SignOff"):
            return refuse(asked, "wrong_role", "the policy wants this signed off: a validator or compliance judges it")
        if asked.principal in case.deciding.decided:
            return refuse(asked, "involved", "whoever decided on a plan of the case does not sign it off")
    judged = b.RecoveryJudged(
        incident=case.incident, principal=asked.principal, statement=body.statement, evidence=body.evidence
    )
    resolved = CaseResolved(incident=case.incident, model="", version="", clear_rows=0)
    return [judged, resolved, rating_asked(case)]


def decide(control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of what people did by hand, or None where the command is another one."""
    body = asked.body
    match body:
        case b.StateContained():
            refused = _unsaid(asked, body) or _can_move(control, case, asked, ("contain",))
            return refused or _contained(case, asked, body)
        case b.StateRemedied():
            refused = _unsaid(asked, body) or _can_move(control, case, asked, ("contain", "remediate"))
            return refused or _remedied(control, case, asked, body)
        case b.JudgeRecovered():
            return _unsaid(asked, body) or _judged(control, case, asked, body)
    return None
