"""The streams that are watched: which river detector triggers each, and what counts as a shift of it."""

import math
from collections.abc import Callable

from agents.detection.detectors.shift import Spec
from agents.detection.detectors.triggers import Adwin, Trigger
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category

SCORED = "score:"
"""A judge's stream is called this and the judge's name."""

LEARN = 200
"""Values that a stream's mean and deviation are learnt from."""


def spec_of(name: str, thresholds: Thresholds, window: int) -> Spec:
    """Return what a stream is; SchemaError where there is none of that name."""
    if name.startswith(SCORED):
        return _scored(name, thresholds, window)
    if name not in _SPECS:
        raise SchemaError(f"no detector is named {name[:80]!r}")
    return _SPECS[name](thresholds, window)


def trigger_of(name: str) -> Trigger | None:
    """Return a fresh river detector for a stream, or None where the window's mean alone decides."""
    if name == "vector":
        return None
    return Adwin(0.002)


def _confidence(thresholds: Thresholds, window: int) -> Spec:
    return Spec(
        detector="adwin",
        subject="confidence",
        statistic="mean",
        baseline="rolling",
        category=Category.CONFIDENCE,
        symptom=True,
        learn=LEARN,
        window=window,
        direction=-1,
        effect=thresholds.streams.confidence_shift,
        spread=0.01,
    )


def _latency(thresholds: Thresholds, window: int) -> Spec:
    return Spec(
        detector="adwin",
        subject="latency",
        statistic="geometric_mean",
        baseline="rolling",
        category=Category.INFRASTRUCTURE,
        symptom=False,
        learn=LEARN,
        window=window,
        absolute=math.log(thresholds.streams.latency_factor),
        floor=thresholds.streams.latency_floor_ms,
        spread=0.05,
        log=True,
    )


def _vector(thresholds: Thresholds, window: int) -> Spec:
    return Spec(
        detector="half_space_trees",
        subject="vector",
        statistic="mean",
        baseline="reference",
        category=Category.DATA_DRIFT,
        symptom=True,
        learn=LEARN,
        window=min(window, thresholds.forest.sample),
        effect=thresholds.forest.shift,
        spread=1e-4,
    )


def _scored(name: str, thresholds: Thresholds, window: int) -> Spec:
    technique = thresholds.attacks.judges.get(name.removeprefix(SCORED))
    return Spec(
        detector="adwin",
        subject=name,
        statistic="mean",
        baseline="rolling",
        category=Category.ATTACK if technique else Category.OUTPUT_SAFETY,
        technique=technique,
        symptom=False,
        learn=LEARN,
        window=min(window, thresholds.labels.window),
        effect=thresholds.streams.score_shift,
        spread=0.01,
    )


_SPECS: dict[str, Callable[[Thresholds, int], Spec]] = {
    "confidence": _confidence,
    "latency": _latency,
    "vector": _vector,
}
