"""Data quality of each facet: the share of cells that cannot be used, and sensors that stand still."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import bdtrc

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.compiled import compiled
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.profile import NAN, NULL, RANGE, Profile
from agents.detection.sample import BAD, Counts, Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds
from schemas.values import Category

STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityState:
    """What data quality remembers; version 1."""

    rows: int
    at_from: int
    at_to: int
    bad: bytes
    longest: bytes
    held: tuple[Held, ...]


class Quality:
    """Rates of unusable cells against the reference's own rates, by a binomial tail; runs against its repeats.

    A value far out of the reference's range is a symptom: where the whole distribution moved (a unit changed), the
    drift of it is named first, and the range says nothing more.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    whole
        Whether this is the whole monitor or one instance of it.
    """

    name: ClassVar[str] = "quality"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float, *, whole: bool = True) -> None:
        self._profile = profile
        self._policy = thresholds
        self._score = score
        self._window = thresholds.window_rows if whole else thresholds.floor_rows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        # Unusable cells by kind, and the longest run.
        self._held = np.zeros((len(profile.facets), len(BAD) + 1), dtype=np.int64)
        self._rows = self._from = self._to = 0

    def update(self, sample: Sample) -> None:
        """Take in a sample's counts; a full window is judged."""
        if sample.bad is None:
            return
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        bad, runs = self._parts()
        bad += sample.bad
        self._rows += sample.rows
        if sample.longest is not None:
            np.maximum(runs, sample.longest, out=runs)
        self._close_if_full()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest rows, though fewer than a window, look like it too."""
        if self._rows < 50:
            return self._levels.holds(key)
        index = [facet.name for facet in self._profile.facets].index(key[3])
        if key[1] == STUCK:
            return bool(self._held[index, -1] >= self._run_limits()[index])
        kind = BAD.index(key[1])
        return bool(
            self._held[index, kind] / self._rows - self._upper_rates()[index, kind] >= self._policy.quality.rise
        )

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            QualityState(
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                bad=pack(self._parts()[0], "<i8"),
                longest=pack(self._parts()[1], "<i8"),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(QualityState, state)
        self._rows, self._from, self._to = saved.rows, saved.at_from, saved.at_to
        bad, runs = self._parts()
        bad[:] = unpack(saved.bad, bad.shape, "<i8")
        runs[:] = unpack(saved.longest, runs.shape, "<i8")
        self._levels.restore(saved.held)

    def merge(self, state: bytes) -> None:
        """Take in the open window of another shard, which saw other rows of the same scope; full, it is judged."""
        other = decode(QualityState, state)
        if other.rows:
            self._from = other.at_from if not self._rows else min(self._from, other.at_from)
            self._to = other.at_to if not self._rows else max(self._to, other.at_to)
        bad, runs = self._parts()
        bad += unpack(other.bad, bad.shape, "<i8")
        np.maximum(runs, unpack(other.longest, runs.shape, "<i8"), out=runs)
        self._rows += other.rows
        self._close_if_full()

    def _close_if_full(self) -> None:
        if self._rows < self._window:
            return
        self._levels.judge(self._findings())
        self._held[:] = 0
        self._rows = 0

    def _parts(self) -> tuple[Counts, Counts]:
        return self._held[:, :-1], self._held[:, -1]

    def _upper_rates(self) -> Floats:
        rows = max(self._profile.rows, 1)
        rates = self._profile.bad / rows
        upper: Floats = np.minimum(rates + 3 * np.sqrt(rates * (1 - rates) / rows) + 3 / rows, 1.0)
        for kind in (NULL, NAN):
            # Gaps that come in bunches will again.
            had = self._profile.bad[:, kind] > 0
            upper[had, kind] = np.maximum(upper[had, kind], self._profile.bunched[had])
        return upper

    def _run_limits(self) -> Floats:
        # Of n rows, about n·pᴸ runs reach the length L when a cell repeats with probability p.
        # Real runs are longer than independent repeats would make them: twice the digits are asked for.
        digits = 2 * (self._score + np.log10(self._window))
        runs = np.ceil(digits / -np.log10(self._profile.repeats))
        numbers = np.array([facet.role == "feature" for facet in self._profile.facets])
        limits: Floats = np.where(numbers, np.maximum(runs, self._policy.quality.stuck_rows), np.inf)
        return limits

    def _findings(self) -> list[Level]:
        bad, longest = self._parts()
        if not _suspicious(self._held, self._policy.quality.stuck_rows):
            return []  # as nearly always: no base is as low as 0, and no limit of a run is below that
        base, most = self._upper_rates(), self._run_limits()
        rates = bad / self._rows
        above = rates - base >= self._policy.quality.rise
        found = []
        for i, kind in zip(*(axis.tolist() for axis in np.nonzero(above)), strict=True):
            tail = float(bdtrc(float(bad[i, kind]) - 1, self._rows, base[i, kind]))
            score = CAP if tail <= 10.0**-CAP else -float(np.log10(tail))
            if score > self._score:
                rate, limit = float(rates[i, kind]), float(base[i, kind]) + self._policy.quality.rise
                # Gaps come and go: a rise that is hardly one has to last.
                small = kind == RANGE or rate - limit < self._policy.quality.rise
                found.append(self._level(i, BAD[kind], rate, limit, score, symptom=small))
        for i in np.flatnonzero(longest >= most).tolist():
            length = float(longest[i])
            digits = -length * float(np.log10(self._profile.repeats[i])) - float(np.log10(self._window))
            found.append(self._level(i, STUCK, length, float(most[i]), min(digits, CAP)))
        return found

    def _level(
        self, index: int, statistic: str, value: float, threshold: float, score: float, *, symptom: bool = False
    ) -> Level:
        return Level(
            detector=self.name,
            subject=self._profile.facets[index].name,
            statistic=statistic,
            baseline="reference",
            category=Category.DATA_QUALITY,
            value=value,
            threshold=threshold,
            score=score,
            first_bad_at=self._from,
            window_from=self._from,
            window_to=self._to,
            rows=self._rows,
            symptom=symptom,
        )


@compiled
def _suspicious(held: Counts, stuck: int) -> bool:
    """Whether any cell cannot be used, or any run (the last column) is as long as one that may be stuck."""
    found = False
    for i in range(len(held)):
        found = found or bool(held[i, -1] >= stuck) or bool(held[i, :-1].any())
    return found
