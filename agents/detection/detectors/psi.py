"""Population stability index of each facet, against the fixed reference and against the windows before.

Under no drift PSI is about χ²(B−1)·(1/n+1/m); the limit alone is too low for small windows and too high for
large ones, so a distribution has drifted when PSI is over the policy's limit *and* its tail probability is below
what the expected run between false alarms allows.
"""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.compiled import compiled
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.repeats import CERTAIN
from agents.detection.sample import Counts, Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

_BACK = 0.5

COLLAPSE = "collapse"
"""The statistic of predictions that are all of one class: its share, against that of the reference."""

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
    away: bytes
    held: tuple[Held, ...]


def stability(now: Counts, before: Counts, used: NDArray[np.bool_], inflation: Floats) -> tuple[Floats, Floats]:
    """Return PSI of each facet and −log10 of its tail probability; counts are smoothed by half a row a bin.

    `inflation` is how many rows of a facet say as much as one independent row.
    """
    bins = used.sum(axis=1)
    psi = _index(now, before, used)
    return psi, _tail(psi, now, before, bins, inflation)


@compiled
def _index(now: Counts, before: Counts, used: NDArray[np.bool_]) -> Floats:
    facets, most = now.shape
    found = np.zeros(facets)
    for i in range(facets):
        bins = used[i].sum()
        rows, earlier = now[i].sum() + 0.5 * bins, before[i].sum() + 0.5 * bins
        for j in range(most):
            if used[i, j]:
                one, other = (now[i, j] + 0.5) / rows, (before[i, j] + 0.5) / earlier
                found[i] += (one - other) * math.log(one / other)
    return found


@compiled
def _together(windows: NDArray[np.int32]) -> tuple[Counts, NDArray[np.bool_]]:
    """Return the histograms of all windows together, and of which facets no window is without rows."""
    number, facets, bins = windows.shape
    counts, full = np.zeros((facets, bins), dtype=np.int64), np.ones(facets, dtype=np.bool_)
    for i in range(facets):
        for window in range(number):
            rows = 0
            for j in range(bins):
                counts[i, j] += windows[window, i, j]
                rows += windows[window, i, j]
            full[i] &= rows > 0
    return counts, full


