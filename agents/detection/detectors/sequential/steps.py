"""The inner loops of sequential drift, value by value and block by block, compiled.

All sums here are of whole numbers (units, or grains) far below 2⁵³, so that they are exact in any order.
"""

import math

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.compiled import compiled

UNIT = 4096.0
"""Scores are whole numbers of 1/UNIT, so that their sums are exact in whatever order they are taken."""

CLIP = 5.0
"""Scores end here, so that one wild value moves no sum by itself."""

REACH = 4.0
"""Innovations end here, in deviations."""

BLOCK = 8
"""Rows of a block; the last of an epoch may be shorter."""

_TOP = CLIP * UNIT
_END = REACH * UNIT

SUM, POWER, SQUARES, NUMBER, FREEDOM, CLIPPED, MISSING = range(7)
"""What `blocked` returns of the numbers, in this order."""

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@compiled
def interpolated(x: float, knots: Floats, heights: Floats) -> float:
    """Return what `numpy.interp` does, for one value."""
    last = len(knots) - 1
    if not x >= knots[0]:
        return float(heights[0]) if x < knots[0] else x
    if x >= knots[last]:
        return float(heights[last])
    low, high = 0, last
    while high - low > 1:
        middle = (low + high) // 2
        if knots[middle] <= x:
            low = middle
        else:
            high = middle
    if knots[low] == x:
        return float(heights[low])
    slope = (heights[low + 1] - heights[low]) / (knots[low + 1] - knots[low])
    return float(slope * (x - knots[low]) + heights[low])


@compiled
def scored(values: Floats, numbers: Integers, maps: Floats, curved: Integers, curves: Floats) -> Floats:
    """Return the scores of the chosen facets (numbers × rows) in units, not yet rounded; NaN stays NaN.

    Parameters
    ----------
    maps
        Centre and scale of each.
    curved, curves
        Which of them go by quantiles instead, and the knots and heights of those.
    """
    rows = values.shape[1]
    found = np.empty((len(numbers), rows))
    for c in range(len(numbers)):
        i, centre, scale = numbers[c], maps[0, c], maps[1, c] * UNIT
        for t in range(rows):
            x = (values[i, t] - centre) * scale
            if x > _TOP:
                x = _TOP
            elif x < -_TOP:
                x = -_TOP
            found[c, t] = x
    for k in range(len(curved)):
        c = curved[k]
        for t in range(rows):
            x = interpolated(values[numbers[c], t], curves[0, k], curves[1, k])
            found[c, t] = min(max(x, -_TOP), _TOP) if x == x else x  # noqa: PLR0124
    return found


@compiled
def innovated(x: Floats, known: Mask, model: Floats, before: Floats, was: Mask, lagged: Floats) -> bool:
    """Turn scores (channels × rows, NaN where unknown) into innovations in place; return whether all are known.

    Parameters
    ----------
    known
        Is filled with which are.
    model
        The two coefficients, centre and spread of each channel.
    before, was
        The two scores before these and whether they are known, the older first; both go on from here.
    lagged
        Sums that the products with the two scores before, and their number, are added to.
    """
    rows, whole = x.shape[1], True
    for c in range(x.shape[0]):
        one, two, centre = model[0, c], model[1, c], model[2, c]
        factor, both = UNIT / model[3, c], one + two
        rest = math.sqrt(max(1 - both * both, 0.01))
        r2, r1, k2, k1 = before[c, 0], before[c, 1], was[c, 0], was[c, 1]
        whole = whole and k1 and k2
        s0 = s1 = s2 = 0.0
        count = 0
        for t in range(rows):
            score = x[c, t]
            k = score == score  # noqa: PLR0124
            r = np.rint(score) if k else 0.0
            found = r - one * r1
            found -= two * r2
            s0 += r * r
            s1 += r * r1
            s2 += r * r2
            found = (found - centre) * factor
            if not k:
                found = 0.0
                whole = False
            elif not k1:
                found *= rest
            else:
                count += 1
            if found > _END:
                found = _END
            elif found < -_END:
                found = -_END
            x[c, t] = np.rint(found)
            known[c, t] = k
            r2, r1, k2, k1 = r1, r, k1, k
        lagged[0, c] += s0
        lagged[1, c] += s1
        lagged[2, c] += s2
        lagged[3, c] += count
        before[c, 0], before[c, 1], was[c, 0], was[c, 1] = r2, r1, k2, k1
    return whole


