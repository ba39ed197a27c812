"""Every compiled function, with arguments whose cells are missing, far out and repeated."""

from collections.abc import Callable
from typing import Any

import numpy as np

from agents.detection import guard, kept
from agents.detection.detectors import half_space, leaps, mirror, outliers, psi, quality, standardised
from agents.detection.detectors.sequential import epochs, steps
from agents.detection.profile import histogram

ROWS = 37


def values(seed: int, facets: int = 4) -> Any:
    """Return values of which some are missing, some far out and some equal to the one before."""
    rng = np.random.default_rng(seed)
    made = rng.normal(size=(facets, ROWS)) * 3
    made[1, 5:9] = made[1, 4]
    made[2, ::7] = np.nan
    made[3, 3] = 1e12
    made[3, 30] = -1e12
    return made


def scored() -> tuple[Any, ...]:
    """Return facets of which one is mapped by quantiles, with knots that repeat at their end."""
    knots = np.array([[-2.0, -1, 0, 1, 2, 2]])
    curves = np.stack([knots, knots * 4000])
    maps = np.array([[0.1, 0.2, 0.0], [1.5, 0.0, 0.3]])
    return values(1), np.array([1, 2, 3]), maps, np.array([1]), curves


def innovated() -> tuple[Any, ...]:
    """Return scores with a past that is known of all but one."""
    scores = values(2) * 4096
    model = np.array([[0.5] * 4, [-0.2] * 4, [3.0] * 4, [4000.0] * 4])
    was = np.array([[True, True], [True, True], [True, False], [True, True]])
    return (
        scores,
        np.empty(scores.shape, dtype=np.bool_),
        model,
        np.rint(scores[:, :2].copy()) * was,
        was,
        np.ones((4, 4)),
    )


def blocked() -> tuple[Any, ...]:
    """Return innovations of which some are unknown and some at the end of what they can be."""
    given = np.clip(values(3) * 4096, -16_384, 16_384)
    return np.where(np.isnan(given), 0.0, np.rint(given)), np.isfinite(given), ROWS - 1


def counted() -> tuple[Any, ...]:
    """Return the codes of two facets, some of them missing and some beyond what is told apart."""
    codes = np.random.default_rng(4).integers(0, 7, (2, ROWS)).astype(np.float64)
    codes[0, 3] = np.nan
    return codes, np.array([3, 5]), ROWS - 1


def walked(limit: float, *raised: bool) -> Callable[[], tuple[Any, ...]]:
    """Return blocks for two channels, of which some are raised."""

    def make() -> tuple[Any, ...]:
        rng = np.random.default_rng(5)
        series = (np.rint(rng.normal(size=(2, 20)) * 9 + 4), np.full((2, 20), 8.0), np.arange(20) * 1000)
        designs = (np.array([[0.25], [-0.25]]), np.array([[-0.125], [-0.125]]), np.full((2, 2), limit), 9.0)
        held = np.concatenate(
            [
                np.array([[0.0, 1.5], [2.0, 0.0]]),
                np.zeros((2, 2)),
                np.array([[-1.0, 5.0], [6.0, -1.0]]),
                np.array([[16.0, 8.0]]),
                np.array([[0.0, 1.0], [-0.5, 0.25], [0.25, -0.125]]),
                np.array([raised], dtype=np.float64),
            ]
        )
        return series, (2, 20), designs, held, np.empty_like(held)

    return make


def settled() -> tuple[Any, ...]:
    """Return four channels: one calm, one not, one without values, and one with a full baseline."""
    rng = np.random.default_rng(6)
    model = (rng.normal(size=(2, 4)) / 9, rng.normal(size=4), np.full(4, 4000.0), np.array([0.0, 500, 500, 60_000]))
    taken = np.rint(np.abs(rng.normal(size=(3, 4))) * 4000)
    taken[2] = [500.0, 500, 0, 9000]
    moments = np.array([[9e5] * 4, [5e5] * 4, [2e5] * 4, [90.0, 500, 500, 70_000]])
    return np.array([True, False, True, True]), model, (taken, moments / 3, moments), 65_536.0


def allowed() -> tuple[Any, ...]:
    """Return the limits of two designs over three channels."""
    ones = np.array([[1.0, 0.5, 0.001], [1.0, 0.9, 0.25]])
    return np.array([[9.0], [12.0]]), ones, np.array([[0.125], [0.5]]), np.array([0.0, 500, 60_000]), 500


def related() -> tuple[Any, ...]:
    """Return products of channels, of which one has none and two are the same."""
    x = np.rint(np.random.default_rng(7).normal(size=(4, 50)) * 4096)
    x[2], x[3] = 0.0, x[0]
    return (x @ x.T,)


