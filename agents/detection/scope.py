"""The detectors of one scope: a whole monitor, one of its instances, or its backfill."""

import math
from dataclasses import dataclass
from typing import Protocol

from agents.detection.arrays import pack, unpack
from agents.detection.detectors.health import Health
from agents.detection.detectors.level import Key, Level
from agents.detection.detectors.psi import Psi
from agents.detection.detectors.quality import Quality
from agents.detection.detectors.shift import Shift
from agents.detection.detectors.specs import SCORED, spec_of, trigger_of
from agents.detection.guard import Runs
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

COLUMNS = ("quality", "psi")
"""Detectors that need a profile."""

STREAMS = ("confidence", "latency", "vector")
MAX_JUDGES = 8


class Detector(Protocol):
    """What every detector does; tests/property/test_detectors.py holds each of them to it."""

    @property
    def name(self) -> str:
        """The detector's name in signals."""

    def update(self, sample: Sample) -> None:
        """Take in a sample; what is not meant for this detector changes nothing."""

    def levels(self) -> list[Level]:
        """Return what is raised."""

    def shows(self, key: Key) -> bool:
        """Whether the newest rows look like a level that is raised elsewhere."""

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One detector's state."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """A scope's detectors, and where its rows stood; version 1."""

    name: str
    total: int
    seen: int
    last: bytes
    length: bytes
    parts: tuple[Part, ...]


def make(
    name: str, thresholds: Thresholds, profile: Profile | None, base: tuple[float, float] | None, *, whole: bool
) -> Detector:
    """Return the detector of a name; each gets its share of the false alarms that policy allows.

    Half of them go to the histograms and counts of the columns, half to the streams; of both, half to the whole
    monitor and half to all its instances together (whose windows hold each row once, however many they are).
    """
    window = thresholds.window_rows if whole else thresholds.floor_rows
    if name in COLUMNS:
        if profile is None:
            raise SchemaError(f"the detector {name} needs a profile, and none is saved with it")
        score = _score(thresholds, window, 7 * len(profile.facets))
        kind = Psi if name == "psi" else Quality
        return kind(profile, thresholds, score, whole=whole)
    score = _score(thresholds, window, 8)
    if name == "health":
        return Health(thresholds, score)
    spec = spec_of(name, thresholds, window)
    trigger = trigger_of(name) if whole else None
    return Shift(spec, thresholds, score, trigger, base)


class Scope:
    """Detectors by name, made when they are first needed.

    Parameters
    ----------
    name
        The instance, or empty for the whole.
    thresholds
        How to judge.
    whole
        Whether this is the whole monitor.
    """

    def __init__(self, name: str, thresholds: Thresholds, *, whole: bool) -> None:
        self.name = name
        self.total = 0
        self.seen = 0
        self.runs = Runs(0)
        self.detectors: dict[str, Detector] = {}
        self._thresholds = thresholds
        self._whole = whole

    def equip(self, profile: Profile, bases: dict[str, tuple[float, float] | None]) -> None:
        """Add what judges the profile's columns and streams; `bases` gives streams that are known elsewhere."""
        roles = {facet.role for facet in profile.facets}
        self.runs = Runs(len(profile.facets))
        for name in (*COLUMNS, *(name for name in STREAMS if name == "vector" or name in roles)):
            self.detectors[name] = make(name, self._thresholds, profile, bases.get(name), whole=self._whole)

    def detector(self, name: str) -> Detector | None:
        """Return the detector of a name that needs no profile; None where there are too many judges."""
        if name not in self.detectors:
            if name.startswith(SCORED) and sum(n.startswith(SCORED) for n in self.detectors) >= MAX_JUDGES:
                return None
            self.detectors[name] = make(name, self._thresholds, None, None, whole=self._whole)
        return self.detectors[name]

    def base(self, name: str) -> tuple[float, float] | None:
        """Return the mean and deviation of a stream, where they are learnt."""
        found = self.detectors.get(name)
        return found.base if isinstance(found, Shift) else None

    def update(self, sample: Sample) -> None:
        """Give a sample to all."""
        for detector in self.detectors.values():
            detector.update(sample)

    def raised(self) -> dict[Key, Level]:
        """Return what is raised."""
        return {level.key: level for detector in self.detectors.values() for level in detector.levels()}

    def shows(self, key: Key) -> bool:
        """Whether the newest rows of this scope look like a level that is raised elsewhere."""
        return any(d.shows(key) for name, d in self.detectors.items() if key[0] == d.name and _speaks(name, key))

    def state(self) -> ScopeState:
        """Return all that is remembered, exactly."""
        return ScopeState(
            name=self.name,
            total=self.total,
            seen=self.seen,
            last=pack(self.runs.last),
            length=pack(self.runs.length, "<i8"),
            parts=tuple(Part(name=name, body=d.state()) for name, d in self.detectors.items()),
        )

    def restore(self, state: ScopeState, profile: Profile | None) -> None:
        """Remember exactly that."""
        self.total, self.seen = state.total, state.seen
        facets = len(profile.facets) if profile else 0
        self.runs = Runs(facets)
        if len(state.last) == 8 * facets:
            self.runs.last = unpack(state.last, (facets,))
            self.runs.length = unpack(state.length, (facets,), "<i8")
        self.detectors = {}
        for part in state.parts:
            made = make(part.name, self._thresholds, profile, None, whole=self._whole)
            made.restore(part.body)
            self.detectors[part.name] = made


def _speaks(name: str, key: Key) -> bool:
    return name in COLUMNS or name == "health" or name == key[3]


def _score(thresholds: Thresholds, window: int, statistics: int) -> float:
    return max(math.log10(thresholds.rows_between_false_alarms / window * statistics * 4), 2.0)
