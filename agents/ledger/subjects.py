"""What people should be paged about on a case now, and whom: the case, clocks, updates, reviews and ratings."""

from agents.ledger import updates
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.regions.clocks import Counted
from agents.ledger.regions.glass import Broken, Used
from agents.ledger.regions.paging import SUBJECT_OF_THE_CASE
from schemas.escalation import CaseFacts, EscalationPolicy, EscalationStep
from schemas.oncall import OnCall
from schemas.values import Role

REVIEWS_OVERDUE = "review:overdue"
"""What people are paged about while reviews of single decisions are overdue."""
RATING = "rating"
"""What those who are asked how the response was are told of, once, without being woken up."""
CLOCK, UPDATE, GLASS = "clock", "update", "glass"
_LATE = "overdue"
_MAX_TARGETS = 10
_MAX_STEPS = 20
_WEEK_SECONDS = 86_400 * 7


def subject_of(clock: Counted, share: int) -> str:
    """Return what people are paged about when a share (per cent) of a clock's time is used."""
    return f"{CLOCK}:{clock.clock}:{share}"


def glass_of(one: Broken | Used) -> str:
    """Return the name by which people are paged about a broken glass, or about a use of a standing approval."""
    return f"{GLASS}:{one.number}" if isinstance(one, Broken) else f"{GLASS}:standing-{one.number}"


def wanted(control: Control, case: Case) -> tuple[str, ...]:
    """Return the subjects of a case that people should be paged about now."""
    own = () if case.phase.over else (SUBJECT_OF_THE_CASE,)
    clocks = tuple(subject_of(clock, clock.reached) for clock in case.clocks.running if clock.reached)
    late = (REVIEWS_OVERDUE,) if case.reviews.overdue else ()
    missed = tuple(f"{UPDATE}:{audience.value}" for audience in updates.missed(control, case))
    return own + clocks + late + missed + _glass(case) + _rating(case)


def _glass(case: Case) -> tuple[str, ...]:
    """Return the broken glasses that nobody has reviewed, from the first moment; and what is overdue by name."""
    waiting = case.glass.unreviewed
    told = [glass_of(one) for one in waiting if isinstance(one, Broken)]
    return (*told, *(f"{glass_of(one)}:{_LATE}" for one in waiting if one.overdue))


def _rating(case: Case) -> tuple[str, ...]:
    """Return that those asked for a rating are to be told, until they were: never a second time."""
    if not case.pages.rating_asked:
        return ()
    begun = case.pages.subjects.get(RATING)
    return () if begun is not None and (begun.paging.done or case.pages.active(RATING) is None) else (RATING,)


def policy_of(known: OnCall, control: Control, case: Case, subject: str, facts: CaseFacts) -> EscalationPolicy | None:
    """Return whom to page about a subject, in which order; None where the document names nobody for it.

    About a broken glass, who must know at once comes first; about an overdue review, who may review it:
    then whom the document's own policy for the case names.
    """
    if subject == RATING:
        return _asked(known, case)
    usual = known.choose(facts)
    if usual is None or not subject.startswith(f"{GLASS}:"):
        return usual
    first = _first(known, control, case, subject)
    if not first:
        return usual
    step = EscalationStep(targets=first[:_MAX_TARGETS])
    return usual.model_copy(update={"steps": (step, *usual.steps)[:_MAX_STEPS]})


def _first(known: OnCall, control: Control, case: Case, subject: str) -> tuple[str, ...]:
    name = subject.removesuffix(f":{_LATE}")
    late = name != subject
    one = next((each for each in case.glass.unreviewed if glass_of(each) == name), None)
    if isinstance(one, Broken) and not late:
        persons = tuple(person for each in one.tell if (person := known.person_of(each)))
        return tuple(f"user:{person}" for person in persons) or _held(known, (Role.COMPLIANCE,))
    if isinstance(one, Broken):
        return _held(known, control.policies[case.policy].break_glass.reviewers)
    return _held(known, (one.reviewer,)) if one is not None else ()


def _held(known: OnCall, roles: tuple[Role, ...]) -> tuple[str, ...]:
    """Return the roles that the document names people for, as targets."""
    return tuple(f"role:{role.value}" for role in roles if role.value in known.roles)


def _asked(known: OnCall, case: Case) -> EscalationPolicy | None:
    """Return the single step that tells those who are asked; its end comes long before that of the escalation."""
    targets = _held(known, case.pages.rating_asked)
    if not targets:
        return None
    step = EscalationStep(targets=targets[:_MAX_TARGETS], important=False)
    final = targets[0].partition(":")[2]
    return EscalationPolicy(name=RATING, steps=(step,), wait_seconds=_WEEK_SECONDS, final=final)
