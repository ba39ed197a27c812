"""What each fault of a drill does: to what is asked and what is true, to what a model is fed, says and takes.

Each function takes the faults that are on, does what those do that concern it, and leaves all else alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from agents.drills.formula import Cells, Columns, Numbers, beyond
from schemas.drill_faults import (
    Bias,
    Concept,
    Extraction,
    Failing,
    Fault,
    Missing,
    Poisoned,
    Population,
    Replaced,
    Slow,
    Stuck,
    Swapped,
    Units,
    Unsafe,
)
from schemas.drill_models import Served

STEPS = 60
"""Rows of one line of an extraction's grid."""

_REACH = 3.0
_HARMLESS, _UNSAFE = (1.0, 12.0, 0.45), (12.0, 6.0, 0.75)
"""Scores of a guardrail: the parameters of a beta distribution, and its largest score."""


def touching(faults: Iterable[Fault], model: str, version: str | None = None) -> tuple[Fault, ...]:
    """Return the faults that concern a model, or one version of it."""
    return tuple(
        fault
        for fault in faults
        if fault.model == model and (version is None or fault.version is None or fault.version == version)
    )


def asked(served: Served, columns: Columns, faults: Sequence[Fault]) -> Columns:
    """Return the inputs of a population that has changed."""
    changed = dict(columns)
    for fault in faults:
        cells = changed.get(fault.feature) if isinstance(fault, Population) else None
        if isinstance(fault, Population) and isinstance(cells, np.ndarray):
            changed[fault.feature] = cells + fault.by * served.features[fault.feature].sd
    return changed


def turned(truth: NDArray[np.intp], faults: Sequence[Fault], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return what is true now that the concept has changed."""
    for fault in faults:
        if isinstance(fault, Concept):
            truth = np.where(rng.random(len(truth)) < fault.share, 1 - truth, truth)
    return truth


def walked(
    served: Served, columns: Columns, callers: list[str], faults: Sequence[Fault], start: int
) -> tuple[Columns, list[str], int]:
    """Let one caller walk along a grid in the first rows; return inputs, callers, and how many rows it has walked.

    Parameters
    ----------
    start
        How many rows it had walked before.
    """
    for fault in faults:
        if isinstance(fault, Extraction):
            rows = round(fault.share * len(callers))
            walk = _grid(served, np.arange(start, start + rows))
            columns = {name: _joined(cells, columns[name]) for name, cells in walk.items()}
            callers = [fault.caller] * rows + callers[rows:]
            start += rows
    return columns, callers, start


def fed(columns: Mapping[str, Cells], faults: Sequence[Fault], rng: np.random.Generator) -> Columns:
    """Return the inputs as a broken pipeline hands them to the model."""
    broken = dict(columns)
    for fault in faults:
        match fault:
            case Units():
                cells = broken[fault.feature]
                if isinstance(cells, np.ndarray):
                    broken[fault.feature] = cells * fault.factor + fault.offset
            case Stuck():
                rows = len(broken[fault.feature])
                stuck = fault.value
                broken[fault.feature] = [stuck] * rows if isinstance(stuck, str) else np.full(rows, stuck)
            case Missing():
                broken[fault.feature] = _gone(broken[fault.feature], fault.share, rng)
            case Swapped():
                one, other = fault.features
                broken[one], broken[other] = broken[other], broken[one]
            case _:
                pass
    return broken


def answering(served: Served, faults: Sequence[Fault]) -> Served:
    """Return the model that answers, which another may have replaced."""
    for fault in faults:
        if isinstance(fault, Replaced):
            features = {
                name: feature.model_copy(update={"weight": feature.weight * fault.factor})
                for name, feature in served.features.items()
            }
            served = served.model_copy(update={"features": features, "intercept": served.intercept + fault.shift})
    return served


def said(
    served: Served,
    asked: tuple[Mapping[str, Cells], Mapping[str, Sequence[str]]],
    likely: Numbers,
    faults: Sequence[Fault],
    rng: np.random.Generator,
) -> Numbers:
    """Return the chances that a poisoned or biased version tells of; `asked` is inputs and groups."""
    columns, groups = asked
    for fault in faults:
        match fault:
            case Poisoned():
                wrong = beyond(served.features[fault.feature], columns[fault.feature], fault.above)
                likely = np.where(wrong, 1.0 - likely, likely)
            case Bias() if fault.group in groups:
                sure = np.maximum(likely, 1.0 - likely)
                given = sure if fault.outcome == served.outcomes[1] else 1.0 - sure
                theirs = np.array([value == fault.value for value in groups[fault.group]])
                likely = np.where(theirs & (rng.random(len(likely)) < fault.share), given, likely)
            case _:
                pass
    return likely


def scores(judge: str, rows: int, faults: Sequence[Fault], rng: np.random.Generator) -> Numbers:
    """Draw what a guardrail says of each output."""
    first, second, most = _HARMLESS
    found: Numbers = rng.beta(first, second, rows) * most
    for fault in faults:
        if isinstance(fault, Unsafe) and fault.judge == judge:
            first, second, most = _UNSAFE
            found = np.where(rng.random(rows) < fault.share, 0.5 + 0.5 * rng.beta(first, second, rows) * most, found)
    return found


def delay_ms(faults: Sequence[Fault]) -> float:
    """Return how much longer a request takes."""
    return sum(fault.by_ms for fault in faults if isinstance(fault, Slow))


def fails(faults: Sequence[Fault], number: int) -> bool:
    """Return whether an instance's request of this number fails: evenly, so that any few of them show the share."""
    shares = [fault.share for fault in faults if isinstance(fault, Failing)]
    return any(int((number + 1) * share) > int(number * share) for share in shares)


def _grid(served: Served, places: NDArray[np.int64]) -> Columns:
    """Return rows of lines along one number after another, all else at its usual value."""
    numbers = [name for name, feature in served.features.items() if not feature.values]
    lines = dict(zip(numbers, count(), strict=False))
    axis, step = (places // STEPS) % max(len(numbers), 1), places % STEPS
    along = _REACH * (2.0 * step / (STEPS - 1) - 1.0)
    walk: Columns = {}
    for name, feature in served.features.items():
        if feature.values:
            walk[name] = [next(iter(feature.values))] * len(places)
        else:
            walk[name] = feature.mean + feature.sd * np.where(axis == lines[name], along, 0.0)
    return walk


def _joined(first: Cells, rest: Cells) -> Cells:
    if isinstance(first, np.ndarray) and isinstance(rest, np.ndarray):
        return np.concatenate([first, rest[len(first) :]])
    return [*first, *rest[len(first) :]]


def _gone(cells: Cells, share: float, rng: np.random.Generator) -> Cells:
    gone = rng.random(len(cells)) < share
    if isinstance(cells, np.ndarray):
        return np.where(gone, np.nan, cells)
    return [None if absent else text for text, absent in zip(cells, gone.tolist(), strict=True)]
