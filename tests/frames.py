"""Tables of published data: those that river brings along, and Elec2."""

import csv
import gzip
import io
import zipfile
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Frame:
    """A table as columns; `classes` is 0 where the target is a number."""

    name: str
    features: dict[str, Any]
    target: Any
    group: Any = None
    time: Any = None
    classes: int = 2
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.target)

    @property
    def numbers(self) -> list[str]:
        """Features that are numbers and vary."""
        return [n for n, c in self.features.items() if c.dtype != object and len(np.unique(c[: self.rows // 2])) > 5]


def _column(texts: list[str]) -> Any:
    try:
        return np.array([float(t) if t not in ("", "?") else np.nan for t in texts])
    except ValueError:
        return np.array([t or None for t in texts], dtype=object)


def _frame(name: str, rows: list[list[str]], head: list[str], target: str, **more: Any) -> Frame:
    columns = {h: _column([row[i] for row in rows]) for i, h in enumerate(head)}
    truth = columns.pop(target)
    classes = more.pop("classes", None)
    if classes is None:
        truth = np.unique([str(t) for t in truth], return_inverse=True)[1]
        classes = int(truth.max()) + 1
    for dropped in more.pop("drop", ()):
        columns.pop(dropped)
    group = more.pop("group", None)
    if group is None:
        group = np.where(np.random.default_rng(11).random(len(truth)) < 0.3, "b", "a").astype(object)
    return Frame(name, columns, truth, group=group, classes=classes, **more)


def _bundled(name: str) -> bytes:
    return (files("river.datasets") / name).read_bytes()


def _rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(data.decode().splitlines()))


def elec2(data: Path, first: int = 0, rows: int = 45_312) -> Frame:
    """Electricity prices in New South Wales, half-hourly."""
    found = _rows(gzip.decompress((data / "elec2" / "electricity.csv.gz").read_bytes()))
    body = found[1 + first : 1 + first + rows]
    at = np.datetime64("1996-05-07") + np.arange(first, first + len(body)) * np.timedelta64(30, "m")
    return _frame("elec2", body, found[0], "class", time=at.astype(str).astype(object))


@cache
def shuttle() -> Frame:
    """Sensor readings of the space shuttle, 7 % anomalies."""
    found = _rows(gzip.decompress(_bundled("shuttle.csv.gz")))
    return _frame("shuttle", found[1:], found[0], found[0][-1])


def _zipped(name: str) -> list[list[str]]:

    with zipfile.ZipFile(io.BytesIO(_bundled(name))) as archive:
        return [row for row in _rows(archive.read(archive.namelist()[0])) if row]


@cache
def bananas() -> Frame:
    """Two interleaved shapes in the plane; the rows are in no order."""
    body = [[c.split(":")[-1] for c in row[0].split()] for row in _zipped("banana.zip")]
    return _frame("bananas", [[row[1], row[2], row[0]] for row in body], ["x", "y", "class"], "class")


@cache
def segments() -> Frame:
    """Image segments of seven kinds."""
    found = _zipped("segment.csv.zip")
    if not found or "category" not in found[0]:
        import io

        with zipfile.ZipFile(io.BytesIO(_bundled("segment.csv.zip"))) as archive:
            found = _rows(archive.read(archive.namelist()[0]))
    return _frame("segments", found[1:], found[0], "category")


@cache
def phishing() -> Frame:
    """Web addresses, honest or not: 1,250 rows of small codes."""
    found = _rows(gzip.decompress(_bundled("phishing.csv.gz")))
    return _frame("phishing", found[1:], found[0], "is_phishing")


@cache
def yeast() -> Frame:
    """Gene expression of yeast: 103 features, 2,417 rows."""
    found = _rows(gzip.decompress(_bundled("yeast.csv.gz")))
    return _frame("yeast", found[1:], found[0], "Class1", drop=[f"Class{n}" for n in range(2, 15)])


@cache
def approval() -> Frame:
    """Approval of a president by poll: 1,001 rows of slowly wandering numbers, and a number to predict."""
    found = _rows(gzip.decompress(_bundled("trump_approval.csv.gz")))
    return _frame("approval", found[1:], found[0], "five_thirty_eight", drop=["ordinal_date"], classes=0)


BUNDLED = (shuttle, bananas, segments, phishing, yeast, approval)
