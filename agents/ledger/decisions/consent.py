"""Decide on what people say so that plans are fair and may go on: exclusions, new plans, evidence, sign-off."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions.execute import all_done
from agents.ledger.decisions.plan import PLANNABLE
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.plan import PlanState
from schemas.case import approval as a
from schemas.events import CaseRecovering
from schemas.ids import sound

MAX_EXCLUDED = 100


def _exclude(control: Control, case: Case, asked: Asked, body: a.ExcludePerson) -> list[object]:
    if not sound(body.principal) or body.principal not in control.roles:
        return refuse(asked, "no_person", "only an enrolled principal can be excluded")
    if body.principal in case.deciding.excluded:
        return refuse(asked, "excluded", "this principal is excluded already")
    if len(case.deciding.excluded) >= MAX_EXCLUDED:
        return refuse(asked, "too_much", f"a case excludes at most {MAX_EXCLUDED} principals")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    excluded = a.PersonExcluded(
        incident=case.incident, principal=body.principal, by=asked.principal, reason=body.reason
    )
    return [excluded]


def _ask_for_plan(case: Case, asked: Asked, body: a.AskForPlan) -> list[object]:
    if case.phase not in PLANNABLE:
        return refuse(asked, "illegal_transition", f"no plan is needed while the case is {case.phase.value}")
    if case.plan is not None and case.plan.state is not PlanState.ENDED:
        return refuse(asked, "superseded", f"plan {case.plan.number} is {case.plan.state.value}")
    if case.deciding.wanted > case.plans:
        return refuse(asked, "asked", f"plan {case.deciding.wanted} is asked for already")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    wanted = a.PlanAskedFor(
        incident=case.incident, number=case.plans + 1, principal=asked.principal, reason=body.reason
    )
    return [wanted]


def _keep_nothing(case: Case, asked: Asked, body: a.KeepNothing) -> list[object]:
    if case.deciding.nothing_to_keep:
        return refuse(asked, "said", "somebody answers for it already")
    if (unspoken := unsaid(asked, body.reason)) is not None:
        return unspoken
    return [a.NothingToKeep(incident=case.incident, principal=asked.principal, reason=body.reason)]


def _sign_off(case: Case, asked: Asked, body: a.SignOff) -> list[object]:
    plan = case.plan
    if plan is None or plan.digest != body.plan:
        return refuse(asked, "unknown_plan", "the digest is not that of the case's current plan")
    if case.deciding.signed_off == plan.digest:
        return refuse(asked, "signed_off", "the plan is signed off already")
    if plan.state is not PlanState.EXECUTING or not all_done(case, plan):
        return refuse(asked, "not_done", "every step is read back first; then somebody signs off")
    if asked.principal in case.deciding.decided | {plan.proposer}:
        return refuse(asked, "involved", "whoever decided on a plan of the case does not sign it off")
    if (unspoken := unsaid(asked, body.note)) is not None:
        return unspoken
    signed = a.SignedOff(incident=case.incident, plan=plan.digest, principal=asked.principal, note=body.note)
    return [signed, CaseRecovering(incident=case.incident)]


def decide(control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of such a command, or None where it is none."""
    match asked.body:
        case a.ExcludePerson():
            return _exclude(control, case, asked, asked.body)
        case a.AskForPlan():
            return _ask_for_plan(case, asked, asked.body)
        case a.KeepNothing():
            return _keep_nothing(case, asked, asked.body)
        case a.SignOff():
            return _sign_off(case, asked, asked.body)
    return None
