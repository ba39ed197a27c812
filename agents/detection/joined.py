"""Predictions with what turned out to be true of them, in columns; and the groups that rows belong to."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import MAX_NAME, Cells, Floats, Rows
from schemas.values import Mode

Codes = NDArray[np.int64]

MAX_COLUMNS = 4
"""Group columns that are looked at; the first by name."""

ALL = ""
"""The name under which all rows are counted beside their groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whose predictions they were."""

    version: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What the labels of one batch say of one target, label by label in the order in which they came.

    at
        When each prediction was made, in ms.
    errors, residuals, confidence
        Error bits, absolute residuals, and the confidence of the prediction; NaN where there is none.
    predicted, labelled
        Codes into `classes`; −1 where the prediction is no class but a number.
    groups
        Codes into `combinations`, each the prediction's groups (``column=value``); −1 where it has none.
    """

    target: Target
    at: Codes
    errors: Floats
    residuals: Floats
    confidence: Floats
    predicted: Codes
    labelled: Codes
    classes: tuple[str, ...]
    groups: Codes
    combinations: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        """Return how many labels."""
        return len(self.at)

    def where(self, chosen: Codes) -> "Joined":
        """Return the chosen labels."""
        names = ("at", "errors", "residuals", "confidence", "predicted", "labelled", "groups")
        return replace(self, **{name: getattr(self, name)[chosen] for name in names})


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """One group column of some rows: each row's code into `values`, −1 where it has none."""

    name: str
    codes: Codes
    values: tuple[str, ...]


def group_columns(rows: Rows, chosen: Codes | slice) -> list[GroupColumn]:
    """Return the group columns of the chosen rows, in the order of their names."""
    found = sorted((cells for cells in rows.columns if cells.role == "group"), key=lambda cells: cells.name)
    return [_group_column(cells, chosen) for cells in found[:MAX_COLUMNS]]


def combine(columns: list[GroupColumn]) -> tuple[Codes, list[tuple[str, ...]]]:
    """Return each row's code into the combinations of groups that occur, and those as ``column=value``."""
    stacked = np.stack([column.codes for column in columns])
    unique, inverse = np.unique(stacked, axis=1, return_inverse=True)
    named = [
        tuple(f"{c.name}={c.values[code]}" for c, code in zip(columns, combination, strict=True) if code >= 0)
        for combination in unique.T.tolist()
    ]
    return inverse.reshape(-1), named


def class_name(number: float) -> str:
    """Return a whole number as the name of a class."""
    return str(int(number))


def _group_column(cells: Cells, chosen: Codes | slice) -> GroupColumn:
    if cells.text:
        codes, values = cells.values[chosen].astype(np.int64), tuple(text[:MAX_NAME] for text in cells.dictionary)
    else:
        numbers = cells.values[chosen].astype(np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        unique, codes = np.unique(numbers, return_inverse=True)
        values = tuple(f"{number:g}" for number in unique.tolist())
        codes = np.where(np.isnan(numbers), -1, codes.reshape(-1))
    if cells.flags is not None:
        codes = np.where(cells.flags[chosen] == 0, codes, -1)
    return GroupColumn(cells.name, codes, values)


def members(joined: Joined, codes: Codes) -> dict[str, NDArray[np.bool_]]:
    """Return which of the labels with these codes are of each group, and all; nothing where there are no groups."""
    if not joined.combinations:
        return {}
    found: dict[str, NDArray[np.bool_]] = {ALL: np.ones(len(codes), dtype=np.bool_)}
    for code in np.unique(codes).tolist():
        for name in joined.combinations[code] if code >= 0 else ():
            own = codes == code
            found[name] = found[name] | own if name in found else own
    return found
