"""What a run says: whether the arms judged alike, their speeds beside one another, and which budgets are met. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

GROUPS = (("ours", "kernel", "quix_batch", "confluent_batch"), ("river_event", "quix_event", "bytewax_event"))
"""Arms that run the same detectors over the same records, and so must say the same."""

FLOOR = 500_000.0
PER_EVENT = 10.0
BESIDE = 0.75


@dataclass(frozen=True)
class Run:
    """What one process of an arm measured.

    rows, cpu, wall
        Predictions behind the warm-up, and the seconds they took: of all the process's threads, and by the clock.
    signals
        A digest of everything that was said, in order, and how many things that were.
    """

    arm: str
    rows: int
    cpu: float
    wall: float
    signals: str
    count: int


def differing(runs: Sequence[Run]) -> list[str]:
    """Return a sentence for each arm whose signals are not those of the first arm of its group."""
    complaints = []
    for group in GROUPS:
        told = [run for run in runs if run.arm in group]
        complaints += [
            f"{run.arm} said {run.count} things and {told[0].arm} {told[0].count}, not the same"
            for run in told
            if (run.signals, run.count) != (told[0].signals, told[0].count)
        ]
    return list(dict.fromkeys(complaints))


def speeds(runs: Sequence[Run]) -> dict[str, dict[str, float]]:
    """Return each arm's predictions a second: a core (CPU seconds of all threads) and by the clock; medians."""
    arms = dict.fromkeys(run.arm for run in runs)
    return {
        arm: {
            "core": median(run.rows / run.cpu for run in runs if run.arm == arm),
            "wall": median(run.rows / run.wall for run in runs if run.arm == arm),
        }
        for arm in arms
    }


def ratios(measured: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return how ours stands beside every other arm, per core."""
    ours = measured["ours"]["core"]
    return {arm: ours / speed["core"] for arm, speed in measured.items() if arm != "ours"}


def budget(measured: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, Any]]:
    """Return what design.md section 12, row 1 asks, what was seen, and whether it is met."""
    beside = ratios(measured)
    asked = {
        "ours ≥ 500,000 predictions/s a core": (measured["ours"]["core"], FLOOR),
        "ours ≥ .75 × the kernel alone": (beside["kernel"], BESIDE),
    }
    if "quix_batch" in beside:
        asked["ours ≥ .75 × Quix Streams with our batches and kernel"] = (beside["quix_batch"], BESIDE)
    peers = [beside[arm] for arm in ("quix_event", "bytewax_event") if arm in beside]
    if peers:
        asked["ours ≥ 10 × the best of Quix Streams and Bytewax per event"] = (min(peers), PER_EVENT)
    return {what: {"seen": seen, "asked": least, "met": seen >= least} for what, (seen, least) in asked.items()}


def lines(title: str, measured: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return a table of arms, the fastest first."""
    told = [f"{title:<34}{'rows/s a core':>16}{'rows/s':>14}{'ours / it':>12}"]
    ours = measured.get("ours", {}).get("core", 0.0)
    for arm, speed in sorted(measured.items(), key=lambda item: -item[1]["core"]):
        told.append(f"  {arm:<32}{speed['core']:>16,.0f}{speed['wall']:>14,.0f}{ours / speed['core']:>12.2f}")
    return told
