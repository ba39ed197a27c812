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

OUTLIERS = "outliers"
"""The detector of inputs that are far from everything known, and predicted with confidence."""


class Kind(IntEnum):
    """What a signal is evidence of, the most upstream first: each explains those after it."""

    BROKEN = 0
    ATTACK = 1
    MOVED = 2
    OUTSIDE = 3
    CRAFTED = 4
    UNUSUAL = 5
    INFRASTRUCTURE = 6
    OUTPUT_SAFETY = 7
    FAIRNESS = 8
    PERFORMANCE = 9
    FLIPPED = 10
    CONFIDENCE = 11
    OUTPUT_MOVED = 12
    HUMAN_REPORT = 13


CATEGORY = MappingProxyType(
    {
        Kind.BROKEN: Category.DATA_QUALITY,
        Kind.ATTACK: Category.ATTACK,
        Kind.MOVED: Category.DATA_DRIFT,
        Kind.OUTSIDE: Category.DATA_QUALITY,
        Kind.CRAFTED: Category.ATTACK,
        Kind.UNUSUAL: Category.DATA_DRIFT,
        Kind.INFRASTRUCTURE: Category.INFRASTRUCTURE,
        Kind.OUTPUT_SAFETY: Category.OUTPUT_SAFETY,
        Kind.FAIRNESS: Category.FAIRNESS,
        Kind.PERFORMANCE: Category.PERFORMANCE,
        Kind.FLIPPED: Category.ATTACK,
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
FAR = 4.0
"""Inputs that moved by so many times their limit explain what is wrong with the outputs."""

JUMP = "jump"
"""The statistic of one step like none before, after which inputs stay away: no inputs that wander make it."""

SURE = 16.0
"""−log10 p beyond which inputs that wander do not get within a window of their moving little."""

INPUTS = frozenset({Kind.MOVED, Kind.OUTSIDE, Kind.CRAFTED, Kind.UNUSUAL})
"""Inputs that moved, which may be a fault or how they wander."""

MOVING = INPUTS | {Kind.OUTPUT_MOVED}
"""What moves: inputs, and outputs, which follow them or a model that was changed."""

WRONG = frozenset({Kind.FAIRNESS, Kind.PERFORMANCE})
"""Outputs that are known to be wrong."""

OUTPUTS = frozenset({Kind.FLIPPED, Kind.CONFIDENCE, Kind.OUTPUT_MOVED})
"""What outputs that are wrong show as well, whenever it is seen."""

EFFECTS = WRONG | OUTPUTS
"""What comes of a cause upstream, and is seen later than it."""

_SYMPTOMS = frozenset({Kind.INFRASTRUCTURE, Kind.OUTPUT_SAFETY, Kind.FAIRNESS, Kind.PERFORMANCE})
_OUTPUT_COLUMNS = frozenset({"prediction", "confidence", "score", "error", "residual", "output", "label"})
_OUTSIDE = frozenset({"range", "reach", "outside", "unseen"})
_FED = frozenset({Kind.BROKEN, Kind.MOVED, Kind.OUTSIDE, Kind.UNUSUAL})
_WORD = re.compile(r"[a-z]+")
_NO_DEPTHS: Mapping[str, int] = MappingProxyType({})


class Attribution(NamedTuple):
    """The cause's category, the model where it began, and all signals, the weightiest first."""

    category: Category
    origin: str
    ranked: tuple[SignalRaised, ...]


def weight(signal: SignalRaised) -> float:
    """Return a signal's score as far as it may promote: −1 for late rows, a small change, or no number."""
    return -1.0 if signal.backfill or not signal.material or signal.score != signal.score else signal.score


def kind_of(signal: SignalRaised) -> Kind:
    """Return what a signal is evidence of.

    Like inputs whose outputs differ may be probes of a boundary; where labels say that outputs are wrong, it is that.

    What an attacker sends moves the inputs; but inputs that moved as a whole are far from the reference, too, and then
    nobody crafted them.

    How an output goes with an input is a matter of the output: the model or its inputs were changed.

    A value out of range is no broken value: where the distribution moved as well, the range is evidence of drift, and
    a slow request's latency is out of its range, too.
    """
    subject = signal.subject.lower()
    outputs = not _OUTPUT_COLUMNS.isdisjoint(subject.split(", "))
    if signal.detector == OUTLIERS:
        return Kind.CRAFTED
    if signal.category is Category.ATTACK and signal.statistic == "flips":
        return Kind.FLIPPED
    if signal.category is Category.DATA_QUALITY:
        if not _OUTSIDE & set(_WORD.findall(signal.statistic.lower())):
            return Kind.BROKEN
        if subject == "latency":
            return Kind.INFRASTRUCTURE
        return Kind.OUTPUT_MOVED if outputs else Kind.OUTSIDE
    if signal.category is Category.DATA_DRIFT:
        if subject == VECTOR:
            return Kind.UNUSUAL
        return Kind.OUTPUT_MOVED if outputs else Kind.MOVED
    return _BY_CATEGORY[signal.category]


def extent(signal: SignalRaised) -> float:
    """Return how many times its limit a statistic is."""
    return abs(signal.value) / max(abs(signal.threshold), 1e-12)


def large(signal: SignalRaised) -> bool:
    """Whether a statistic is so far beyond its limit that it may be why the outputs are wrong."""
    if signal.statistic == JUMP:
        return True
    return extent(signal) >= FAR or (signal.statistic == "scale" and 0 <= signal.value * FAR <= signal.threshold < 1)


def breaks(signal: SignalRaised) -> bool:
    """Whether a fault may begin with it: not inputs that wander, but what is suddenly far from the rows before it."""
    kind = kind_of(signal)
    if kind in (Kind.BROKEN, Kind.ATTACK, Kind.INFRASTRUCTURE):
        return True
    return kind in MOVING and large(signal) and (signal.baseline == "rolling" or kind is Kind.OUTSIDE)


def width(signal: SignalRaised) -> int:
    """Return how long the rows took that showed it, in ms: its first bad row is known no better than that."""
    return signal.window_to - signal.window_from


def _cause(signals: Sequence[SignalRaised]) -> Kind:
    """Return the most upstream kind; inputs that moved a little, as real ones do, or later, explain no symptom."""
    kinds = {kind_of(signal) for signal in signals}
    symptoms = kinds & _SYMPTOMS
    if symptoms and not kinds & {Kind.BROKEN, Kind.ATTACK}:
        effects = [signal for signal in signals if kind_of(signal) in symptoms]
        inputs = [signal for signal in signals if kind_of(signal) in INPUTS]
        if not _suffices(inputs, effects):
            return min(symptoms)
    cause = min(kinds)
    return Kind.INFRASTRUCTURE if cause in _FED and _fell_back(signals) else cause


def _suffices(inputs: Sequence[SignalRaised], effects: Sequence[SignalRaised]) -> bool:
    """Whether inputs moved far enough, and early enough, to be why outputs are wrong.

    When either began is known no better than to the rows that showed it. What moved little is a cause only where it
    is beyond doubt that it moved at the same time: inputs that wander are never that unlike the rows before. That two
    features did is twice the evidence.

    What is far from the reference alone may have been on its way for long. It is why outputs are suddenly wrong where
    it was seen to be so far before, or where its level left the rows before at the same time; its scale says little,
    for that of inputs that wander changes all the time.
    """
    known = min(signal.first_bad_at + width(signal) for signal in effects)
    began = min(signal.first_bad_at for signal in effects)
    sudden = any(signal.baseline == "rolling" for signal in effects)
    beside = [moved for moved in inputs if _beside(moved, effects, began)]
    left = {moved.subject for moved in beside if moved.statistic != "scale"}
    for moved in filter(large, inputs):
        dated = breaks(moved) or moved.subject in left or not sudden
        if moved.first_bad_at <= known if dated else moved.window_to <= began:
            return True
    sure: dict[str, float] = {}
    for moved in beside:
        sure[moved.subject] = max(moved.score, sure.get(moved.subject, 0.0))
    # A pair that moves together otherwise says no more than its features do.
    return max(sum(score for name, score in sure.items() if ", " not in name), *sure.values(), 0.0) >= SURE


def _beside(moved: SignalRaised, effects: Sequence[SignalRaised], began: int) -> bool:
    """Whether a feature left the rows before it within a window of when outputs began to be wrong."""
    reach = max(width(signal) for signal in (moved, *effects))
    plain = moved.material and moved.baseline == "rolling" and kind_of(moved) is Kind.MOVED
    return plain and abs(moved.first_bad_at - began) <= reach


def _fell_back(signals: Sequence[SignalRaised]) -> bool:
    """Whether the serving failed no later than the inputs broke or moved: then they are what it fell back to."""
    failing = [s for s in signals if s.category is Category.INFRASTRUCTURE and s.material]
    first = min(signal.first_bad_at for signal in signals if kind_of(signal) in _FED)
    # Both are known no better than to the rows that showed them.
    return any(signal.first_bad_at <= first + width(signal) for signal in failing)


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
    cause = _cause(own)
    subjects = {(signal.version, signal.subject) for signal in own if kind_of(signal) is cause}

    def rank(signal: SignalRaised) -> tuple[object, ...]:
        kind = kind_of(signal)
        akin = kind in (Kind.MOVED, Kind.OUTSIDE) and (signal.version, signal.subject) in subjects
        order = -2 if kind is cause else -1 if akin else int(kind)
        weak = weight(signal) < floor
        place = (signal.model != origin, depths.get(signal.model, 0))
        return (weak, *place, order, -weight(signal), signal.first_bad_at, signal.model, signal.signal, signal.id)

    return Attribution(CATEGORY[cause], origin, tuple(sorted(signals, key=rank)))
