"""A record's own time, when it cannot be one."""

import numpy as np
import pytest

from schemas.codec import frame
from tests.traffic import Traffic, batch, features


@pytest.mark.parametrize("timestamp", [-(2**62), -1, 2**62])
def test_a_record_with_an_impossible_time_is_judged_and_leaves_a_state_that_can_be_saved(timestamp: int) -> None:
    """Its rows are counted, what is raised can be written, and so can the state."""
    rng, traffic = np.random.default_rng(5), Traffic()
    for number in range(20):
        columns = features(rng, 250)
        if number >= 12:
            columns["f3"] = columns["f3"] * 1000
            traffic.hand(batch(columns, traffic.rows), timestamp)
            traffic.rows += 250
        else:
            traffic.send(columns)
    assert {signal.subject for signal in traffic.raised} >= {"f3"}
    assert all(frame(event) for event in traffic.events)
    assert traffic.observed[-1].rows == 5000
    assert traffic.detect.dirty()
