"""How far the means of windows wander by themselves, and whether several windows together have left that."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from agents.detection.detectors.intervals import student_score

SPANS = (4, 8)
"""Windows that are looked at together."""

_ONE_IN = 10  # one window in so many may be a lone peak: the next lower ones say what is natural
_FEW = 6  # fewer windows than this have a spread rather than a maximum
_SPREAD = 0.9
_FREEDOM = 12.0
_SLOW = 2.0  # what wanders slowly is seen in part by so few windows


class Together(NamedTuple):
    """Several windows that are higher than those before them.

    windows
        How many of the newest are behind it.
    mean, natural
        Of the span that showed it; the highest that as many windows before reached together.
    score
        −log10 p of so high a mean, were it how these windows wander.
    """

    windows: int
    mean: float
    natural: float
    score: float


def natural(memory: Sequence[float]) -> float:
    """Return the level that nine in ten windows stayed under, or the upper end of their spread while there are few."""
    ordered = np.sort(memory)
    highest = float(ordered[-1 - len(ordered) // _ONE_IN])
    if len(ordered) >= _FEW:
        return highest
    reach = float(stdtrit(len(ordered) - 1, _SPREAD)) * float(ordered.std(ddof=1))
    return max(highest, float(ordered.mean()) + reach)


def together(memory: Sequence[float], newest: Sequence[float], noise: float | None, rows: float) -> list[Together]:
    """Return what each span of the newest windows says against those before it; nothing where these are too few.

    Windows of one stream share what makes them wander, so what they wander beyond chance does not shrink with their
    number; chance alone does.

    Parameters
    ----------
    memory
        Means of windows in order.
    newest
        Means of those after them, which may be a rise already.
    noise
        Variance of one value; None where values are bits.
    rows
        Values of a window.
    """
    found = []
    for span in SPANS:
        taken = max(span - len(newest), 0)
        before = np.array(memory[: len(memory) - taken])
        if len(before) < max(_FEW, span):
            continue
        recent = np.array([*memory, *newest])[-span:]
        mean, usual = float(recent.mean()), float(before.mean())
        chance = (max(usual * (1 - usual), 1 / rows) if noise is None else noise) / rows
        wander = _SLOW * max(float(before.var(ddof=1)) - chance, 0.0)
        spread = chance / span + wander + (chance + wander) / len(before)
        score = student_score((mean - usual) / math.sqrt(max(spread, 1e-300)), len(before) + _FREEDOM)
        # The rise began where what is above the middle, from there to the end, is most.
        sums = np.cumsum((recent - (usual + mean) / 2)[::-1])
        peaks = np.convolve(before, np.full(span, 1 / span), "valid")
        found.append(Together(int(np.argmax(sums)) + 1, mean, float(peaks.max()), score))
    return found
