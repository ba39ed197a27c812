"""The statutory clocks of a case as a person needs them: what is due when, to whom, by whose words, and since what."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.recount import EDITION, called_for
from agents.ledger.regions.clocks import ClockState, Counted
from agents.regulation.due import Calendar, counted
from agents.regulation.select import Running
from schemas.case.contracts import REGIME as CONTRACT
from schemas.errors import PolicyError
from schemas.regulation.clocks import FACTS, Clock
from schemas.systems import System

_AMERICAN = ("hipaa_", "fda_", "sec_", "sb53", "raise", "osha_", "sox_")
"""Regimes whose authorities are in the United States, by how their names begin; the others are the Union's."""


def systems_of(case: Case, control: Control) -> list[System]:
    """Return the systems that the case touches, as they are declared now."""
    found: dict[str, System] = {}
    for affected in case.affected:
        declared = control.systems.find(affected.model)
        if declared is not None:
            found[declared[0]] = declared[1]
    return list(found.values())


def clocks_of(case: Case, control: Control, names: Mapping[str, str], now: int) -> list[dict[str, Any]]:
    """Return a document for each clock of the case: those that run first, the next due before others."""
    systems = systems_of(case, control)
    roles = sorted({system.operator_role for system in systems})
    places = tuple(dict.fromkeys(place for system in systems for place in system.jurisdictions))
    wanted = {one.clock.key: one for one in called_for(case)}
    ordered = sorted(case.clocks.counted, key=lambda one: (one.state is not ClockState.RUNNING, one.due, one.number))
    return [_document(case, one, wanted.get(one.clock), places, names, now) | {"operator": roles} for one in ordered]


def _document(
    case: Case, one: Counted, wanted: Running | None, places: tuple[str, ...], names: Mapping[str, str], now: int
) -> dict[str, Any]:
    clock = EDITION.clock(one.clock)
    found = {
        "clock": one.clock,
        "number": one.number,
        "state": one.state.value,
        "trigger": one.trigger,
        "trigger_at": one.trigger_at,
        "assumed": one.assumed,
        "strict_due": one.strict_due,
        "tolled_until": one.tolled_until,
        "due": one.due,
        "catalogue": one.catalogue,
        **(_law(clock) if clock is not None else _contract(case, one)),
    }
    if one.state is not ClockState.RUNNING:
        ended = [names.get(who, who) for who in one.ended_by]
        return found | {
            "receipt": one.receipt,
            "submitted_at": one.submitted_at,
            "late": one.late,
            "ended_by": ended,
            "ended_at": one.ended_at,
            "why": one.why,
        }
    said = case.clocks.proposed.get(one.report)
    return found | {
        "trigger_who": names.get(wanted.trigger.who, wanted.trigger.who) if wanted else "",
        "trigger_basis": wanted.trigger.basis if wanted else _begun(one),
        "left_ms": one.due - now,
        "used_percent": used(one, now),
        "unknown": list(wanted.unknown) if wanted else [],
        "against": list(wanted.against) if wanted else [],
        "legal": _legal(clock, one, places),
        "proposed": {"receipt": said.receipt, "by": names.get(said.principal, said.principal)} if said else None,
    }


def _begun(one: Counted) -> str:
    return "the case was declared" if one.regime == CONTRACT else ""


def _contract(case: Case, one: Counted) -> dict[str, Any]:
    """Return by which contract a vendor's clock runs; nothing for a clock that is of no contract."""
    system, _, sla = one.clock.partition(".")[2].partition(":")
    owed = case.contracts.owes.get(system)
    if one.regime != CONTRACT or owed is None:
        return {}
    hours = next((each.hours for each in owed.slas if each.name == sla), 0.0)
    return {
        "title": f"Contract with {owed.vendor}",
        "report": sla,
        "recipient": "us: the vendor owes it",
        "by": [owed.vendor],
        "citation": f"the contract for {system}, as the systems document {owed.systems[:12]} tells it",
        "article": f"{sla}: {hours:g} hours from the declaration",
        "quote": "",
        "note": f"`headgate clocks delivered {case.incident[:12]} {system} {sla}` says that they did it",
    }


def used(one: Counted, now: int) -> int:
    """Return how many per cent of a clock's time are used at `now` (ms); 100 for one that is due at its trigger."""
    whole = one.due - one.trigger_at
    return max(0, (now - one.trigger_at) * 100 // whole) if whole > 0 else 100


def _law(clock: Clock) -> dict[str, Any]:
    regime = EDITION.regimes[clock.regime]
    return {
        "title": regime.title,
        "report": clock.name,
        "recipient": clock.authority or regime.recipient,
        "by": list(regime.roles),
        "citation": regime.citation,
        "article": clock.article,
        "quote": clock.quote,
        "verbatim": clock.verbatim,
        "applies_from": regime.applies_from.isoformat() if regime.applies_from else None,
        "note": regime.note,
    }


def _legal(clock: Clock | None, one: Counted, places: tuple[str, ...]) -> dict[str, Any]:
    """Return the due time by the authority's calendar and how it was counted, or why there is none."""
    if one.regime == CONTRACT:
        return {"due": one.due, "counted": ["hours by the contract run straight through"]}
    if clock is None:
        return {"due": None, "counted": ["the catalogue of this version does not know the clock"]}
    side, american = ("the United States", True) if one.regime.startswith(_AMERICAN) else ("the Union", False)
    place = next((each for each in places if (each[:2] == "US") is american and each != "EU"), None)
    if place is None:
        said = ", ".join(places) or "none"
        return {
            "due": None,
            "counted": [f"no jurisdiction in {side} is declared (declared: {said}): keep to the strict due time"],
        }
    try:
        found = counted(
            clock, one.trigger_at, _calendar(place, datetime.fromtimestamp(one.trigger_at / 1000, UTC).year)
        )
    except PolicyError as error:
        return {"due": None, "counted": [str(error)]}
    return {"due": max(found.due, one.tolled_until), "counted": list(found.steps)}


@cache
def _calendar(place: str, year: int) -> Calendar:
    from streams.regulation.calendars import calendar

    country, _, part = place.partition("-")
    return calendar(country, subdivision=part, first_year=year - 1, years=6)


def question(fact: str) -> str:
    """Return the question that a fact answers."""
    return FACTS.get(fact, fact)


def span(ms: int) -> str:
    """Return a length of time in its two largest units; one that is over has a minus."""
    minutes = abs(ms) // 60_000
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    said = f"{days} d {hours} h" if days else f"{hours} h {rest} min" if hours else f"{rest} min"
    return said if ms >= 0 else f"-{said}"
