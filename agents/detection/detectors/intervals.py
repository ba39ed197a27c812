"""Intervals and tails of shares: Wilson's for one, Newcombe's for a difference, the binomial tail as −log10."""

import math

from scipy.special import bdtrc, log_ndtr, ndtri, stdtr

from agents.detection.detectors.level import CAP

CONFIDENCE = 0.95
"""Of the intervals that a level states."""

_Z = float(ndtri(0.5 + CONFIDENCE / 2))


def wilson(hits: float, of: float) -> tuple[float, float]:
    """Return the interval of a share (Wilson, 1927); 0 to 1 where nothing was counted."""
    if of <= 0:
        return 0.0, 1.0
    share, square = min(hits / of, 1.0), _Z * _Z
    centre = share + square / (2 * of)
    reach = _Z * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    scale = 1 + square / of
    return max((centre - reach) / scale, 0.0), min((centre + reach) / scale, 1.0)


def stated(interval: tuple[float, float]) -> str:
    """Return an interval in words."""
    return f"{round(CONFIDENCE * 100)} % interval {interval[0]:.3g} to {interval[1]:.3g}"


def newcombe(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of the difference of two shares, each as hits of trials (Newcombe, 1998, method 10)."""
    (low, high), (least, most) = wilson(*one), wilson(*other)
    p, q = one[0] / max(one[1], 1), other[0] / max(other[1], 1)
    gap = p - q
    return gap - math.hypot(p - low, most - q), gap + math.hypot(high - p, q - least)


def binomial_score(hits: float, of: int, share: float) -> float:
    """Return −log10 of the probability of at least so many hits at a share."""
    if hits < 1:
        return 0.0
    tail = float(bdtrc(hits - 1, of, share))
    return CAP if not tail > 10.0**-CAP else -math.log10(tail)


def normal_score(deviations: float) -> float:
    """Return −log10 of the probability of a normal value at least so many deviations above its mean."""
    return min(-float(log_ndtr(-deviations)) / math.log(10), CAP)


def student_score(deviations: float, freedom: float) -> float:
    """Return −log10 of the probability that Student's t with so many degrees of freedom is at least so large."""
    tail = float(stdtr(freedom, -deviations))
    return CAP if not tail > 10.0**-CAP else -math.log10(tail)
