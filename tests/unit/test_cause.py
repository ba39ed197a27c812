"""Which cause explains the others."""

import math

import pytest

from agents.triage.cause import CATEGORY, Kind, attribute, kind_of, weight
from schemas.signals import SignalRaised
from schemas.values import Category
from tests.feed import T0, raised

CONFIDENCE = raised("confidence", Category.CONFIDENCE, baseline="rolling")
VECTOR = raised("vector", detector="half_space_trees", statistic="mean")
LATENCY = raised("latency", Category.INFRASTRUCTURE, baseline="rolling")
OUT_OF_RANGE = raised("f1", Category.DATA_QUALITY, statistic="range", score=300.0)
STUCK = raised("f7", Category.DATA_QUALITY, statistic="stuck")
LABELS = raised("error", Category.PERFORMANCE)

FAULTS = {
    "a changed unit": ([OUT_OF_RANGE, CONFIDENCE, raised("f1"), VECTOR], Category.DATA_DRIFT, "f1"),
    "a stuck sensor": ([raised("f7", score=90.0), STUCK, CONFIDENCE], Category.DATA_QUALITY, "f7"),
    "swapped columns": ([raised("f7"), raised("f9"), LABELS, VECTOR], Category.DATA_DRIFT, "f7"),
    "a slow server": ([LATENCY], Category.INFRASTRUCTURE, "latency"),
    "latency beyond its range": (
        [raised("latency", Category.DATA_QUALITY, statistic="range", score=300.0), LATENCY],
        Category.INFRASTRUCTURE,
        "latency",
    ),
    "a failing server": (
        [raised("requests", Category.INFRASTRUCTURE), CONFIDENCE],
        Category.INFRASTRUCTURE,
        "requests",
    ),
    "a flood of NaN": ([raised("f3", Category.DATA_QUALITY), VECTOR, CONFIDENCE], Category.DATA_QUALITY, "f3"),
    "outliers alone": ([OUT_OF_RANGE, VECTOR], Category.DATA_QUALITY, "f1"),
    "columns exchanged that are alike": (
        [raised("f7", baseline="rolling", value=0.3, score=20.0), LABELS],
        Category.DATA_DRIFT,
        "f7",
    ),
    "a bug while inputs wander": (
        [raised("f7", baseline="rolling", value=0.3, score=12.0), LABELS],
        Category.PERFORMANCE,
        "error",
    ),
    "a bug that leaves its inputs aside": (
        [raised("f7, prediction", statistic="correlation", baseline="rolling", score=50.0), LABELS],
        Category.PERFORMANCE,
        "error",
    ),
    "a jump of what wanders": (
        [raised("f7", baseline="rolling", detector="jump", statistic="jump", value=3.0, threshold=2.0), LABELS],
        Category.DATA_DRIFT,
        "f7",
    ),
    "wrong predictions alone": ([LABELS], Category.PERFORMANCE, "error"),
    "wrong and unsure predictions": ([CONFIDENCE, LABELS], Category.PERFORMANCE, "error"),
    "confidence alone": ([CONFIDENCE], Category.CONFIDENCE, "confidence"),
    "unsure and other predictions": (
        [raised("prediction", score=300.0), CONFIDENCE],
        Category.CONFIDENCE,
        "confidence",
    ),
    "other predictions alone": ([raised("prediction")], Category.DATA_DRIFT, "prediction"),
    "an unusual vector alone": ([VECTOR], Category.DATA_DRIFT, "vector"),
    "inputs that a failing store left out": (
        [raised("f3", Category.DATA_QUALITY, score=300.0), LATENCY, CONFIDENCE],
        Category.INFRASTRUCTURE,
        "latency",
    ),
    "a sensor that broke before the server was slow": (
        [raised("f3", Category.DATA_QUALITY, first_bad_at=T0 - 9000), LATENCY],
        Category.DATA_QUALITY,
        "f3",
    ),
    "an attack that costs time": ([LATENCY, raised("queries", Category.ATTACK)], Category.ATTACK, "queries"),
    "unfair after drift": ([raised("gap", Category.FAIRNESS), raised("f2")], Category.DATA_DRIFT, "f2"),
    "unfair": ([raised("gap", Category.FAIRNESS), CONFIDENCE], Category.FAIRNESS, "gap"),
    "unsafe output": ([raised("judge", Category.OUTPUT_SAFETY)], Category.OUTPUT_SAFETY, "judge"),
    "a person's report": ([raised("it is wrong", Category.HUMAN_REPORT)], Category.HUMAN_REPORT, "it is wrong"),
    "a report that confidence explains": (
        [raised("it is wrong", Category.HUMAN_REPORT), CONFIDENCE],
        Category.CONFIDENCE,
        "confidence",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_cause_is_named_whatever_the_order_of_its_signals(fault: str) -> None:
    """Category and best evidence are those of the cause, forwards and backwards."""
    signals, category, subject = FAULTS[fault]
    for order in (signals, signals[::-1]):
        found = attribute(order)
        assert (found.category, found.ranked[0].subject) == (category, subject)
        assert sorted(found.ranked, key=lambda s: s.id) == sorted(signals, key=lambda s: s.id)


def test_evidence_of_the_same_feature_follows_the_cause() -> None:
    """A value out of range stands next to the drift of its feature, before symptoms of higher score."""
    found = attribute([raised("confidence", Category.CONFIDENCE, score=300.0), OUT_OF_RANGE, raised("f1")])
    assert [signal.statistic for signal in found.ranked] == ["psi", "range", "mean"]


def test_an_upstream_model_explains_the_models_that_read_its_output() -> None:
    """The origin is the most upstream model, though a downstream one was seen earlier and scores higher."""
    down = raised("f1", Category.DATA_QUALITY, model="price", score=200.0, first_bad_at=T0 - 9000)
    up = raised("confidence", Category.CONFIDENCE, model="risk")
    found = attribute([down, up], {"features": 0, "risk": 1, "price": 2})
    assert (found.origin, found.category, found.ranked) == ("risk", Category.CONFIDENCE, (up, down))


@pytest.mark.parametrize("weak", [{"score": 1.0}, {"backfill": True}, {"score": math.nan}])
def test_a_weak_signal_decides_nothing_where_there_is_a_strong_one(weak: dict[str, object]) -> None:
    """A cause below the floor, of late rows, or of no score at all does not explain what is above it."""
    hint = raised("f3", Category.DATA_QUALITY, **weak)
    found = attribute([hint, CONFIDENCE], floor=3.0)
    assert (found.category, found.ranked) == (Category.CONFIDENCE, (CONFIDENCE, hint))
    assert attribute([hint], floor=3.0).category is Category.DATA_QUALITY


def test_every_kind_of_evidence_has_a_category_and_every_category_a_kind() -> None:
    """No signal is left without a place in the causal order."""
    assert set(CATEGORY) == set(Kind)
    for category in Category:
        signal: SignalRaised = raised("x", category)
        assert CATEGORY[kind_of(signal)] is category
        assert weight(signal) == signal.score


def test_features_that_move_a_little_at_the_same_time_are_the_cause_where_all_of_them_make_it_sure() -> None:
    """Swapped columns move two features, neither beyond doubt by itself: both together are why outputs are wrong."""
    little = {"value": 0.2, "baseline": "rolling", "score": 9.0}
    wrong = raised("error", Category.PERFORMANCE)
    one, other = raised("f1", **little), raised("f2", **little)
    assert attribute([one, other, wrong]).category is Category.DATA_DRIFT
    assert attribute([one, wrong]).category is Category.PERFORMANCE
    assert attribute([one, raised("f1, f2", **little), wrong]).category is Category.PERFORMANCE
    earlier = raised("f2", **little, first_bad_at=T0 - 2000, window_from=T0 - 2000, window_to=T0 - 1500)
    assert attribute([one, earlier, wrong]).category is Category.PERFORMANCE


def test_what_is_far_from_the_reference_explains_sudden_errors_only_where_it_was_so_before_or_its_level_left() -> None:
    """A column on its way for long is no cause of errors that begin in the window that shows it far away."""
    far = {"window_from": T0, "window_to": T0 + 9000, "first_bad_at": T0}
    error = {"baseline": "rolling", "window_from": T0 + 1000, "window_to": T0 + 4000, "first_bad_at": T0 + 1000}
    wrong, way = raised("error", Category.PERFORMANCE, **error), raised("f1", **far)
    assert attribute([way, wrong]).category is Category.PERFORMANCE
    before = raised("f1", **{name: at - 10_000 for name, at in far.items()})
    assert attribute([before, wrong]).category is Category.DATA_DRIFT
    little = {"value": 0.3, "score": 8.0, "baseline": "rolling"} | far
    assert attribute([way, raised("f1", statistic="mean", **little), wrong]).category is Category.DATA_DRIFT
    assert attribute([way, raised("f1", statistic="scale", **little), wrong]).category is Category.PERFORMANCE
    slow = raised("error", Category.PERFORMANCE, **(error | {"baseline": "reference"}))
    assert attribute([way, slow]).category is Category.DATA_DRIFT
