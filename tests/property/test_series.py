"""However a series arrives, and however often its judge is saved and restored, the answer is the same."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.detection.series.detector import SeriesDetector, SeriesState
from schemas.avro import decode, encode
from schemas.thresholds import Series

POLICY = Series(memory_rows=256, points=16, quiet_rows=7)

cells = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from([0.0, 1.0, 1.0000001, -1.0, 1e9, math.nan, 5e-324, 1e308]),
    st.floats(-3, 3),
)


@settings(max_examples=10, deadline=None)
@given(
    st.lists(cells, min_size=1, max_size=60),
    st.integers(0, 2**32),
    st.lists(st.integers(1, 90), min_size=1, max_size=8),
    st.integers(-(2**62), 2**62),
)
def test_parts_saved_and_restored_give_the_bits_of_the_whole(
    odd: list[float], seed: int, parts: list[int], start: int
) -> None:
    """Any values in any parts, saved and restored after each: scores, alarms and state are those of one call."""
    rng = np.random.default_rng(seed)
    values = rng.normal(0, 1, 260)
    values[rng.choice(260, len(odd), replace=False)] = odd
    at = start + 60_000 * np.arange(260, dtype=np.int64)
    whole = SeriesDetector(POLICY)
    wanted = whole.update(values, at)
    detector, found, first, turn = SeriesDetector(POLICY), [], 0, 0
    while first < 260:
        end = first + parts[turn % len(parts)]
        found.append(detector.update(values[first:end], at[first:end]))
        first, turn = end, turn + 1
        saved = encode(detector.state())
        detector = SeriesDetector(POLICY)
        detector.restore(decode(SeriesState, saved))
    assert np.array_equal(np.concatenate([part.scores for part in found]), wanted.scores)
    assert np.array_equal(np.concatenate([part.alarms for part in found]), wanted.alarms)
    assert np.array_equal(np.concatenate([part.calm for part in found]), wanted.calm)
    assert encode(detector.state()) == encode(whole.state())
    assert np.isfinite(wanted.scores).all()
