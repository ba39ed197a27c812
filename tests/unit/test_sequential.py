"""Sequential drift: whitened, calibrated, the same in whatever batches, and never blinded."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.detection.columns import Floats
from agents.detection.detectors.sequential.drift import Drift
from agents.detection.detectors.sequential.steps import UNIT
from agents.detection.detectors.sequential.whiten import Whitening
from agents.detection.profile import Facet, learn
from agents.detection.sample import BAD, Sample
from agents.detection.season import DAY, NONE, Season, fit
from schemas.thresholds import Thresholds
from tests.bench.drift.run import main

START = 1_700_000_000_000
MINUTE = 60_000


def made(values: Floats, texts: int = 0, policy: Thresholds | None = None, step: int = MINUTE) -> Drift:
    """Return a detector that has learnt from a reference; its last facets are text."""
    policy = policy or Thresholds()
    count, rows = values.shape
    names = ("a", "b", "c", "d")
    facets = tuple(
        Facet(name=f"f{i}", role="feature", text=i >= count - texts, categories=names if i >= count - texts else ())
        for i in range(count)
    )
    times = START + np.arange(rows) * step
    bad = np.zeros((count, len(BAD)), dtype=np.int64)
    profile, cells = learn(facets, values, bad, np.tile([0, rows - 1], (count, 1)), policy, times)
    drift = Drift(profile, policy)
    steady = profile.season.adjust(cells, times)
    drift.begin(Sample(rows=0, at_from=START, at_to=START, values=cells, steady=steady, times=times))
    return drift


def feed(drift: Drift, values: Floats, first: int, size: int = 250, season: Season | None = None) -> set[Any]:
    """Give rows in batches, and return statistic and subject of all that was raised."""
    found = set()
    for at in range(0, values.shape[1], size):
        part = values[:, at : at + size]
        times = START + (first + at + np.arange(part.shape[1])) * MINUTE
        steady = part if season is None else season.adjust(part, times)
        rows, bounds = part.shape[1], (int(times[0]), int(times[-1]))
        drift.update(Sample(rows=rows, at_from=bounds[0], at_to=bounds[1], values=part, steady=steady, times=times))
        found |= {(level.statistic, level.subject) for level in drift.levels()}
    return found


def autocorrelated(rng: np.random.Generator, facets: int, rows: int, phi: float = 0.8) -> Floats:
    """Return first-order autoregressive values of deviation 1."""
    noise = rng.normal(size=(facets, rows)) * math.sqrt(1 - phi**2)
    for i in range(1, rows):
        noise[:, i] += phi * noise[:, i - 1]
    return noise


def test_false_alarms_come_as_often_as_policy_says() -> None:
    """Eight features and two texts, one false alarm expected every 10,000 rows: 15 to 60 come in 300,000."""
    rng = np.random.default_rng(1)
    policy = Thresholds(rows_between_false_alarms=10_000)

    def rows(count: int) -> Floats:
        codes = (rng.random((2, count))[:, :, None] > np.array([0.4, 0.7, 0.9])).sum(axis=2)
        return np.concatenate([np.exp(rng.normal(size=(4, count))), rng.normal(size=(4, count)), codes])

    drift = made(rows(2000), texts=2, policy=policy)
    alarms, standing = 0, False
    for at in range(2000, 302_000, 500):
        raised = bool(feed(drift, rows(500), at, 500))
        alarms += raised and not standing
        standing = raised
    assert 15 <= alarms <= 60


@pytest.mark.parametrize("phi", [0.0, 0.8])
def test_innovations_are_white_whatever_depends_on_its_own_past(phi: float) -> None:
    """What is learnt from has innovations of mean 0, deviation 1 and no correlation with the one before."""
    values = autocorrelated(np.random.default_rng(2), 3, 4000, phi)
    learnt = Whitening(values, START + np.arange(4000) * MINUTE, NONE, 65_536).learnt / UNIT
    assert np.abs(learnt.mean(axis=1)).max() < 0.01
    assert np.abs(learnt.std(axis=1) - 1).max() < 0.01
    assert np.abs((learnt[:, 1:] * learnt[:, :-1]).mean(axis=1)).max() < 0.06


def test_a_season_is_found_where_there_is_one() -> None:
    """A daily wave is taken out; noise that wanders slowly is not taken for one; too short a reference shows none."""
    rng = np.random.default_rng(3)
    times = START + np.arange(4000) * MINUTE
    wave = 2 * np.sin(2 * np.pi * times / DAY)
    values = np.stack([wave + rng.normal(size=4000), rng.normal(size=4000), *autocorrelated(rng, 4, 4000, 0.95)])
    season = fit(values, times, np.arange(6))
    assert season.seasonal.tolist() == [0]
    assert season.adjust(values, times)[0].std() == pytest.approx(1, abs=0.05)
    assert len(fit(values[:, :1500], times[:1500], np.arange(6)).seasonal) == 0


def test_each_fault_is_found_and_named_by_its_statistic() -> None:
    """Mean, scale, share of a category and correlation of two, each by its own name, and all of them cleared."""
    rng = np.random.default_rng(4)

    def rows(count: int) -> Floats:
        return np.concatenate([rng.normal(size=(6, count)), rng.integers(0, 4, (1, count))])

    drift = made(rows(2000), texts=1)
    assert feed(drift, rows(10_000), 2000) == set()
    broken = rows(2000)
    broken[0] += 0.7
    broken[1] *= 1.5
    broken[2] = 0.7 * broken[3] + math.sqrt(0.51) * broken[2]
    broken[6, rng.random(2000) < 0.4] = 0
    found = feed(drift, broken, 12_000)
    assert found == {("mean", "f0"), ("scale", "f1"), ("correlation", "f2, f3"), ("share", "f6")}
    feed(drift, rows(4000), 14_000)
    assert drift.levels() == []


def test_the_first_bad_time_is_where_the_evidence_began() -> None:
    """A mean that moved by 1 σ is dated to within a few dozen rows of when it did, and its size is told."""
    rng = np.random.default_rng(5)
    drift = made(rng.normal(size=(4, 2000)))
    feed(drift, rng.normal(size=(4, 6000)), 2000)
    feed(drift, rng.normal(size=(4, 1000)) + np.array([[1.0], [0], [0], [0]]), 8000)
    (level,) = [level for level in drift.levels() if level.statistic == "mean"]
    assert abs((level.first_bad_at - START) / MINUTE - 8000) < 40
    assert level.value == pytest.approx(1, abs=0.2)
    assert level.material


def test_a_small_drift_is_not_material_until_it_has_grown() -> None:
    """A quarter of a deviation is raised without being material; where it grows to a whole one, it becomes so."""
    rng = np.random.default_rng(6)
    drift = made(rng.normal(size=(2, 2000)))
    feed(drift, rng.normal(size=(2, 20_000)), 2000)
    feed(drift, rng.normal(size=(2, 3000)) + np.array([[0.25], [0]]), 22_000)
    assert [level.material for level in drift.levels()] == [False]
    feed(drift, rng.normal(size=(2, 2000)) + np.array([[1.0], [0]]), 25_000)
    assert [level.material for level in drift.levels() if level.statistic == "mean"] == [True]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cuts=st.lists(st.integers(1, 700), min_size=4, max_size=12), seed=st.integers(0, 1000))
def test_state_does_not_depend_on_how_rows_were_cut(cuts: list[int], seed: int) -> None:
    """The same rows in other batches leave the same bytes, with a season, gaps, a shift and its end among them."""
    rng = np.random.default_rng(seed)
    times = START + np.arange(2600) * MINUTE
    wave = np.sin(2 * np.pi * times / DAY) * np.array([[2.0], [0], [0], [0]])
    reference = wave + np.concatenate([autocorrelated(rng, 3, 2600), rng.integers(0, 3, (1, 2600))])
    whole, parts = made(reference, texts=1), made(reference, texts=1)
    rows = np.concatenate([autocorrelated(rng, 3, 3000), rng.integers(0, 3, (1, 3000))])
    rows[1, 900:1900] += 3
    rows[:, 1200:1215] = np.nan
    season = whole._profile.season
    feed(whole, rows, 2600, 250, season)
    first = 0
    for size in [*cuts, 3000]:
        feed(parts, rows[:, first : first + size], 2600 + first, max(size, 1), season)
        first += size
    assert parts.state() == whole.state()


def test_nothing_in_a_cell_blinds_it() -> None:
    """NaN, infinities, 1e300 and subnormals in every column, for rows and in the reference, and a shift is found."""
    rng = np.random.default_rng(7)
    wild = np.array([np.nan, 1e300, -1e300, 5e-324, -0.0, 1e18, np.nan, 1e308])
    reference = rng.normal(size=(3, 2000))
    reference[:, 100:108] = wild
    drift = made(reference)
    rows = rng.normal(size=(3, 6000))
    rows[:, 1000:1008] = wild
    rows[:, 1500:2500] = np.nan
    feed(drift, rows, 2000)
    assert ("mean", "f1") in feed(drift, rng.normal(size=(3, 1500)) + np.array([[0], [1.0], [0]]), 8000)


def test_a_constant_column_and_an_absent_one_are_no_drift() -> None:
    """A column of one value, one of two and one that is never there raise nothing."""
    rng = np.random.default_rng(8)

    def rows(count: int) -> Floats:
        return np.stack([np.full(count, 3.0), np.full(count, np.nan), (rng.random(count) < 0.05) * 1.0])

    drift = made(rows(2000))
    assert feed(drift, rows(20_000), 2000) == set()


def test_state_is_small() -> None:
    """What is remembered of ten features and two texts has at most 20 KB, season included."""
    rng = np.random.default_rng(9)
    times = START + np.arange(4000) * MINUTE
    numbers = rng.normal(size=(10, 4000)) + 2 * np.sin(2 * np.pi * times / DAY)
    drift = made(np.concatenate([numbers, rng.integers(0, 4, (2, 4000))]), texts=2)
    feed(drift, np.concatenate([numbers, rng.integers(0, 4, (2, 4000))])[:, :1999], 4000)
    assert len(drift.state()) < 20_000


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_the_drift_benchmark_meets_its_targets() -> None:
    """On two million rows of each family and eight beginnings of each fault, another seed than the default's."""
    assert main(["--seed", "3", "--rows", "2000000", "--trials", "8", "--no-peers"]) == 0