def changed() -> tuple[Any, ...]:
    """Return pairs of which some are of too few rows, and one channel is not calm."""
    rng = np.random.default_rng(8)
    rows = np.full((2, 4, 4), 500.0)
    rows[0, 0, 2] = 10
    calm = np.array([True, True, True, False])
    return (rng.normal(size=6), rng.normal(size=6)), (rows[0], rows[1] * 9), calm, 100, (np.ones(6) * 2, 0.25)


def forest() -> tuple[Any, ...]:
    """Return rows and three trees of two levels."""
    rng = np.random.default_rng(9)
    return rng.random((2, ROWS)), rng.integers(0, 2, (3, 3)), rng.random((3, 3)), 2


def exchanged(parts: int) -> tuple[Any, ...]:
    """Return mean products of three columns (and their squares), a precision, and pairs that may be exchanged."""
    size = 1 + 3 * parts
    mean, inverse = values(1, size)[:, :size], values(2, size)[:, :size]
    pairs = np.array([[0, 1], [0, 2], [1, 2]])
    return mean + mean.T, inverse + inverse.T, pairs, 3


def followed() -> tuple[Any, ...]:
    """Return columns that are followed: a calm one, one with a leap, one that is raised, and one without a past."""
    held = leaps.blank(4)
    for column in range(3):
        leaps.learn(held, column, np.random.default_rng(column).normal(size=500), np.arange(500) * 7)
    held[leaps.COUNT, :3] = leaps.AFTER - 3.0
    held[leaps.PHASE, 2] = leaps.HELD
    given = values(13)
    given[1, 5:] += 1e6
    return given, np.arange(ROWS) * 9 + 3600, np.arange(4), held, 2.0


CASES: dict[str, tuple[Any, Callable[[], tuple[Any, ...]]]] = {
    "scored": (steps.scored, scored),
    "innovated": (steps.innovated, innovated),
    "blocked": (steps.blocked, blocked),
    "counted": (steps.counted, counted),
    "walked to the end": (steps.walked, walked(1e9, False, False)),
    "walked to what passes": (steps.walked, walked(5.0, False, False)),
    "walked to what is back": (steps.walked, walked(1e9, False, True)),
    "settled": (epochs.settled, settled),
    "allowed": (epochs.allowed, allowed),
    "related": (epochs.related, related),
    "changed": (epochs.changed, changed),
    "shared": (
        epochs.shared,
        lambda: (
            np.array([[400.0, 3, 0], [500.0, 500, 500]]),
            np.array([3.0, 1 / 3]),
            (500, 4.0),
            (2.0**20, 1.166, 8.0),
        ),
    ),
    "psi": (
        psi._index,
        lambda: (np.array([[5, 9, 0], [7, 7, 7]]), np.array([[50, 80, 9], [1, 2, 0]]), values(1)[:2, :3] < 9),
    ),
    "windows together": (psi._together, lambda: (np.array([[[1, 2], [0, 0]], [[3, 0], [4, 5]]], dtype=np.int32),)),
    "cells": (quality._suspicious, lambda: (np.array([[0, 0, 3], [0, 9, 3]]), 4)),
    "a run": (quality._suspicious, lambda: (np.array([[0, 0, 3], [0, 0, 4]]), 4)),
    "neither": (quality._suspicious, lambda: (np.array([[0, 0, 3], [0, 0, 3]]), 4)),
    "outliers": (outliers._far_of, lambda: (values(2)[2], values(1)[1], np.array([0.5, -1.0]))),
    "exchanged": (mirror.ratios, lambda: exchanged(1)),
    "exchanged with squares": (mirror.ratios, lambda: exchanged(2)),
    "histogram": (histogram, lambda: (values(10), np.array([[-1.0, 0.0, np.inf]] * 4))),
    "runs": (guard._runs, lambda: (np.round(values(12) / 3), np.array([0.0, 1, np.nan, 0]), np.arange(4))),
    "keys": (kept._keys, lambda: (np.frombuffer(b"abcdefg", np.uint8), np.array([0, 3, 7]), kept._CRC)),
    "followed": (leaps.follow, followed),
    "leaves": (half_space._leaves, forest),
    "earned": (half_space._earned, lambda: (half_space._leaves(*forest()), np.arange(12.0).reshape(3, 4), 9.0)),
    "shift": (standardised.standardised, lambda: (values(11)[0], np.arange(ROWS) * 7, (0.5, 2.0, 1.0, 3.25))),
}
"""Each function, and what makes its arguments anew."""