@compiled
def blocked(x: Floats, known: Mask, rows: int) -> tuple[Floats, Floats]:
    """Return what is summed of the first rows (channels × rows), block by block, and of all: 7 × channels × blocks."""
    blocks = (rows + BLOCK - 1) // BLOCK
    found, whole = np.empty((7, x.shape[0], blocks)), np.zeros((7, x.shape[0]))
    for c in range(x.shape[0]):
        for b in range(blocks):
            first, end = b * BLOCK, min((b + 1) * BLOCK, rows)
            total = power = number = clipped = 0.0
            for t in range(first, end):
                if known[c, t]:
                    value = x[c, t]
                    total += value
                    power += value * value
                    number += 1.0
                    if value >= _END or value <= -_END:
                        clipped += 1.0
            found[SUM, c, b] = total
            found[POWER, c, b] = power
            found[SQUARES, c, b] = power - np.rint(total * total / max(number, 1.0))
            found[NUMBER, c, b] = number
            found[FREEDOM, c, b] = max(number - 1.0, 0.0)
            found[CLIPPED, c, b] = clipped
            found[MISSING, c, b] = end - first - number
            for part in range(7):
                whole[part, c] += found[part, c, b]
    return found, whole


@compiled
def counted(codes: Floats, sizes: Integers, rows: int) -> Floats:
    """Return how often each category came in the first rows (facets × rows), and how many cells could tell.

    The result is 2 × indicators × blocks; the last category of a facet is any other.
    """
    blocks = (rows + BLOCK - 1) // BLOCK
    found = np.zeros((2, sizes.sum(), blocks))
    first = 0
    for facet in range(len(sizes)):
        most = sizes[facet] - 1
        for t in range(rows):
            code = codes[facet, t]
            if code >= 0:
                b = t // BLOCK
                found[0, first + (most if code > most else int(code)), b] += 1.0
                for i in range(first, first + most + 1):
                    found[1, i, b] += 1.0
        first += sizes[facet]
    return found


@compiled
def risen(
    series: tuple[Floats, Floats], place: tuple[int, int, int], line: tuple[float, float, float], level: float
) -> tuple[int, float, int]:
    """Return where one CUSUM stopped, because the blocks end or it passed; its evidence; and where it was 0 last.

    Parameters
    ----------
    series, place
        Sums and numbers (channels × blocks); the channel, the first block and the end.
    line
        Slope, toll and limit.
    level
        The evidence before. Where it was never 0, the block before the first is returned for the last one.
    """
    (x, n), (c, first, end) = series, place
    slope, toll, limit = line
    last = first - 1
    for b in range(first, end):
        # Both without a branch: whether evidence is left is as good as random, and a wrong guess costs most.
        level = max(level + (slope * x[c, b] + toll * n[c, b]), 0.0)
        last = b if level == 0.0 else last
        if level >= limit:
            return b + 1, level, last
    return end, level, last


@compiled
def walked(
    series: tuple[Floats, Floats, Integers],
    place: tuple[int, int],
    designs: tuple[Floats, Floats, Floats, float],
    held: Floats,
    made: Floats,
) -> tuple[int, bool]:
    """Let a bank's CUSUMs take in blocks up to the first in which any passes; return where they stopped, and whether.

    Parameters
    ----------
    series, place
        Sums and numbers (channels × blocks) and first times of blocks; the first block and the end.
    designs
        Slope, toll and limit, and the limit of what is raised.
    held, made
        What the bank held before, and room for what it holds behind the last block taken in: by channel, the evidence,
        mark and since of each design (one row each); then the total, the three rows of `reverse`, and whether it is
        raised (see `Bank`).
    """
    (first, stop), (x, n, starts) = place, series
    slope, toll, limit, back = designs
    count = (len(held) - 5) // 3
    total, reverse, raised = held[3 * count], held[3 * count + 1 : 3 * count + 4], held[3 * count + 4]
    made[3 * count + 1 :] = held[3 * count + 1 :]
    evidence, mark, since = made[:count], made[count : 2 * count], made[2 * count : 3 * count]
    passed, end, any_passed = np.empty(stop - first + 1), -1, False
    while end != stop:  # what was taken in before another passed went too far: once more, up to there
        end, any_passed = stop, False
        for c in range(held.shape[1]):
            passed[0] = total[c]
            for b in range(first, stop):
                passed[b - first + 1] = passed[b - first] + n[c, b]
            again = 0.0
            if raised[c]:
                line = (reverse[1, c], reverse[2, c], back)
                stop, again, _ = risen((x, n), (c, first, stop), line, reverse[0, c])
                any_passed |= again >= back
            made[3 * count + 1, c] = again
            for d in range(count):
                if raised[c]:
                    evidence[d, c], mark[d, c], since[d, c] = 0.0, passed[stop - first], -1.0
                    continue
                line = (slope[d, c % slope.shape[1]], toll[d, c % toll.shape[1]], limit[d, c % limit.shape[1]])
                stop, evidence[d, c], last = risen((x, n), (c, first, stop), line, held[d, c])
                any_passed |= evidence[d, c] >= line[2]
                mark[d, c], since[d, c] = held[count + d, c], held[2 * count + d, c]
                if last >= first:
                    mark[d, c], since[d, c] = passed[last - first + 1], -1.0
                if since[d, c] < 0 and last < stop - 1:
                    since[d, c] = starts[last + 1]
            made[3 * count, c] = passed[stop - first]
    return stop, any_passed
