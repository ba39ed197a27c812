"""Which fault of a drill shows what an incident showed: by its category, and by what its signals measured."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents.drills.observed import Numbers, Seen, Texts, rounded
from schemas.signals import Evidence
from schemas.values import Category

_GROUP = re.compile(r"([^=]{1,60})=([^=]{1,64})")
_NO_INPUT = frozenset({"confidence", "prediction", "latency", "requests", "rows", "score", "label", "labels", ""})
_ABSENT = frozenset({"null", "nan", "inf", "wrong_type", "unseen"})
_POISONED = ("AML.T0018", "AML.T0020", "AML.T0059", "AML.T0031")
_REPLACED = ("AML.T0010",)
_FLOODED = ("AML.T0029", "AML.T0034", "AML.T0046")
_SAID = ("AML.T0051", "AML.T0054", "AML.T0056", "AML.T0057")
_FAR = 3.0
"""Standard deviations by which an input moves of which only is known that it moved."""
_MOST = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Culprit:
    """A fault as a scenario file has it, None where people reported what no machine saw; and what it needs served."""

    fault: dict[str, Any] | None
    served: dict[str, Any] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


def column(name: str) -> str:
    """Return a name as scenario files write columns."""
    plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")[:60] or "input"
    return plain if plain[0].isalpha() else f"f_{plain}"


def inputs(evidence: Sequence[Evidence]) -> list[str]:
    """Return the inputs that signals name, the weightiest first."""
    named = [
        part
        for one in sorted(evidence, key=lambda one: -one.score)
        if one.category in (Category.DATA_DRIFT, Category.DATA_QUALITY)
        for part in one.subject.split(", ")
        if part not in _NO_INPUT and "=" not in part and " " not in part
    ]
    return list(dict.fromkeys(column(part) for part in named))


def culprit(
    category: Category,
    technique: str,
    evidence: Sequence[Evidence],
    features: Mapping[str, Seen],
    where: tuple[str, str | None],
) -> Culprit:
    """Return the fault.

    Parameters
    ----------
    evidence
        The signals of the model where it began.
    features
        Its inputs, by their columns; what is not known of one is empty.
    where
        The model by its name in the drill, and the version where it is one's own fault.
    """
    model, version = where
    own = {"model": model} | ({"version": version} if version else {})
    ranked = sorted((one for one in evidence if one.category is category), key=lambda one: -one.score)
    strongest = ranked[0] if ranked else None
    match category:
        case Category.DATA_DRIFT | Category.DATA_QUALITY:
            return Culprit(fault=own | _of_input(category, ranked, features))
        case Category.PERFORMANCE:
            if version:
                return Culprit(fault=own | _poisoned(features), served={"label_after_seconds": 2})
            return Culprit(fault={"kind": "concept", "model": model, "share": 0.4}, served={"label_after_seconds": 2})
        case Category.CONFIDENCE:
            return Culprit(fault=own | {"kind": "replaced", "factor": 0.3})
        case Category.FAIRNESS:
            return _biased(own, strongest)
        case Category.OUTPUT_SAFETY:
            return _unsafe(own, strongest)
        case Category.ATTACK:
            return _attacked(own, technique, strongest, features)
        case Category.INFRASTRUCTURE:
            if strongest is not None and strongest.subject == "latency":
                return Culprit(fault=own | {"kind": "slow", "by_ms": 400.0})
            return Culprit(fault=own | {"kind": "failing", "share": 0.5})
    return Culprit(fault=None)


def _of_input(category: Category, ranked: Sequence[Evidence], features: Mapping[str, Seen]) -> dict[str, Any]:
    """Return what happened to the input that the weightiest signal names, or to the first there is."""
    for one in ranked:
        pair = [column(part) for part in one.subject.split(", ")]
        if one.statistic == "exchanged" and len(pair) == 2 and all(name in features for name in pair):
            return {"kind": "swapped", "features": pair}
        for part in one.subject.split(", "):
            if column(part) in features:
                name = column(part)
                spoilt = _spoilt(name, one, features[name]) if category is Category.DATA_QUALITY else None
                return spoilt or _moved(name, one, features[name])
    name = next(iter(features))
    return _moved(name, None, features[name])


def _spoilt(name: str, signal: Evidence, seen: Seen) -> dict[str, Any] | None:
    usual = seen.usual
    if signal.statistic in _ABSENT:
        return {"kind": "missing", "feature": name, "share": rounded(min(max(signal.value, 0.05), 1.0))}
    if signal.statistic == "stuck":
        if isinstance(usual, Texts):
            return {"kind": "stuck", "feature": name, "value": max(usual.shares, key=lambda one: usual.shares[one])}
        return {"kind": "stuck", "feature": name, "value": usual.mean if usual else 0.0}
    return None


def _moved(name: str, signal: Evidence | None, seen: Seen) -> dict[str, Any]:
    """Return the change of unit or the default value that makes the input what it became."""
    before, during = seen.before, seen.during
    if isinstance(before, Texts) or isinstance(during, Texts):
        was = before.shares if isinstance(before, Texts) else {}
        now = during.shares if isinstance(during, Texts) else was
        risen = max(now, key=lambda value: (now[value] - was.get(value, 0.0), value))
        return {"kind": "stuck", "feature": name, "value": risen}
    usual = before or during or Numbers(mean=0.0, sd=1.0)
    if before is not None and during is not None and before.sd > 0:
        if during.sd <= before.sd / 1000:
            return {"kind": "stuck", "feature": name, "value": during.mean}
        factor = rounded(during.sd / before.sd)
        offset = rounded(during.mean - factor * before.mean)
        if abs(during.mean - before.mean) > before.sd / 2 or not 0.5 < factor < 2:
            return {"kind": "units", "feature": name, "factor": factor, "offset": offset}
    return {"kind": "units", "feature": name, "offset": rounded(_size(signal) * (usual.sd or 1.0))}


def _size(signal: Evidence | None) -> float:
    """Return by how many standard deviations an input seems to have moved."""
    if signal is None:
        return _FAR
    if signal.statistic == "psi":  # of two normal distributions a distance d apart it is d²
        return float(min(max(signal.value, 1.0) ** 0.5, _MOST)) if signal.value > 0 else _FAR
    if signal.statistic == "mean" and 1.0 <= abs(signal.value) <= _MOST:
        return signal.value
    return _FAR


def _poisoned(features: Mapping[str, Seen]) -> dict[str, Any]:
    return {"kind": "poisoned", "feature": next(iter(features)), "above": 0.5}


def _biased(own: dict[str, Any], signal: Evidence | None) -> Culprit:
    named = _GROUP.search(signal.subject.split(" and ")[0]) if signal else None
    group, value = (column(named[1]), named[2]) if named else ("applicants", "these")
    fault = own | {"kind": "bias", "group": group, "value": value, "share": 0.5}
    return Culprit(fault=fault, served={"label_after_seconds": 2}, groups={group: value})


def _unsafe(own: dict[str, Any], signal: Evidence | None) -> Culprit:
    judge = column(signal.subject) if signal and signal.subject else "toxicity"
    return Culprit(fault=own | {"kind": "unsafe", "judge": judge, "share": 0.5}, served={"judges": [judge]})


def _attacked(own: dict[str, Any], technique: str, signal: Evidence | None, features: Mapping[str, Seen]) -> Culprit:
    if technique.startswith(_POISONED):
        return Culprit(fault=own | _poisoned(features), served={"label_after_seconds": 2})
    if technique.startswith(_REPLACED):
        return Culprit(fault=own | {"kind": "replaced", "factor": -1.0}, served={"probed": True})
    if technique.startswith(_FLOODED):
        return Culprit(fault=own | {"kind": "failing", "share": 0.5})
    if technique.startswith(_SAID):
        return _unsafe(own, signal)
    walker = {"kind": "extraction", "model": own["model"], "caller": "walker", "share": 0.5}
    return Culprit(fault=walker, served={"callers": 50})
