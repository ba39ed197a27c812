"""Tables of real and generated data with a model's predictions, and the faults that are put into them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas import documents, policy
from schemas.systems import Systems
from streams.backtest.judging import Backtest, run
from streams.backtest.layout import Layout
from streams.backtest.trial import Judged
from streams.settings import DEPLOY
from tests.frames import Frame
from tests.served import PART, served

Floats = NDArray[np.float64]


# --- faults: each takes a frame with predictions and the row from which it is broken


def _changed(frame: Frame, name: str, start: int, values: Any) -> Frame:
    column = frame.features[name].copy()
    column[start:] = values
    return replace(frame, features=frame.features | {name: column})


def _varied(frame: Frame, start: int) -> list[str]:
    """Return the numeric features that vary most before the fault, by distinct values."""
    return sorted(frame.numbers, key=lambda n: (-len(np.unique(frame.features[n][:start])), n))


def units(factor: float, offset: float = 0.0) -> Callable[[Frame, int], Frame]:
    """A feature arrives in another unit."""

    def fault(frame: Frame, start: int) -> Frame:
        name = _varied(frame, start)[0]
        return _changed(frame, name, start, frame.features[name][start:].astype(float) * factor + offset)

    return fault


def stuck(frame: Frame, start: int) -> Frame:
    """A sensor repeats the value that it had."""
    name = _varied(frame, start)[0]
    return _changed(frame, name, start, frame.features[name][start])


def swapped(frame: Frame, start: int) -> Frame:
    """Two features arrive in each other's column."""
    one, two = _varied(frame, start)[:2]
    left, right = frame.features[one], frame.features[two]
    return _changed(_changed(frame, one, start, right[start:]), two, start, left[start:])


def labels_shift(frame: Frame, start: int) -> Frame:
    """What is true is no longer what it was: another class for each, or another level."""
    target = frame.target.copy()
    later = target[start:]
    target[start:] = (later + 1) % frame.classes if frame.classes else later + 2 * frame.target.std()
    return replace(frame, target=target)


def _wrong(frame: Frame, rows: Any, rng: Any) -> Any:
    said = frame.extra["prediction"].copy()
    if frame.classes:
        said[rows] = (frame.target[rows] + 1 + rng.integers(0, frame.classes - 1, int(rows.sum()))) % frame.classes
    else:
        said[rows] += 2 * frame.target.std() * np.where(rng.random(int(rows.sum())) < 0.5, 1, -1)
    return said


def group_bad(frame: Frame, start: int) -> Frame:
    """Most predictions of one group are wrong."""
    rng = np.random.default_rng(3)
    rows = (np.arange(frame.rows) >= start) & (frame.group == "b") & (rng.random(frame.rows) < 0.8)
    return replace(frame, extra=frame.extra | {"prediction": _wrong(frame, rows, rng)})


def slow(frame: Frame, start: int) -> Frame:
    """Each prediction takes eight times as long."""
    took = frame.extra["latency"].copy()
    took[start:] *= 8
    return replace(frame, extra=frame.extra | {"latency": took})


def _released(frame: Frame, start: int, said: Any, *, named: bool) -> Frame:
    version = frame.extra["version"].copy()
    if named:
        version[start:] = "v2"
    return replace(frame, extra=frame.extra | {"prediction": said, "version": version})


def bug(*, named: bool, constant: bool = False) -> Callable[[Frame, int], Frame]:
    """A new version is wrong half of the time, or says the same whatever it is asked."""

    def fault(frame: Frame, start: int) -> Frame:
        rng = np.random.default_rng(4)
        if constant:
            said = frame.extra["prediction"].copy()
            rare = int(np.argmin(np.bincount(frame.target.astype(int)))) if frame.classes else 0
            said[start:] = rare if frame.classes else said[start:].mean() - 2 * said.std()
            return _released(frame, start, said, named=named)
        rows = (np.arange(frame.rows) >= start) & (rng.random(frame.rows) < 0.6)
        return _released(frame, start, _wrong(frame, rows, rng), named=named)

    return fault


