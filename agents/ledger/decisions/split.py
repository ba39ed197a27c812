"""Decide on splits: signals of another fault leave a case, and open one of their own."""

from agents.ledger.asked import Asked
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions.detect import open_under
from agents.ledger.recount import facts_of
from agents.ledger.refusal import refuse, unsaid
from agents.ledger.regions.course import touched
from agents.ledger.regions.plan import PlanState
from agents.regulation.select import awareness
from schemas.case import response as r
from schemas.events import PlanEnded
from schemas.ids import derive
from schemas.signals import IncidentOpened

MAX_SPLITS = 64
MAX_TITLE = 300
COMMITTED = frozenset({PlanState.AUTHORISED, PlanState.EXECUTING})
"""States of a plan that people have agreed to, so that nothing may end it by the way."""


def committed(case: Case) -> bool:
    """Whether people have agreed to the case's plan, or one of its steps is under way without them."""
    under_way = any(not action.outcome for action in case.actions.values())
    return under_way or (case.plan is not None and case.plan.state in COMMITTED)


def ended(case: Case, why: str, principal: str, reason: str) -> list[object]:
    """Return the end of the case's plan, where one waits for a decision."""
    plan = case.plan
    if plan is None or plan.state not in {PlanState.PROPOSED, PlanState.PENDING}:
        return []
    return [PlanEnded(incident=case.incident, plan=plan.digest, why=why, principal=principal, reason=reason)]


def _split(case: Case, asked: Asked, body: r.Split) -> list[object]:
    if committed(case):
        return refuse(asked, "too_late", "a plan is being carried out; split the case before or after")
    signals, named = case.course.signals, frozenset(body.signals)
    leaving = tuple(signal for signal in signals if signal.signal in named)
    staying = tuple(signal for signal in signals if signal.signal not in named)
    if not named or named != {signal.signal for signal in leaving}:
        return refuse(asked, "unknown_signal", "name signals of the case, as `headgate incidents show` lists them")
    if not staying:
        return refuse(asked, "nothing_left", "at least one signal stays with the case")
    if len(case.course.splits) >= MAX_SPLITS:
        return refuse(asked, "too_much", f"a case is split at most {MAX_SPLITS} times")
    number = len(case.course.splits) + 1
    taken, remaining = touched(case.affected, leaving, staying)
    split = r.CaseSplit(
        incident=case.incident,
        number=number,
        into=derive("split", case.incident, number),
        principal=asked.principal,
        reason=body.reason,
        system=case.system,
        category=max(leaving, key=lambda signal: signal.score).category,
        evidence=leaving,
        affected=taken,
        first_bad_at=min(signal.first_bad_at for signal in leaving),
        remaining=remaining,
        policy=case.policy,
        aware_at=awareness(facts_of(case)).at,
    )
    return [split, *ended(case, "split", asked.principal, body.reason)]


def open_split(control: Control, asked: Asked, body: r.OpenSplit, at: int) -> list[object]:
    """Open the case of signals that left another, as detection would have, under that case's policy."""
    split = control.splits.get(body.incident)
    if split is None or split.incident != body.origin:
        return refuse(asked, "unknown_split", "no such split waits to be opened")
    opened = IncidentOpened(
        id=split.into,
        sequence=0,
        at=at,
        system=split.system,
        category=split.category,
        title=split.evidence[0].summary[:MAX_TITLE],
        affected=split.affected,
        evidence=split.evidence,
        first_bad_at=split.first_bad_at,
        recommended=f"see {split.incident}, which it was split from",
        owner_role="ml_manager",
        technique=None,
        recurrence_of=None,
        policy=split.policy,
    )
    return open_under(control, split.policy, opened, at)


def decide(_control: Control, case: Case, asked: Asked, _at: int) -> list[object] | None:
    """Return the events of a split, or None where the command is none."""
    if isinstance(asked.body, r.Split):
        return unsaid(asked, asked.body.reason) or _split(case, asked, asked.body)
    if isinstance(asked.body, r.OpenSplit):
        return refuse(asked, "opened", "this case is open already")
    return None
