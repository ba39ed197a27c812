"""The drift benchmark: false alarms on rows without a fault, delays after one, beside river's detectors.

Each of four families (iid normal, lognormal, AR(1) φ = .8, daily season) gives `--rows` rows without a fault to the
live monitor, whose policy expects 100,000 rows between false alarms of the whole model; then each fault is begun
many times from moments of that run. Prints a table, writes var/bench/drift.json, and exits with 1 where a target is
missed: false alarms within a factor of 2 of what policy says; the median delay of a mean shift at most 1.5 times
(iid; AR and season: twice) the bound ln(ARL · m)/KL; no scale change of 1.5 or more missed.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.drift.arms import EXPECTED, PEERS, lighter, ours_with_fault, ours_without_fault
from tests.bench.drift.families import FAMILIES, FAULTS, NUMBERS, TEXTS, Fault, divergence

OUT = Path(__file__).resolve().parents[3] / "var" / "bench" / "drift.json"
OURS = "ours"
WATCHED = 2 * NUMBERS + TEXTS + 1
"""m of the bound: mean and scale of each number, shares of each category, errors. Histograms, nulls and pairs of
features are watched too, and are left out, which makes the bound smaller."""

LIMITS = {"iid": 1.5, "ar": 2.0, "season": 2.0}
HORIZON = 5000
FOUND_BEFORE = 0.5  # share of trials that must find a shift for it to have a median delay


@dataclass(frozen=True)
class Plan:
    """How much is run."""

    seed: int
    rows: int
    trials: int
    families: tuple[str, ...]
    faults: tuple[str, ...]
    peers: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; 1 where a target is missed."""
    plan = _plan(arguments)
    since = time.monotonic()
    jobs = [(family, OURS) for family in plan.families]
    jobs += [(family, peer.name) for peer in PEERS if plan.peers for family in plan.families]
    results: dict[str, dict[str, Any]] = {OURS: {}}
    with ProcessPoolExecutor(2) as pool:
        futures = {pool.submit(_run, plan, family, name): (family, name) for family, name in jobs}
        for future in as_completed(futures):
            family, name = futures[future]
            results.setdefault(name, {})[family] = future.result()
            print(f"[{time.monotonic() - since:5.0f} s] {name} on {family}: done", flush=True)
    _table(plan, results)
    missed = verdict(plan, results[OURS])
    OUT.parent.mkdir(parents=True, exist_ok=True)
    body = {"seed": plan.seed, "expected_rows": EXPECTED, "watched": WATCHED, "arms": results, "missed": missed}
    OUT.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print("\n".join(missed) or "every target is met", f"({time.monotonic() - since:.0f} s; {OUT})")
    return 1 if missed else 0


def verdict(plan: Plan, ours: dict[str, Any]) -> list[str]:
    """Return a sentence for each target that is missed."""
    said = []
    for family in plan.families:
        null, faults = ours[family]["null"], ours[family]["faults"]
        expected = null["rows"] / EXPECTED
        if not expected / 2 <= null["alarms"] <= expected * 2:
            said.append(f"{family}: {null['alarms']} false alarms where {expected:.0f} are expected")
        for name, found in faults.items():
            limit = LIMITS.get(family)
            if limit and found["bound"] and not (found["ratio"] is not None and found["ratio"] <= limit):
                said.append(f"{family}, {name}: {found['ratio']} times the bound, at most {limit} is the target")
            if name in ("scale 1.5", "scale 2.0") and found["missed"]:
                said.append(f"{family}, {name}: {found['missed']} of {found['trials']} missed")
    return said


def _plan(arguments: Sequence[str] | None) -> Plan:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1, help="of everything that is generated")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows without a fault, of each family")
    parser.add_argument("--trials", type=int, default=40, help="how often each fault is begun")
    parser.add_argument("--quick", action="store_true", help="400,000 rows and 8 trials: a look, not a proof")
    parser.add_argument("--families", default=",".join(FAMILIES), help="of " + ", ".join(FAMILIES))
    parser.add_argument("--faults", default="", help="names that begin like this, by comma; none: all")
    parser.add_argument("--no-peers", action="store_true", help="ours alone")
    given = parser.parse_args(arguments)
    families = tuple(given.families.split(","))
    if not set(families) <= set(FAMILIES):
        parser.error(f"families are {', '.join(FAMILIES)}")
    wanted = tuple(given.faults.split(",")) if given.faults else ("",)
    faults = tuple(fault.name for fault in FAULTS if fault.name.startswith(wanted))
    rows, trials = (400_000, 8) if given.quick else (given.rows, given.trials)
    return Plan(given.seed, rows, trials, families, faults, not given.no_peers)


