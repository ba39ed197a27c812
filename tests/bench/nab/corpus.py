"""The 34 NAB series that come with the test data: values, windows, weights and what others scored."""

import csv
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One file: its values, and its anomaly windows as (first row, last row)."""

    name: str
    times: tuple[str, ...]
    values: Floats
    windows: tuple[tuple[int, int], ...]

    @property
    def milliseconds(self) -> NDArray[np.int64]:
        """Each row's time since 1970, as if it were UTC."""
        return np.array(self.times, dtype="datetime64[ms]").astype(np.int64)

    @property
    def folder(self) -> str:
        """The group that the file belongs to."""
        return self.name.split("/", maxsplit=1)[0]


def series(root: Path) -> list[Series]:
    """Return all series below `data/`, by name."""
    labels = json.loads((root / "labels" / "combined_windows.json").read_text("utf-8"))
    found = []
    for name in sorted(labels):
        with (root / "data" / name).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        times = [np.datetime64(row["timestamp"].replace(" ", "T"), "us") for row in rows]
        spans = tuple(tuple(times.index(np.datetime64(end.replace(" ", "T"), "us")) for end in w) for w in labels[name])
        values = np.array([float(row["value"]) for row in rows])
        found.append(Series(name, tuple(row["timestamp"] for row in rows), values, spans))  # type: ignore[arg-type]
    return found


def published(root: Path, detector: str, name: str) -> Floats:
    """Return a published detector's score of every row of a file."""
    with gzip.open(root / "results" / detector / f"{name}.gz", "rt", encoding="utf-8") as file:
        return np.array([float(row["anomaly_score"]) for row in csv.DictReader(file)])
