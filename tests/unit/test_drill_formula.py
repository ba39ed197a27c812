"""How a drill's model is asked, what it says and what is true."""

import numpy as np
import pytest

from agents.drills import formula
from schemas.drill_models import Feature, Served

SERVED = Served.model_validate(
    {
        "intercept": -0.5,
        "features": {
            "age": {"mean": 60, "sd": 15, "weight": 1.2},
            "cost": {"mean": 900, "sd": 400, "skewed": True, "weight": -0.7},
            "ward": {"values": {"a": 0.5, "b": 0.3, "c": 0.2}, "weight": 0.4},
        },
        "groups": {"sex": {"f": 0.45, "m": 0.55}},
        "callers": 7,
    }
)
ROWS = 20_000


def drawn(seed: int = 1) -> formula.Columns:
    """Draw inputs."""
    return formula.draw(SERVED, ROWS, {}, np.random.default_rng(seed))


def numbers(columns: formula.Columns, name: str) -> formula.Numbers:
    """Return a column of numbers."""
    cells = columns[name]
    assert isinstance(cells, np.ndarray)
    return cells


def test_inputs_lie_as_the_file_says() -> None:
    """Means, deviations and shares are those of the features, and a skewed one is above nought."""
    columns = drawn()
    assert numbers(columns, "age").mean() == pytest.approx(60, abs=0.5)
    assert numbers(columns, "age").std() == pytest.approx(15, abs=0.5)
    cost = numbers(columns, "cost")
    assert (cost.mean(), cost.std()) == (pytest.approx(900, rel=0.02), pytest.approx(400, rel=0.05))
    assert cost.min() > 0
    assert cost.mean() > np.median(cost)
    ward = list(columns["ward"])
    assert ward.count("c") / ROWS == pytest.approx(0.2, abs=0.01)
    groups = formula.draw_groups(SERVED, ROWS, np.random.default_rng(1))
    assert groups["sex"].count("f") / ROWS == pytest.approx(0.45, abs=0.015)


def test_the_same_dice_throw_the_same() -> None:
    """A seed gives the same inputs bit for bit, and another seed gives others."""
    one, same, other = drawn(), drawn(), drawn(2)
    assert np.array_equal(numbers(one, "age"), numbers(same, "age"))
    assert one["ward"] == same["ward"]
    assert not np.array_equal(numbers(one, "age"), numbers(other, "age"))


def test_the_model_is_right_as_often_as_it_says() -> None:
    """Its accuracy is its mean confidence, also where it is sure: truth follows the formula it answers by."""
    likely = formula.chance(SERVED, drawn())
    told = formula.answered(likely)
    right = told.outcome == formula.truth(likely, np.random.default_rng(3))
    assert right.mean() == pytest.approx(told.confidence.mean(), abs=0.01)
    sure = told.confidence > 0.85
    assert right[sure].mean() == pytest.approx(told.confidence[sure].mean(), abs=0.015)


def test_what_cannot_be_used_counts_as_the_mean() -> None:
    """A missing number, a text in its place and an unknown category leave the odds where the mean has them."""
    mean = {"age": np.array([60.0]), "cost": np.array([900.0]), "ward": [None]}
    usual = formula.chance(SERVED, mean)
    for name, cells in (("age", np.array([np.nan])), ("age", ["x"]), ("ward", ["z"]), ("ward", np.array([3.0]))):
        assert formula.chance(SERVED, {**mean, name: cells}) == pytest.approx(usual)
    assert formula.chance(SERVED, {**mean, "ward": ["c"]}) > usual
    extreme = formula.chance(SERVED, {**mean, "age": np.array([1e300])})
    assert 0.999 < extreme[0] < 1


@pytest.mark.parametrize("share", [0.0, 0.25, 0.9])
def test_a_quantile_leaves_its_share_below(share: float) -> None:
    """Of normal and skewed numbers so many lie above it."""
    columns = drawn()
    for name in ("age", "cost"):
        above = formula.beyond(SERVED.features[name], columns[name], share)
        assert above.mean() == pytest.approx(1 - share, abs=0.015)


def test_the_last_categories_lie_above_a_quantile() -> None:
    """Of categories those count that begin at it or later; a text lies above no number."""
    ward = SERVED.features["ward"]
    assert formula.beyond(ward, ["a", "b", "c", None], 0.5).tolist() == [False, True, True, False]
    assert formula.beyond(Feature(), ["a"], 0.5).tolist() == [False]


def test_callers_have_pseudonyms_or_are_unknown() -> None:
    """As many callers ask as the file says; without any the rows name none."""
    dice = np.random.default_rng(1)
    assert {f"caller-{number}" for number in range(1, 8)} == set(formula.draw_callers(SERVED, 500, dice))
    nobody = SERVED.model_copy(update={"callers": 0})
    assert formula.draw_callers(nobody, 2, dice) == ["", ""]


def test_what_another_model_said_is_an_input() -> None:
    """A feature that reads a model is what that has told, and no draw."""
    served = Served.model_validate({"features": {"risk": {"reads": "flood", "weight": 1.0}}})
    told = np.array([0.1, 0.9])
    columns = formula.draw(served, 2, {"risk": told}, np.random.default_rng(1))
    assert columns["risk"] is told
    low, high = formula.chance(served, columns)
    assert low < high
