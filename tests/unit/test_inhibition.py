"""An incident of infrastructure, or of data upstream, holds back the paging of what depends on it."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Case, Phase
from agents.triage.inhibition import inhibited_by
from schemas.signals import Affected
from schemas.values import Category, Severity
from tests.feed import SYSTEMS
from tests.ledgers import genesis
from tests.play import incident_opened


@pytest.fixture(scope="module")
def opened() -> Case:
    """A case, of which others are made."""
    ledger = genesis()
    ledger.ask(incident_opened(), "triage")
    return ledger.case


def case(opened: Case, number: int, model: str, category: Category, **given: Any) -> Case:
    """Return a case of a model; a higher number is a younger one."""
    facts = {"incident": f"i-{number}", "opened_at": number, "severity": Severity.SEV2, "phase": Phase.DECLARED}
    affected = tuple(Affected(model=name, version="1") for name in model.split())
    return replace(opened, **(facts | {"category": category, "affected": affected} | given))


def by(case: Case, *others: Case) -> str | None:
    """Return what inhibits a case among others."""
    return inhibited_by(case, {one.incident: one for one in (case, *others)}, SYSTEMS)


D, Q, S, P = Category.DATA_DRIFT, Category.DATA_QUALITY, Category.INFRASTRUCTURE, Category.PERFORMANCE


@pytest.mark.parametrize(
    ("source", "target", "held"),
    [
        (("risk", S), ("risk", D), True),
        (("features", S), ("price", P), True),  # two steps upstream
        (("risk", S), ("risk price", P), True),
        (("risk", S), ("letters", P), False),
        (("price", S), ("risk", P), False),  # downstream explains nothing
        (("risk", S), ("risk letters", P), False),  # not all that is affected
        (("features", Q), ("risk", P), True),
        (("risk", Q), ("risk", P), False),  # of one model: triage joins them, or they are two faults
        (("features", P), ("risk", P), False),
        (("risk", S), ("risk", Category.ATTACK), False),
        (("risk", S), ("risk", Category.HUMAN_REPORT), False),
        (("risk", S), ("risk", Category.OUTPUT_SAFETY), False),
    ],
)
def test_what_is_explained_is_held_back(
    opened: Case,
    source: tuple[str, Category],
    target: tuple[str, Category],
    held: bool,
) -> None:
    """By infrastructure of the same models or upstream of them, and by data upstream of them."""
    first, second = case(opened, 1, *source), case(opened, 2, *target)
    assert (by(second, first) == "i-1") is held


def test_two_incidents_never_hold_back_each_other(opened: Case) -> None:
    """Only the older one speaks for both."""
    first, second = case(opened, 1, "risk", S), case(opened, 2, "risk", S)
    assert (by(first, second), by(second, first)) == (None, "i-1")


def test_a_worse_incident_is_always_heard(opened: Case) -> None:
    """One of SEV2 does not hold back one of SEV1; an equal one does."""
    first, second = case(opened, 1, "risk", S), case(opened, 2, "risk", P)
    assert by(replace(second, severity=Severity.SEV1), first) is None
    assert by(second, first) == "i-1"


def test_what_is_over_holds_nothing_back(opened: Case) -> None:
    """When the source is resolved, or dismissed, what still stands is heard."""
    second = case(opened, 2, "risk", P)
    for phase in (Phase.RESOLVED, Phase.DISMISSED):
        assert by(second, case(opened, 1, "risk", S, phase=phase)) is None


def test_of_several_the_oldest_is_named(opened: Case) -> None:
    """The answer does not depend on the order of the cases."""
    older, newer = case(opened, 1, "features", Q), case(opened, 2, "risk", S)
    third = case(opened, 3, "price", P)
    assert by(third, newer, older) == by(third, older, newer) == "i-1"
