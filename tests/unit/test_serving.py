"""The serving itself: saturation, silence, and requests whose predictions never came."""

from typing import Any

import numpy as np

from schemas.telemetry import HealthSample
from schemas.values import Category
from tests.traffic import START, Traffic, features


def health(instance: str = "a", **given: Any) -> HealthSample:
    """Return what an instance says of itself."""
    facts: dict[str, Any] = {"requests": 100, "failures": 0, **given}
    return HealthSample(model="m", version="1", instance=instance, at=START, **facts)


def sent(traffic: Traffic, rng: np.random.Generator, rows: int, instance: str = "a") -> None:
    """Send rows of an instance."""
    traffic.send(features(rng, rows, 3), instance)


def found(traffic: Traffic) -> set[tuple[str, str, str]]:
    """Return statistic, subject and instance of what serving raised."""
    raised = [signal for signal in traffic.raised if signal.detector == "serving"]
    assert {signal.category for signal in raised} <= {Category.INFRASTRUCTURE}
    return {(signal.statistic, signal.subject, signal.instance) for signal in raised}


def test_a_saturated_instance_is_named_after_three_samples_and_cleared() -> None:
    """One of two instances at its limit is raised with its name; one hot sample alone is nothing."""
    traffic = Traffic()
    for level in (0.95, 0.3, 0.95, 0.95, float("nan")):
        traffic.hand(health("a", saturation=level))
        traffic.hand(health("b", saturation=0.2))
    assert found(traffic) == set()
    traffic.hand(health("a", saturation=0.97))
    assert found(traffic) == {("saturation", "saturation", "a")}
    for _ in range(6):
        traffic.hand(health("a", saturation=0.5))
    assert traffic.standing == set()


def test_requests_without_predictions_are_orphans() -> None:
    """While each answered request has its row nothing is raised; when half of them have none, they are missed."""
    traffic, rng = Traffic(), np.random.default_rng(1)
    for _ in range(60):
        sent(traffic, rng, 100)
        traffic.hand(health(requests=105, failures=5))
    assert found(traffic) == set()
    for _ in range(30):
        sent(traffic, rng, 50)
        traffic.hand(health())
    assert found(traffic) == {("orphans", "requests", "")}
    for _ in range(30):
        sent(traffic, rng, 100)
        traffic.hand(health())
    assert traffic.standing == set()


def test_a_model_that_sends_every_tenth_prediction_has_no_orphans() -> None:
    """What is usual of the telemetry is learnt: a sample is no loss."""
    traffic, rng = Traffic(), np.random.default_rng(2)
    for _ in range(120):
        sent(traffic, rng, 50)
        traffic.hand(health(requests=500))
    assert found(traffic) == set()


def test_an_instance_that_falls_silent_while_others_go_on_is_a_candidate() -> None:
    """It is named, as a candidate only: it may have been taken away on purpose; long gone, it is forgotten."""
    traffic, rng = Traffic(), np.random.default_rng(3)
    for _ in range(20):
        for instance in "abc":
            sent(traffic, rng, 100, instance)
    assert found(traffic) == set()
    for _ in range(30):
        for instance in "ab":
            sent(traffic, rng, 100, instance)
    assert found(traffic) == {("silence", "instance c", "")}
    assert [signal.material for signal in traffic.raised] == [False]
    for _ in range(90):
        for instance in "ab":
            sent(traffic, rng, 100, instance)
    assert traffic.standing == set()
