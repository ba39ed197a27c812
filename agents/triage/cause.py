"""Which cause explains the others: broken input, moved input, an attack, infrastructure, or the outputs alone."""

import re
from collections.abc import Mapping, Sequence
from enum import IntEnum
from types import MappingProxyType
from typing import NamedTuple

from schemas.signals import SignalRaised
from schemas.values import Category

VECTOR = "vector"
"""The subject of a statistic over all features together: it says that they are unusual, not how."""


class Kind(IntEnum):
    """What a signal is evidence of, the most upstream first: each explains those after it."""

    BROKEN = 0
    MOVED = 1
    OUTSIDE = 2
    ATTACK = 3
    UNUSUAL = 4
    INFRASTRUCTURE = 5
    OUTPUT_SAFETY = 6
    FAIRNESS = 7
    PERFORMANCE = 8
    CONFIDENCE = 9
    OUTPUT_MOVED = 10
    HUMAN_REPORT = 11


CATEGORY = MappingProxyType(
    {
        Kind.BROKEN: Category.DATA_QUALITY,
        Kind.MOVED: Category.DATA_DRIFT,
        Kind.OUTSIDE: Category.DATA_QUALITY,
        Kind.ATTACK: Category.ATTACK,
        Kind.UNUSUAL: Category.DATA_DRIFT,
        Kind.INFRASTRUCTURE: Category.INFRASTRUCTURE,
        Kind.OUTPUT_SAFETY: Category.OUTPUT_SAFETY,
        Kind.FAIRNESS: Category.FAIRNESS,
        Kind.PERFORMANCE: Category.PERFORMANCE,
        Kind.CONFIDENCE: Category.CONFIDENCE,
        Kind.OUTPUT_MOVED: Category.DATA_DRIFT,
        Kind.HUMAN_REPORT: Category.HUMAN_REPORT,
    }
)
"""The category of an incident whose cause is of a kind."""

_BY_CATEGORY = {
    Category.ATTACK: Kind.ATTACK,
    Category.INFRASTRUCTURE: Kind.INFRASTRUCTURE,
    Category.OUTPUT_SAFETY: Kind.OUTPUT_SAFETY,
    Category.FAIRNESS: Kind.FAIRNESS,
    Category.PERFORMANCE: Kind.PERFORMANCE,
    Category.CONFIDENCE: Kind.CONFIDENCE,
    Category.HUMAN_REPORT: Kind.HUMAN_REPORT,
}
_OUTPUTS = frozenset({"prediction", "confidence", "score", "error", "residual", "output", "label"})
_OUTSIDE = frozenset({"range", "reach", "outside", "unseen"})
_WORD = re.compile(r"[a-z]+")
_NO_DEPTHS: Mapping[str, int] = MappingProxyType({})


class Attribution(NamedTuple):
    """The cause's category, the model where it began, and all signals, the weightiest first."""

    category: Category
    origin: str
    ranked: tuple[SignalRaised, ...]


def weight(signal: SignalRaised) -> float:
    """Return a signal's score as far as it may promote: −1 for late rows, or no number."""
    return -1.0 if signal.backfill or signal.score != signal.score else signal.score


def kind_of(signal: SignalRaised) -> Kind:
    """Return what a signal is evidence of.

    A value out of range is no broken value: where the distribution moved as well, the range is evidence of drift, and
    a slow request's latency is out of its range, too.
    """
    subject = signal.subject.lower()
    if signal.category is Category.DATA_QUALITY:
        if not _OUTSIDE & set(_WORD.findall(signal.statistic.lower())):
            return Kind.BROKEN
        if subject == "latency":
            return Kind.INFRASTRUCTURE
        return Kind.OUTPUT_MOVED if subject in _OUTPUTS else Kind.OUTSIDE
    if signal.category is Category.DATA_DRIFT:
        if subject == VECTOR:
            return Kind.UNUSUAL
        return Kind.OUTPUT_MOVED if subject in _OUTPUTS else Kind.MOVED
    return _BY_CATEGORY[signal.category]


def attribute(
    signals: Sequence[SignalRaised], depths: Mapping[str, int] = _NO_DEPTHS, floor: float = 0.0
) -> Attribution:
    """Return the one cause that explains the signals, of which there is at least one.

    Parameters
    ----------
    signals
        What was raised, each level once.
    depths
        How far downstream each model is (0: reads no other's output); one that is not named is its own source.
    floor
        Only signals of at least this weight decide, as long as there are any.
    """
    deciding = [signal for signal in signals if weight(signal) >= floor] or list(signals)
    origin = min(deciding, key=lambda s: (depths.get(s.model, 0), s.first_bad_at, -weight(s), s.model)).model
    own = [signal for signal in deciding if signal.model == origin]
    cause = min(kind_of(signal) for signal in own)
    subjects = {(signal.version, signal.subject) for signal in own if kind_of(signal) is cause}

    def rank(signal: SignalRaised) -> tuple[object, ...]:
        kind = kind_of(signal)
        akin = kind in (Kind.MOVED, Kind.OUTSIDE) and (signal.version, signal.subject) in subjects
        order = -2 if kind is cause else -1 if akin else int(kind)
        weak = weight(signal) < floor
        place = (signal.model != origin, depths.get(signal.model, 0))
        return (weak, *place, order, -weight(signal), signal.first_bad_at, signal.model, signal.signal, signal.id)

    return Attribution(CATEGORY[cause], origin, tuple(sorted(signals, key=rank)))
