"""How far the limits of CUSUMs must rise where a reference is not normal."""

import math

import numpy as np

from agents.detection.columns import Floats
from agents.detection.detectors.sequential.cusum import Designs

NEVER = 0.001
"""The least θ of `tempered`: a limit that is not reached."""

_ROWS, _SURE = 200, 3.0  # rows, and standard errors, that show that values are not normal


def tempered(designs: Designs, x: Floats) -> Floats:
    """Return θ ≤ 1 of each CUSUM and channel at which a reference's evidence has E exp(θ·evidence) = 1.

    A CUSUM of what is not normal passes h as often as a normal one passes θ·h. Where the reference (channels × rows)
    does not show that it is not normal, θ is 1.
    """
    found = np.ones((len(designs.slope), len(x)))
    if x.shape[1] < _ROWS:
        return found
    for d in range(len(found)):
        grown = designs.slope[d] * x + designs.toll[d]
        odds = np.exp(grown)
        wild = odds.mean(axis=1) - 1 > _SURE * odds.std(axis=1) / math.sqrt(x.shape[1])
        for c in np.flatnonzero(wild).tolist():
            low, high = NEVER, 1.0
            for _ in range(14):
                middle = (low + high) / 2
                low, high = (low, middle) if float(np.exp(middle * grown[c]).mean()) > 1 else (middle, high)
            found[d, c] = low
    return found
