"""What a monitor remembers, as a record."""

from dataclasses import dataclass

from agents.detection.detectors.half_space import ForestState
from agents.detection.learning import LearningState
from agents.detection.profile import ProfileState
from agents.detection.scope import ScopeState
from agents.detection.series.watch import WatchState
from agents.detection.standing import StandingState
from schemas.values import Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorState:
    """All that a monitor remembers; version 1.

    reference
        Name of the profile that it judges against; empty where it learnt its own from its first rows.
    """

    version: str
    mode: Mode
    reference: str
    rows: int
    clear_rows: int
    unobserved: int
    learning: LearningState | None
    profile: ProfileState | None
    forest: ForestState | None
    whole: ScopeState
    instances: tuple[ScopeState, ...]
    backfill: ScopeState | None
    standing: StandingState
    findings: tuple[str, ...]
    series: WatchState
