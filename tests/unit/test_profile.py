"""Profiles: bins that suit the feature, robust ranges, categories by frequency, and exact state."""

from dataclasses import replace

import numpy as np
import pytest

from agents.detection.profile import Facet, Profile, histogram, learn
from agents.detection.sample import BAD
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

NUMBER = Facet(name="f", role="feature", text=False)


def learnt(*columns: np.ndarray, facets: tuple[Facet, ...] = ()) -> Profile:
    """Return the profile of some columns."""
    given = facets or tuple(replace(NUMBER, name=f"f{i}") for i in range(len(columns)))
    bad = np.zeros((len(columns), len(BAD)), dtype=np.int64)
    repeats = np.tile([0, 1999], (len(columns), 1))
    profile, _ = learn(given, np.array(columns, dtype=np.float64), bad, repeats, Thresholds())
    return profile


def test_a_continuous_feature_has_ten_equal_bins_open_at_both_ends() -> None:
    """Each bin of a normal reference holds a tenth of it, and any number falls in one."""
    values = np.random.default_rng(0).normal(size=2000)
    profile = learnt(values)
    assert profile.counts[0] == pytest.approx([200] * 10, abs=1)
    assert profile.histogram(np.array([[-1e300, 1e300, np.nan]])).sum() == 2


def test_a_common_value_has_a_bin_of_its_own() -> None:
    """A feature that is mostly 0 shows a move to either side of 0, and a constant one any move."""
    values = np.where(np.arange(2000) % 10 == 0, np.arange(2000) / 100, 0.0)
    profile = learnt(values, np.full(2000, 7.0))
    for facet, moves in ((0, (-1e-9, 0.0)), (1, (6.9, 7.0, 7.1))):
        bins = [profile.histogram(np.full((2, 1), move))[facet].argmax() for move in moves]
        assert len(set(bins)) == len(moves)


@pytest.mark.parametrize("rows", [1, 7, 8, 9, 250])
def test_the_histogram_is_what_numpy_counts(rows: int) -> None:
    """For any number of rows the fast count equals searchsorted's, and NaN is counted nowhere."""
    rng = np.random.default_rng(rows)
    matrix = rng.normal(size=(3, rows))
    matrix[1, 0] = np.nan
    edges = np.sort(rng.normal(size=(3, 9)), axis=1)
    wanted = [
        np.bincount(np.searchsorted(edge, row[np.isfinite(row)]), minlength=10).tolist()
        for edge, row in zip(edges, matrix, strict=True)
    ]
    assert histogram(matrix, edges).tolist() == wanted


def test_categories_are_ordered_by_how_common_they_are() -> None:
    """The most common strings have bins of their own, the rest share the last one; unused ones are unseen."""
    codes = np.repeat(np.arange(15.0), [100] * 14 + [600])
    facet = Facet(name="t", role="feature", text=True, categories=(*"abcdefghijklmno", "never"))
    profile = learnt(codes, facets=(facet,))
    assert profile.facets[0].categories == ("o", *"abcdefghijklmn")
    assert profile.counts[0].tolist() == [600, *[100] * 8, 600]


def test_one_wild_value_in_the_reference_does_not_widen_its_range() -> None:
    """A range comes from quantiles: 1e300 stays out of range although the reference had one."""
    values = np.random.default_rng(0).normal(size=2000)
    values[3] = 1e300
    profile = learnt(values, np.full(2000, 7.0), np.linspace(-1.0, 1.0, 2000) * 1.7e308)
    assert 10 < profile.high[0] < 100
    assert profile.low[1] < 7 < profile.high[1]
    assert np.isfinite([profile.low, profile.high]).all()
    assert profile.bad[0, -1] == 1


def test_a_feature_with_too_few_values_or_a_stream_has_no_histogram() -> None:
    """Too few clean values are not enough data; confidence and latency are judged as streams."""
    few = np.where(np.arange(2000) < 100, 1.0, np.nan)
    facets = (NUMBER, Facet(name="confidence", role="confidence", text=False))
    profile = learnt(few, np.linspace(0, 1, 2000), facets=facets)
    assert profile.used.sum(axis=1).tolist() == [1, 1]
    assert (profile.low[1], profile.high[1]) == (0, 1), "a confidence has the range that it can have"


def test_a_profile_is_saved_exactly_and_damage_is_refused() -> None:
    """State round-trips to the same bytes; arrays that do not fit are a SchemaError."""
    state = learnt(np.random.default_rng(0).normal(size=2000), np.zeros(2000)).state()
    assert Profile.of_state(state).state() == state
    for damaged in (replace(state, facets=()), replace(state, counts=b"x"), replace(state, edges=b"")):
        with pytest.raises(SchemaError):
            Profile.of_state(damaged)
