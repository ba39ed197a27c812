"""What the detectors of attacks share: usual shares, callers by number, rows as cells, and how a suspicion is told."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtrc, log_ndtr

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Cells, Floats, Rows
from agents.detection.detectors.level import CAP, Level
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.atlas import TECHNIQUES
from schemas.errors import SchemaError
from schemas.values import Category

MAX_CALLERS = 4096
"""Callers told apart in one window; more of them are nobody."""

MAX_FEATURES = 32
"""Features of a row's cell; the first by name are taken."""

NOBODY = -1

NOTHING = np.zeros(1, dtype=np.int64)
"""Counts of nobody where there are none yet; one for all, so nobody adds to it in place."""

_NAME = 64
_WIDTH = 16.0  # cells of a feature's usual range: rows in one cell are nearly equal
_OFFSET = 0.381966  # no cell begins at 0, where many a decision boundary is

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsualState:
    """What shares were usual: windows taken in, and counts, peak shares and rows as bytes; version 1."""

    windows: int
    numbers: bytes


class Usual:
    """Usual shares of rows, learnt from the first windows and carried on from windows in which nothing was found.

    Parameters
    ----------
    statistics
        How many shares.
    windows
        Windows to learn from.
    """

    def __init__(self, statistics: int, windows: int) -> None:
        self._wanted = windows
        self._windows = 0
        self._statistics = statistics
        self._numbers: Floats | None = None  # counted; of so many; the highest share of one window

    @property
    def learnt(self) -> bool:
        """Whether there is anything to compare with."""
        return self._windows >= self._wanted

    def take(self, counts: Sequence[int], rows: Sequence[int]) -> None:
        """Take in a window in which nothing was found."""
        of = np.maximum(np.array(rows, dtype=np.float64), 1.0)
        self._numbers = numbers = self._known()
        if not self.learnt:
            numbers[2] = np.maximum(numbers[2], np.array(counts) / of)
        numbers[0] += counts
        numbers[1] += rows
        grown = numbers[1] > 40 * of * max(self._wanted, 4)
        # Whole numbers stay whole, so that no sum depends on the order of its parts.
        numbers[:2, grown] = np.floor(numbers[:2, grown] / 2)
        self._windows = min(self._windows + 1, self._wanted)

    def base(self, statistic: int) -> float:
        """Return the highest share that is still usual."""
        counted, rows, peak = (float(number) for number in self._known()[:, statistic])
        rows = max(rows, 1.0)
        rate = counted / rows
        return min(max(rate + 3 * math.sqrt(rate * (1 - rate) / rows) + 3 / rows, peak), 1.0)

    def state(self) -> UsualState:
        """Return all that is remembered, exactly."""
        return UsualState(windows=self._windows, numbers=pack(self._known()))

    def restore(self, state: UsualState) -> None:
        """Remember exactly that."""
        self._windows = state.windows
        numbers = unpack(state.numbers, (3, self._statistics))
        self._numbers = numbers if state.windows or numbers.any() else None

    def _known(self) -> Floats:
        # None are kept before any are learnt: most models have no labels in their rows, and no callers.
        return np.zeros((3, self._statistics)) if self._numbers is None else self._numbers


