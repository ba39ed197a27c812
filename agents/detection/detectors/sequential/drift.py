"""Sequential drift of each column: mean, scale and shares by CUSUMs, and the correlation of pairs.

Rows are whitened (whiten.py), cut into blocks (blocks.py) and given to banks of CUSUMs (cusum.py). What passes is
a level: its baseline stands still until the newest rows are evidence that they are back at it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.detectors.sequential.blocks import BLOCK, Blocks, Cutter, PendingState, totals
from agents.detection.detectors.sequential.correlation import MOST, Correlation, CorrelationState
from agents.detection.detectors.sequential.cusum import Bank, BankState, Passing, of_mean, of_scale
from agents.detection.detectors.sequential.findings import (
    MEAN,
    SCALE,
    SHARE,
    Finding,
    Limits,
    of_pair,
    on_mean,
    on_scale,
    on_share,
    reverse,
)
from agents.detection.detectors.sequential.scores import UNIT
from agents.detection.detectors.sequential.shares import ODDS, Shares, SharesState, categories
from agents.detection.detectors.sequential.whiten import Whitening, WhiteningState
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds

SHIFTS = (0.125, 0.25, 0.5, 1.0)
"""Shifts of the mean that CUSUMs are designed for, in deviations of the innovations."""

RATIOS = (1.25, 1.75)
"""Ratios of the deviation, up and down."""

LONGEST = 1000
"""Most rows after which the baselines take in what came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What stands of one channel of one bank.

    told
        Whether it is a level; else it waits for the window's end, where causes are told.
    windows
        Window ends since.
    """

    bank: int
    channel: int
    level: Level
    told: bool
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftState:
    """What sequential drift remembers; version 1."""

    rows: int
    whitening: WhiteningState
    pending: PendingState
    banks: tuple[BankState, ...]
    shares: SharesState
    correlation: CorrelationState
    alarms: tuple[Alarm, ...]
    held: tuple[Held, ...]
    window_from: int


class Drift:
    """All columns of one monitor.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    """

    name: ClassVar[str] = "cusum"

    def __init__(self, profile: Profile, thresholds: Thresholds) -> None:
        self._profile = profile
        self._policy = thresholds
        self._epoch = min(thresholds.window_rows, LONGEST)
        watched = [i for i, facet in enumerate(profile.facets) if facet.role in ("feature", "prediction")]
        self._numbers = np.array([i for i in watched if not profile.facets[i].text], dtype=np.int64)
        self._texts = [i for i in watched if profile.facets[i].text]
        texts = [profile.facets[i] for i in self._texts]
        cusums = 2 * len(self._numbers) * (len(SHIFTS) + len(RATIOS)) + 2 * len(ODDS) * categories(texts)
        self._limits = Limits.of(cusums, self._epoch, thresholds)
        self._score = score = self._limits.score
        self._shares = Shares(texts, [profile.counts[i] for i in self._texts], score, self._epoch)
        self._begin(Whitening(np.empty((len(self._numbers), 0)), _NO_TIMES, profile.season.of(self._numbers), 1))

    def _begin(self, whitening: Whitening) -> None:
        channels = len(self._numbers)
        mean, scale = of_mean(SHIFTS, BLOCK, UNIT), of_scale(RATIOS, BLOCK, UNIT)
        self._whitening = whitening
        self._cutter = Cutter(channels, self._shares.sizes)
        back = float(self._limits.back)
        self._banks = (
            Bank(mean, channels, mean.limit(self._score, self._epoch), back),
            Bank(scale, channels, scale.limit(self._score, self._epoch), back),
            self._shares.bank,
        )
        self._correlation = Correlation(min(channels, MOST), self._policy.drift.baseline_rows)
        self._levels = Levels(self._policy.confirm_windows, self._policy.clear_windows)
        self._alarms: dict[tuple[int, int], Alarm] = {}
        self._rows = self._from = 0

    def begin(self, sample: Sample) -> None:
        """Learn the innovations from the reference's own rows."""
        if sample.steady is None or sample.times is None:
            return
        values = sample.steady[self._numbers]
        cap = self._policy.drift.baseline_rows
        self._begin(Whitening(values, sample.times, self._profile.season.of(self._numbers), cap))

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows."""
        if sample.steady is None or sample.times is None or not sample.rows:
            return
        first = 0
        while first < sample.rows:
            end = min(first + self._epoch - self._rows, sample.rows)
            self._take(sample.steady[:, first:end], sample.times[first:end])
            first = end

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [*(a.level for _, a in sorted(self._alarms.items()) if a.told), *self._levels.raised()]

    def shows(self, key: Key) -> bool:
        """Whether it is raised here."""
        return any(level.key == key for level in self.levels())

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            DriftState(
                rows=self._rows,
                whitening=self._whitening.state(),
                pending=self._cutter.state(),
                banks=tuple(bank.state() for bank in self._banks),
                shares=self._shares.state(),
                correlation=self._correlation.state(),
                alarms=tuple(alarm for _, alarm in sorted(self._alarms.items())),
                held=self._levels.state(),
                window_from=self._from,
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(DriftState, state)
        cap = self._policy.drift.baseline_rows
        self._shares.restore(saved.shares)
        self._begin(Whitening.of_state(saved.whitening, len(self._numbers), cap))
        self._cutter.restore(saved.pending)
        for bank, body in zip(self._banks, saved.banks, strict=True):
            bank.restore(body)
        self._correlation.restore(saved.correlation)
        self._levels.restore(saved.held)
        self._alarms = {(alarm.bank, alarm.channel): alarm for alarm in saved.alarms}
        self._rows, self._from = min(max(saved.rows, 0), self._epoch - 1), saved.window_from

    def _take(self, values: Floats, times: NDArray[np.int64]) -> None:
        if not self._rows:
            self._from = int(times[0])
        innovations, known = self._whitening.innovations(values[self._numbers], times)
        pairs = len(self._correlation_part)
        self._correlation.add(innovations[:pairs], None if known is None else known[:pairs])
        self._rows += len(times)
        ends = self._rows >= self._epoch
        blocks = self._cutter.cut(innovations, known, values[self._texts], times, ends=ends)
        if len(blocks):
            self._whitening.take(*totals(blocks))
            self._shares.take(blocks)
            self._walk(blocks)
        if ends:
            self._close(int(times[-1]))

    @property
    def _correlation_part(self) -> NDArray[np.int64]:
        return self._numbers[:MOST]

    def _walk(self, blocks: Blocks) -> None:
        fed = ((blocks.sums, blocks.number), (blocks.squares, blocks.freedom), (blocks.happened, blocks.tried))
        active = [(i, bank, *fed[i]) for i, bank in enumerate(self._banks) if len(fed[i][0])]
        at = 0
        while active and at < len(blocks):
            # Up to the first block in which anything passes; it changes how the next ones are judged.
            left = len(blocks) - at
            end = min(min(bank.scan(x[:, at:], n[:, at:]) for _, bank, x, n in active) + 1, left)
            for i, bank, x, _ in active:
                still = x if i != MEAN else blocks.squares
                for passing in bank.commit(end, blocks.starts[at:]):
                    alone = i == MEAN and not still[passing.channel, at + end - 1]
                    self._pass(i, passing, int(blocks.ends[at + end - 1]), wait=alone)
            at += end

    def _pass(self, bank: int, passing: Passing, at: int, *, wait: bool) -> None:
        held = self._banks[bank]
        if passing.back:
            for channel in self._shares.together(passing.channel) if bank == SHARE else (passing.channel,):
                held.release(channel)
                self._alarms.pop((bank, channel), None)
            return
        found = self._finding(bank, passing)
        slope, toll = reverse(bank, found)
        if bank == SHARE:
            for channel in self._shares.together(passing.channel):
                held.hold(channel, 0.0, 0.0)
        held.hold(passing.channel, slope, toll)
        level = found.level(self.name, passing, at, self._limits)
        # Means are told at once, unless the values stand still: then, and for all else, a cause may be told first.
        told = bank == MEAN and not level.symptom and not wait
        self._alarms[bank, passing.channel] = Alarm(
            bank=bank, channel=passing.channel, level=level, told=told, windows=0
        )

    def _finding(self, bank: int, passing: Passing) -> Finding:
        designs = self._banks[bank].designs
        if bank == SHARE:
            facet, share = self._shares.known(passing.channel)
            return on_share(self._profile.facets[self._texts[facet]], designs, passing, share)
        facet_of = self._profile.facets[self._numbers[passing.channel]]
        if bank == MEAN:
            return on_mean(facet_of, designs, passing, float(self._whitening.gain[passing.channel]))
        return on_scale(facet_of, designs, passing)

    def _close(self, at: int) -> None:
        calm = ~(self._banks[MEAN].raised | self._banks[SCALE].raised)
        self._whitening.settle(calm)
        self._shares.settle()
        self._correlate(calm[: len(self._correlation_part)], at)
        for key, alarm in self._alarms.items():
            windows = min(alarm.windows + 1, self._policy.confirm_windows)
            told = alarm.told or not alarm.level.symptom or windows >= self._policy.confirm_windows
            self._alarms[key] = replace(alarm, told=told, windows=windows)
        self._rows = 0

    def _correlate(self, calm: NDArray[np.bool_], at: int) -> None:
        pairs = self._correlation.close(calm, self._policy.floor_rows)
        names = [self._profile.facets[i].name for i in self._correlation_part.tolist()]
        limit = self._limits.correlation(len(names))
        found = [of_pair(names, pair, (self._from, at, self._epoch), self._limits) for pair in pairs]
        beyond = [level for level in found if level.score > limit]
        held = {h.level.key for h in self._levels.state()}
        # One pair stands for all: where many change, one more name says no more.
        chosen = [level for level in beyond if level.key in held] or beyond[:1]
        self._levels.judge(chosen)
        away = {name for level in beyond for name in level.subject.split(", ")}
        self._correlation.learn(calm & np.array([name not in away for name in names], dtype=bool))


_NO_TIMES = np.empty(0, dtype=np.int64)
