"""The guard: every cell judged, times clamped, repeats dropped, runs of equal values carried."""

import numpy as np

from agents.detection.columns import Cells, decode
from agents.detection.guard import Marks, Runs, count_bad, matrix, times
from agents.detection.profile import Facet
from agents.detection.sample import BAD
from schemas.telemetry import Column
from tests.traffic import START, batch, column

NAN, INF = float("nan"), float("inf")


def test_unusable_cells_become_nan_and_are_counted_by_kind() -> None:
    """Null, NaN, inf, wrong type and unseen are told apart, and none of them reaches a detector."""
    facets = (
        Facet(name="f", role="feature", text=False),
        Facet(name="g", role="feature", text=True, categories=("x", "y")),
        Facet(name="gone", role="feature", text=False),
        Facet(name="h", role="feature", text=False),
    )
    rows = decode(
        batch(
            {
                "f": column("f", np.array([1.0, NAN, INF, -INF, 5.0, 6.0]), flags=b"\0\0\0\0\1\2"),
                "g": column("g", ["x", "y", "new", "x", "y", "x"], flags=b"\0\0\0\0\0\1"),
                "h": column("h", ["1"] * 6),
            }
        )
    )
    values, why = matrix(rows, facets)
    assert values[0].tolist()[0] == 1.0
    assert np.isnan(values[0, 1:]).all()
    assert values[1].tolist()[:2] == [0.0, 1.0]
    assert np.isnan(values[1, [2, 5]]).all()
    counts = [dict(zip(BAD, row, strict=True)) for row in count_bad(why, 4).tolist()]
    nothing = dict.fromkeys(BAD, 0)
    assert counts[0] == nothing | {"null": 1, "nan": 1, "inf": 2, "wrong_type": 1}
    assert counts[1] == nothing | {"null": 1, "unseen": 1}
    assert counts[2] == nothing | {"null": 6}
    assert counts[3] == nothing | {"wrong_type": 6}


def test_clean_cells_need_no_reasons() -> None:
    """Where every cell can be used, there is no second array."""
    rows = decode(batch({"f": np.array([1.0, 2.0]), "n": np.array([3, 4])}))
    facets = (Facet(name="f", role="feature", text=False), Facet(name="n", role="feature", text=False))
    values, why = matrix(rows, facets)
    assert why is None
    assert values.tolist() == [[1, 2], [3, 4]]
    assert count_bad(None, 2).sum() == 0


def test_event_time_is_clamped_to_the_brokers() -> None:
    """A time may be seven days older and five minutes younger than its record's; without one the record's holds."""
    at = np.array([0, START - 1000, START + 10**12, START], dtype=np.int64)
    rows = decode(batch({"f": np.zeros(4), "at": column("at", at, flags=b"\0\0\0\1")}))
    assert times(rows, START).tolist() == [START - 7 * 86_400_000, START - 1000, START + 300_000, START]
    assert times(decode(batch({"f": np.zeros(2)})), START).tolist() == [START, START]
    assert times(decode(batch({"f": np.zeros(2), "at": np.array([0.5, 1])})), START).tolist() == [START, START]


def test_a_source_counts_each_position_once() -> None:
    """Repeats and overlaps are dropped, and gaps are passed over."""
    marks = Marks(2)
    assert [marks.fresh("a", first, 10) for first in (0, 0, 5, 30, 20)] == [0, 10, 5, 0, 10]
    assert marks.repeated == 25


def test_the_source_longest_silent_is_forgotten() -> None:
    """Beyond the limit the oldest mark goes, and what is saved is restored in the same order."""
    marks = Marks(2)
    for source in ("a", "b", "a", "c"):
        marks.fresh(source, 0, 10)
    assert [mark.source for mark in marks.state()] == ["a", "c"]
    again = Marks(2)
    again.restore(marks.state(), marks.repeated)
    assert again.state() == marks.state()
    assert again.fresh("a", 5, 10) == 5


def test_runs_go_on_from_batch_to_batch() -> None:
    """The longest run counts equal values across the border of two batches; NaN ends a run."""
    runs = Runs(2)
    longest, pairs = runs.longest(np.array([[1.0, 2, 2, 2], [1, NAN, NAN, 3]]))
    assert longest.tolist() == [3, 1]
    assert pairs.tolist() == [[2, 3], [0, 3]]
    assert runs.longest(np.array([[2.0, 2, 5, 5], [4, 5, 6, 7]]))[0].tolist() == [5, 1]
    assert runs.longest(np.array([[5.0], [7]]))[0].tolist() == [3, 2]
    assert runs.longest(np.array([[5.0], [7]]))[0].tolist() == [4, 3]


def test_text_without_any_string_is_all_null() -> None:
    """A text column with an empty dictionary has no usable cell."""
    empty = Column(name="g", role="feature", kind="string", values=bytes(4), flags=b"\1\1")
    rows = decode(batch({"g": empty}))
    assert isinstance(rows.columns[0], Cells)
    values, why = matrix(rows, (Facet(name="g", role="feature", text=True, categories=("x",)),))
    assert np.isnan(values).all()
    assert count_bad(why, 1)[0, 0] == 2
