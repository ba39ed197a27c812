"""What the rates of groups remember between records."""

from dataclasses import dataclass

from agents.detection.detectors.level import Held


@dataclass(frozen=True, slots=True, kw_only=True)
class GapsState:
    """What the rates of one source remember; version 1."""

    names: tuple[str, ...]
    dimensions: tuple[str, ...]
    before: bytes
    now: bytes
    wander: bytes
    recent: bytes
    rows: int
    window: int
    at_from: int
    at_to: int
    held: tuple[Held, ...]
