"""Check the outputs in an incident's window against the rules that its model declares, and say so in one report."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import Cells, Floats, Rows
from schemas.evidence import OUTPUT_AUDIT
from schemas.output_rules import AdverseRule, AllowedRule, DisparityRule, OutputRule, RangeRule
from schemas.values import Flag

PASSED, FAILED, TOO_FEW = "passed", "failed", "not enough data"
MAX_GROUPS = 50
"""Groups of a column that are compared, the largest first."""

_Z = 1.959963984540054

Chosen = NDArray[np.bool_]


@dataclass(slots=True)
class Outputs:
    """Predictions as texts and as numbers (NaN where they are none), and each row's group by column."""

    texts: list[str | None] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    groups: dict[str, list[str | None]] = field(default_factory=dict)

    def add(self, rows: Rows) -> None:
        """Add a batch; one without a prediction column counts as missing outputs."""
        cells, before = rows.with_role("prediction"), len(self.texts)
        texts, numbers = _values(cells, rows.rows)
        self.texts += texts
        self.numbers += numbers
        for column in rows.columns:
            if column.role == "group":
                known = self.groups.setdefault(column.name, [])
                known += [None] * (before - len(known))
                known += _values(column, rows.rows)[0]

    def of_group(self, column: str) -> list[str | None]:
        """Return each row's group of a column; None where it has none."""
        known = self.groups.get(column, [])
        return known + [None] * (len(self.texts) - len(known))


@dataclass(frozen=True, slots=True)
class Audited:
    """What a report says of one model version: its window in ms, whether all of it was read, and its rules."""

    model: str
    version: str
    window_from: int
    window_to: int
    complete: bool
    outputs: int
    rules: tuple[dict[str, Any], ...]


def examine(rules: Sequence[OutputRule], batches: Iterable[Rows]) -> tuple[int, tuple[dict[str, Any], ...]]:
    """Return how many outputs there were, and of each rule its result, its counts, its value and its limit."""
    outputs = Outputs()
    for rows in batches:
        outputs.add(rows)
    return len(outputs.texts), tuple(_checked(rule, outputs) for rule in rules)


def report(incident: str, systems: str, audited: Sequence[Audited]) -> bytes:
    """Return the report as JSON, the same bytes for the same facts.

    Parameters
    ----------
    systems
        Digest of the systems document that declares the rules.
    """
    models = [
        {
            "model": one.model,
            "version": one.version,
            "window": {"from": one.window_from, "to": one.window_to, "complete": one.complete},
            "outputs": one.outputs,
            "rules": list(one.rules),
        }
        for one in audited
    ]
    document = {"kind": OUTPUT_AUDIT, "incident": incident, "systems": systems, "models": models}
    return json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def summary(audited: Sequence[Audited]) -> str:
    """Return the results in one sentence a model version, what failed first."""
    return "; ".join(_said(one) for one in audited)[:2000]


def _said(one: Audited) -> str:
    results = [(rule["rule"], rule["result"]) for rule in one.rules]
    said = [
        f"{result}: {', '.join(names)}"
        for result in (FAILED, TOO_FEW, PASSED)
        if (names := [name for name, found in results if found == result])
    ]
    return f"{one.model[:60]} version {one.version[:60]}, {one.outputs} outputs, {', '.join(said)}"


def _checked(rule: OutputRule, outputs: Outputs) -> dict[str, Any]:
    match rule:
        case RangeRule():
            return _each(rule, _in_range(rule, np.array(outputs.numbers)))
        case AllowedRule():
            allowed = set(rule.values)
            return _each(rule, np.array([text in allowed for text in outputs.texts], dtype=bool))
        case AdverseRule():
            adverse = _adverse(rule, outputs)
            known = np.isfinite(adverse)
            counted, bad = int(known.sum()), int(np.nansum(adverse))
            share = bad / counted if counted else None
            held = share is not None and share <= rule.max_rate
            return _result(rule, counted, bad, share, {"max_rate": rule.max_rate}, held=held)
    return _disparity(rule, outputs)


def _each(rule: RangeRule | AllowedRule, good: Chosen) -> dict[str, Any]:
    bad = int(np.count_nonzero(~good))
    share = bad / len(good) if len(good) else None
    limit: dict[str, Any] = {"max_share": rule.max_share}
    if isinstance(rule, RangeRule):
        limit |= {"minimum": rule.minimum, "maximum": rule.maximum}
    else:
        limit |= {"values": list(rule.values)}
    return _result(rule, len(good), bad, share, limit, held=share is not None and share <= rule.max_share)


