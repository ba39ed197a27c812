"""The steps of a column from row to row: which are known, and the one that is like none of them; compiled."""

import math

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.compiled import compiled

AFTER = 32
"""Rows of a block. The first behind a leap tells whether the values stay where it led, and all, how large steps are."""

RETURNED = 0.25
"""Share of the first block that may lie nearer to the values before the leap."""

LATEST = 8
"""Blocks behind a leap after which it is sure or none."""

STILL = 4
"""Blocks that wait for a step at all: a column may be stuck, which is told first."""

MEMORY = 64
"""Blocks that the running mean and variance of their scale remember."""

_MOST = 1e300

(
    LAST,
    LAST_AT,
    LAST_STEP,
    LONGEST,
    LARGEST,
    KNOWN,
    TAIL,
    GRAIN,
    SUM,
    COUNT,
    MEAN,
    VARIANCE,
    ALIKE,
    SCALED,
    BLOCKS,
    PHASE,
    BEFORE,
    BEYOND,
    AT,
    TIMES,
    BACK,
    SINCE,
    LOGS,
    NUMBER,
    MOVED,
    OTHER,
    SCORE,
) = range(27)
"""Rows of what is held of each column.

LAST, LAST_AT, LAST_STEP
    The last value, its time in ms, and the signed step that led to it.
LONGEST, LARGEST, KNOWN, TAIL
    The longest time between two values; the largest step known, of how many, and the index of their tail.
GRAIN, SUM, COUNT
    A trifle of a step; sum and number of the open block's changes from step to step: a slow return makes none.
MEAN, VARIANCE, ALIKE, SCALED, BLOCKS
    Of the scale of blocks (logarithm of the mean change): mean, variance, covariance with the one before, the newest,
    and how many.
PHASE, BEFORE, BEYOND, AT, TIMES
    The phase; of a leap the value before it, the first behind it, its time, and how many times the largest step it is.
BACK, SINCE, LOGS, NUMBER, MOVED
    Rows since that are nearer to the value before; rows since; sum and number of the scales of blocks since, and of all
    steps.
OTHER, SCORE
    The scale of blocks that it led to (NaN where that is no other one), and the leap's score.
"""

CALM, LEAPT, HELD = 0.0, 1.0, 2.0
"""Phases: nothing; a leap that may come back; one that is raised."""


def blank(columns: int) -> Floats:
    """Return what is held of columns of which nothing is known: none of them is judged."""
    held = np.zeros((SCORE + 1, columns))
    held[LAST] = held[OTHER] = np.nan
    held[LARGEST] = np.inf
    return held


