"""What a monitor learns from its first rows: enough of them, over enough time, and none of a bad start."""

from typing import Any

import numpy as np
import pytest

from agents.detection.detect import Detect
from agents.detection.halves import compare
from agents.detection.profile import Facet
from agents.detection.standard import Standard
from schemas.thresholds import Thresholds
from tests.traffic import START, Traffic, batch, features

POLICY = Thresholds(reference_rows=1000, window_rows=250, floor_rows=200)
FACETS = (Facet(name="f0", role="feature", text=False),)


def rows(rng: np.random.Generator, count: int, shift: float = 0.0) -> dict[str, Any]:
    """Return rows of two features, the first one moved."""
    made = features(rng, count, 2)
    made["f0"] = made["f0"] + shift
    return made


def test_a_bad_start_is_dropped_and_told() -> None:
    """The first 500 rows are of another unit: the reference goes on without them, and what follows is normal."""
    rng = np.random.default_rng(0)
    traffic = Traffic(POLICY).run(rows(rng, 250, 30.0 if i < 2 else 0.0) for i in range(30))
    assert traffic.raised == []
    assert any("the older half is dropped" in text and "f0" in text for text in traffic.observed[-1].findings)
    assert traffic.observed[-1].rows == 30 * 250
    traffic.run(rows(rng, 250, 30.0) for _ in range(3))
    assert {signal.subject for signal in traffic.raised} >= {"f0"}


def test_the_same_rows_in_other_batches_learn_the_same() -> None:
    """A bad start is dropped at the same row however rows were batched, and across a restart."""
    rng = np.random.default_rng(1)
    whole = rows(rng, 3000)
    whole["f0"][:500] += 30
    states = []
    for size in (3000, 250, 77):
        traffic = Traffic(POLICY)
        for first in range(0, 3000, size):
            traffic.send({name: values[first : first + size] for name, values in whole.items()})
            ((unit, offset, body),) = traffic.detect.dirty()
            traffic.detect = Detect(Standard("policy", POLICY))
            traffic.detect.restore(unit, offset, body)
        (made,) = traffic.detect._units[unit].monitors.values()
        states.append((made.state().profile, made.findings))
    assert states[0] == states[1] == states[2]
    assert states[0][0] is not None


def test_what_wanders_or_trends_is_learnt_as_it_is() -> None:
    """A feature that only rises would never be steady: it is told, and learnt."""
    count = np.arange(2000.0)
    found = compare(FACETS, count[None, :], 1.0)
    assert (found.bad_start, len(found.told)) == (False, 1)
    calm = np.random.default_rng(2).normal(size=(1, 2000))
    assert compare(FACETS, calm, 1.0).told == ()
    assert compare(FACETS, np.full((1, 2000), np.nan), 1.0).told == ()


@pytest.mark.parametrize("size", [250, 60])
def test_a_reference_lasts_as_long_as_policy_asks(size: int) -> None:
    """With rows a second apart, an hour of them is learnt from and not the first thousand; memory bounds it."""
    policy = POLICY.model_copy(update={"reference_seconds": 3600})
    bounded = policy.model_copy(update={"reference_cells": 6000})
    for thresholds, learnt in ((policy, 3601), (bounded, 1500)):
        rng, sent = np.random.default_rng(3), 0
        traffic = Traffic(thresholds)
        while sent < 4500:
            columns = rows(rng, size)
            columns["at"] = START + 1000 * (sent + np.arange(size, dtype=np.int64))
            body_at = int(columns["at"][-1])
            traffic.hand(batch(columns, sent), body_at)
            sent += size
        ((_, unit),) = traffic.detect._units.items()
        (monitor,) = unit.monitors.values()
        profile = monitor.state().profile
        assert profile is not None
        assert profile.rows == learnt
