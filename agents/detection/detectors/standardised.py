"""Values of a stream in deviations from its mean, in order, and how they add up."""

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.compiled import compiled


@compiled
def standardised(
    values: Floats, at: NDArray[np.int64], line: tuple[float, float, float, float]
) -> tuple[Floats, float, int, int]:
    """Return the scores, their running sum (which adds in order, whatever the batches), and the first and last time.

    `line` is mean and deviation, how far a score may go, and the sum before.
    """
    mean, deviation, reach, total = line
    found, since, until = np.empty(len(values)), at[0], at[0]
    for t in range(len(values)):
        score = (values[t] - mean) / deviation
        if score > reach:
            score = reach
        elif score < -reach:
            score = -reach
        found[t] = score
        total += score
        since, until = min(since, at[t]), max(until, at[t])
    return found, total, since, until


def without_outliers(values: Floats, spread: float) -> Floats:
    """Return the values within 10 interquartile ranges (at least `spread` each) of the quartiles, none beyond 1e150."""
    # One 1e300 among the first values would hide every later shift behind its deviation.
    low, high = np.quantile(values, [0.25, 0.75], method="inverted_cdf") / 2
    reach = min(10 * max(2 * (high - low), spread), 1e307)
    kept: Floats = values[(values / 2 >= low - reach) & (values / 2 <= high + reach)]
    return np.clip(kept, -1e150, 1e150)
