"""What stands is told as what it is: the consequences of a fault are not suspected of being attacks."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from schemas.telemetry import LabelBatch
from schemas.thresholds import Quality, Thresholds
from tests.traffic import START, Traffic, column, features

Name = Callable[[np.random.Generator, bool], str]
ROWS, BATCHES, BUG = 250, 64, 48


def buggy(*, labels: bool = True, group: bool = False, caller: Name | None = None) -> set[tuple[str, str]]:
    """Return category and statistic of what a version is told of that is wrong half of the time from a batch on."""
    traffic, rng = Traffic(), np.random.default_rng(7)
    for number in range(BATCHES):
        bad = number >= BUG
        inputs = {f"f{i}": rng.integers(0, 3, ROWS).astype(float) for i in range(5)}
        truth = inputs["f0"] + inputs["f1"] + inputs["f2"] > 3
        members = rng.random(ROWS) < 0.4
        wrong = bad & (rng.random(ROWS) < 0.5) & (members | (not group))
        ids = [f"p{ROWS * number + i}" for i in range(ROWS)]
        made: dict[str, Any] = {"prediction": np.where(truth ^ wrong, "y", "n").tolist(), "prediction_id": ids}
        made["confidence"] = features(rng, ROWS)["confidence"]
        if group:
            made["sex"] = column("sex", np.where(members, "f", "m").tolist(), "group")
        if caller is not None:
            made["caller"] = column("caller", [caller(rng, bad) for _ in range(ROWS)], "caller")
        traffic.send(inputs | made)
        if labels:
            known = tuple(np.where(truth ^ (rng.random(ROWS) < 0.02), "y", "n").tolist())
            at = (START + 1000 * number,) * ROWS
            batch = LabelBatch(
                model="m", source="l", first_position=ROWS * number, prediction_ids=tuple(ids), labels=known, at=at
            )
            traffic.hand(batch)
    return {(event.category.value, event.statistic) for event in traffic.raised if event.material}


def one_of_many(rng: np.random.Generator, bad: bool) -> str:
    """Return one of thirty callers."""
    del bad
    return f"c{rng.integers(30)}"


def mostly_one(rng: np.random.Generator, bad: bool) -> str:
    """Return one of thirty callers, or mostly the same one while the version is wrong."""
    return "mallory" if bad and rng.random() < 0.6 else one_of_many(rng, bad)


@pytest.mark.parametrize("caller", [None, one_of_many])
def test_a_bug_that_flips_predictions_is_no_attack(caller: Name | None) -> None:
    """Where labels show that predictions are wrong, near-equal rows that differ in prediction are their consequence."""
    assert buggy(caller=caller) == {("performance", "share")}


def test_the_wrong_predictions_of_one_group_are_no_attack() -> None:
    """A fault of fairness explains flips as well."""
    raised = buggy(group=True)
    assert ("fairness", "error_rate_difference") in raised
    assert {category for category, _ in raised} == {"fairness"}


def test_flips_are_an_attack_where_a_caller_stands_out() -> None:
    """Rows as near each other as ever, and answered otherwise, are the model's doing; of one caller, they are not."""
    assert ("attack", "flips") not in buggy(labels=False)
    assert {("attack", "flips"), ("attack", "caller_share")} <= buggy(caller=mostly_one)


def moved(*changes: tuple[float, float]) -> list[tuple[str, str, str]]:
    """Return detector, statistic and baseline of what f0 raises, of ten batches with each shift and factor."""
    traffic, rng = Traffic(), np.random.default_rng(9)
    for shift, factor in changes:
        for _ in range(10):
            columns = features(rng, 500)
            traffic.send(columns | {"f0": (columns["f0"] + shift) * factor})
    return [(e.detector, e.statistic, e.baseline) for e in traffic.raised if e.subject == "f0"]


def test_the_end_of_a_fault_is_no_second_sudden_change_of_its_column() -> None:
    """A column that comes back to its reference raises no histogram against the windows before; what left it did."""
    once = moved((0, 1), (2, 1), (0, 1))
    assert once.count(("psi", "psi", "rolling")) == 1


def test_values_out_of_range_are_told_where_the_column_had_drifted_long_before() -> None:
    """A changed unit says nothing new where it makes the drift; it does where the column stood away already."""
    assert ("quality", "range", "reference") not in moved((0, 1), (0, 1000))
    assert ("quality", "range", "reference") in moved((0, 1), (3, 1), (3, 1000))


@pytest.mark.parametrize(("most", "told"), [(0.5, True), (0.98, False)])
def test_most_values_out_of_range_are_told_of_a_column_that_wanders(most: float, told: bool) -> None:
    """Drift from the reference does not explain the range where most values left it; policy says how many are most."""
    rng, traffic, value = np.random.default_rng(2), Traffic(Thresholds(quality=Quality(most=most))), 0.0
    noise = rng.normal(size=12_000) * np.sqrt(1 - 0.97**2)
    walk = np.array([value := 0.97 * value + step for step in noise.tolist()]) + 5
    walk[8000:] *= np.where(np.random.default_rng(3).random(4000) < 0.97, 1000, 1)
    for part in walk.reshape(-1, 500):
        traffic.send(features(rng, 500) | {"f0": part})
    raised = {(e.statistic, e.baseline) for e in traffic.raised if e.subject == "f0"}
    assert ("psi", "rolling") not in raised
    assert ("psi", "reference") in raised
    assert (("range", "reference") in raised) == told
