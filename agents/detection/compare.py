"""How a prediction compares with its label: classes are right or wrong, numbers are off by so much."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.joined import Codes, Joined, Target, class_name
from agents.detection.kept import NUMBER, TEXT, WHOLE

_LARGEST = 1e300


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Kept predictions, each with its label, and the strings, groups and targets that their codes name."""

    kept: NDArray[np.void]
    labels: list[str]
    texts: tuple[str, ...]
    combinations: tuple[tuple[str, ...], ...]
    targets: tuple[Target, ...]


def compare(given: Comparison) -> list[Joined]:
    """Return what the labels say, target by target in order of appearance; one that cannot be read says nothing."""
    kept, names = given.kept, {label: i for i, label in enumerate(dict.fromkeys(given.labels))}
    codes = np.array([names[label] for label in given.labels], dtype=np.int64)
    numbers = np.array([_number(label) for label in names] or [np.nan])[codes] if len(codes) else np.empty(0)
    text = kept["kind"] == TEXT
    readable = text | np.isfinite(numbers)
    kept, codes, numbers, text = kept[readable], codes[readable], numbers[readable], text[readable]
    known = {label: i for i, label in enumerate(given.texts)}
    as_text = np.array([known.get(label, -1) for label in names] or [-1])[codes] if len(codes) else codes
    whole = ~text & (kept["value"] == np.rint(kept["value"])) & (numbers == np.rint(numbers))
    wrong = np.where(text, kept["value"] != as_text, kept["value"] != numbers).astype(np.float64)
    errors = np.where(text | whole | (kept["kind"] == WHOLE), wrong, np.nan)
    with np.errstate(over="ignore"):
        apart = np.minimum(np.abs(kept["value"] - numbers), _LARGEST)
    residuals = np.where(kept["kind"] == NUMBER, apart, np.nan)
    classes: dict[str, int] = {}
    predicted = _classes(kept["value"], text, whole, list(given.texts), classes)
    labelled = _classes(np.where(text, codes, numbers), text, whole, list(names), classes)
    columns = (kept["at"], errors, residuals, kept["confidence"], predicted, labelled, kept["group"].astype(np.int64))
    joined = []
    for target in dict.fromkeys(kept["target"].tolist()):
        own = kept["target"] == target
        at, wrongs, off, sure, said, true, groups = (column[own] for column in columns)
        joined.append(
            Joined(
                target=given.targets[target],
                at=at,
                errors=wrongs,
                residuals=off,
                confidence=sure,
                predicted=said,
                labelled=true,
                classes=tuple(classes),
                groups=groups,
                combinations=given.combinations,
            )
        )
    return joined


def _classes(
    values: NDArray[np.float64],
    text: NDArray[np.bool_],
    whole: NDArray[np.bool_],
    strings: list[str],
    classes: dict[str, int],
) -> Codes:
    found = np.full(len(values), -1, dtype=np.int64)
    for chosen, name in ((text, lambda v: strings[int(v)]), (whole & ~text, class_name)):
        unique, inverse = np.unique(values[chosen], return_inverse=True)
        made = [classes.setdefault(name(value), len(classes)) for value in unique.tolist()]
        found[chosen] = np.array(made, dtype=np.int64)[inverse.reshape(-1)] if made else found[chosen]
    return found


def _number(label: str) -> float:
    try:
        number = float(label[:64])
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
