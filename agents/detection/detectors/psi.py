"""Population stability index of each facet, against the fixed reference and against the windows before.

Under no drift PSI is about χ²(B−1)·(1/n+1/m); the limit alone is too low for small windows and too high for
large ones, so a distribution has drifted when PSI is over the policy's limit *and* its tail probability is below
what the expected run between false alarms allows.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.sample import Counts, Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

LIKELY = 3.0
"""−log10 p that is enough to say which instance shows what is already known to be wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PsiState:
    """What PSI remembers; version 1."""

    rows: int
    at_from: int
    at_to: int
    counts: bytes
    earlier: bytes
    held: tuple[Held, ...]


def stability(now: Counts, before: Counts, used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return PSI of each facet and −log10 of its tail probability; counts are smoothed by half a row a bin."""
    bins = used.sum(axis=1)
    n, m = now.sum(axis=1), before.sum(axis=1)
    p = (now + 0.5) / (n + 0.5 * bins)[:, None]
    q = (before + 0.5) / (m + 0.5 * bins)[:, None]
    psi = np.where(used, (p - q) * np.log(p / q), 0.0).sum(axis=1)
    scale = 1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)
    tail = np.maximum(chdtrc(np.maximum(bins - 1, 1), psi / scale), 10.0**-CAP)
    return psi, -np.log10(tail)


class Psi:
    """Histograms of one scope, judged window by window.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    whole
        Whether this is the whole monitor (with a rolling baseline) or one instance of it.
    """

    name: ClassVar[str] = "psi"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float, *, whole: bool = True) -> None:
        self._profile = profile
        self._used = profile.used
        self._policy = thresholds
        self._score = score
        self._whole = whole
        self._window = thresholds.window_rows if whole else thresholds.floor_rows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        shape = profile.counts.shape
        self._earlier = np.zeros((thresholds.rolling_windows if whole else 0, *shape), dtype=np.int64)
        self._counts = np.zeros(shape, dtype=np.int64)
        self._rows = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in a sample's histograms; a full window is judged."""
        if sample.counts is None:
            return
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        self._counts += sample.counts
        self._rows += sample.rows
        if self._rows >= self._window:
            self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest rows, though fewer than a window, look like it too."""
        if self._rows < 50:
            return any(self._levels.holds((*key[:2], baseline, key[3])) for baseline in ("reference", "rolling"))
        index = [facet.name for facet in self._profile.facets].index(key[3])
        one = slice(index, index + 1)
        psi, score = stability(self._counts[one], self._profile.counts[one], self._used[one])
        return bool(psi[0] > self._policy.psi and score[0] > LIKELY)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            PsiState(
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                counts=pack(self._counts, "<i8"),
                earlier=pack(self._earlier, "<i8"),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(PsiState, state)
        self._rows, self._from, self._to = saved.rows, saved.at_from, saved.at_to
        self._counts = unpack(saved.counts, self._counts.shape, "<i8")
        if len(saved.earlier) == self._earlier.nbytes:  # another policy may keep more or fewer windows
            self._earlier = unpack(saved.earlier, self._earlier.shape, "<i8")
        self._levels.restore(saved.held)

    def _close(self) -> None:
        findings = self._findings("reference", self._profile.counts)
        if self._whole:
            full = self._earlier.sum(axis=2).min(axis=0) > 0
            rolling = self._findings("rolling", self._earlier.sum(axis=0), full)
            findings += rolling
            # What broke away from the windows before is not taken into them, or it would clear itself.
            away = {level.subject for level in rolling}
            calm = [i for i, facet in enumerate(self._profile.facets) if facet.name not in away]
            self._earlier[:-1, calm] = self._earlier[1:, calm]
            self._earlier[-1, calm] = self._counts[calm]
        self._levels.judge(findings)
        self._counts[:] = 0
        self._rows = 0

    def _findings(self, baseline: str, before: Counts, full: NDArray[np.bool_] | None = None) -> list[Level]:
        psi, score = stability(self._counts, before, self._used)
        enough = self._counts.sum(axis=1) >= self._policy.floor_rows
        enough &= before.sum(axis=1) >= self._policy.floor_rows
        if full is not None:
            enough &= full
        beyond = enough & (psi > self._policy.psi) & (score > self._score) & (self._used.sum(axis=1) > 1)
        return [self._level(int(i), baseline, float(psi[i]), float(score[i])) for i in np.flatnonzero(beyond)]

    def _level(self, index: int, baseline: str, psi: float, score: float) -> Level:
        facet = self._profile.facets[index]
        return Level(
            detector=self.name,
            subject=facet.name,
            statistic="psi",
            baseline=baseline,
            category=Category.DATA_DRIFT,
            value=psi,
            threshold=self._policy.psi,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=self._rows,
            symptom=facet.role != "feature",
        )
