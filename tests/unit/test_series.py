"""A series is judged by what came before it alone, whatever it holds and however it arrives."""

import math

import numpy as np
import pytest

from agents.detection.series.detector import SILENT, SeriesDetector, SeriesState
from agents.detection.series.novelty import BLOCK
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Series

STEP = 300_000


def day(rows: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return values with a daily wave, and their times, five minutes apart."""
    at = 1_700_000_000_000 + STEP * np.arange(rows, dtype=np.int64)
    wave = 50 + 20 * np.sin(2 * np.pi * (at % 86_400_000) / 86_400_000)
    return wave + np.random.default_rng(seed).normal(0, 1, rows), at


def test_no_row_is_judged_by_a_later_one() -> None:
    """The scores of a series cut anywhere are the first scores of the whole, bit for bit."""
    values, at = day(1500)
    values[900:905] += 60
    whole = SeriesDetector(Series()).update(values, at)
    for rows in (1, BLOCK, 161, 902, 1333):
        part = SeriesDetector(Series()).update(values[:rows], at[:rows])
        assert np.array_equal(part.scores, whole.scores[:rows])
        assert np.array_equal(part.alarms, whole.alarms[:rows])


def test_a_row_that_was_never_like_this_alarms_at_once_and_once() -> None:
    """A jump alarms in its first row; as it goes on, rows no newer than the first are not told again."""
    values, at = day(3000)
    values[2500:2560] = 120.0
    found = SeriesDetector(Series()).update(values, at)
    assert found.alarms[2500]
    assert found.alarms[2500:2600].sum() <= 3
    assert found.scores[2500] > 5
    assert not found.calm[2500]
    assert found.calm[2800]


def test_the_right_value_at_the_wrong_hour_is_new() -> None:
    """A wave that stays at its height, with the same noise, scores clearly above all that it gave before."""
    values, at = day(4000)
    top = 3400 + int(np.argmax(values[3400:3688]))
    held = values.copy()
    held[top : top + 250] = 70 + np.random.default_rng(9).normal(0, 1, 250)
    usual = SeriesDetector(Series()).update(values, at).scores[1000:].max()
    assert SeriesDetector(Series()).update(held, at).scores[top : top + 250].max() > usual + 0.4


def test_noise_alarms_about_as_rarely_as_policy_says() -> None:
    """Over stationary noise a score of the threshold is not seen more often than three times what it claims."""
    policy = Series()
    rng = np.random.default_rng(5)
    at = STEP * np.arange(12_000, dtype=np.int64)
    for made in (rng.normal(0, 1, 12_000), rng.lognormal(0, 1, 12_000), np.full(12_000, 7.0)):
        alarms = SeriesDetector(policy).update(made, at).alarms.sum()
        assert alarms <= 3 * 12_000 / policy.rows_between_false_alarms


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_what_is_no_number_is_skipped_and_blinds_nothing(bad: float) -> None:
    """Bad rows score 0 and are counted, and every other row scores as if they were not there."""
    values, at = day(3000)
    values[2500:] += 80
    clean = SeriesDetector(Series()).update(values, at)
    places = np.sort(np.random.default_rng(2).choice(3001, 700))
    dirty = SeriesDetector(Series())
    found = dirty.update(np.insert(values, places, bad), np.insert(at, places, 0))
    kept = np.delete(np.arange(3700), places + np.arange(700))
    assert np.array_equal(found.scores[kept], clean.scores)
    assert not np.delete(found.scores, kept).any()
    assert dirty.bad == 700
    assert clean.alarms[2500]


def test_nothing_but_bad_rows_says_nothing() -> None:
    """A series without a single number has no score, no alarm, and no error."""
    found = SeriesDetector(Series()).update(np.full(500, np.nan), np.zeros(500, dtype=np.int64))
    assert not found.scores.any()
    assert not found.alarms.any()


def test_its_memory_is_bounded() -> None:
    """After twenty thousand rows, all new, a state is hardly larger than after four thousand."""
    rng = np.random.default_rng(3)
    sizes, policy = [], Series(points=64, memory_rows=1024)
    detector = SeriesDetector(policy)
    for rows in (4000, 16_000):
        detector.update(np.cumsum(rng.normal(0, 1, rows)), STEP * np.arange(rows, dtype=np.int64))
        sizes.append(len(encode(detector.state())))
    assert sizes[1] <= 1.1 * sizes[0] < 100_000


def test_a_saved_series_goes_on_under_another_policy() -> None:
    """A state of a larger memory and another quiet period is taken over, cut to what is allowed now."""
    values, at = day(3000)
    first = SeriesDetector(Series())
    first.update(values[:2000], at[:2000])
    then = SeriesDetector(Series(points=32, quiet_rows=10, memory_rows=512))
    then.restore(decode(SeriesState, encode(first.state())))
    values[2900:] += 90
    assert then.update(values[2000:], at[2000:]).alarms[900]
    assert len(then.state().recent) == 80


def test_a_state_that_is_none_is_refused() -> None:
    """Bytes that do not fit together are a SchemaError, not a crash later."""
    good = SeriesDetector(Series())
    good.update(*day(200))
    state = good.state()
    for broken in (b"", state.novelty.values[:-8], state.novelty.values[:-3]):
        novelty = type(state.novelty)(
            rows=state.novelty.rows,
            values=broken,
            times=state.novelty.times,
            spread=state.novelty.spread,
            books=state.novelty.books,
        )
        with pytest.raises(SchemaError):
            SeriesDetector(Series()).restore(SeriesState(novelty=novelty, recent=state.recent, bad=0))


def test_the_first_rows_are_not_told() -> None:
    """Whatever a series begins with, nothing is said before enough has been seen."""
    values, at = day(SILENT)
    values[100] = 1e6
    assert not SeriesDetector(Series()).update(values, at).scores.any()
