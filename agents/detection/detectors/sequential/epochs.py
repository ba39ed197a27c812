"""What sequential drift does where an epoch ends: baselines take in what came, and pairs are compared; compiled."""

import math
from typing import Any

import numpy as np

from agents.detection.columns import Floats
from agents.detection.compiled import compiled
from agents.detection.detectors.sequential.steps import UNIT, Mask

_STILL = 0.97  # the most that a facet may depend on its own past


@compiled
def settled(
    calm: Mask, model: tuple[Floats, Floats, Floats, Floats], sums: tuple[Floats, Floats, Floats], cap: float
) -> None:
    """Let the baseline of the calm channels take in what came, and forget it of all.

    Parameters
    ----------
    model
        Coefficients, centre, spread and weight.
    sums
        What came: sums, squares and number of innovations; the sums of products; and those of the baseline.
    """
    (phi, centres, spreads, weights), (taken, lagged, moments) = model, sums
    for c in range(len(calm)):
        number = taken[2, c]
        if calm[c] and number > 0:
            share = number / max(weights[c] + number, 1.0)
            mean, square = taken[0, c] / number / UNIT, taken[1, c] / number / UNIT**2
            centres[c] += share * mean * spreads[c]
            spreads[c] = max(spreads[c] * math.sqrt(max(1 + share * (square - 1), 1e-12)), 1.0)
            weights[c] = min(weights[c] + number, cap)
            moments[:, c] += lagged[:, c]
        taken[:, c] = 0.0
        lagged[:, c] = 0.0
        if moments[3, c] > cap:
            moments[:, c] *= cap / moments[3, c]
        one = two = 0.0
        if moments[3, c] > 100:
            power = max(moments[0, c], 1e-300)
            first, second = moments[1, c] / power, moments[2, c] / power
            rest = max(1 - first * first, 1e-3)
            one, two = first * (1 - second) / rest, (second - first * first) / rest
        two = min(max(two, -0.9), 0.9)
        one = min(max(one, two - _STILL), _STILL - two)
        before = 1 - (phi[0, c] + phi[1, c])
        phi[0, c], phi[1, c] = one, two
        centres[c] *= (1 - (one + two)) / before


@compiled
def allowed(usual: Floats, temper: Floats, divergence: Floats, weight: Floats, epoch: int) -> Floats:
    """Return the limits of CUSUMs (designs × channels) where some are not normal, and baselines are of few rows.

    A sum over w rows less w times a mean of n rows has the variance w·(1 + w/n); the baseline takes rows in after each
    epoch, so that no more than those share its error.
    """
    found = np.empty(temper.shape)
    for d in range(len(temper)):
        for c in range(temper.shape[1]):
            limit = usual[d, c % usual.shape[1]] / temper[d, c]
            rows = min(limit / divergence[d, c % divergence.shape[1]], epoch)
            found[d, c] = limit * (1 + rows / max(weight[c], 1.0))
    return found


@compiled
def shared(
    counts: Floats, odds: Floats, epoch: tuple[int, float], grains: tuple[float, float, float]
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return slope, toll, rate, divergence and limit of CUSUMs of how often something happens (designs × channels).

    Parameters
    ----------
    counts
        How often each happened in the baseline, and of how many.
    odds
        The ratio of odds that each is designed for.
    epoch
        Its rows, and the score at which a CUSUM passes.
    grains
        Grains of a coefficient, what the overshoot is in deviations (see cusum.py), and rows of a block.
    """
    (rows, score), (fine, overshoot, block) = epoch, grains
    shape = (len(odds), counts.shape[1])
    slope, toll, rate = np.empty(shape), np.empty(shape), np.empty(shape)
    divergence, limit = np.empty(shape), np.empty(shape)
    for c in range(shape[1]):
        share = min(max((counts[0, c] + 0.5) / (counts[1, c] + 1.0), 1e-6), 1 - 1e-6)
        for d in range(shape[0]):
            after = odds[d] * share / (1 - share + odds[d] * share)
            up, down = math.log(odds[d]), math.log1p(-after) - math.log1p(-share)
            growth = after * up + down
            # As of a normal mean; but what is rare falls in small steps, which overshoot little.
            step = abs(up) * math.sqrt(share * (1 - share) * block)
            rising = 1.0 if up > 0 else min(share / 0.3, 1.0)
            slope[d, c], toll[d, c] = np.rint(up * fine) / fine, np.rint(down * fine) / fine
            divergence[d, c] = growth
            rate[d, c] = growth * math.exp(-overshoot * step * rising)
            height = max(math.log(max(rate[d, c] * rows, 1e-9)) + score * math.log(10.0), 3.0)
            limit[d, c] = height * (1 + min(height / growth, rows) / max(counts[1, c], 1.0))
    return slope, toll, rate, divergence, limit


@compiled
def related(sums: Floats) -> Floats:
    """Return Fisher's z of each pair's correlation, row by row of the upper triangle; `sums` are of the products."""
    channels = len(sums)
    power = np.empty(channels)
    for i in range(channels):
        power[i] = math.sqrt(max(sums[i, i], 1e-9))
    found, at = np.empty(channels * (channels - 1) // 2), 0
    for i in range(channels):
        for j in range(i + 1, channels):
            found[at] = math.atanh(min(max(sums[i, j] / power[i] / power[j], -0.9999), 0.9999))
            at += 1
    return found


@compiled
def changed(z: tuple[Floats, Floats], numbers: tuple[Floats, Floats], calm: Mask, least: int, taken: Any) -> Floats:
    """Return how far each pair's Fisher z is from what it was, in its own deviations; 0 where it cannot be judged.

    Parameters
    ----------
    z, numbers
        Of each pair, now and before; and of channels × channels, how many rows they are from.
    least
        Rows that both need.
    taken
        The mean square of each pair, which takes this in, and the share that it takes.
    """
    (now, before), (n, m), (power, share) = z, numbers, taken
    found, at = np.zeros(len(power)), 0
    for i in range(len(calm)):
        for j in range(i + 1, len(calm)):
            if calm[i] and calm[j] and n[i, j] >= least and m[i, j] >= least:
                spread = math.sqrt(1 / max(n[i, j] - 3, 1.0) + 1 / max(m[i, j] - 3, 1.0))
                raw = abs(now[at] - before[at]) / spread
                # What is not normal has a wider spread than Fisher's; its own windows tell how much.
                found[at] = raw / math.sqrt(max(power[at], 1.0))
                held = min(raw, 5.0 * math.sqrt(power[at]))
                power[at] += share * (held * held - power[at])
            at += 1
    return found
