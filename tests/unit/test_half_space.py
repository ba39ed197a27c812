"""The forest: river's own trees and masses, scored as arrays."""

from dataclasses import replace

import numpy as np
import pytest
from river.anomaly import HalfSpaceTrees

from agents.detection.detectors.half_space import SEED, Forest
from schemas.errors import SchemaError
from schemas.thresholds import Forest as Policy

COLUMNS = np.array([0, 1, 2], dtype=np.int64)
RNG = np.random.default_rng(0)
REFERENCE = RNG.normal(size=(3, 400))


def grown() -> Forest:
    """Return a forest that learnt the reference."""
    forest = Forest.learn(COLUMNS, REFERENCE, Policy())
    assert forest is not None
    return forest


def test_scores_equal_those_of_river() -> None:
    """A forest's scores are what river's HalfSpaceTrees gives after learning the same rows."""
    forest = grown()
    river = HalfSpaceTrees(n_trees=10, height=6, window_size=400, seed=SEED)
    for row in forest._scaled(REFERENCE).T.tolist():
        river.learn_one(dict(enumerate(row)))
    fresh = RNG.normal(size=(3, 50)) * 2
    wanted = [river.score_one(dict(enumerate(row))) for row in forest._scaled(fresh).T.tolist()]
    assert forest.score(fresh) == pytest.approx(wanted, abs=1e-12)


def test_rows_unlike_the_reference_score_higher() -> None:
    """Far rows score higher than usual ones, 1e300 is a number like any other, and rows with a NaN have no score."""
    usual = grown().score(RNG.normal(size=(3, 100)))
    far = grown().score(np.full((3, 5), 1e300))
    assert far.min() > usual.mean()
    holes = np.array([[np.nan, 0.0], [0, 0], [0, 0]])
    assert np.isnan(grown().score(holes)).tolist() == [True, False]


def test_too_few_complete_rows_make_no_forest() -> None:
    """Without enough complete rows, or without a feature, there is no forest."""
    assert Forest.learn(COLUMNS, REFERENCE[:, :20], Policy()) is None
    assert Forest.learn(COLUMNS[:0], REFERENCE, Policy()) is None


def test_a_forest_is_saved_exactly_and_damage_is_refused() -> None:
    """State round-trips to the same bytes and scores; what does not fit is a SchemaError."""
    state = grown().state()
    again = Forest.of_state(state)
    assert again.state() == state
    assert again.score(REFERENCE).tolist() == grown().score(REFERENCE).tolist()
    for damaged in (
        replace(state, height=30),
        replace(state, columns=b""),
        replace(state, masses=b"x"),
        replace(state, trees=0),
    ):
        with pytest.raises(SchemaError):
            Forest.of_state(damaged)
