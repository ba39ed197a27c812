"""Labels: joined by prediction id within a budget and a horizon, every other one counted."""

import numpy as np
import pytest

from agents.detection.columns import decode
from agents.detection.labels import LabelStore, Tally
from schemas.errors import SchemaError
from schemas.thresholds import Labels
from tests.traffic import START, batch, column

ALL = Labels(sample=1.0, budget=100, horizon_seconds=60)


def store(predictions: object, policy: Labels = ALL, version: str = "1") -> LabelStore:
    """Return a store that remembers predictions p0, p1 and so on."""
    kept = LabelStore(policy)
    remember(kept, predictions, version)
    return kept


def remember(kept: LabelStore, predictions: object, version: str = "1", prefix: str = "p") -> None:
    """Remember predictions under ids made of a prefix and their row."""
    count = len(predictions)  # type: ignore[arg-type]
    ids = [f"{prefix}{i}" for i in range(count)]
    rows = decode(batch({"prediction_id": ids, "prediction": predictions}, version=version))
    kept.remember(rows, np.full(count, START, dtype=np.int64))


def test_text_and_whole_numbers_are_right_or_wrong() -> None:
    """A class compares as text, a whole number as a number; each gives an error bit."""
    (joined,) = store(["yes", "no"]).join(["p0", "p1"], ["yes", "yes"], [START] * 2)
    assert (joined.errors.tolist(), joined.residuals.tolist()) == ([0, 1], [])
    (joined,) = store(np.array([1, 2])).join(["p0", "p1"], ["1", "3.0"], [START] * 2)
    assert (joined.errors.tolist(), joined.residuals.tolist()) == ([0, 1], [])


def test_doubles_give_residuals_and_whole_doubles_errors_too() -> None:
    """A regression is off by its residual; classes sent as doubles are wrong or right as well."""
    (joined,) = store(np.array([1.5, 2.0])).join(["p0", "p1"], ["2.0", "3"], [START] * 2)
    assert (joined.errors.tolist(), joined.residuals.tolist()) == ([1], [0.5, 1.0])


def test_labels_find_the_version_that_predicted() -> None:
    """Predictions of two versions are told apart."""
    kept = store(["a"])
    remember(kept, ["b"], "2", "q")
    joined = kept.join(["q0", "p0"], ["b", "b"], [START] * 2)
    assert [(j.target.version, j.errors.tolist()) for j in joined] == [("2", [0]), ("1", [1])]


def test_late_repeated_unmatched_and_unreadable_labels_are_counted() -> None:
    """Each label is used once or counted under the reason why not."""
    kept = store(np.array([1.0, 2.0, 3.0]))
    labels = ["1", "1", "x", "nan", "5"]
    at = [START, START, START, START, START + 61_000]
    kept.join(["p0", "p0", "zzz", "p1", "p2"], labels, at)
    assert kept.tally == Tally(joined=1, late=1, repeated=1, unmatched=1, unreadable=1)


def test_the_budget_drops_the_oldest() -> None:
    """Beyond the budget the oldest predictions go; without one nothing is kept."""
    kept = store(["a"] * 150)
    assert kept.join(["p0"], ["a"], [START]) == []
    assert len(kept.join(["p149"], ["a"], [START])) == 1
    assert store(["a"], Labels(budget=0)).state().ids == ()


def test_the_sample_depends_on_the_id_alone() -> None:
    """A quarter of the ids are kept, always the same, and a label of another is not called unmatched."""
    quarter = Labels(sample=0.25, budget=10_000)
    first, second = store(["a"] * 900, quarter), store(["b"] * 900, quarter)
    assert first.state().ids == second.state().ids
    assert 150 < len(first.state().ids) < 300
    out = next(f"p{i}" for i in range(900) if f"p{i}" not in first.state().ids)
    first.join([out], ["a"], [START])
    assert first.tally == Tally()


def test_ids_and_predictions_that_are_absent_or_unusable_are_not_kept() -> None:
    """No id, no prediction, NaN, a null cell, a long id: nothing waits for a label."""
    kept = LabelStore(ALL)
    at = np.full(3, START, dtype=np.int64)
    kept.remember(decode(batch({"prediction": np.zeros(3)})), at)
    kept.remember(decode(batch({"prediction_id": ["a", "b", "c"]})), at)
    kept.remember(decode(batch({"prediction_id": np.zeros(3), "prediction": np.zeros(3)})), at)
    ids = column("prediction_id", ["x" * 300, "b", "c"], flags=b"\0\1\0")
    kept.remember(decode(batch({"prediction_id": ids, "prediction": np.array([1, 1, np.nan])})), at)
    assert kept.state().ids == ()


def test_a_store_is_saved_exactly_and_damage_is_refused() -> None:
    """State round-trips; a name that points nowhere is a SchemaError."""
    kept = store(["yes", "no"])
    remember(kept, np.array([1.5]), "2", "q")
    kept.join(["p0"], ["no"], [START])
    state = kept.state()
    again = LabelStore(ALL)
    again.restore(state)
    assert again.state() == state
    (joined,) = again.join(["p1"], ["yes"], [START])
    assert joined.errors.tolist() == [1]
    for damaged in ({"texts": ()}, {"targets": ()}, {"numbers": b""}):
        with pytest.raises(SchemaError):
            LabelStore(ALL).restore(type(state)(**{f: getattr(state, f) for f in state.__slots__} | damaged))
