"""What a plan would do, computed from declared systems and what the targets show."""

from dataclasses import replace

import pytest

from agents.ledger.control import Control
from agents.roles.impact import dependents, impact, moved_percent
from agents.roles.remediate import Aim
from schemas import systems
from tests.play import ALIAS, STEPS, TARGET, step

CHAIN = systems.read(
    b"""
version = 1
[systems.one]
scope = "a model and one that reads it"
models.shuttle = {versions = ["1", "2"], known_good = "1", traffic = "envoy:shuttle"}
models.reader = {depends_on = ["shuttle"]}
[systems.two]
scope = "a model that reads the reader"
models.further = {depends_on = ["reader"]}
models.other = {}
"""
)
CONTROL = replace(Control(), systems=CHAIN)
AVOID = frozenset({"2"})
AIMS = (
    Aim(target=TARGET, purpose="contain", model="shuttle", avoid=AVOID, known_good="1"),
    Aim(target=ALIAS, purpose="remediate", model="shuttle", avoid=AVOID, known_good="1"),
)


def test_dependents_are_reached_through_each_other_and_across_systems() -> None:
    """Whoever reads the model, and whoever reads those; not the model itself, nor strangers."""
    assert dependents(CHAIN, ["shuttle"]) == ("one/reader", "two/further")
    assert dependents(CHAIN, ["further"]) == dependents(CHAIN, ["unknown"]) == ()


@pytest.mark.parametrize(
    ("before", "after", "percent"),
    [
        ('{"1":50,"2":50}', '{"1":100,"2":0}', 50),
        ('{"1":2,"2":1}', '{"1":3,"2":0}', 34),
        ('{"1":0,"2":100}', '{"1":100,"2":0}', 100),
        ('{"1":0,"2":0}', '{"1":0,"2":0}', 0),
        ("{}", "{}", 0),
    ],
)
def test_the_share_of_traffic_that_moves_is_rounded_up(before: str, after: str, percent: int) -> None:
    """Nobody is told of less than what moves."""
    assert moved_percent(step(observed=before, desired=after)) == percent
    assert moved_percent(step(purpose="remediate", observed=before, desired=after)) == 0


def test_an_impact_tells_what_is_known_and_what_is_not() -> None:
    """Dependents, share, reversibility, and of the version to fall back on whether it serves and has a profile."""
    found = impact(CONTROL, AIMS, STEPS)
    assert (found.dependents, found.traffic_percent, found.reversible) == (("one/reader", "two/further"), 50, True)
    assert "version 1 of shuttle takes 50 % of the traffic now" in found.checks
    assert "version 1 of shuttle has no reference profile in the ledger" in found.checks
    assert "50 % of the traffic of shuttle" in found.expected
    idle = impact(CONTROL, AIMS, (step(observed='{"1":0,"2":100}'),))
    assert any("how it serves is unknown" in check for check in idle.checks)
    profiled = replace(CONTROL, profiles={("shuttle", "1"): "ab"})
    assert "version 1 of shuttle has a reference profile in the ledger" in impact(profiled, AIMS, STEPS).checks


def test_a_target_of_an_unknown_kind_counts_as_irreversible() -> None:
    """Doubt asks for two persons and a step-up."""
    other = replace(AIMS[0], target="other:x")
    assert not impact(CONTROL, (other,), (step(target="other:x"),)).reversible
