"""A column that wanders: one step like none before it, after which it stays away, is told, and nothing else is."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from agents.detection.detectors.jumps import Jumps
from agents.detection.detectors.level import Level
from agents.detection.profile import Facet, learn
from agents.detection.sample import BAD, Sample
from schemas.thresholds import Thresholds
from tests.traffic import START

POLICY = Thresholds()
REFERENCE, ROWS, BAD_FROM, FIXED = 2000, 6000, 4000, 5000
UNITS = {"inches": (2.54, 0.0), "fahrenheit": (1.8, 32.0), "kilo": (1e-3, 0.0), "pounds": (0.4536, 0.0)}


def walk(phi: float = 0.98, *, seed: int = 1, wild: bool = False) -> Any:
    """Return a column that all but walks at random about 60, with steps of about 1."""
    rng = np.random.default_rng(seed)
    return 60 + lfilter([1], [1, -phi], rng.standard_t(3, ROWS) if wild else rng.normal(size=ROWS))


def judged(values: Any, times: Any = None, *, cut: int = 500) -> tuple[Jumps, list[list[Level]]]:
    """Return the detector that learnt the first rows and judged the others, and what stood after each cut."""
    at = START + 1000 * np.arange(ROWS) if times is None else times
    column = values[None, :]
    facets = (Facet(name="f0", role="feature", text=False),)
    nothing = np.zeros((1, len(BAD)), dtype=np.int64)
    profile, _ = learn(facets, column[:, :REFERENCE], nothing, np.array([[0, 1]]), POLICY, at[:REFERENCE])
    detector, told = Jumps(profile, POLICY, 6.0), []

    def sample(first: int, end: int) -> Sample:
        part = np.ascontiguousarray(column[:, first:end])
        return Sample(
            rows=end - first, at_from=int(at[first]), at_to=int(at[end - 1]), values=part, times=at[first:end]
        )

    detector.begin(sample(0, REFERENCE))
    for first in range(REFERENCE, ROWS, cut):
        detector.update(sample(first, first + cut))
        told.append(detector.levels())
    return detector, told


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("digits", [6, 0])
def test_a_changed_unit_is_told_from_its_first_row_until_it_is_mended(unit: str, digits: int) -> None:
    """Larger and smaller units, with an offset and without, fine and rounded to few values."""
    (factor, offset), values = UNITS[unit], walk()
    values[BAD_FROM:FIXED] = values[BAD_FROM:FIXED] * factor + offset
    _, told = judged(values.round(digits))
    assert [len(levels) for levels in told] == [0] * 4 + [1] * 3 + [0], unit
    assert (told[4][0].statistic, told[4][0].first_bad_at) == ("jump", START + 1000 * BAD_FROM)
    assert told[4][0].material
    assert told[4][0].value > POLICY.drift.jump


@pytest.mark.parametrize("phi", [0.7, 0.98, 1.0])
@pytest.mark.parametrize("wild", [False, True])
def test_what_wanders_by_itself_is_no_jump(phi: float, wild: bool) -> None:
    """Steps of a normal or a heavy tail, whether or not the column comes back from them."""
    for seed in range(4):
        assert not any(judged(walk(phi, seed=seed, wild=wild))[1])


def test_values_that_are_back_at_once_are_no_jump() -> None:
    """A few wild values are no changed unit; their like is known then."""
    values = walk()
    values[BAD_FROM : BAD_FROM + 20] *= 2.54
    assert not any(judged(values)[1])


def test_a_shock_from_which_a_column_comes_back_slowly_changes_no_scale() -> None:
    """Of a very heavy tail sixty times the largest step is nothing sure, and the way back from it is no larger step."""
    values = walk(wild=True)
    largest = float(np.abs(np.diff(values[:BAD_FROM])).max())
    values[BAD_FROM:] += 60 * largest * 0.98 ** np.arange(ROWS - BAD_FROM)
    assert not any(judged(values)[1])


def test_after_a_pause_a_column_may_be_far_away() -> None:
    """A day without rows is as many steps of a random walk as it is long, and no jump."""
    values, times = walk(1.0), START + 1000 * np.arange(ROWS)
    largest = float(np.abs(np.diff(values[:BAD_FROM])).max())
    values[BAD_FROM:] += 40 * largest
    assert judged(values)[1][4]
    times[BAD_FROM:] += 86_400_000
    assert not any(judged(values, times)[1])


def test_a_stuck_column_is_not_called_a_jump_before_it_can_be_told_as_stuck() -> None:
    """A column that leaps and then stays the same to the digit says nothing of a unit for a hundred rows."""
    values = walk()
    values[BAD_FROM + 420 :] = 0.0
    assert not judged(values)[1][4]


def test_values_at_the_end_of_what_a_double_holds_are_followed() -> None:
    """Their steps are more than a double holds, which is no error, in the reference or after it."""
    values = walk()
    values[:: REFERENCE // 40] = 1.7e308 * np.sign(np.cos(np.arange(40 * ROWS // REFERENCE)))
    assert not any(judged(values)[1])


def test_missing_cells_hide_no_jump() -> None:
    """Steps lead from one value to the next that there is."""
    values = walk()
    values[BAD_FROM:] *= 2.54
    values[np.random.default_rng(2).random(ROWS) < 0.4] = np.nan
    values[BAD_FROM] = np.nan
    assert judged(values)[1][4]


def test_columns_that_do_not_wander_are_not_followed() -> None:
    """What is independent from row to row shows a changed unit in its histogram, at no cost here."""
    values = 60 + np.random.default_rng(3).normal(size=ROWS)
    values[BAD_FROM:] *= 2.54
    detector, told = judged(values)
    assert not any(told)
    assert len(detector.state()) < 20


def test_nothing_depends_on_how_rows_were_batched() -> None:
    """Cut into windows or into tens of rows, the state is the same bytes."""
    values = walk()
    values[BAD_FROM:] *= 2.54
    assert judged(values)[0].state() == judged(values, cut=10)[0].state()
