"""The detectors of one scope: a whole monitor, one of its instances, or its backfill."""

from dataclasses import dataclass

from agents.detection.arrays import pack, unpack
from agents.detection.detectors.catalogue import CATALOGUE, Detector, Setting, make
from agents.detection.detectors.exchange import Exchange
from agents.detection.detectors.jumps import Jumps
from agents.detection.detectors.level import Key, Level
from agents.detection.detectors.sequential.drift import Drift
from agents.detection.detectors.shift import Shift
from agents.detection.detectors.specs import SCORED
from agents.detection.guard import Runs
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.thresholds import Thresholds

STREAMS = ("confidence", "latency", "vector")
MAX_JUDGES = 8


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
    filled: int
    last: bytes
    length: bytes
    parts: tuple[Part, ...]


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
        self.filled = 0
        self.runs = Runs(0)
        self.detectors: dict[str, Detector] = {}
        self._thresholds = thresholds
        self._whole = whole
        self.window = self._setting(None, None).window

    @property
    def left(self) -> int:
        """Rows until the window ends."""
        return self.window - self.filled

    @property
    def equipped(self) -> bool:
        """Whether it has what judges rows."""
        return any(entry.name in self.detectors for entry in CATALOGUE if entry.of_rows)

    def expect(self, profile: Profile) -> None:
        """Follow runs of equal values from here on; what judges rows comes with `equip`."""
        self.runs = Runs(len(profile.facets))

    def equip(self, profile: Profile, bases: dict[str, tuple[float, float] | None]) -> None:
        """Add what judges the profile's columns and streams; `bases` gives streams that are known elsewhere."""
        for name in wanted(profile, whole=self._whole):
            self.detectors[name] = make(name, self._setting(profile, bases.get(name)))

    def begin(self, sample: Sample) -> None:
        """Give the reference's own streams to those who learn from them."""
        for detector in self.detectors.values():
            if isinstance(detector, Shift | Drift | Exchange | Jumps):
                detector.begin(sample)

    def detector(self, name: str) -> Detector | None:
        """Return the detector of a name that needs no profile; None where there are too many judges."""
        if name not in self.detectors:
            if name.startswith(SCORED) and sum(n.startswith(SCORED) for n in self.detectors) >= MAX_JUDGES:
                return None
            self.detectors[name] = make(name, self._setting(None, None))
        return self.detectors[name]

    def base(self, name: str) -> tuple[float, float] | None:
        """Return the mean and deviation of a stream, where they are learnt."""
        found = self.detectors.get(name)
        return found.base if isinstance(found, Shift) else None

    def hear(self, sample: Sample) -> bool:
        """Give a sample to those who tell within a window; return whether what is raised may have changed."""
        heard = [d.hear(sample) for d in self.detectors.values() if isinstance(d, Drift)]
        return any(heard)

    def update(self, sample: Sample) -> None:
        """Give a sample to all; rows never reach over the end of a window (`left`)."""
        for detector in self.detectors.values():
            detector.update(sample)
        self.filled = (self.filled + sample.rows) % self.window

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
            filled=self.filled,
            last=pack(self.runs.last),
            length=pack(self.runs.length, "<i8"),
            parts=tuple(Part(name=name, body=d.state()) for name, d in self.detectors.items()),
        )

    def restore(self, state: ScopeState, profile: Profile | None) -> None:
        """Remember exactly that."""
        # Another policy may have shorter windows: what is held of a longer one ends with the next row.
        self.total, self.seen, self.filled = state.total, state.seen, min(state.filled, self.window - 1)
        facets = len(profile.facets) if profile else 0
        self.runs = Runs(facets)
        if len(state.last) == 8 * facets:
            self.runs.resume(unpack(state.last, (facets,)), unpack(state.length, (facets,), "<i8"))
        self.detectors = {}
        for part in state.parts:
            made = make(part.name, self._setting(profile, None))
            made.restore(part.body)
            self.detectors[part.name] = made
        # What is not saved begins: another program's state may lack it, and so does what a version before left.
        begins = profile is not None and (self._whole or self.equipped)
        for name in wanted(profile, whole=self._whole) if profile is not None and begins else ():
            if name not in self.detectors:
                self.detectors[name] = make(name, self._setting(profile, None))

    def _setting(self, profile: Profile | None, base: tuple[float, float] | None) -> Setting:
        return Setting(thresholds=self._thresholds, profile=profile, base=base, whole=self._whole)


def wanted(profile: Profile, *, whole: bool) -> list[str]:
    """Return the names of the detectors that judge rows of this profile."""
    roles = {facet.role for facet in profile.facets}
    own = [entry.name for entry in CATALOGUE if entry.of_rows and (whole or entry.instances)]
    return [*own, *(name for name in STREAMS if name == "vector" or name in roles)]


def _speaks(name: str, key: Key) -> bool:
    return any(entry.name == name for entry in CATALOGUE) or name == key[3]
