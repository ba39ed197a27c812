"""Propose when paging should begin, be held back or end, and which updates were missed; whom to page is policy's."""

from collections.abc import Iterator, Mapping

from agents.ledger import updates
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.decisions.page import document, facts
from agents.ledger.regions.glass import Used
from agents.ledger.subjects import GLASS, RATING, REVIEWS_OVERDUE, policy_of, wanted
from agents.triage.inhibition import inhibited_by
from agents.triage.silence import silenced_case
from schemas.case.glass import ReportGlassOverdue
from schemas.case.messages import Audience, ReportUpdateMissed
from schemas.case.paging import EndPaging, HoldPaging, StartPaging
from schemas.oncall import OnCall

AGAIN_MS = 10_000


def proposals(control: Control, case: Case, cases: Mapping[str, Case], now: int) -> list[object]:
    """Return what should begin or end in the paging of a case at `now` (ms); each stays the same for AGAIN_MS."""
    known = document(control)
    subjects = wanted(control, case)
    found: list[object] = [*_missed(control, case, now), *_unreviewed(case, now)]
    found += [
        EndPaging(incident=case.incident, subject=subject, reason=_over(case, subject), repeat=now // AGAIN_MS)
        for subject in case.pages.subjects
        if subject not in subjects and case.pages.active(subject)
    ]
    if known is None:
        return found
    for subject in subjects:
        if case.pages.active(subject) or not _somebody(known, control, case, subject):
            continue
        held = None if subject else _held(control, case, cases, now)
        if held is None:
            found.append(StartPaging(incident=case.incident, subject=subject, repeat=now // AGAIN_MS))
        elif (held.why, held.by) != case.pages.held and not case.pages.subjects.get(subject):
            found.append(held)
    return found


def _somebody(known: OnCall, control: Control, case: Case, subject: str) -> bool:
    return policy_of(known, control, case, subject, facts(control, case, subject)) is not None


def _unreviewed(case: Case, now: int) -> Iterator[ReportGlassOverdue]:
    """Return what began without the quorum, should have been reviewed by `now` (ms), and is not told as overdue."""
    for one in case.glass.unreviewed:
        if now >= one.review_by and not one.overdue:
            repeat = (now - one.review_by) // AGAIN_MS
            standing = isinstance(one, Used)
            yield ReportGlassOverdue(incident=case.incident, number=one.number, standing=standing, repeat=repeat)


def _over(case: Case, subject: str) -> str:
    if subject.startswith("update:"):
        return "the update came, or is no longer due"
    if subject == REVIEWS_OVERDUE:
        return "no review of a decision is overdue"
    if subject == RATING:
        return "those who are asked were told"
    if subject.startswith(f"{GLASS}:"):
        return "it is reviewed"
    return "its clock has ended, or the next share is told" if subject else f"the case is {case.phase.value}"


def _missed(control: Control, case: Case, now: int) -> Iterator[ReportUpdateMissed]:
    """Return the updates that are overdue and not told as missed."""
    for audience in Audience:
        due = updates.due(control, case, audience)
        if due is None or now < due or updates.stands(control, case, audience):
            continue
        repeat = (now - due) // AGAIN_MS
        yield ReportUpdateMissed(incident=case.incident, audience=audience, due=due, repeat=repeat)


def _held(control: Control, case: Case, cases: Mapping[str, Case], now: int) -> HoldPaging | None:
    """Return why nobody should be paged about a case for now, or None."""
    cause = inhibited_by(case, cases, control.systems)
    if cause is not None:
        return HoldPaging(incident=case.incident, why=f"incident {cause} explains it", by=cause)
    if silenced_case(case, control, now) is not None:
        return HoldPaging(incident=case.incident, why="a silence covers it", by="")
    return None
