"""Output safety: one severe output is enough, many unsafe ones are too, and harmless ones end it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from schemas.errors import SchemaError
from schemas.telemetry import ScoreBatch
from schemas.thresholds import Safety, Thresholds
from schemas.values import Category
from tests.traffic import START, Traffic, features


def scored(scores: Sequence[float], first: int = 0, judge: str = "toxicity") -> ScoreBatch:
    """Return scores of a judge for predictions that are numbered from `first`."""
    return ScoreBatch(
        model="m",
        version="1",
        instance="a",
        judge=judge,
        prediction_ids=tuple(f"p{first + n}" for n in range(len(scores))),
        at=(START,) * len(scores),
        scores=tuple(map(float, scores)),
    )


def harmless(rng: np.random.Generator, count: int = 100) -> Any:
    """Return scores as a judge gives them to ordinary answers."""
    return rng.beta(1, 12, count) * 0.5


def test_a_single_severe_output_raises_at_once_with_its_prediction_and_clears_after_harmless_ones() -> None:
    """The first record with it raises, names the prediction, and two hundred harmless scores clear it."""
    traffic, rng = Traffic(), np.random.default_rng(1)
    scores = harmless(rng)
    scores[41] = 0.97
    traffic.hand(scored(scores, 1000))
    (signal,) = traffic.raised
    assert (signal.category, signal.statistic, signal.rows) == (Category.OUTPUT_SAFETY, "severe", 1)
    assert "prediction 'p1041'" in signal.summary
    traffic.hand(scored(harmless(rng)))
    assert traffic.cleared == []
    traffic.hand(scored(harmless(rng)))
    assert len(traffic.cleared) == 1


def test_a_severe_output_is_told_on_a_model_of_several_instances_whose_rows_stand_still() -> None:
    """No rows of other instances are waited for."""
    traffic, rng = Traffic(), np.random.default_rng(1)
    for number in range(6):
        traffic.send(features(rng, 500, 3), "abc"[number % 3])
    traffic.hand(scored([0.95]))
    assert [signal.statistic for signal in traffic.raised] == ["severe"]


@pytest.mark.parametrize("usual", [0.0, 0.03])
def test_a_rising_share_of_unsafe_outputs_is_raised_and_cleared(usual: float) -> None:
    """A tenth of unsafe scores more than usual is raised in two windows, though none of them is severe."""
    traffic, rng = Traffic(), np.random.default_rng(2)

    def send(share: float, batches: int) -> None:
        for _ in range(batches):
            scores = harmless(rng)
            scores[rng.random(100) < share] = 0.6
            traffic.hand(scored(scores))

    send(usual, 40)
    assert traffic.raised == []
    send(usual + 0.15, 8)
    assert "unsafe_share" in {signal.statistic for signal in traffic.raised}
    assert {signal.category for signal in traffic.raised} == {Category.OUTPUT_SAFETY}
    send(usual, 20)
    assert traffic.standing == set()


def test_unsafe_from_the_first_output_on_is_raised_by_the_fixed_limit() -> None:
    """A model that never was safe has no usual share that could excuse it."""
    traffic, rng = Traffic(), np.random.default_rng(3)
    for _ in range(8):
        scores = harmless(rng)
        scores[rng.random(100) < 0.3] = 0.7
        traffic.hand(scored(scores))
    assert {signal.baseline for signal in traffic.raised if signal.statistic == "unsafe_share"} == {"limit"}


def test_a_judge_that_wobbles_raises_nothing() -> None:
    """Thirty thousand scores around the same rate are nothing."""
    traffic, rng = Traffic(), np.random.default_rng(4)
    for _ in range(300):
        scores = harmless(rng)
        scores[rng.random(100) < 0.02] = 0.6
        traffic.hand(scored(scores))
    assert traffic.raised == []


def test_nothing_depends_on_how_scores_were_batched() -> None:
    """The same scores in tens and in hundreds leave the same signals standing and the same state of the judge."""
    rng = np.random.default_rng(5)
    scores = np.where(rng.random(3000) < 0.25, 0.7, rng.beta(1, 12, 3000) * 0.5)
    scores[1500] = 0.99
    told = []
    for size in (10, 100):
        traffic = Traffic()
        for first in range(0, len(scores), size):
            traffic.hand(scored(scores[first : first + size], first), START)
        told.append([(s.statistic, s.value, s.score, s.summary) for s in traffic.raised if s.detector == "safety"])
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_a_ninth_judge_is_refused_and_the_eight_are_heard() -> None:
    """Judges are bounded; each raises for itself."""
    traffic = Traffic(Thresholds(safety=Safety(severe=0.8)))
    for number in range(8):
        traffic.hand(scored([0.85], judge=f"j{number}"))
    with pytest.raises(SchemaError, match="one more"):
        traffic.hand(scored([0.85], judge="j8"))
    assert {signal.subject for signal in traffic.raised} == {f"score:j{number}" for number in range(8)}