def _disparity(rule: DisparityRule, outputs: Outputs) -> dict[str, Any]:
    adverse, member = _adverse(rule, outputs), outputs.of_group(rule.group)
    counts: dict[str, list[int]] = {}
    for name, value in zip(member, adverse.tolist(), strict=True):
        if name is not None and value == value:  # noqa: PLR0124 - NaN is not itself
            found = counts.setdefault(name, [0, 0])
            found[0] += 1
            found[1] += int(value)
    largest = sorted(counts.items(), key=lambda item: (-item[1][0], item[0]))[:MAX_GROUPS]
    groups = {name: _rate(rows, bad) for name, (rows, bad) in sorted(largest)}
    rates = [bad / rows for _, (rows, bad) in largest if rows >= rule.min_rows]
    limit = {"max_gap": rule.max_gap, "min_ratio": rule.min_ratio, "group": rule.group}
    counted, total = sum(rows for _, (rows, _) in largest), sum(bad for _, (_, bad) in largest)
    if len(rates) < 2:
        told = _result(rule, counted, total, None, limit, held=False)
        return told | {"result": TOO_FEW, "groups": groups}
    gap = max(rates) - min(rates)
    ratio = (1 - max(rates)) / (1 - min(rates)) if min(rates) < 1 else 1.0
    held = (rule.max_gap is None or gap <= rule.max_gap) and (rule.min_ratio is None or ratio >= rule.min_ratio)
    told = _result(rule, counted, total, gap, limit, held=held)
    return told | {"ratio": round(ratio, 6), "groups": groups, "result": PASSED if held else FAILED}


def _result(
    rule: OutputRule, counted: int, bad: int, value: float | None, limit: dict[str, Any], *, held: bool
) -> dict[str, Any]:
    enough = counted >= rule.min_rows
    return {
        "rule": rule.name,
        "kind": rule.kind,
        "result": TOO_FEW if not enough else PASSED if held else FAILED,
        "outputs": counted,
        "against": bad,
        "value": None if value is None else round(value, 6),
        "interval": _rate(counted, bad)["interval"],
        "limit": limit,
    }


def _rate(rows: int, bad: int) -> dict[str, Any]:
    """Return a share with Wilson's interval of 95 % (Wilson, 1927)."""
    if not rows:
        return {"outputs": 0, "adverse": 0, "rate": None, "interval": None}
    share, square = bad / rows, _Z * _Z
    centre = (share + square / (2 * rows)) / (1 + square / rows)
    half = _Z * float(np.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))) / (1 + square / rows)
    interval = [round(max(centre - half, 0.0), 6), round(min(centre + half, 1.0), 6)]
    return {"outputs": rows, "adverse": bad, "rate": round(share, 6), "interval": interval}


def _in_range(rule: RangeRule, numbers: Floats) -> Chosen:
    low = -np.inf if rule.minimum is None else rule.minimum
    high = np.inf if rule.maximum is None else rule.maximum
    with np.errstate(invalid="ignore"):
        return np.asarray((numbers >= low) & (numbers <= high) & np.isfinite(numbers))


def _adverse(rule: AdverseRule | DisparityRule, outputs: Outputs) -> Floats:
    """Return 1 where an output is adverse, 0 where not, NaN where there is none."""
    named = set(rule.adverse)
    numbers = np.array(outputs.numbers, dtype=np.float64)
    adverse = np.array([text in named for text in outputs.texts], dtype=bool)
    with np.errstate(invalid="ignore"):
        if rule.above is not None:
            adverse |= numbers > rule.above
        if rule.below is not None:
            adverse |= numbers < rule.below
    missing = np.array([text is None for text in outputs.texts], dtype=bool)
    return np.where(missing, np.nan, adverse.astype(np.float64))


def _values(cells: Cells | None, rows: int) -> tuple[list[str | None], list[float]]:
    if cells is None:
        return [None] * rows, [np.nan] * rows
    if cells.text:
        texts = cells.strings()
        return texts, [_number(text) for text in texts]
    numbers = cells.values.astype(np.float64)
    if cells.flags is not None:
        numbers[cells.flags != Flag.PRESENT] = np.nan
    found = numbers.tolist()
    return [_text(number) for number in found], found


def _text(number: float) -> str | None:
    if not np.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _number(text: str | None) -> float:
    try:
        return float(text) if text is not None else np.nan
    except ValueError:
        return float("nan")
