"""Outcomes and errors of groups: selection rates (four-fifths rule, parity), error rates, equal opportunity.

Group columns divide the rows each by itself and, within bounds, crossed. Selection rates need predictions alone; error
and true positive rates (equal opportunity: Hardt, Price and Srebro, 2016) need labels.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Rows
from agents.detection.detectors.gaps import Gaps
from agents.detection.detectors.gaps_state import GapsState
from agents.detection.detectors.level import Key, Level
from agents.detection.detectors.outcome import FIRST, NONE, Outcome, OutcomeState
from agents.detection.detectors.rates import ERROR, OPPORTUNITY, SELECTION, Bits, Dimension
from agents.detection.joined import Codes, GroupColumn, Joined, combine, group_columns
from agents.detection.sample import Sample
from schemas.avro import decode, encode
from schemas.thresholds import Thresholds

CROSSING = " and "
"""Between the groups of a crossing, in its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FairnessState:
    """What fairness remembers; version 1.

    first, reach
        The first residuals, until nine in ten of them say how far off a number usually is.
    """

    first: bytes
    reach: float
    outcome: OutcomeState
    by_rows: GapsState
    by_labels: GapsState


class Fairness:
    """Groups of one model version.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which one of eight statistics of a window counts.
    """

    name: ClassVar[str] = "fairness"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.fairness
        self._first = np.empty(0)
        self._reach = 0.0
        self._outcome = Outcome(self._policy.favourable)
        rows = (self._policy.window, thresholds.reference_rows)
        least = thresholds.labels.window * thresholds.performance.learn_windows
        # Two groups of a window of labels are each too few to tell a gap from its wandering; of two windows, not.
        labels = (2 * thresholds.labels.window, max(least, thresholds.reference_rows))
        self._by_rows = Gaps((SELECTION,), rows, thresholds, score, both=not self._outcome.sure)
        self._by_labels = Gaps((ERROR, OPPORTUNITY), labels, thresholds, score)

    def update(self, sample: Sample) -> None:
        """Take in rows with group columns, or labels of such rows; full windows are judged."""
        if sample.joined is not None:
            self._take_labels(sample.joined)
        elif sample.source is not None and sample.times is not None:
            self._take_rows(sample.source, slice(sample.first, sample.first + sample.rows), sample.times)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [*self._by_rows.levels(), *self._by_labels.levels()]

    def shows(self, key: Key) -> bool:
        """Whether the group's newest rows showed it."""
        return self._by_rows.holds(key) or self._by_labels.holds(key)

    def standing(self) -> list[tuple[float, str]]:
        """Return the gaps that the reference already has, each with its sentence: findings, not incidents."""
        return [*self._by_rows.standing(), *self._by_labels.standing()]

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            FairnessState(
                first=pack(self._first),
                reach=self._reach,
                outcome=self._outcome.state(),
                by_rows=self._by_rows.state(),
                by_labels=self._by_labels.state(),
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(FairnessState, state)
        self._first, self._reach = unpack(saved.first, (len(saved.first) // 8,)), saved.reach
        self._outcome.restore(saved.outcome)
        self._by_rows.restore(saved.by_rows)
        self._by_labels.restore(saved.by_labels)

    def _take_rows(self, rows: Rows, part: slice, at: Codes) -> None:
        made = rows.with_role("prediction")
        if made is None or rows.with_role("group") is None or self._outcome.how == NONE:
            return
        flags = None if made.flags is None else made.flags[part]
        made = replace(made, values=made.values[part], flags=flags)
        first = self._outcome.learn(made)
        if first >= len(at) or self._outcome.how == NONE:
            return
        columns = self._wanted(group_columns(rows, part))
        known, favourable = self._outcome.of(made)
        dimensions = [Dimension(d.name, d.codes[first:], d.names) for d in _dimensions(columns)]
        self._by_rows.take(dimensions, known[None, first:], favourable[None, first:], at[first:])

    def _take_labels(self, joined: Joined) -> None:
        if not joined.combinations:
            return
        dimensions = _of_combinations(joined, self._policy.groups)
        predicted, true = self._outcome.classes(joined)
        known, wrong = self._wrong(joined)
        counted = np.stack([known, true])
        self._by_labels.take(dimensions, counted, np.stack([wrong, predicted & true]), joined.at)

    def _wrong(self, joined: Joined) -> tuple[Bits, Bits]:
        """Return which predictions are known to be right or wrong, and which are wrong.

        A number is where it is further off than nine in ten of the first were.
        """
        far = np.zeros(len(joined), dtype=np.bool_)
        measured = np.flatnonzero(np.isfinite(joined.residuals))
        if not self._reach:
            taken = measured[: FIRST - len(self._first)]
            self._first = np.concatenate([self._first, joined.residuals[taken]])
            measured = measured[len(taken) :]
            if len(self._first) == FIRST:
                self._reach = max(float(np.quantile(self._first, 0.9, method="inverted_cdf")), 1e-300)
                self._first = np.empty(0)
        far[measured] = joined.residuals[measured] > self._reach
        known = np.isfinite(joined.errors)
        known[measured] = True
        return known, far | (joined.errors > 0)

    def _wanted(self, columns: list[GroupColumn]) -> list[GroupColumn]:
        return [column for column in columns if not self._policy.groups or column.name in self._policy.groups]


def _dimensions(columns: list[GroupColumn]) -> list[Dimension]:
    found = [
        Dimension(column.name, column.codes, tuple(f"{column.name}={value}" for value in column.values))
        for column in columns
    ]
    if len(columns) > 1:
        codes, named = combine(columns)
        found.append(_crossing(codes, named, len(columns)))
    return found


def _crossing(codes: Codes, named: list[tuple[str, ...]], columns: int) -> Dimension:
    # A row that lacks one of the groups is in no crossing.
    complete = np.array([len(groups) == columns for groups in named] or [False])
    return Dimension(CROSSING, np.where(complete[codes], codes, -1), tuple(CROSSING.join(groups) for groups in named))


def _of_combinations(joined: Joined, wanted: tuple[str, ...]) -> list[Dimension]:
    kept = [
        tuple(name for name in names if not wanted or name.partition("=")[0] in wanted) for names in joined.combinations
    ]
    columns = sorted({name.partition("=")[0] for names in kept for name in names})
    found = []
    for column in columns:
        own = [next((n for n in names if n.partition("=")[0] == column), "") for names in kept]
        values = tuple(dict.fromkeys(name for name in own if name))
        codes = np.array([values.index(name) if name else -1 for name in own] + [-1])
        found.append(Dimension(column, codes[joined.groups], values))
    if len(columns) > 1:
        names = tuple(dict.fromkeys(CROSSING.join(n) for n in kept if len(n) == len(columns)))
        codes = np.array([names.index(CROSSING.join(n)) if len(n) == len(columns) else -1 for n in kept] + [-1])
        found.append(Dimension(CROSSING, codes[joined.groups], names))
    return found
