"""Jumps of columns that wander: one step like none that is known, after which the values stay away.

What a column that all but walks at random has as its level says little, and a histogram of few independent rows says
no more. A changed unit or an exchanged sensor shows in the steps from row to row: it is a level shift (Tsay 1988),
which in such a column is one step, and a linear map, after which all steps are as many times larger as it says.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import stdtr

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors import leaps
from agents.detection.detectors.leaps import AFTER, CALM, HELD, LEAPT
from agents.detection.detectors.level import CAP, Held, Key, Level, Levels
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds
from schemas.values import Category

JUMP = "jump"
"""The statistic: how many times the largest step known the jump is."""

WANDERS = 3.0
"""Rows of a column that say as much as one independent row, from which on it wanders: a dependence of one half."""

OTHER = 3.0
"""−log10 p that is enough to say that the steps after a jump have another scale."""

_PHASES = (CALM, LEAPT, HELD)
_TIMES = 2.0**53  # ms up to which a double holds each

_SPREAD = 0.83
"""Variance of the logarithm of a mean absolute change of independent normal steps, times how many it is of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpsState:
    """What is held of each column that wanders; version 1."""

    rows: int
    at_from: int
    at_to: int
    columns: bytes
    held: tuple[Held, ...]


class Jumps:
    """The features of one monitor that wander.

    Parameters
    ----------
    profile
        The reference.
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "jump"

    def __init__(self, profile: Profile, thresholds: Thresholds, score: float) -> None:
        found = [
            i
            for i, facet in enumerate(profile.facets)
            if facet.role == "feature" and not facet.text and profile.inflation[i] >= WANDERS
        ]
        self._columns = common(np.array(found, dtype=np.int64))
        self._names = [profile.facets[i].name for i in found]
        self._least = thresholds.drift.jump
        self._score = score
        self._window = thresholds.window_rows
        self._levels = Levels(1, thresholds.clear_windows)
        self._held = leaps.blank(len(found))
        self._rows = self._from = self._to = 0

    def begin(self, sample: Sample) -> None:
        """Learn the steps of the reference's own rows."""
        if sample.values is None or sample.times is None:
            return
        for column, facet in enumerate(self._columns.tolist()):
            leaps.learn(self._held, column, sample.values[facet], sample.times)

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows; a full window is judged."""
        if sample.values is None or sample.times is None or not sample.rows or not len(self._columns):
            return
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        leaps.follow(sample.values, sample.times, self._columns, self._held, self._least)
        self._rows += sample.rows
        if self._rows >= self._window:
            self._close()

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return self._levels.raised()

    def shows(self, key: Key) -> bool:
        """Whether the newest window showed it."""
        return self._levels.holds(key)

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            JumpsState(
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                columns=pack(self._held),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(JumpsState, state)
        if saved.rows < 0:
            raise SchemaError("a saved window has fewer than no rows")
        held = unpack(saved.columns, self._held.shape)
        if not (np.isin(held[leaps.PHASE], _PHASES) & (np.abs(held[leaps.AT]) <= _TIMES)).all():
            raise SchemaError("a saved watch for jumps is in no phase, or of no time")
        self._held = held
        # Another policy may have shorter windows.
        self._rows = min(saved.rows, self._window - 1)
        self._from, self._to = saved.at_from, saved.at_to
        self._levels.restore(saved.held)

    def _close(self) -> None:
        phases = self._held[leaps.PHASE]
        if phases.any():
            for column in np.flatnonzero(phases == LEAPT).tolist():
                self._judge(column)
            held = np.flatnonzero(phases == HELD).tolist()
            self._levels.judge([self._level(column) for column in held if not self._over(column)])
            raised = {level.subject for level in self._levels.raised()}
            for column in held:
                leaps.begin(self._held, column)
                if self._names[column] not in raised:
                    phases[column] = CALM
        self._rows = 0

    def _judge(self, column: int) -> None:
        """Raise a leap that is sure, and take one that is not so in time for a step like others."""
        held = self._held[:, column]
        blocks = float(held[leaps.NUMBER])
        if blocks < 1 or (not held[leaps.MOVED] and blocks < leaps.STILL):
            return
        beyond = float(held[leaps.TAIL]) * math.log10(max(float(held[leaps.TIMES]), 1.0))
        leap = beyond + math.log10(max(float(held[leaps.KNOWN]), 1.0) / self._window)
        scale = self._scale(held)
        score = max(leap, _both(leap, scale)) - math.log10(2)
        if score > self._score:
            held[leaps.PHASE], held[leaps.SCORE] = HELD, min(score, CAP)
            held[leaps.OTHER] = held[leaps.LOGS] / blocks if scale >= OTHER else np.nan
        elif blocks >= leaps.LATEST:
            leaps.settle(self._held, column)

    def _scale(self, held: Floats) -> float:
        """Return −log10 p of the scale of the blocks since, where it changed as a linear map would have it, or 0."""
        number, blocks = float(held[leaps.NUMBER]), max(float(held[leaps.BLOCKS]), 2.0)
        off = float(held[leaps.LOGS]) / number - float(held[leaps.MEAN])
        if (off > 0) != (abs(held[leaps.BEYOND]) > abs(held[leaps.BEFORE])):
            return 0.0
        variance = max(float(held[leaps.VARIANCE]), _SPREAD / AFTER)
        # Blocks that are like those before them say less than as many independent ones.
        alike = min(max(float(held[leaps.ALIKE]) / variance, 0.0), 0.99)
        one = min((1 + alike) / (1 - alike) / number, 1.0)
        error = math.sqrt(variance * blocks / (blocks - 1) * (one + 1 / blocks))
        return min(-math.log10(max(float(stdtr(blocks - 1, -abs(off) / error)), 10.0**-CAP)), CAP)

    def _over(self, column: int) -> bool:
        """Whether the values are back: by the scale of their steps where that had changed, else by where they are."""
        held = self._held[:, column]
        if not held[leaps.NUMBER]:
            return False
        if math.isnan(held[leaps.OTHER]):
            return bool(held[leaps.BACK] > held[leaps.SINCE] / 2)
        now = float(held[leaps.LOGS] / held[leaps.NUMBER])
        return abs(now - float(held[leaps.MEAN])) < abs(now - float(held[leaps.OTHER]))

    def _level(self, column: int) -> Level:
        held = self._held[:, column]
        before, beyond, at = float(held[leaps.BEFORE]), float(held[leaps.BEYOND]), int(held[leaps.AT])
        return Level(
            detector=self.name,
            subject=self._names[column],
            statistic=JUMP,
            baseline="rolling",
            category=Category.DATA_DRIFT,
            value=float(held[leaps.TIMES]),
            threshold=self._least,
            score=float(held[leaps.SCORE]),
            first_bad_at=at,
            window_from=min(self._from, at),
            window_to=max(self._to, at),
            rows=self._rows,
            symptom=False,
            note=f"times the largest step known: from {before:.6g} to {beyond:.6g} between two rows, where it stays",
        )


def _both(one: float, other: float) -> float:
    """Return −log10 of how likely two independent probabilities are together (Fisher 1932): q·(1 − ln q)."""
    product: float = max(one, 0.0) + other
    return product - math.log10(1 + product * math.log(10))
