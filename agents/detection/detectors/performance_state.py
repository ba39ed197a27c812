"""What performance remembers between records."""

from dataclasses import dataclass

from agents.detection.detectors.level import Held
from agents.detection.detectors.rises import RisesState


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceState:
    """What performance remembers; version 1.

    learnt
        The first residuals, until their scale is known.
    numbers
        Cap of a residual, first mean, variance of one value; then number, sum and sum of squares of the window.
    began
        When the newest closed windows began, the newest last.
    """

    learnt: bytes
    numbers: bytes
    memory: bytes
    pending: bytes
    began: bytes
    rises: RisesState
    names: tuple[str, ...]
    groups: bytes
    seen: int
    waited: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]