def nan_flood(frame: Frame, start: int) -> Frame:
    """Four of ten cells of a feature are missing."""
    name = _varied(frame, start)[0]
    values = frame.features[name][start:].astype(float).copy()
    values[np.random.default_rng(5).random(len(values)) < 0.4] = np.nan
    return _changed(
        replace(frame, features=frame.features | {name: frame.features[name].astype(float)}), name, start, values
    )


class Fault(NamedTuple):
    """A fault, and the categories that an incident of it may have."""

    make: Callable[[Frame, int], Frame]
    expected: frozenset[str]


def _fault(make: Callable[[Frame, int], Frame], *expected: str) -> Fault:
    return Fault(make, frozenset(expected))


FAULTS: dict[str, Fault] = {
    "units": _fault(units(1000.0), "data_drift", "data_quality"),
    "inches": _fault(units(2.54), "data_drift", "data_quality"),
    "fahrenheit": _fault(units(1.8, 32.0), "data_drift", "data_quality"),
    "stuck": _fault(stuck, "data_quality"),
    "swapped": _fault(swapped, "data_drift", "data_quality"),
    "labels": _fault(labels_shift, "performance"),
    "group": _fault(group_bad, "fairness"),
    "latency": _fault(slow, "infrastructure"),
    "version": _fault(bug(named=True), "performance"),
    "bug": _fault(bug(named=False), "performance"),
    "constant": _fault(bug(named=True, constant=True), "performance"),
    "nan": _fault(nan_flood, "data_quality"),
}


# --- judging


def default_policy() -> Judged:
    """Return the policy that is deployed."""
    document = (DEPLOY / "policy.toml").read_bytes()
    return Judged(policy.read(document), documents.digest(document))


def layout(frame: Frame) -> Layout:
    """Return which column of `served` plays which part."""
    return Layout(
        features=tuple(frame.features),
        time="at" if frame.time is not None else None,
        prediction="said",
        confidence="sure" if frame.classes else None,
        label="truth",
        groups=("team",),
        latency="took",
        version="version",
    )


def write(columns: dict[str, Any], path: Path) -> Path:
    """Write columns as Parquet, NaN as no value."""
    arrays = {n: pa.array(c.tolist() if c.dtype == object else c, from_pandas=True) for n, c in columns.items()}
    pq.write_table(pa.table(arrays), path)
    return path


def judged(frame: Frame, fault: str | None, folder: Path, *, trained: str = "all") -> Backtest:
    """Judge a frame with a fault, or with none."""
    columns = served(frame, FAULTS[fault].make if fault else None, trained=trained)
    path = write(columns, folder / f"{frame.name}-{fault}.parquet")
    return run(path, layout(frame), [default_policy()], Systems(version=1))


class Opened(NamedTuple):
    """An incident in short: the row at which it was opened, category and features."""

    row: int
    category: str
    features: tuple[str, ...]


def opened(found: Backtest) -> list[Opened]:
    """Return the incidents of a backtest."""
    from streams.backtest.report import features_of

    return [
        Opened(found.row_at(i.opened.at)[0], i.last.category.value, tuple(features_of(i)))
        for i in found.trials[0].incidents
    ]


def verdict(incidents: list[Opened], usual: list[Opened], fault: str | None, rows: int) -> str:
    """Return an empty string where the rule holds, else what breaks it.

    Without a fault only data drift may be opened. With one, exactly one incident of its category is opened after it,
    and beside it only drift that the data has by itself.
    """
    if fault is None:
        bad = [i for i in incidents if i.category != "data_drift"]
        return "; ".join(f"{i.category} at {i.row} ({', '.join(i.features[:2])})" for i in bad)
    start = int(rows * PART)
    after = [i for i in incidents if i.row >= start and i not in usual]
    right = [i for i in after if i.category in FAULTS[fault].expected]
    wrong = [i for i in after if i.category not in FAULTS[fault].expected]
    said = [f"{len(right)} right"] if len(right) != 1 else []
    said += [f"{i.category} at {i.row} ({', '.join(i.features[:2])})" for i in wrong]
    early = [i for i in incidents if i.row < start and i.category != "data_drift"]
    said += [f"early {i.category} at {i.row} ({', '.join(i.features[:2])})" for i in early]
    return "; ".join(said)
