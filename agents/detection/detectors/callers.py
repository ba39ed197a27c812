"""Floods of requests and harvested costs: rate and cost by event time, of everybody and of the busiest caller.

Denial of service and cost harvesting are told from growth by how sudden they are: a rate counts against the highest
of the reference and of the windows just before. A short burst is no flood.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Cells, Floats
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Callers, Span
from agents.detection.detectors.level import Held, Key, Level, Levels
from agents.detection.sample import Sample
from schemas.atlas import EXCESSIVE_QUERIES, FLOOD, INTENSIVE_QUERIES
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.thresholds import Thresholds

RATE, CALLER_RATE, COST, COST_RATE = range(4)
_UNIT = 1e6  # costs are whole millionths, so that no sum depends on the order of its parts
_MOST = 1e9
_RECENT = 4
COSTS = ("cost", "tokens")
"""Roles of the column that says what a request cost, in any unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallersState:
    """What rates and costs are judged against, and the window so far; version 1."""

    windows: int
    peaks: bytes
    recent: bytes
    rows: int
    at_from: int
    at_to: int
    trusted: bool
    priced: int
    names: tuple[str, ...]
    counts: bytes
    costs: bytes
    since: tuple[int, ...]
    held: tuple[Held, ...]


class CallerRates:
    """Windows of rows with event times, callers (role ``caller``) and costs (role ``cost`` or ``tokens``), if any.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which a finding counts.
    """

    name: ClassVar[str] = "callers"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.attacks
        self._score = score
        self._window = thresholds.window_rows
        self._levels = Levels(thresholds.confirm_windows, thresholds.clear_windows)
        self._windows = 0
        self._known: Floats | None = None  # of each rate the highest learnt, then the recent ones
        self._since = [0] * 4
        self._callers = Callers()
        self._rows = self._from = self._to = self._priced = 0
        self._trusted = True
        self._counts = attack.NOTHING  # rows of nobody, then of each caller
        self._costs = attack.NOTHING

    def update(self, sample: Sample) -> None:
        """Take in a sample's rows; a full window is judged."""
        callers = attack.cells_of(sample, "caller")
        at = attack.cells_of(sample, "at")
        costs = next((c for role in COSTS if (c := attack.cells_of(sample, role)) is not None), None)
        trusted = at is not None and at.kind == "long" and sample.times is not None
        if not sample.rows or (costs is None and not trusted):
            return
        part = attack.part_of(sample)
        self._from = sample.at_from if not self._rows else min(self._from, sample.at_from)
        self._to = sample.at_to if not self._rows else max(self._to, sample.at_to)
        self._trusted &= trusted
        self._rows += sample.rows
        self._count(self._callers.numbers(callers, part), _price(costs, part))
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
            CallersState(
                windows=self._windows,
                peaks=pack(self._usual()[:, 0]),
                recent=pack(self._usual()[:, 1:]),
                rows=self._rows,
                at_from=self._from,
                at_to=self._to,
                trusted=self._trusted,
                priced=self._priced,
                names=self._callers.names,
                counts=pack(self._counts, "<i8"),
                costs=pack(self._costs, "<i8"),
                since=tuple(self._since),
                held=self._levels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(CallersState, state)
        if len(saved.since) != 4:
            raise SchemaError("a saved detector of callers has not four rates")
        self._windows, self._since = saved.windows, list(saved.since)
        known = np.column_stack([unpack(saved.peaks, (4,)), unpack(saved.recent, (4, _RECENT))])
        self._known = known if saved.windows or known.any() else None
        self._rows, self._from, self._to = saved.rows, saved.at_from, saved.at_to
        self._trusted, self._priced = saved.trusted, saved.priced
        self._callers.restore(saved.names)
        size = len(saved.names) + 1
        self._counts, self._costs = unpack(saved.counts, (size,), "<i8"), unpack(saved.costs, (size,), "<i8")
        self._levels.restore(saved.held)

    def _clear(self) -> None:
        self._callers = Callers()
        self._rows = self._from = self._to = self._priced = 0
        self._trusted = True
        self._counts = self._costs = attack.NOTHING

    def _usual(self) -> Floats:
        return np.zeros((4, 1 + _RECENT)) if self._known is None else self._known

    def _count(self, callers: attack.Integers, costs: Floats) -> None:
        size = len(self._callers.names) + 1
        grown = size - len(self._counts)
        self._counts = np.pad(self._counts, (0, grown)) + np.bincount(callers + 1, minlength=size)
        self._costs = np.pad(self._costs, (0, grown))
        usable = np.isfinite(costs)
        if usable.any():
            units = np.rint(np.clip(costs[usable], 0.0, _MOST) * _UNIT).astype(np.int64)
            # In integers: a sum of doubles would depend on how rows were batched.
            np.add.at(self._costs, callers[usable] + 1, units)
            self._priced += int(np.count_nonzero(usable))

    def _close(self) -> None:
        now = self._measured()
        learning = self._windows < self._policy.learn_windows
        self._known = known = self._usual()
        usual = known.max(axis=1)
        findings = [] if learning else self._findings(now, usual)
        self._levels.judge(findings)
        found = [self._since[i] > 0 for i in range(4)]
        if learning:
            known[:, 0] = np.maximum(known[:, 0], now)
            self._windows += 1
        for i in range(4):
            # What is suspected is not usual; it is watched against what was before it.
            if not found[i]:
                known[i, 1:] = np.append(known[i, 2:], now[i])
        self._clear()

    def _measured(self) -> Floats:
        """Return rows a second, those of the busiest caller, cost a request, cost a second; 0 where unknown."""
        seconds = (self._to - self._from) / 1000
        timed = self._trusted and seconds > 0
        known = self._counts[1:]
        cost = float(self._costs.sum()) / _UNIT
        return np.array(
            [
                self._rows / seconds if timed else 0.0,
                float(known.max()) / seconds if timed and len(known) else 0.0,
                cost / self._priced if self._priced else 0.0,
                cost / seconds if timed else 0.0,
            ]
        )

    def _findings(self, now: Floats, usual: Floats) -> list[Level]:
        policy = self._policy
        factor = policy.flood_factor if len(self._counts) > 1 else policy.flood_factor_anonymous
        factors = (factor, policy.flood_factor, policy.cost_factor, factor)
        floors = (policy.flood_per_second, policy.flood_per_second, 0.0, 0.0)
        lasting = (policy.flood_seconds, policy.flood_seconds, 0, policy.flood_seconds)
        found = []
        for i in range(4):
            limit = max(factors[i] * float(usual[i]), floors[i])
            value, score = float(now[i]), attack.multiple(float(now[i]), float(usual[i]))
            if not usual[i] or value < limit or score <= self._score:
                self._since[i] = 0
                continue
            self._since[i] = self._since[i] or max(self._from, 1)
            if self._to - self._since[i] >= lasting[i] * 1000:
                found.append(self._level(i, (value, limit, score)))
        return found

    def _level(self, index: int, measured: tuple[float, float, float]) -> Level:
        span = Span(rows=self._rows, at_from=self._from, at_to=self._to)
        names = ("request_rate", "caller_rate", "cost_per_request", "cost_rate")
        technique = (FLOOD, FLOOD, INTENSIVE_QUERIES, EXCESSIVE_QUERIES)[index]
        weights = self._counts if index < COST else self._costs
        caller, share = self._busiest(weights)
        one = index == CALLER_RATE or share > 0.5
        subject = f"caller {caller}" if one and caller else "requests" if index < COST else "cost"
        confidence = (0.5 if one and caller else 0.4) + (0.2 if index in (CALLER_RATE, COST_RATE) else 0.0)
        return attack.level(self.name, (subject, names[index]), measured, span, technique, confidence)

    def _busiest(self, weights: attack.Integers) -> tuple[str, float]:
        if len(weights) < 2 or not weights.sum():
            return "", 0.0
        top = int(np.argmax(weights[1:]))
        return self._callers.names[top], float(weights[1 + top] / weights.sum())


def _price(costs: Cells | None, part: attack.Integers) -> Floats:
    if costs is None or costs.text:
        return np.full(len(part), np.nan)
    price: Floats = costs.values[part].astype(np.float64)
    if costs.flags is not None:
        price[costs.flags[part] != 0] = np.nan
    return price