def _tail(psi: Floats, now: Counts, before: Counts, bins: Counts, inflation: Floats) -> Floats:
    scale = inflation * (1 / np.maximum(now.sum(axis=1), 1) + 1 / np.maximum(before.sum(axis=1), 1))
    score: Floats = -np.log10(np.maximum(chdtrc(np.maximum(bins - 1, 1), psi / scale), 10.0**-CAP))
    return score


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
        self._used = common(profile.used)
        self._made = [i for i, facet in enumerate(profile.facets) if facet.role == "prediction" and self._coded(i)]
        self._policy = thresholds
        self._score = score
        self._whole = whole
        self._window = thresholds.window_rows if whole else thresholds.floor_rows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        # The windows before and, last, the one that is open: two shards of it can be merged before it is closed.
        windows = (thresholds.rolling_windows if whole else 0) + 1
        self._windows = np.zeros((windows, *profile.counts.shape), dtype=_kind(self._window))
        self._away: Counts | None = None
        self._rows = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in a sample's histograms; a full window is judged."""
        if sample.counts is None:
            return
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        self._add(sample.counts)
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
        if key[1] == COLLAPSE:
            return self._levels.holds(key)
        index = [facet.name for facet in self._profile.facets].index(key[3])
        one = slice(index, index + 1)
        psi, score = stability(
            self._counts[one], self._profile.counts[one], self._used[one], self._profile.inflation[one]
        )
        return bool(psi[0] > self._policy.psi and score[0] > LIKELY)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            PsiState(
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                counts=pack(self._windows[-1], "<i8"),
                earlier=pack(self._windows[:-1], "<i8"),
                away=pack(np.zeros(len(self._profile.facets)) if self._away is None else self._away, "<i8"),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(PsiState, state)
        self._rows, self._from, self._to = saved.rows, saved.at_from, saved.at_to
        windows, shape = len(self._windows), self._profile.counts.shape
        held = np.zeros(self._windows.shape, dtype=np.int64)
        held[-1] = unpack(saved.counts, shape, "<i8")
        if len(saved.earlier) == 8 * held[:-1].size:  # another policy may keep more or fewer windows
            held[:-1] = unpack(saved.earlier, (windows - 1, *shape), "<i8")
        self._windows = held.astype(_kind(max(self._window, int(held.max(initial=0)), -int(held.min(initial=0)) << 16)))
        away = unpack(saved.away, shape[:1], "<i8")
        self._away = away if away.any() else None
        self._levels.restore(saved.held)

    def merge(self, state: bytes) -> None:
        """Take in the open window of another shard, which saw other rows of the same scope; full, it is judged."""
        other = decode(PsiState, state)
        if other.rows:
            self._from = other.at_from if not self._rows else min(self._from, other.at_from)
            self._to = other.at_to if not self._rows else max(self._to, other.at_to)
        self._windows = self._windows.astype(np.int32)  # two open windows may be more rows than one
        self._add(unpack(other.counts, self._profile.counts.shape, "<i8"))
        self._rows += other.rows
        if self._rows >= self._window:
            self._close()

    @property
    def _counts(self) -> Counts:
        """The open window's histograms."""
        counts: Counts = self._windows[-1].astype(np.int64)
        return counts

    def _add(self, counts: Counts) -> None:
        now = self._windows[-1]
        np.add(now, counts, out=now, casting="unsafe")

    def _close(self) -> None:
        now, used = self._counts, self._used
        away_now = _index(now, self._profile.counts, used)
        findings = [*self._findings("reference", away_now, now, self._profile.counts), *self._collapsed(now)]
        if self._whole:
            before, full = _together(self._windows[:-1].astype(np.int32))
            index = _index(now, before, used) * full
            if (index > self._policy.psi).any():
                # The end of a fault is as sudden as its beginning: what comes back to the reference breaks nothing.
                stands = {level.subject for level in self._levels.raised() if level.baseline == "rolling"}
                fresh = np.array([facet.name not in stands for facet in self._profile.facets])
                index[fresh & (away_now < _BACK * _index(before, self._profile.counts, used))] = 0.0
            rolling = self._findings("rolling", index, now, before)
            findings += rolling
            calm = self._calm({level.subject for level in rolling})
            self._windows[:-2, calm] = self._windows[1:-1, calm]
            self._windows[-2, calm] = self._windows[-1, calm]
        self._levels.judge(findings)
        self._windows[-1] = 0
        self._rows = 0

    def _calm(self, away: set[str]) -> slice | NDArray[np.int64]:
        """Return the facets that the windows before take in.

        What broke away from the windows before is not taken into them, or it would clear itself; but what has lasted as
        long as they did is what comes before now, or the next sudden change would go unseen.
        """
        if not away:
            self._away = None
            return slice(None)
        lasted = np.zeros(len(self._profile.facets), dtype=np.int64) if self._away is None else self._away
        lasted[[facet.name not in away for facet in self._profile.facets]] = -1
        lasted += 1
        self._away = lasted
        return np.flatnonzero((lasted == 0) | (lasted > self._policy.rolling_windows))

    def _findings(self, baseline: str, psi: Floats, counts: Counts, before: Counts) -> list[Level]:
        far = np.flatnonzero(psi > self._policy.psi)
        if not len(far):
            return []
        bins = self._used.sum(axis=1)
        far = far[bins[far] > 1]
        now, then = counts[far], before[far]
        score = _tail(psi[far], now, then, bins[far], self._profile.inflation[far])
        enough = np.minimum(now.sum(axis=1), then.sum(axis=1)) >= self._policy.floor_rows
        chosen = np.flatnonzero(enough & (score > self._score)).tolist()
        return [self._level(int(far[i]), baseline, float(psi[far[i]]), float(score[i])) for i in chosen]

    def _coded(self, index: int) -> bool:
        """Whether a facet holds classes, not readings."""
        return self._profile.facets[index].text or float(self._profile.repeats[index]) >= CERTAIN

    def _collapsed(self, now: Counts) -> list[Level]:
        """Find that all predictions of the window are one class, where the reference's seldom were.

        A model that gives one answer, whatever it is asked, is broken. Inputs that moved far may be why: they are told
        first (`symptom`). Real outputs come in longer runs than their dependence on the row before explains: twice the
        digits are asked for, as of a run of equal cells (quality.py).
        """
        found = []
        for i in self._made:
            bin_, rows = int(now[i].argmax()), int(now[i].sum())
            if int(now[i, bin_]) < rows or rows < self._policy.floor_rows or not self._whole:
                continue
            before = self._profile.counts[i]
            share = (float(before[bin_]) + 0.5) / (float(before.sum()) + 0.5 * len(before))
            score = -rows / float(self._profile.inflation[i]) * math.log10(share)
            if score >= 2 * self._score:
                level = self._level(i, "reference", 1.0, min(score, CAP))
                found.append(
                    replace(level, statistic=COLLAPSE, category=Category.PERFORMANCE, threshold=share, material=True)
                )
        return found

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


def _kind(most: int) -> type[np.uint16 | np.int32]:
    """Return the smaller of two kinds of whole numbers that hold twice as much as this."""
    return np.uint16 if most < 2**15 else np.int32
