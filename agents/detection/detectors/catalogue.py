"""Every detector by name: who makes it, and what it watches. A new detector is one line here."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from agents.detection.detectors.calibration import Calibration
from agents.detection.detectors.callers import CallerRates
from agents.detection.detectors.canary import Canary
from agents.detection.detectors.estimate import Estimate
from agents.detection.detectors.exchange import Exchange
from agents.detection.detectors.fairness import Fairness
from agents.detection.detectors.feedback import Feedback
from agents.detection.detectors.health import Health
from agents.detection.detectors.jumps import Jumps
from agents.detection.detectors.level import Key, Level
from agents.detection.detectors.outliers import Outliers
from agents.detection.detectors.performance import Performance
from agents.detection.detectors.probing import Probing
from agents.detection.detectors.psi import Psi
from agents.detection.detectors.quality import Quality
from agents.detection.detectors.safety import Safety
from agents.detection.detectors.sequential.drift import Drift
from agents.detection.detectors.sequential.glimpse import Glimpse
from agents.detection.detectors.serving import Serving
from agents.detection.detectors.shift import Shift
from agents.detection.detectors.specs import spec_of, trigger_of
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds


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
class Setting:
    """What a detector is made from.

    profile
        The reference; None for detectors that need none.
    base
        Mean and deviation of a stream, where they are known elsewhere.
    whole
        Whether it judges the whole monitor, or one instance of it (or its backfill).
    """

    thresholds: Thresholds
    profile: Profile | None = None
    base: tuple[float, float] | None = None
    whole: bool = True

    @property
    def window(self) -> int:
        """Rows that are judged together."""
        return self.thresholds.window_rows if self.whole else self.thresholds.floor_rows

    def score(self, statistics: int) -> float:
        """Return −log10 of the tail probability below which one of so many statistics of a window counts.

        Four fifths of the false alarms that policy allows go to the CUSUMs of the columns (drift.py). Of the rest,
        half go to the histograms and counts of the columns, half to the streams; of both, half to the whole monitor
        and half to all its instances together (whose windows hold each row once, however many they are).
        """
        return max(math.log10(self.thresholds.rows_between_false_alarms / self.window * statistics * 20), 2.0)

    def required(self, name: str) -> Profile:
        """Return the profile; SchemaError where a detector was saved without the one it needs."""
        if self.profile is None:
            raise SchemaError(f"the detector {name} needs a profile, and none is saved with it")
        return self.profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A detector that is not of a single stream.

    mergeable
        Whether shards that each saw some rows of a window can be put together: it then has a `merge(state)`.

    of_rows
        Whether every sample of rows is for it; else it is made when its own input first comes.
    instances
        Whether each instance of a monitor has its own.
    """

    name: str
    make: Callable[[Setting], Detector]
    of_rows: bool = True
    instances: bool = True
    mergeable: bool = False


def _quality(setting: Setting) -> Detector:
    profile = setting.required("quality")
    return Quality(profile, setting.thresholds, setting.score(7 * len(profile.facets)), whole=setting.whole)


def _psi(setting: Setting) -> Detector:
    profile = setting.required("psi")
    return Psi(profile, setting.thresholds, setting.score(7 * len(profile.facets)), whole=setting.whole)


def _calibration(setting: Setting) -> Detector:
    return Calibration(setting.thresholds, setting.score(8))


def _estimate(setting: Setting) -> Detector:
    return Estimate(setting.thresholds, setting.score(8))


def _fairness(setting: Setting) -> Detector:
    return Fairness(setting.thresholds, setting.score(8))


def _performance(subject: str) -> Callable[[Setting], Detector]:
    return lambda setting: Performance(subject, setting.thresholds, setting.score(8))


def _drift(setting: Setting) -> Detector:
    profile = setting.required("cusum")
    return Drift(profile, setting.thresholds) if setting.whole else Glimpse(profile, setting.window)


def _jumps(setting: Setting) -> Detector:
    profile = setting.required("jump")
    return Jumps(profile, setting.thresholds, setting.score(len(profile.facets)))


def _health(setting: Setting) -> Detector:
    return Health(setting.thresholds, setting.score(8))


def _serving(setting: Setting) -> Detector:
    return Serving(setting.thresholds, setting.score(8), whole=setting.whole)


def _probing(setting: Setting) -> Detector:
    return Probing(setting.required("probing"), setting.thresholds, setting.score(8))


def _outliers(setting: Setting) -> Detector:
    return Outliers(setting.required("outliers"), setting.thresholds, setting.score(8))


def _exchange(setting: Setting) -> Detector:
    return Exchange(setting.required("exchange"), setting.thresholds, setting.score(8))


def _callers(setting: Setting) -> Detector:
    return CallerRates(setting.thresholds, setting.score(8))


def _feedback(setting: Setting) -> Detector:
    return Feedback(setting.required("feedback"), setting.thresholds, setting.score(8))


def _safety(setting: Setting) -> Detector:
    return Safety(setting.thresholds, setting.score(8))


def _canary(setting: Setting) -> Detector:
    return Canary(setting.thresholds, setting.score(8))


CATALOGUE = (
    Entry(name="quality", make=_quality, mergeable=True),
    Entry(name="psi", make=_psi, mergeable=True),
    Entry(name="cusum", make=_drift),
    Entry(name="jump", make=_jumps, instances=False),
    Entry(name="health", make=_health, of_rows=False),
    Entry(name="calibration", make=_calibration, of_rows=False, instances=False),
    Entry(name="estimate", make=_estimate, of_rows=False, instances=False),
    Entry(name="fairness", make=_fairness, of_rows=False, instances=False),
    Entry(name="error", make=_performance("error"), of_rows=False, instances=False),
    Entry(name="residual", make=_performance("residual"), of_rows=False, instances=False),
    Entry(name="serving", make=_serving, of_rows=False),
    Entry(name="probing", make=_probing, instances=False),
    Entry(name="outliers", make=_outliers, instances=False),
    Entry(name="exchange", make=_exchange, instances=False),
    Entry(name="callers", make=_callers, instances=False),
    Entry(name="feedback", make=_feedback, instances=False),
    Entry(name="canary", make=_canary, of_rows=False, instances=False),
    Entry(name="safety", make=_safety, of_rows=False, instances=False),
)


def make(name: str, setting: Setting) -> Detector:
    """Return the detector of a name; what is not in the catalogue is a stream (specs.py), or a SchemaError."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry.make(setting)
    spec = spec_of(name, setting.thresholds, setting.window)
    trigger = trigger_of(name) if setting.whole else None
    return Shift(spec, setting.thresholds, setting.score(8), trigger, setting.base)
