"""Two columns in each other's place."""

from dataclasses import replace

import numpy as np
import pytest

from agents.detection.detectors.exchange import Exchange
from agents.detection.detectors.level import Level
from agents.detection.detectors.mirror import Scales, precision, ratios, relations
from agents.detection.sample import Sample
from agents.detection.scope import Scope
from agents.detection.standing import Standing
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category
from tests.subjects import curved, curved_profile
from tests.traffic import START

SCORE = 7.0


class Told(Exchange):
    """A detector that has raised what it is told."""

    def __init__(self, levels: list[Level]) -> None:
        """Begin with levels."""
        super().__init__(curved_profile(), Thresholds(), SCORE)
        self._told = levels

    def levels(self) -> list[Level]:
        """Return them."""
        return self._told


def watching(reference: Sample) -> Exchange:
    """Return a detector that has learnt a reference of two columns."""
    made = Exchange(curved_profile(), Thresholds(), SCORE)
    made.begin(reference)
    return made


def of(values: np.ndarray) -> Sample:
    """Return a sample of values."""
    rows = values.shape[1]
    return Sample(rows=rows, at_from=START, at_to=START, values=values, times=START + np.arange(rows))


def test_the_ratio_of_exchanged_rows_is_minus_that_of_the_rows() -> None:
    """Whatever the columns' scales, and with squares as without."""
    rng = np.random.default_rng(1)
    values = np.stack([rng.normal(3, 1, 4000), rng.normal(2, 1.5, 4000)])
    values = np.stack([*values, values[0] + rng.normal(0, 0.5, 4000)])
    scales = Scales.of(values)
    for squares in (False, True):
        given = (scales.pairs(2.0, 2.0), 3)
        inverse = precision(relations(scales.moments(values, squares=squares), 3), 4000)
        kept = values[:, (np.abs(values - 2.5) < 3).all(axis=0)]
        as_it_is, turned = (
            ratios(relations(scales.moments(rows, squares=squares), 3), inverse, *given)[0]
            for rows in (kept, kept[[1, 0, 2]])
        )
        assert as_it_is < -0.1
        assert turned == pytest.approx(-as_it_is, rel=0.05)


def test_columns_in_each_others_place_are_named_within_two_windows() -> None:
    """They look as ever one by one, and their correlation is 0 as before."""
    rng = np.random.default_rng(2)
    detector = watching(curved(rng, False, 2000))
    for _ in range(6):
        detector.update(curved(rng, False, 500))
    assert detector.levels() == []
    for _ in range(2):
        detector.update(curved(rng, True, 500))
    (found,) = detector.levels()
    assert (found.subject, found.statistic, found.category) == ("f0, f1", "exchanged", Category.DATA_QUALITY)
    assert 0.5 <= found.value <= 2
    assert detector.shows(found.key)


def test_columns_that_anything_may_be_exchanged_of_are_not_watched() -> None:
    """Independent columns of one distribution are the same exchanged: nothing is kept of their windows."""
    rng = np.random.default_rng(3)
    detector = watching(of(rng.normal(size=(2, 2000))))
    idle = detector.state()
    detector.update(of(rng.normal(size=(2, 500))))
    assert detector.state() == idle


@pytest.mark.parametrize("fault", ["moved", "wider", "apart"])
def test_other_changes_are_no_exchange(fault: str) -> None:
    """A column that moves, widens, or goes with the other no longer is told of by others."""
    rng = np.random.default_rng(4)
    detector = watching(curved(rng, False, 2000))
    for _ in range(8):
        values = curved(rng, False, 500).values
        assert values is not None
        second = values[1].copy()
        values[1] = {"moved": second + 1, "wider": 2 * second, "apart": rng.permutation(second)}[fault]
        detector.update(of(values))
        assert detector.levels() == []


def test_nothing_depends_on_how_rows_were_batched() -> None:
    """Rows one at a time, or in pieces over the ends of windows, leave the same bytes."""
    rng = np.random.default_rng(5)
    reference, values = curved(rng, False, 2000), curved(rng, True, 1300).values
    assert values is not None
    states = set()
    for size in (1, 77, 500, 1300):
        detector = watching(reference)
        for first in range(0, 1300, size):
            part = of(values[:, first : first + size])
            assert part.times is not None
            detector.update(replace(part, times=part.times + first))
        states.add(detector.state())
    assert len(states) == 1


def test_cells_that_cannot_be_used_blind_nobody() -> None:
    """After a window of missing and endless values, an exchange is found as before."""
    rng = np.random.default_rng(6)
    detector = watching(curved(rng, False, 2000))
    values = curved(rng, False, 500).values
    assert values is not None
    values[0, ::3], values[1, ::5], values[0, 1::9] = np.nan, np.inf, -1e308
    detector.update(of(values))
    assert detector.levels() == []
    for _ in range(4):
        detector.update(curved(rng, False, 500))
    for _ in range(3):
        detector.update(curved(rng, True, 500))
    assert [level.subject for level in detector.levels()] == ["f0, f1"]


def test_a_reference_that_teaches_nothing_is_no_error() -> None:
    """Constant columns, empty ones, and too few rows leave nothing to watch."""
    for values in (np.ones((2, 2000)), np.full((2, 2000), np.nan), np.random.default_rng(7).normal(size=(2, 30))):
        detector = watching(of(values))
        detector.update(of(values[:, :20]))
        assert detector.levels() == []


def test_a_broken_column_is_not_exchanged_with_another() -> None:
    """While a column is stuck, it is that which is told, and not with whose rows its own would be likelier."""
    rng = np.random.default_rng(9)
    scope = Scope("", Thresholds(), whole=True)
    scope.detectors["exchange"] = detector = watching(curved(rng, False, 2000))
    for _ in range(2):
        detector.update(curved(rng, True, 500))
    (found,) = detector.levels()
    assert [change.level for change in Standing(8000, 0.5).settle(scope, {}, None, 1000)] == [found]
    stuck = replace(found, detector="quality", subject="f1", statistic="stuck")
    scope.detectors["quality"] = Told([stuck])
    assert [change.level for change in Standing(8000, 0.5).settle(scope, {}, None, 1000)] == [stuck]


def test_a_saved_watch_that_names_other_columns_is_refused() -> None:
    """A state of more columns than a profile has is damaged."""
    detector = watching(curved(np.random.default_rng(8), False, 2000))
    detector._numbers = np.array([0, 7])
    with pytest.raises(SchemaError, match="names some that there are not"):
        watching(of(np.ones((2, 500)))).restore(detector.state())
