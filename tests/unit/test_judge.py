"""What the systems document says of models, as triage asks it."""

import pytest

from agents.triage.judge import Judge
from schemas.policy import TriagePolicy
from schemas.systems import Systems
from schemas.values import Role
from tests.feed import judge


@pytest.mark.parametrize("model", ["features", "risk", "price"])
def test_models_that_dependencies_join_are_one_system(model: str) -> None:
    """Each of a chain knows the whole chain, and a model beside it is not part of it."""
    assert judge().joined(model) == ("features", "price", "risk")
    assert judge().joined("letters") == ("letters",)


def test_depth_counts_from_the_source() -> None:
    """A model stands one step below the lowest that it reads."""
    depths = judge().depths
    assert [depths[model] for model in ("features", "risk", "price", "letters")] == [0, 1, 2, 0]


def test_an_undeclared_model_is_a_system_of_its_own() -> None:
    """It has a name that no declared system can have, an owner, and no neighbours."""
    assert judge().system_of("ghost") == "undeclared/ghost"
    assert judge().owner_of("ghost") is Role.ML_MANAGER
    assert judge().joined("ghost") == ("ghost",)
    assert judge().declared("ghost") is None
    assert judge().system_of("shuttle") == "radiator"
    assert judge().owner_of("shuttle") is Role.ML_ENGINEER


def test_models_that_read_each_other_have_depths_all_the_same() -> None:
    """A circle in the map ends, and what is below it is below it."""
    models = {"a": {"depends_on": ["b"]}, "b": {"depends_on": ["a"]}, "c": {"depends_on": ["b"]}}
    circle = {"version": 1, "systems": {"s": {"scope": "x", "models": models}}}
    found = Judge("", TriagePolicy(), Systems.model_validate(circle))
    assert (dict(found.depths), found.joined("c")) == ({"a": 0, "b": 0, "c": 0}, ("a", "b", "c"))
