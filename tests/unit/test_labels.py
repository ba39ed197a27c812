"""Labels: joined by prediction id within a budget and a horizon, every other one counted."""

import numpy as np
import pytest

from agents.detection.columns import decode
from agents.detection.joined import Joined
from agents.detection.labels import LabelStore
from schemas.errors import SchemaError
from schemas.label_thresholds import Labels
from schemas.signals import LabelCounts
from schemas.telemetry import LabelBatch
from tests.traffic import START, Traffic, batch, column, features

ALL = Labels(sample=1.0, budget=100, horizon_seconds=60)


def store(predictions: object, policy: Labels = ALL, version: str = "1") -> LabelStore:
    """Return a store that remembers predictions p0, p1 and so on."""
    kept = LabelStore(policy)
    remember(kept, predictions, version)
    return kept


def said(joined: Joined) -> tuple[list[float], list[float]]:
    """Return the error bits and the residuals that there are."""
    return tuple(values[np.isfinite(values)].tolist() for values in (joined.errors, joined.residuals))  # type: ignore[return-value]


def remember(kept: LabelStore, predictions: object, version: str = "1", prefix: str = "p") -> None:
    """Remember predictions under ids made of a prefix and their row."""
    count = len(predictions)  # type: ignore[arg-type]
    ids = [f"{prefix}{i}" for i in range(count)]
    rows = decode(batch({"prediction_id": ids, "prediction": predictions}, version=version))
    kept.remember(rows, np.full(count, START, dtype=np.int64))


def test_text_and_whole_numbers_are_right_or_wrong() -> None:
    """A class compares as text, a whole number as a number; each gives an error bit."""
    (joined,) = store(["yes", "no"]).join(["p0", "p1"], ["yes", "yes"], [START] * 2)
    assert said(joined) == ([0, 1], [])
    (joined,) = store(np.array([1, 2])).join(["p0", "p1"], ["1", "3.0"], [START] * 2)
    assert said(joined) == ([0, 1], [])


def test_doubles_give_residuals_and_whole_doubles_errors_too() -> None:
    """A regression is off by its residual; classes sent as doubles are wrong or right as well."""
    (joined,) = store(np.array([1.5, 2.0])).join(["p0", "p1"], ["2.0", "3"], [START] * 2)
    assert said(joined) == ([1], [0.5, 1.0])


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
    assert kept.tally == LabelCounts(joined=1, late=1, repeated=1, unreadable=1)


def test_a_full_budget_halves_the_sample_and_a_quiet_one_grows_it_again() -> None:
    """However late the labels come, what is kept is a fair sample of all that wait; no budget keeps nothing."""
    kept = LabelStore(Labels(budget=512, horizon_seconds=60))
    remember(kept, ["a"] * 4000)
    assert 200 < len(kept) <= 512
    assert kept.sample <= 1 / 8
    ids = [f"p{i}" for i in range(4000)]
    (joined,) = kept.join(ids, ["a"] * 4000, [START] * 4000)
    slots = np.array([int(name[1:]) for name in ids])
    assert 200 < len(joined) <= 512
    assert len(slots) == 4000
    for _ in range(4):
        remember(kept, ["a"] * 100, prefix=f"q{kept.sample}-")
        remember(kept, np.array([np.nan] * 1000))
    assert kept.sample >= 1 / 2
    assert store(["a"], Labels(budget=0)).state().kept == b""


def test_a_label_that_comes_first_waits_for_its_prediction() -> None:
    """It is joined when the prediction comes; what never comes is dropped beyond the bound and counted."""
    kept = LabelStore(Labels(early=2, horizon_seconds=60))
    assert kept.join(["p0", "p0", "x", "y"], ["a", "b", "a", "a"], [START] * 4) == []
    assert kept.tally == LabelCounts(repeated=1, unmatched=1)
    kept.join(["p1"], ["a"], [START])
    rows = decode(batch({"prediction_id": ["p0", "p1"], "prediction": ["b", "b"]}))
    (joined,) = kept.remember(rows, np.full(2, START, dtype=np.int64))
    assert said(joined) == ([1], [])
    assert kept.tally == LabelCounts(joined=1, early=1, repeated=1, unmatched=2)