class Callers:
    """The callers of one window by number, in the order of their first rows."""

    def __init__(self) -> None:
        self._codes: dict[str, int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The callers by number."""
        return tuple(self._codes or ())

    def numbers(self, cells: Cells | None, rows: Integers) -> Integers:
        """Return the caller of each of these rows of the batch, NOBODY where the column names none."""
        if cells is None or not cells.text:
            return np.full(len(rows), NOBODY, dtype=np.int64)
        given = cells.values[rows].astype(np.int64)
        present, first = np.unique(given, return_index=True)
        table = np.full(len(cells.dictionary) + 1, NOBODY, dtype=np.int64)
        for code in present[np.argsort(first)].tolist():
            table[code] = self._number(cells.dictionary[code][:_NAME]) if cells.dictionary else NOBODY
        found: Integers = table[given]
        if cells.flags is not None:
            found[cells.flags[rows] != 0] = NOBODY
        return found

    def restore(self, names: tuple[str, ...]) -> None:
        """Know exactly these; SchemaError where one is named twice."""
        codes = {name: number for number, name in enumerate(names)}
        self._codes = codes or None
        if len(codes) != len(names):
            raise SchemaError("a saved window names a caller twice")

    def _number(self, name: str) -> int:
        if self._codes is None:
            self._codes = {}
        if name not in self._codes and len(self._codes) >= MAX_CALLERS:
            return NOBODY
        return self._codes.setdefault(name, len(self._codes))


def features_of(profile: Profile) -> Integers:
    """Return which facets are the features of a row's cell."""
    features = [i for i, facet in enumerate(profile.facets) if facet.role == "feature"][:MAX_FEATURES]
    return common(np.array(features, dtype=np.int64))


@lru_cache(maxsize=MAX_FEATURES + 1)
def no_rows(columns: int) -> Integers:
    """Return an empty window of so many columns, the same for all: an empty part of an old one would keep all of it."""
    return np.zeros((columns, 0), dtype=np.int64)


class Lattice:
    """Rows as cells: rows in one cell are nearly equal in every feature.

    Parameters
    ----------
    profile
        The reference, whose ranges give the cells their size.
    reach
        By how many of its spans a range was widened.
    """

    def __init__(self, profile: Profile, reach: float) -> None:
        self.columns = features_of(profile)
        low, high = profile.low[self.columns], profile.high[self.columns]
        bounded = np.isfinite(low) & np.isfinite(high)
        with np.errstate(invalid="ignore", over="ignore"):
            span = np.where(bounded, (high / 2 - low / 2) / (0.5 + reach), _WIDTH)
        self._scale = np.where(np.isfinite(span) & (span > 0), _WIDTH / np.maximum(span, 1e-300), 1.0)

    def cells(self, values: Floats) -> tuple[Integers, Mask]:
        """Return each row's cell (of all facets' values), and whether every feature of it could be used."""
        features = values[self.columns]
        usable: Mask = np.asarray(np.isfinite(features).all(axis=0))
        with np.errstate(invalid="ignore", over="ignore"):
            steps = features * self._scale[:, None]
            steps += _OFFSET
            np.floor(steps, out=steps)
        np.maximum(steps, -1e15, out=steps)
        np.minimum(steps, 1e15, out=steps)
        if not usable.all():
            steps[:, ~usable] = 0
        cells: Integers = (steps.astype(np.int64) * _keys(len(steps))).sum(axis=0)
        return cells, usable


@lru_cache(maxsize=MAX_FEATURES + 1)
def _keys(features: int) -> Integers:
    """Return odd numbers of 64 bits (Knuth's multiplicative hashing), one a feature, as a column.

    No two cells of a window share a sum but by chance.
    """
    powers = np.arange(1, features + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    keys: Integers = (powers ^ (powers >> np.uint64(29)) | np.uint64(1)).view(np.int64)[:, None]
    return keys


def shared(cells: Integers, codes: Integers) -> tuple[Mask, Mask]:
    """Return which rows share their cell with another, and which share it with one of another code."""
    known = np.sort(cells)
    if not (known[1:] == known[:-1]).any():  # as nearly always, where a feature is a measured number
        return np.zeros(len(cells), dtype=np.bool_), np.zeros(len(cells), dtype=np.bool_)
    order = np.argsort(cells, kind="stable")
    new = np.flatnonzero(np.diff(cells[order], prepend=cells[order[0]] - 1))
    sizes = np.diff(new, append=len(cells))
    low, high = np.minimum.reduceat(codes[order], new), np.maximum.reduceat(codes[order], new)
    several = np.empty(len(cells), dtype=np.bool_)
    flipped = np.empty(len(cells), dtype=np.bool_)
    several[order] = np.repeat(sizes > 1, sizes)
    flipped[order] = np.repeat(low != high, sizes)
    return several, flipped


def outcomes(row: Floats, low: float, high: float, reach: float) -> Integers:
    """Return each prediction as a class: a whole number or category is itself, others are told apart by a quarter."""
    bounded = math.isfinite(low) and math.isfinite(high)
    quarter = max((high / 2 - low / 2) / (0.5 + reach) / 4, 1e-300) if bounded else 1.0
    with np.errstate(over="ignore", invalid="ignore"):
        steps = np.clip(np.floor(np.nan_to_num(row, nan=-1e15) / quarter), -1e15, 1e15)
    return steps.astype(np.int64)


def cells_of(sample: Sample, role: str) -> Cells | None:
    """Return the column of a role as the whole batch holds it; the sample's rows begin at `sample.first`."""
    source: Rows | None = sample.source
    return None if source is None else source.with_role(role)


def part_of(sample: Sample) -> Integers:
    """Return where the sample's rows are in the columns of its batch."""
    return np.arange(sample.first, sample.first + sample.rows)


def binomial(count: int, rows: int, base: float) -> float:
    """Return −log10 of the probability of at least so many of the rows, at most CAP."""
    if not rows or not count:
        return 0.0
    tail = float(bdtrc(count - 1, rows, base))
    return CAP if tail <= 10.0**-CAP else -math.log10(tail)


def multiple(value: float, usual: float) -> float:
    """Return −log10 of the probability of a value so far above a usual peak, whose logarithm strays by 0.3."""
    if value <= usual or usual <= 0:
        return 0.0
    return min(-float(log_ndtr(-math.log(value / usual) / 0.3)) / math.log(10), CAP)


def suspicion(technique: str, confidence: float, more: str = "") -> str:
    """Return how a signal says what it suspects, and how sure it is."""
    name = TECHNIQUES[technique].name
    return f"suspected: {name} ({technique}), confidence {confidence:.1f}{'; ' if more else ''}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Over which rows and time a window was judged."""

    rows: int
    at_from: int
    at_to: int


def level(  # noqa: PLR0913 - what a level says
    detector: str,
    found: tuple[str, str],
    measured: tuple[float, float, float],
    span: Span,
    technique: str,
    confidence: float,
    *,
    more: str = "",
    material: bool = True,
) -> Level:
    """Return the level of an attack; `found` is subject and statistic, `measured` is value, limit and score."""
    value, threshold, score = measured
    return Level(
        detector=detector,
        subject=found[0],
        statistic=found[1],
        baseline="reference",
        category=Category.ATTACK,
        value=value,
        threshold=threshold,
        score=score,
        first_bad_at=span.at_from,
        window_from=span.at_from,
        window_to=span.at_to,
        rows=span.rows,
        symptom=True,
        material=material,
        technique=technique,
        note=suspicion(technique, confidence, more),
    )
