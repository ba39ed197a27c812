"""NAB's score of a detector over a corpus: https://github.com/numenta/NAB, scoring rules of 2015 (arXiv 1510.03336).

Written from the rules alone; `rows before, inside and after windows` are worth what the application profile says.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a hit, a miss and a false alarm weigh."""

    hit: float
    miss: float
    false: float


@dataclass(frozen=True, slots=True)
class Best:
    """The threshold with the highest raw score, and what is seen at it; `score` is 0 for silence, 100 at best."""

    score: float
    raw: float
    threshold: float
    hits: int
    false_rows: int


@dataclass(frozen=True, slots=True)
class Worth:
    """What an alarm in each scored row is worth: to its window where it stands in one (-1: none), else by itself."""

    row: Ints
    window: Ints
    worth: Floats
    windows: int


def sigmoid(x: Floats) -> Floats:
    """Return 1 for long before, 0 at the window's last row, -1 from three widths after it."""
    return np.where(x > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(x, 3))) - 1)


def worth_of(rows: int, windows: Sequence[tuple[int, int]], profile: Profile) -> Worth:
    """Return the worth of an alarm in each row of a file; windows are (first row, last row), in order."""
    at = np.arange(rows)
    inside = np.full(rows, -1)
    worth = np.full(rows, -profile.false)
    for n, (left, right) in enumerate(windows):
        width = right - left + 1
        after = at > right
        worth[after] = profile.false * sigmoid((at[after] - right) / max(width - 1, 1))
        inside[left : right + 1] = n
    for n, (left, right) in enumerate(windows):
        mine = inside == n
        width = right - left + 1
        worth[mine] = profile.hit * sigmoid(-(right - at[mine] + 1) / width) / sigmoid(np.array(-1.0))
    scored = at[min(int(0.15 * rows), 750) :]
    return Worth(scored, inside[scored], worth[scored], len(windows))


def sweep(files: Sequence[tuple[Floats, Worth]], profile: Profile) -> tuple[Floats, Floats, Ints, Ints]:
    """Return, for each threshold from high to low: threshold, raw score, windows hit, false rows."""
    scores = np.concatenate([given[worth.row] for given, worth in files])
    worth = np.concatenate([worth.worth for _, worth in files])
    offsets = np.cumsum([0, *(worth.windows for _, worth in files)])
    window = np.concatenate(
        [np.where(w.window < 0, -1, w.window + o) for (_, w), o in zip(files, offsets, strict=False)]
    )
    order = np.argsort(-scores, kind="stable")
    scores, worth, window = scores[order], worth[order], window[order]
    gain, hit = np.where(window < 0, worth, 0.0), np.zeros(len(scores), dtype=np.int64)
    for n in range(int(offsets[-1])):
        mine = np.flatnonzero(window == n)
        if len(mine):
            best = np.maximum.accumulate(worth[mine])
            gain[mine] = np.diff(best, prepend=-profile.miss)
            hit[mine[0]] = 1
    last = np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1)
    raw = np.cumsum(gain)[last] - profile.miss * int(offsets[-1])
    return scores[last], raw, np.cumsum(hit)[last], np.cumsum(window < 0)[last]


def best(files: Sequence[tuple[Floats, Worth]], profile: Profile) -> Best:
    """Return what the best threshold gives; of equally good ones the highest counts."""
    thresholds, raw, hits, false_rows = sweep(files, profile)
    windows = sum(worth.windows for _, worth in files)
    at = int(np.argmax(raw))
    found = float(raw[at])
    null, perfect = -profile.miss * windows, profile.hit * windows
    normalised = 100 * (found - null) / (perfect - null) if windows else 0.0
    return Best(normalised, found, float(thresholds[at]), int(hits[at]), int(false_rows[at]))


def raw_at(files: Sequence[tuple[Floats, Worth]], profile: Profile, threshold: float) -> float:
    """Return the raw score at a threshold that was chosen elsewhere."""
    thresholds, raw, _, _ = sweep(files, profile)
    reached = int(np.searchsorted(-thresholds, -threshold, side="right"))
    return float(raw[reached - 1]) if reached else -profile.miss * sum(worth.windows for _, worth in files)
