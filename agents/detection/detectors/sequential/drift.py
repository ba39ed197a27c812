"""Sequential drift of each column: mean, scale and shares by CUSUMs, and the correlation of pairs.

Rows are whitened, cut into blocks and given to banks of CUSUMs. What passes is a level until rows say it is over.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.level import Key, Level
from agents.detection.detectors.sequential import steps
from agents.detection.detectors.sequential.alarms import Alarm, Alarms
from agents.detection.detectors.sequential.blocks import Blocks, Cutter, PendingState
from agents.detection.detectors.sequential.correlation import MOST, Correlation, CorrelationState
from agents.detection.detectors.sequential.cusum import Bank, BankState, Passing
from agents.detection.detectors.sequential.findings import (
    MEAN,
    SCALE,
    SHARE,
    Finding,
    Limits,
    on_mean,
    on_scale,
    on_share,
    reverse,
    since,
)
from agents.detection.detectors.sequential.shares import ODDS, Shares, SharesState, categories
from agents.detection.detectors.sequential.temper import DESIGNS, Tempers
from agents.detection.detectors.sequential.whiten import Whitening, WhiteningState
from agents.detection.profile import RANGE, Profile
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

LONGEST = 1000
"""Most rows after which the baselines take in what came."""

_SCALED = 3  # different values that a column needs for its scale to be other than its mean
_WILD = 2  # clipped values of a window that a shift of the mean may have


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
    window_from: int
    window_to: int
    odd: bytes
    tempers: bytes


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
        self._numbers = common(np.array([i for i in watched if not profile.facets[i].text], dtype=np.int64))
        self._texts = [i for i in watched if profile.facets[i].text]
        texts = [profile.facets[i] for i in self._texts]
        cusums = len(self._numbers) * sum(len(of.slope) for of in DESIGNS) + 2 * len(ODDS) * categories(texts)
        self._limits = Limits.of(cusums, self._epoch, thresholds)
        self._shares = Shares(texts, [profile.counts[i] for i in self._texts], self._limits)
        nothing, never = np.empty((len(self._numbers), 0)), np.empty(0, dtype=np.int64)
        self._begin(Whitening(nothing, never, profile.season.of(self._numbers), 1))

    def _begin(self, whitening: Whitening) -> None:
        channels = len(self._numbers)
        self._whitening = whitening
        self._cutter = Cutter(channels, self._shares.sizes)
        self._banks = (
            *(Bank(designs, channels, self._limits.back) for designs in DESIGNS),
            self._shares.bank,
        )
        self._tempers = Tempers(channels, self._limits)
        names = [self._profile.facets[i].name for i in self._numbers[:MOST].tolist()]
        self._correlation = Correlation(names, self._limits)
        self._alarms = Alarms()
        self._rows = self._from = self._to = 0
        self._heard = False
        self._odd = np.zeros((2, channels))

    def begin(self, sample: Sample) -> None:
        """Learn the innovations from the reference's own rows."""
        if sample.steady is None or sample.times is None:
            return
        values, cap = sample.steady[self._numbers], self._policy.drift.baseline_rows
        whitening = Whitening(values, sample.times, self._profile.season.of(self._numbers), cap)
        self._begin(whitening)
        # Let go of: a reference's innovations are larger than all else that a monitor keeps.
        learnt, whitening.learnt = whitening.learnt, np.empty((0, 0))
        # The scale of what has two values says no more than its mean does.
        self._tempers.learn(learnt, [len(np.unique(row)) < _SCALED for row in values])

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows."""
        self.hear(sample)
        self._heard = False
        if self._rows >= self._epoch:
            self._close()

    def hear(self, sample: Sample) -> bool:
        """Take in a sample's rows before the others do, all but the end of the window; return whether any mean passed.

        What is told within a window is told so before the window's end is judged, wherever the batches end.
        """
        if self._heard or sample.steady is None or sample.times is None or not sample.rows:
            return False
        self._heard = True
        first, before = 0, self._alarms.told()
        while first < sample.rows:
            if self._rows >= self._epoch:
                self._close()
            end = min(first + self._epoch - self._rows, sample.rows)
            self._take(sample.steady[:, first:end], sample.times[first:end])
            first = end
        return self._alarms.told() != before

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [*self._alarms.levels(), *self._correlation.levels()]

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
                alarms=self._alarms.state(),
                window_from=self._from,
                window_to=self._to,
                odd=pack(self._odd),
                tempers=self._tempers.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved, cap = decode(DriftState, state), self._policy.drift.baseline_rows
        self._shares.restore(saved.shares)
        self._begin(Whitening.of_state(saved.whitening, len(self._numbers), cap))
        self._cutter.restore(saved.pending)
        for bank, body in zip(self._banks, saved.banks, strict=True):
            bank.restore(body)
        self._correlation.restore(saved.correlation)
        self._alarms.restore(saved.alarms)
        self._odd = unpack(saved.odd, self._odd.shape)
        self._tempers.restore(saved.tempers)
        self._from, self._to = saved.window_from, saved.window_to
        if not 0 <= saved.rows < LONGEST:
            raise SchemaError(f"a saved window has {saved.rows} rows")
        self._rows = min(saved.rows, self._epoch - 1)

    def _take(self, values: Floats, times: NDArray[np.int64]) -> None:
        if not self._rows:
            self._from = int(times[0])
        innovations, known, whole = self._whitening.innovations(values, self._numbers, times)
        self._correlation.add(innovations[:MOST], None if whole else known[:MOST])
        self._rows += len(times)
        ends = self._rows >= self._epoch
        blocks = self._cutter.cut(innovations, known, values[self._texts], times, ends=ends)
        if len(blocks):
            self._whitening.take(blocks.totals[[steps.SUM, steps.POWER, steps.NUMBER]])
            self._shares.take(blocks)
            self._walk(blocks)
        self._to = int(times[-1])

    def _walk(self, blocks: Blocks) -> None:
        fed = ((blocks.sums, blocks.number), (blocks.squares, blocks.freedom), (blocks.happened, blocks.tried))
        active = [(i, bank, (*fed[i], blocks.starts)) for i, bank in enumerate(self._banks) if len(fed[i][0])]
        # They stay as they are until the epoch ends.
        limits, at = (*self._tempers.limits(self._whitening.weight), self._shares.limit), 0
        while active and at < len(blocks):
            # Up to the first block in which anything passes; it changes how the next ones are judged.
            end, reached = len(blocks), []
            for i, bank, series in active:
                end = bank.walk(series, (at, end), limits[i])
                reached.append(end)
            for (i, bank, series), before in zip(active, reached, strict=True):
                if before > end:
                    bank.walk(series, (at, end), limits[i])
            at = end
            for i, bank, _ in active:
                for passing in bank.keep(int(blocks.starts[at - 1]), limits[i]):
                    self._pass(i, passing, int(blocks.ends[at - 1]), self._patience(i, passing, blocks, at))
        self._odd += blocks.totals[steps.CLIPPED :]

    def _patience(self, bank: int, passing: Passing, blocks: Blocks, end: int) -> int:
        """Return the window ends at which what passed may have a cause that is told first."""
        if bank == SHARE or passing.back:
            return 1
        c = passing.channel
        clipped, missing = self._odd[:, c] + (blocks.clipped[c, :end].sum(), blocks.missing[c, :end].sum())
        gone = float(self._profile.bad[self._numbers[c], :RANGE].sum()) / max(self._profile.rows, 1)
        usual = self._epoch * gone
        still = not blocks.squares[c, end - 1]
        if clipped > _WILD:
            return self._policy.confirm_windows  # perhaps a few are far out of range, which is told that late
        return int(bank == SCALE or still or missing > usual + 4 * np.sqrt(usual) + _WILD)

    def _pass(self, bank: int, passing: Passing, at: int, patience: int) -> None:
        held = self._banks[bank]
        if passing.back:
            for channel in self._shares.together(passing.channel) if bank == SHARE else (passing.channel,):
                held.release(channel)
                self._alarms.end(bank, channel)
            return
        found = self._finding(bank, passing)
        if bank == SHARE:
            for channel in self._shares.together(passing.channel):
                held.hold(channel, 0.0, 0.0)
        held.hold(passing.channel, *reverse(bank, found))
        level = found.level(self.name, passing, at, self._limits)
        patience = self._policy.confirm_windows if level.symptom else patience
        self._alarms.add(bank, passing.channel, level, patience)

    def _finding(self, bank: int, passing: Passing) -> Finding:
        designs = self._banks[bank].designs
        if bank == SHARE:
            facet, share = self._shares.known(passing.channel)
            return on_share(self._profile.facets[self._texts[facet]], designs, passing, share)
        named = self._profile.facets[self._numbers[passing.channel]]
        gain = float(self._whitening.gain[passing.channel])
        return on_mean(named, designs, passing, gain) if bank == MEAN else on_scale(named, designs, passing)

    def _follow(self) -> None:
        """Let what stands say what the newest window shows, so that a small drift that grows is seen to grow."""
        for bank, name in ((MEAN, "mean"), (SCALE, "scale")):
            for channel in np.flatnonzero(self._banks[bank].raised).tolist():
                mean, scale, number = self._whitening.lately(channel)
                held = self._alarms.of(bank, channel)
                if held is not None and number >= self._policy.floor_rows:
                    value = mean * float(self._whitening.gain[channel]) if bank == MEAN else scale
                    facet = self._profile.facets[self._numbers[channel]]
                    found = since(facet, name, value, self._banks[bank].designs)
                    found_now = found.follow(held, (self._from, self._to, int(number)), self._limits)
                    self._alarms.change(bank, channel, found_now)

    def _close(self) -> None:
        calm = ~(self._banks[MEAN].raised | self._banks[SCALE].raised)
        self._follow()
        self._whitening.settle(calm)
        self._shares.settle()
        self._correlation.close(calm[:MOST], (self._from, self._to, self._epoch))
        self._alarms.close()
        self._odd[:] = 0
        self._rows = 0
