"""Confidence: what it promises is held against labels, and speaks for them while they are missing."""

from typing import Any

import numpy as np
import pytest

from agents.detection.detectors.calibration import Calibration
from agents.detection.detectors.catalogue import Setting, make
from agents.detection.detectors.estimate import Estimate
from agents.detection.detectors.promise import Promise
from agents.detection.sample import Sample, streams
from schemas.telemetry import LabelBatch
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.traffic import START, Traffic, labelled

SETTING = Setting(thresholds=Thresholds())


def truthful(rng: np.random.Generator, count: int) -> tuple[Any, Any]:
    """Return confidences and error bits of a model that is right as often as it says."""
    confidence = rng.beta(5, 2.5, count)
    return confidence, rng.random(count) > confidence


def rows(confidence: Any, at: int = START) -> Sample:
    """Return a sample of rows with their confidence."""
    return Sample(rows=len(confidence), at_from=at, at_to=at, streams=streams(confidence=confidence))


def calibrated(parts: list[tuple[Any, Any]]) -> tuple[list[Any], Calibration]:
    """Return what is raised after each part of confidences and errors."""
    detector = make("calibration", SETTING)
    assert isinstance(detector, Calibration)
    answers = []
    for confidence, errors in parts:
        detector.update(labelled(errors, confidence=confidence))
        answers.append(detector.levels())
    return answers, detector


def test_confidence_that_grows_without_its_accuracy_is_raised_with_both() -> None:
    """Confidence is pushed up while as many predictions are wrong as before: overconfident, with the share of right."""
    rng = np.random.default_rng(1)
    usual = [truthful(rng, 400) for _ in range(12)]
    bold = [(confidence**0.2, errors) for confidence, errors in (truthful(rng, 400) for _ in range(4))]
    answers, _ = calibrated(usual + bold)
    assert not any(answers[:12])
    (level,) = answers[13]
    assert (level.category, level.statistic) == (Category.CONFIDENCE, "calibration_gap")
    assert level.value > 0.1
    assert "overconfident" in level.note


def test_timid_confidence_is_raised_as_well() -> None:
    """Confidence falls while the predictions are as right as before: underconfident."""
    rng = np.random.default_rng(2)
    usual = [truthful(rng, 400) for _ in range(12)]
    timid = [(confidence * 0.6, errors) for confidence, errors in (truthful(rng, 400) for _ in range(4))]
    answers, _ = calibrated(usual + timid)
    assert "underconfident" in answers[-1][0].note


def test_a_model_that_gets_worse_or_meets_harder_rows_is_no_fault_of_calibration() -> None:
    """More errors under the same confidence are performance's; harder rows that it is less sure of are calibrated."""
    rng = np.random.default_rng(3)
    usual = [truthful(rng, 400) for _ in range(12)]
    worse = [(confidence, rng.random(400) < 0.5) for confidence, _ in (truthful(rng, 400) for _ in range(4))]
    harder = []
    for _ in range(4):
        confidence = rng.beta(3, 2, 400)
        harder.append((confidence, rng.random(400) > confidence))
    assert not any(calibrated(usual + worse)[0])
    assert not any(calibrated(usual + harder)[0])


def test_the_promise_rises_with_confidence_and_smooths_few() -> None:
    """Isotonic: where more confident predictions were less right by chance, both bins promise the same."""
    promise = Promise()
    promise.table[10], promise.table[12], promise.table[18] = (100, 70), (100, 60), (100, 90)
    kept = promise.kept()
    assert (np.diff(kept) >= 0).all()
    assert kept[10] == kept[12] == pytest.approx(0.65, abs=0.01)


def estimated(calm: int, low: int, labels: Any) -> Any:
    """Return what the estimate raises: calm windows, then low confidence; `labels` says whether labels go on."""
    rng = np.random.default_rng(4)
    detector = make("estimate", SETTING)
    assert isinstance(detector, Estimate)
    if labels is not None:
        confidence, errors = truthful(rng, 1000)
        detector.update(labelled(errors, confidence=confidence))
    for i in range(calm + low):
        detector.update(rows(rng.beta(8, 2, 500) * (0.7 if i >= calm else 1), START + 1000 + i))
        if labels:
            confidence, errors = truthful(rng, 100)
            given = labelled(errors, confidence=confidence, at=np.full(100, START + 1000 + i))
            detector.update(given)
    return detector.levels()


def test_the_estimate_speaks_only_where_labels_taught_it_and_none_of_these_rows_came() -> None:
    """Low confidence after the labels ended: an estimated accuracy, called so; with labels, or never any: nothing."""
    (level,) = estimated(10, 4, labels=False)
    assert (level.category, level.statistic, level.subject) == (
        Category.PERFORMANCE,
        "estimated_accuracy",
        "accuracy",
    )
    assert level.value == pytest.approx(0.55, abs=0.08)
    assert "an estimate" in level.note
    assert estimated(10, 4, labels=True) == []
    assert estimated(10, 4, labels=None) == []
    assert estimated(40, 0, labels=False) == []


def test_a_bug_is_one_fault_of_performance_though_confidence_breaks_its_promise() -> None:
    """Sure and wrong: the error share is raised, its miscalibration is not told beside it."""
    rng = np.random.default_rng(7)
    traffic = Traffic()
    for i in range(40):
        confidence, wrong = truthful(rng, 250)
        if i >= 24:
            wrong, confidence = rng.random(250) < 0.6, confidence**0.3
        ids = tuple(f"{i}-{n}" for n in range(250))
        made = np.where(rng.random(250) < 0.5, "yes", "no")
        truth = tuple(np.where(wrong, np.where(made == "yes", "no", "yes"), made).tolist())
        columns = {"prediction_id": list(ids), "prediction": made.tolist(), "f0": rng.normal(size=250)}
        traffic.send(columns | {"confidence": confidence})
        at = (START + traffic.offset * 1000,) * 250
        traffic.hand(LabelBatch(model="m", source="t", first_position=i * 250, prediction_ids=ids, labels=truth, at=at))
    signals = {(signal.category, signal.detector) for signal in traffic.raised}
    assert (Category.PERFORMANCE, "performance") in signals
    assert not {detector for _, detector in signals} & {"calibration", "estimate"}
