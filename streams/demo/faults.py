"""The ways in which version 2's feature pipeline breaks, switched by a file that names one.

The break is inside the model server, as in life: the readings arrive intact, and what the model is fed (and what the
SDK records, because it records what the model saw) is wrong.
"""

from enum import StrEnum
from pathlib import Path

from streams.demo.models import Array
from streams.serving.files import Watched, replace

SLOW_BY = 0.06
_UNITS, _STUCK, _SWAPPED = 0, 6, (6, 8)


class Fault(StrEnum):
    """What is wrong with the pipeline.

    units
        Sensor f1, in degrees Celsius for the model, arrives in Fahrenheit.
    stuck
        Sensor f7 reads its training median whatever happens.
    swapped
        Sensors f7 and f9 arrive in each other's column.
    latency
        Each request takes 60 ms more; the features are right.
    """

    NONE = "none"
    UNITS = "units"
    STUCK = "stuck"
    SWAPPED = "swapped"
    LATENCY = "latency"


def distort(rows: Array, fault: Fault, typical: Array) -> Array:
    """Return the rows as the broken pipeline hands them to the model; `typical` is each sensor's training median."""
    if fault in (Fault.NONE, Fault.LATENCY):
        return rows
    broken = rows.copy()
    if fault is Fault.UNITS:
        broken[:, _UNITS] = rows[:, _UNITS] * 1.8 + 32.0
    elif fault is Fault.STUCK:
        broken[:, _STUCK] = typical[_STUCK]
    else:
        broken[:, _SWAPPED] = rows[:, _SWAPPED[::-1]]
    return broken


def switch(file: Path, fault: Fault) -> None:
    """Break or mend every pipeline that watches `file`."""
    replace(file, fault.value)


def watched(file: Path | None) -> Watched[Fault]:
    """Return which fault is on; no file, or an unknown word, is none."""
    return Watched(file, lambda text: Fault(text[:20].strip()), Fault.NONE)
