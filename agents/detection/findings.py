"""What is wrong with a reference, or peculiar to it, before anything is judged by it."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Floats
from agents.detection.material import Material
from agents.detection.profile import histogram
from agents.detection.reference import Finding

MAX_FINDINGS = 400
MIN_GROUP = 50
"""Rows that a group needs before its rate is compared."""

_ALIKE = 0.999
_KEEPS = 0.3
_EXPLAINS = 0.1
_GROUP_GAP = 0.05
_CUTS = np.linspace(0, 1, 11)[1:-1]
_HOUR_MS, _WEEK_HOURS = 3_600_000, 168


def findings(material: Material, psi: float, stuck_rows: int) -> tuple[Finding, ...]:
    """Return what is found, the same for the same rows.

    Parameters
    ----------
    material
        The rows.
    psi, stuck_rows
        Policy: the stability index that is a drift, and the fewest equal values in a row that may be called stuck.
    """
    found = [
        *_cells(material),
        *_stuck(material, stuck_rows),
        *_rows(material),
        *_times(material.at),
        *_series(material),
        *_halves(material, psi),
        *_alike(material),
        *_labels(material),
        *_groups(material),
    ]
    return tuple(found[:MAX_FINDINGS])


def _cells(material: Material) -> Iterator[Finding]:
    for name, values in material.columns.items():
        missing = float(np.isnan(values).mean())
        if missing:
            yield _found("missing", name, missing, f"{missing:.2%} of {name} is missing or cannot be used")
        usable = values[np.isfinite(values)]
        if len(usable) and (usable == usable[0]).all():
            yield _found("constant", name, float(usable[0]), f"{name} has the same value in every row")


def _stuck(material: Material, least: int) -> Iterator[Finding]:
    for name in material.features:
        values = material.columns[name]
        changes = np.flatnonzero(values[1:] != values[:-1])
        longest = int(np.diff(changes, prepend=-1, append=len(values) - 1).max()) if len(values) else 0
        repeats = 1 - len(changes) / max(len(values) - 1, 1)
        # Of n rows, about n·pᴸ runs reach the length L where a cell repeats with probability p.
        usual = np.log(max(len(values), 2)) / -np.log(min(max(repeats, 1e-6), 0.9999))
        if len(changes) and longest >= max(least, 3 * usual):
            yield _found("stuck", name, longest, f"{name} keeps one value for {longest} rows in a row")


def _rows(material: Material) -> Iterator[Finding]:
    if not material.features or not material.rows:
        return
    matrix = np.stack([material.columns[name] for name in material.features], axis=1)
    distinct = len(np.unique(np.nan_to_num(matrix, nan=-1.7e308), axis=0))
    share = 1 - distinct / material.rows
    if share > 0:
        text = f"{share:.2%} of the rows repeat another row in every feature"
        yield _found("duplicates", "rows", share, text)


def _times(at: NDArray[np.int64]) -> Iterator[Finding]:
    steps = np.diff(at)
    forward = steps[steps > 0]
    if len(forward) < 50:
        return
    usual = float(np.quantile(forward, 0.99))
    gaps = forward[forward > 10 * usual]
    if len(gaps):
        longest = float(gaps.max()) / 1000
        text = (
            f"{len(gaps)} gaps in time, the longest of {longest:.0f} s; a row usually follows within {usual / 1000:g} s"
        )
        yield _found("gap", "time", len(gaps), text)


def _series(material: Material) -> Iterator[Finding]:
    hours = material.at // _HOUR_MS
    spans = int(hours[-1] - hours[0]) if len(hours) else 0
    for name in material.measured:
        values = _filled(material.columns[name])
        variance = float(values.var())
        if not variance > 0:
            continue
        centred = values - values.mean()
        keeps = float((centred[1:] * centred[:-1]).mean() / variance)
        if keeps > _KEEPS:
            yield _found("autocorrelation", name, keeps, f"{name} depends on the row before it (lag 1: {keeps:.2f})")
        for what, period in (("hour of the day", 24), ("hour of the week", _WEEK_HOURS)):
            if spans >= 2 * period:
                explained = _explained(values, (hours % period).astype(np.int64), period)
                if explained > _EXPLAINS:
                    text = f"the {what} explains {explained:.0%} of the variance of {name}"
                    yield _found("season", name, explained, text)
                    break


def _explained(values: Floats, cell: NDArray[np.int64], period: int) -> float:
    """Return the share of variance between the cells of a season, less what chance alone would explain."""
    count = np.bincount(cell, minlength=period)
    mean = np.bincount(cell, values, minlength=period) / np.maximum(count, 1)
    between = float((count * (mean - values.mean()) ** 2).sum())
    within = float(((values - mean[cell]) ** 2).sum())
    left = len(values) - int(np.count_nonzero(count))
    if left <= 0 or between + within <= 0:
        return 0.0
    return 1 - (within / left) / ((between + within) / (len(values) - 1))


def _halves(material: Material, limit: float) -> Iterator[Finding]:
    half = material.rows // 2
    for name in material.features:
        values = material.columns[name]
        usable = values[:half][np.isfinite(values[:half])]
        if len(usable) < 100:
            continue
        cuts = np.unique(np.quantile(usable, _CUTS, method="inverted_cdf"))[None, :]
        before, after = (histogram(part[None, :], cuts) for part in (values[:half], values[half:]))
        if not after.any():
            continue
        shares = [(part[0] + 0.5) / (part.sum() + 0.5 * part.shape[1]) for part in (before, after)]
        index = float(((shares[1] - shares[0]) * np.log(shares[1] / shares[0])).sum())
        # Of rows that come from one distribution, about twice the bins over the rows is there by chance.
        if index > max(limit, 8 * before.shape[1] / len(usable)):
            text = f"the two halves of the rows differ in {name} (population stability index {index:.2f})"
            yield _found("halves", name, index, text)


def _alike(material: Material) -> Iterator[Finding]:
    kept = [name for name in material.measured[:64] if float(_filled(material.columns[name]).std()) > 0]
    if len(kept) < 2:
        return
    together = np.asarray(np.corrcoef(np.stack([_filled(material.columns[name]) for name in kept])))
    for (i, one), (j, other) in combinations(enumerate(kept), 2):
        if abs(together[i, j]) > _ALIKE:
            text = f"{one} and {other} say the same (correlation {together[i, j]:.4f})"
            yield _found("alike", f"{one}, {other}", float(together[i, j]), text)


def _labels(material: Material) -> Iterator[Finding]:
    wrong = material.wrong[np.isfinite(material.wrong)]
    if not len(wrong):
        return
    share = float(wrong.mean())
    text = f"{share:.2%} of {len(wrong)} labelled predictions are wrong"
    yield _found("errors", "prediction", share, text)
    sure = material.columns.get("confidence")
    if sure is None:
        return
    both = np.isfinite(material.wrong) & np.isfinite(sure)
    if np.count_nonzero(both) >= MIN_GROUP:
        gap = float(sure[both].mean() - (1 - material.wrong[both].mean()))
        if abs(gap) > _GROUP_GAP:
            text = f"confidence is {gap:+.2f} away from the share of right predictions"
            yield _found("calibration", "confidence", gap, text)


def _groups(material: Material) -> Iterator[Finding]:
    for column, groups in material.groups.items():
        for what, outcome in (("outcome", material.outcome), ("error", material.wrong)):
            rates = {
                name: float(outcome[chosen].mean())
                for name, codes in groups.items()
                if np.count_nonzero(chosen := codes & np.isfinite(outcome)) >= MIN_GROUP
            }
            if len(rates) < 2:
                continue
            low, high = min(rates, key=rates.__getitem__), max(rates, key=rates.__getitem__)
            gap = rates[high] - rates[low]
            if gap > _GROUP_GAP:
                rate = material.outcome_name if what == "outcome" else "a wrong prediction"
                text = f"{rate} comes to {rates[high]:.1%} of {column}={high} and to {rates[low]:.1%} of {column}={low}"
                yield _found("group_gap", f"{what} by {column}", gap, text)


def _filled(values: Floats) -> Floats:
    usable = np.isfinite(values)
    return np.where(usable, values, values[usable].mean() if usable.any() else 0.0)


def _found(kind: str, subject: str, value: float, summary: str) -> Finding:
    return Finding(kind=kind, subject=subject[:200], value=float(value), summary=summary[:400])
