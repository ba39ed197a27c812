"""An incident in words: its title, and the containment that triage recommends."""

from collections.abc import Sequence

from agents.triage.cause import Kind, kind_of
from agents.triage.judge import Judge
from schemas.signals import Affected, SignalRaised
from schemas.values import Category

MAX_TITLE = 300
MAX_NAMES = 3
_WIDTH = 60
_FALLBACK = 200
_REPORT = 200
_PAIR = ", "  # between the names of two columns that a signal is about

_CATEGORIES = {
    Category.DATA_DRIFT: "Data drift",
    Category.DATA_QUALITY: "Bad data quality",
    Category.CONFIDENCE: "Shifted confidence",
    Category.PERFORMANCE: "Degraded performance",
    Category.FAIRNESS: "Unequal treatment of groups",
    Category.ATTACK: "Suspected attack",
    Category.OUTPUT_SAFETY: "Unsafe output",
    Category.INFRASTRUCTURE: "Infrastructure failure",
    Category.HUMAN_REPORT: "Reported fault",
}
_BASELINES = {"reference": "against the reference", "rolling": "against the rows before"}
_INPUTS = (Kind.BROKEN, Kind.MOVED, Kind.OUTSIDE)


def clip(text: str, width: int = _WIDTH) -> str:
    """Return the text for a line that a person reads: without control characters, and no longer than `width`."""
    clean = "".join(char if char.isprintable() else "?" for char in text[: width + 1])
    return clean if len(clean) <= width else clean[: width - 1] + "…"


def title(category: Category, affected: Sequence[Affected], ranked: Sequence[SignalRaised]) -> str:
    """Return the incident in one line; the first model affected is its origin, the first signal its best evidence."""
    origin = affected[0].model
    where = place(origin, [entry for entry in affected if entry.model == origin])
    others = sorted({entry.model for entry in affected} - {origin})
    if others:
        where += f" (with {_listed('model', others)})"
    return clip(f"{_CATEGORIES[category]} on {where}: {_what(ranked)}", MAX_TITLE)


def place(model: str, entries: Sequence[Affected]) -> str:
    """Return a model with the versions and instances that are affected."""
    text = f"{clip(model)} {_listed('version', [entry.version for entry in entries])}"
    instances = [name for entry in entries for name in entry.instances]
    return f"{text}, {_listed('instance', instances)}" if instances else text


def recommend(affected: Sequence[Affected], judge: Judge) -> str:
    """Return the recommended containment of the origin, as a sentence."""
    model = affected[0].model
    own = [entry for entry in affected if entry.model == model]
    where = place(model, own)
    if len(own) == 1 and own[0].instances:
        return f"Isolate {where}; nothing is seen on its other instances."
    declared = judge.declared(model)
    if declared is None:
        return f"Declare {clip(model)} in the systems document: no known-good version of it is known to fall back on."
    if declared.known_good is None:
        instead = judge.fallback_of(model)
        meanwhile = f"; until then: {clip(instead, _FALLBACK)}" if instead else ""
        return f"Take {where} out of service: the systems document names no known-good version{meanwhile}."
    good = clip(declared.known_good)
    if declared.known_good in {entry.version for entry in own}:
        return f"Repair what feeds {clip(model)}: its known-good version {good} is affected as well."
    versions = _listed("version", [entry.version for entry in own])
    return f"Shift the traffic of {clip(model)} from {versions} to the known-good version {good}."


def _listed(noun: str, names: Sequence[str]) -> str:
    shown = [clip(name) for name in dict.fromkeys(names)]
    if len(shown) == 1:
        return f"{noun} {shown[0]}"
    if len(shown) > MAX_NAMES:
        shown = [*shown[:MAX_NAMES], f"{len(shown) - MAX_NAMES} more"]
    return f"{noun}s {', '.join(shown[:-1])} and {shown[-1]}"


def _what(ranked: Sequence[SignalRaised]) -> str:
    best = ranked[0]
    if best.category is Category.HUMAN_REPORT:
        return clip(best.summary, _REPORT)
    statistic = "PSI" if best.statistic == "psi" else clip(best.statistic.replace("_", " "))
    baseline = _BASELINES.get(best.baseline, f"over the limit of {best.threshold:.3g}")
    measured = f"{statistic} {best.value:.3g} {baseline}"
    kind = kind_of(best)
    if kind is Kind.UNUSUAL:
        return f"the features together ({measured})"
    if kind not in _INPUTS:
        return f"{clip(best.subject)} ({measured})"
    alike = [signal for signal in ranked if signal.model == best.model and kind_of(signal) is kind]
    features = list(dict.fromkeys(name for signal in alike for name in signal.subject.split(_PAIR)))
    if len(features) == 1:
        return f"1 feature ({clip(features[0])}, {measured})"
    shown = [clip(name) for name in features[:MAX_NAMES]]
    more = f" and {len(features) - MAX_NAMES} more" if len(features) > MAX_NAMES else ""
    return f"{len(features)} features ({', '.join(shown)}{more}; {measured})"