def test_a_prediction_whose_label_never_comes_is_counted_once() -> None:
    """Past the horizon a prediction is missing its label; past twice of it, it is forgotten."""
    kept = LabelStore(Labels(horizon_seconds=60))
    for i, seconds in enumerate((0, 61, 130)):
        rows = decode(batch({"prediction_id": [f"{i}-{n}" for n in range(1024)], "prediction": ["a"] * 1024}))
        kept.remember(rows, np.full(1024, START + seconds * 1000, dtype=np.int64))
    assert kept.tally == LabelCounts(missing=2048)
    assert len(kept) == 2048


def test_nothing_depends_on_how_rows_were_batched() -> None:
    """One batch, or the same rows in pieces: the same predictions are kept."""
    policy = Labels(budget=300)
    stores = []
    for size in (3000, 700, 13):
        kept = LabelStore(policy)
        for first in range(0, 3000, size):
            part = range(first, min(first + size, 3000))
            columns = {"prediction_id": [f"p{i}" for i in part], "prediction": ["yn"[i % 2] for i in part]}
            at = np.array([START + i for i in part], dtype=np.int64)
            kept.remember(decode(batch(columns | {"sex": column("sex", ["fm"[i % 2] for i in part], "group")})), at)
        stores.append(kept.state())
    assert stores[0] == stores[1] == stores[2]


def test_a_join_names_groups_confidence_and_classes() -> None:
    """What fairness and calibration need stands beside each label."""
    kept = LabelStore(ALL)
    columns = {
        "prediction_id": ["a", "b"],
        "prediction": np.array([1, 0]),
        "confidence": np.array([0.9, np.nan]),
        "sex": column("sex", ["f", "m"], "group"),
        "age": column("age", np.array([40.0, np.inf]), "group"),
    }
    kept.remember(decode(batch(columns)), np.full(2, START, dtype=np.int64))
    (joined,) = kept.join(["b", "a"], ["1", "1"], [START] * 2)
    assert [joined.combinations[code] for code in joined.groups] == [("sex=m",), ("age=40", "sex=f")]
    assert [joined.classes[code] for code in joined.predicted] == ["0", "1"]
    assert [joined.classes[code] for code in joined.labelled] == ["1", "1"]
    assert joined.confidence.tolist()[1] == 0.9


def test_the_sample_depends_on_the_id_alone() -> None:
    """A quarter of the ids are kept, always the same, and a label of another is not called unmatched."""
    quarter = Labels(sample=0.25, budget=10_000)
    first, second = store(["a"] * 900, quarter), store(["b"] * 900, quarter)
    ids = [f"p{i}" for i in range(900)]
    joined = [sum(len(part) for part in kept.join(ids, ["a"] * 900, [START] * 900)) for kept in (first, second)]
    assert joined[0] == joined[1] == len(first)
    assert 150 < joined[0] < 300
    assert first.tally == LabelCounts(joined=joined[0])


def test_the_regular_word_says_what_came_of_labels() -> None:
    """Nothing is said of labels while none came; then how many were used, repeated or belonged to no prediction."""
    traffic, rng = Traffic(), np.random.default_rng(2)
    ids = [f"p{i}" for i in range(1000)]
    traffic.send(features(rng, 1000) | {"prediction_id": ids, "prediction": ["yes"] * 1000})
    named, at = ("p0", "p1", "p1", "nobody"), (START,) * 4
    labels = LabelBatch(model="m", source="l", first_position=0, prediction_ids=named, labels=("yes",) * 4, at=at)
    traffic.hand(labels)
    traffic.send(features(rng, 1000))
    assert [event.labels for event in traffic.observed] == [None, LabelCounts(joined=2, repeated=1)]


def test_ids_and_predictions_that_are_absent_or_unusable_are_not_kept() -> None:
    """No id, no prediction, NaN, a null cell, a long id: nothing waits for a label."""
    kept = LabelStore(ALL)
    at = np.full(3, START, dtype=np.int64)
    kept.remember(decode(batch({"prediction": np.zeros(3)})), at)
    kept.remember(decode(batch({"prediction_id": ["a", "b", "c"]})), at)
    kept.remember(decode(batch({"prediction_id": np.zeros(3), "prediction": np.zeros(3)})), at)
    ids = column("prediction_id", ["x" * 300, "b", "c"], flags=b"\0\1\0")
    kept.remember(decode(batch({"prediction_id": ids, "prediction": np.array([1, 1, np.nan])})), at)
    assert kept.state().kept == b""


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
    for damaged in ({"texts": ()}, {"targets": ()}, {"kept": b"x"}):
        with pytest.raises(SchemaError):
            LabelStore(ALL).restore(type(state)(**{f: getattr(state, f) for f in state.__slots__} | damaged))