def _run(plan: Plan, family: str, name: str) -> dict[str, Any]:
    peer = next((peer for peer in PEERS if peer.name == name), None)
    number = FAMILIES.index(family)
    faults = [fault for fault in FAULTS if fault.name in plan.faults]
    seeds = [1000 * plan.seed + 7 * trial + 1 for trial in range(plan.trials)]
    if peer is None:
        null = ours_without_fault(family, 10 * plan.seed + number, plan.rows, 20, lambda text: print(text, flush=True))
        began = time.monotonic()
        measured = {}
        for fault in faults:
            step, most = _pace(family, fault)
            points = [null.points[i % len(null.points)] for i in range(len(seeds))]
            delays = [ours_with_fault(p, fault, s, step, most) for p, s in zip(points, seeds, strict=True)]
            measured[fault.name] = _summary(family, fault, delays)
        print(f"{family}: {len(faults)} faults in {time.monotonic() - began:.0f} s", flush=True)
        alarms = {"rows": null.rows, "alarms": null.alarms, "signals": null.signals}
    else:
        peer = peer if plan.rows > 1_000_000 else lighter(peer)
        quiet = peer.without_fault(family, 10 * plan.seed + number)
        alarms = {"rows": quiet.rows, "alarms": quiet.alarms}
        few = seeds[: max(plan.trials // 4, 1)]
        measured = {f.name: _summary(family, f, [peer.with_fault(family, f, s) for s in few]) for f in faults}
    return {"null": alarms, "faults": measured, "overall": _overall(alarms, measured)}


def _pace(family: str, fault: Fault) -> tuple[int, int]:
    """Return the rows of a batch after a fault, and the rows after which it counts as missed."""
    if not fault.shift:
        return 20, HORIZON
    bound = _bound(family, fault.shift)
    return max(2, min(int(bound / 40), 100)), max(int(6 * bound), 1000)


def _bound(family: str, shift: float) -> float:
    return math.log(EXPECTED * WATCHED) / divergence(family, shift)


def _summary(family: str, fault: Fault, delays: list[int | None]) -> dict[str, Any]:
    found = [delay for delay in delays if delay is not None]
    bound = _bound(family, fault.shift) if fault.shift and family in LIMITS else None
    # A trial that found nothing is later than all that did.
    ordered = sorted(math.inf if delay is None else delay for delay in delays)
    median = statistics.median(ordered) if len(found) > FOUND_BEFORE * len(delays) else None
    ratio = round(median / bound, 2) if bound and median is not None else None
    return {
        "trials": len(delays),
        "missed": len(delays) - len(found),
        "median": median,
        "mean": round(statistics.fmean(found), 1) if found else None,
        "bound": round(bound, 1) if bound else None,
        "ratio": ratio,
    }


def _overall(null: dict[str, Any], faults: dict[str, Any]) -> dict[str, Any]:
    """Return precision, recall, F1, MTFA, MTD, MTR, as if a fault came every 20,000 rows."""
    trials = sum(f["trials"] for f in faults.values())
    missed = sum(f["missed"] for f in faults.values())
    hits = trials - missed
    false = null["alarms"] / null["rows"] * 20_000 * trials
    between = null["rows"] / null["alarms"] if null["alarms"] else None
    times = [f["mean"] * (f["trials"] - f["missed"]) for f in faults.values() if f["mean"] is not None]
    delay = sum(times) / hits if hits else None
    precision = hits / (hits + false) if hits + false else 0.0
    recall = hits / trials if trials else 0.0
    ratio = between / delay * recall if between and delay else None
    return {
        "false_alarms_per_100k": round(null["alarms"] / null["rows"] * 100_000, 2),
        "precision": round(precision, 3),
        "recall": round(recall, 3),
        "f1": round(2 * precision * recall / (precision + recall), 3) if precision + recall else 0.0,
        "mtfa": round(between, 1) if between else None,
        "mtd": round(delay, 1) if delay else None,
        "mtr": round(ratio, 2) if ratio else None,
    }


def _table(plan: Plan, results: dict[str, dict[str, Any]]) -> None:
    names = plan.faults
    print(f"\nm = {WATCHED} statistics; median rows to the signal (xR: times the bound; -K: so many missed)")
    for family in plan.families:
        print(f"\n{family:13}{'false/100k':>11}" + "".join(f"{name:>16}" for name in names) + f"{'F1':>7}{'MTR':>9}")
        for arm, by_family in results.items():
            found = by_family[family]
            overall = found["overall"]
            cells = "".join(f"{_cell(found['faults'][name]):>16}" for name in names)
            print(f"{arm:13}{overall['false_alarms_per_100k']:>11}{cells}{overall['f1']:>7}{overall['mtr'] or '-':>9}")
    print()


def _cell(found: dict[str, Any]) -> str:
    if found["missed"] == found["trials"]:
        return "none"
    median = f"{found['median']:.0f}" if found["median"] is not None else "late"
    ratio = f" x{found['ratio']}" if found["ratio"] is not None else ""
    return f"{median}{ratio}" + (f" -{found['missed']}" if found["missed"] else "")


if __name__ == "__main__":
    sys.exit(main())
