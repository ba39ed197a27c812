"""The rows of a reference as whole columns, for looking at them once; nothing of this is kept."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Floats, Rows
from schemas.values import Flag

MAX_GROUPS = 50
"""Groups of a column that are told apart; the most frequent ones."""

Chosen = NDArray[np.bool_]


@dataclass(slots=True)
class Material:
    """Columns over all rows, NaN where a cell cannot be used; texts as numbers in the order in which they came.

    features, measured
        Names of the features, and of those that are numbers.
    at
        Each row's time in ms.
    groups
        Which rows belong to each group, by group column.
    outcome, outcome_name
        1 where the prediction is the less frequent of its classes (0 where not, NaN where unknown), and its name.
    wrong
        1 where the label says otherwise than the prediction, NaN where there is none.
    """

    columns: dict[str, Floats]
    features: list[str]
    measured: list[str]
    at: NDArray[np.int64]
    groups: dict[str, dict[str, Chosen]]
    outcome: Floats
    outcome_name: str
    wrong: Floats

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.at)


@dataclass(slots=True)
class Gathering:
    """Takes the batches and labels of a reference, in order."""

    _values: dict[str, list[Floats]] = field(default_factory=dict)
    _codes: dict[str, dict[str, int]] = field(default_factory=dict)
    _role: dict[str, str] = field(default_factory=dict)
    _at: list[NDArray[np.int64]] = field(default_factory=list)
    _ids: list[str | None] = field(default_factory=list)
    _said: list[str | None] = field(default_factory=list)
    _labels: dict[str, str] = field(default_factory=dict)
    _rows: int = 0

    def take(self, rows: Rows) -> None:
        """Take a batch; its columns may differ from those of others."""
        for cells in rows.columns:
            if cells.role in ("feature", "prediction", "confidence", "latency", "group"):
                self._role.setdefault(cells.name, cells.role)
                before = sum(map(len, self._values.setdefault(cells.name, [])))
                if before < self._rows:
                    self._values[cells.name].append(np.full(self._rows - before, np.nan))
                self._values[cells.name].append(self._numbers(cells))
        at = rows.with_role("at")
        self._at.append(np.zeros(rows.rows, dtype=np.int64) if at is None else at.values.astype(np.int64))
        ids, said = rows.with_role("prediction_id"), rows.with_role("prediction")
        self._ids += ids.strings() if ids is not None and ids.text else [None] * rows.rows
        self._said += [None] * rows.rows if said is None else _texts(said)
        self._rows += rows.rows

    def label(self, ids: tuple[str, ...], labels: tuple[str, ...]) -> None:
        """Take labels of predictions."""
        self._labels.update(zip(ids, labels, strict=True))

    def material(self) -> Material:
        """Return the whole columns."""
        columns = {}
        for name, parts in self._values.items():
            values = np.concatenate(parts)
            columns[name] = np.concatenate([values, np.full(self._rows - len(values), np.nan)])
        features = sorted(name for name in columns if self._role[name] == "feature")
        named = {self._role[name]: values for name, values in columns.items() if self._role[name] == "confidence"}
        outcome, what = self._outcome()
        return Material(
            columns={name: values for name, values in columns.items() if self._role[name] != "group"} | named,
            features=features,
            measured=[name for name in features if name not in self._codes],
            at=np.concatenate(self._at) if self._at else np.zeros(0, dtype=np.int64),
            groups={name: self._groups(name, columns[name]) for name in sorted(columns) if self._role[name] == "group"},
            outcome=outcome,
            outcome_name=what,
            wrong=self._wrong(),
        )

    def _numbers(self, cells: Cells) -> Floats:
        if cells.text:
            codes = self._codes.setdefault(cells.name, {})
            own = [float(codes.setdefault(text, len(codes))) for text in cells.dictionary] or [np.nan]
            values = np.array(own)[cells.values.astype(np.int64)]
        else:
            values = cells.values.astype(np.float64)
        values[~np.isfinite(values)] = np.nan
        if cells.flags is not None:
            values[cells.flags != Flag.PRESENT] = np.nan
        return values

    def _groups(self, name: str, values: Floats) -> dict[str, Chosen]:
        texts = {code: text for text, code in self._codes.get(name, {}).items()}
        codes, counts = np.unique(values[np.isfinite(values)], return_counts=True)
        most = sorted(zip((-counts).tolist(), codes.tolist(), strict=True))[:MAX_GROUPS]
        return {texts.get(int(code), f"{code:g}"): values == code for _, code in most}

    def _outcome(self) -> tuple[Floats, str]:
        kinds = Counter(said for said in self._said if said is not None)
        if not 2 <= len(kinds) <= MAX_GROUPS:
            return np.full(self._rows, np.nan), ""
        rarest = min(kinds, key=lambda said: (kinds[said], said))
        values = [np.nan if said is None else float(said == rarest) for said in self._said]
        return np.array(values), f"the prediction {rarest[:60]}"

    def _wrong(self) -> Floats:
        wrong = np.full(self._rows, np.nan)
        for row, (name, said) in enumerate(zip(self._ids, self._said, strict=True)):
            label = self._labels.get(name) if name is not None else None
            if label is not None and said is not None:
                wrong[row] = float(not _same(said, label))
        return wrong


def _texts(cells: Cells) -> list[str | None]:
    """Return classes as texts; a prediction that is measured and not named is none."""
    if cells.text:
        return cells.strings()
    if cells.kind != "long":
        return [None] * len(cells.values)
    found: list[str | None] = [str(value) for value in cells.values.tolist()]
    if cells.flags is not None:
        found = [None if flag else text for text, flag in zip(found, cells.flags.tolist(), strict=True)]
    return found


def _same(said: str, label: str) -> bool:
    if said == label:
        return True
    try:
        return float(said) == float(label)
    except ValueError:
        return False