def learn(held: Floats, column: int, values: Floats, times: NDArray[np.int64]) -> None:
    """Learn a column's steps from a reference; one of too few steps is never judged.

    The tail is Hill's (1975), of a number of steps that grows as the root of all; a lighter one than that of the
    eighth power is not believed.
    """
    usable = np.isfinite(values)
    at, known = times[usable], np.clip(values[usable], -_MOST / 8, _MOST / 8)
    steps = np.abs(np.diff(known))
    number = max(int(math.sqrt(len(steps)) / 2), 8)
    ordered = np.sort(steps[steps > 0])
    if len(ordered) <= number or len(steps) < 3 * AFTER:
        return
    spread = float(np.log(ordered[-number:] / ordered[-number - 1]).mean())
    grain = 0.05 * float(steps.mean())
    changes = np.abs(np.diff(np.diff(known)))
    scales = np.log(changes[: len(changes) // AFTER * AFTER].reshape(-1, AFTER).mean(axis=1) + grain)
    off = scales - scales.mean()
    held[LAST, column], held[LAST_AT, column] = known[-1], at[-1]
    held[LAST_STEP, column] = known[-1] - known[-2]
    held[LONGEST, column] = float(np.abs(np.diff(at)).max())
    held[LARGEST, column], held[KNOWN, column] = ordered[-1], len(steps)
    held[TAIL, column], held[GRAIN, column] = min(1 / max(spread, 1e-9), 8.0), grain
    held[MEAN, column], held[VARIANCE, column] = float(scales.mean()), float(scales.var())
    held[ALIKE, column], held[SCALED, column] = float(off[1:] @ off[:-1]) / len(off), scales[-1]
    held[BLOCKS, column] = min(len(scales), MEMORY)


@compiled
def follow(values: Floats, times: NDArray[np.int64], columns: NDArray[np.int64], held: Floats, least: float) -> None:
    """Let rows of the chosen columns (of facets × rows) go on; a step of `least` times the largest known is a leap.

    After a pause of g times the longest known a step may be √g times as large, as that of a random walk is.
    """
    for w in range(len(columns)):
        for t in range(values.shape[1]):
            x, last = values[columns[w], t], held[LAST, w]
            if x != x:  # noqa: PLR0124
                continue
            pause = abs(times[t] - held[LAST_AT, w])
            held[LAST, w], held[LAST_AT, w] = x, times[t]
            if last != last:  # noqa: PLR0124
                continue
            step = min(max(x - last, -_MOST), _MOST)
            change = min(abs(step - held[LAST_STEP, w]), _MOST)
            held[LAST_STEP, w] = step
            step = abs(step)
            if held[PHASE, w] != CALM:
                _since(held, w, x, step, change)
                continue
            longest = held[LONGEST, w]
            reach = math.sqrt(max(pause / longest, 1.0)) if longest > 0 else 1.0
            held[LONGEST, w] = max(longest, pause)
            if step > least * held[LARGEST, w] * reach:
                held[PHASE, w], held[BEFORE, w], held[BEYOND, w], held[AT, w] = LEAPT, last, x, times[t]
                held[TIMES, w], held[LAST_STEP, w] = step / (held[LARGEST, w] * reach), 0.0
                begin(held, w)
                continue
            held[LARGEST, w] = max(held[LARGEST, w], step / reach)
            held[KNOWN, w] += 1
            if _scaled(held, w, change):
                held[BLOCKS, w] = min(held[BLOCKS, w] + 1, MEMORY)
                share, before = 1 / held[BLOCKS, w], held[SCALED, w] - held[MEAN, w]
                now = _scale(held, w)
                off = now - held[MEAN, w]
                held[MEAN, w] += share * off
                held[VARIANCE, w] = (1 - share) * (held[VARIANCE, w] + share * off * off)
                held[ALIKE, w] += share * (off * before - held[ALIKE, w])
                held[SCALED, w] = now


@compiled
def begin(held: Floats, column: int) -> None:
    """Begin to count what follows."""
    for part in (BACK, SINCE, LOGS, NUMBER, MOVED, SUM, COUNT):
        held[part, column] = 0.0


@compiled
def settle(held: Floats, column: int) -> None:
    """Take a leap that was none for a step like others, and go on."""
    held[LARGEST, column] *= max(held[TIMES, column], 1.0)
    held[PHASE, column] = CALM
    begin(held, column)


@compiled
def _since(held: Floats, w: int, x: float, step: float, change: float) -> None:
    leapt = held[PHASE, w] == LEAPT
    if leapt and held[NUMBER, w] >= LATEST:
        return
    held[SINCE, w] += 1
    held[MOVED, w] = min(held[MOVED, w] + step, _MOST)
    if not leapt or held[SINCE, w] <= AFTER:
        held[BACK, w] += abs(x - held[BEFORE, w]) < abs(x - held[BEYOND, w])
    if _scaled(held, w, change):
        held[LOGS, w] += _scale(held, w)
        held[NUMBER, w] += 1
    if leapt and held[SINCE, w] == AFTER and held[BACK, w] > RETURNED * AFTER:
        settle(held, w)


@compiled
def _scaled(held: Floats, w: int, change: float) -> bool:
    """Take in a change; return whether the block is full, which the next one finds empty."""
    if held[COUNT, w] >= AFTER:
        held[SUM, w] = held[COUNT, w] = 0.0
    held[SUM, w] = min(held[SUM, w] + change, _MOST)
    held[COUNT, w] += 1
    return bool(held[COUNT, w] >= AFTER)


@compiled
def _scale(held: Floats, w: int) -> float:
    return math.log(held[SUM, w] / AFTER + max(held[GRAIN, w], 1e-300))
