"""A drill of what happened: a scenario file from one incident's entries, its systems, and the rows it kept.

Nobody's name, no sentence that a person wrote and no row is in it: people play by their roles, and inputs are shapes.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zlib import crc32

from agents.drills import saying
from agents.drills.culprit import Culprit, column, culprit, inputs
from agents.drills.hoped import expected
from agents.drills.observed import Numbers, Observed, Seen, Texts
from agents.drills.reenact import cast, steps
from agents.ledger.case import Case
from agents.ledger.control import Control
from agents.ledger.fold import Verified
from schemas.drills import Scenario
from schemas.errors import PolicyError
from schemas.events import CaseOpened
from schemas.signals import Evidence
from schemas.spans import span, written
from schemas.systems import Model, System, Systems
from schemas.values import Category, Role

PREFIX = "drill-"
_TELLER = "staff-1"
MAX_MODELS = 8
_LEAST_FEATURES = 3
_WEIGHTS = (1.2, -0.8, 0.6)
_LIFE_SECONDS = 40.0
"""Of people's waiting, in real seconds, at the speed that the file asks for."""
_KEPT = ("tier", "sensitivity", "third_party", "jurisdictions", "regulations", "operator_role", "protected_groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A scenario as its file has it, and how often each command was said that a drill cannot say."""

    document: dict[str, Any]
    left: Mapping[str, int]


def from_case(
    case: Case,
    entries: Sequence[Verified],
    control: Control,
    systems: Systems,
    observed: Mapping[str, Observed],
    escalations: Collection[str] = (),
) -> Drawn:
    """Return the scenario of an incident.

    Parameters
    ----------
    entries
        Those of the incident, in order.
    control
        Roles, and every on-call document there was.
    systems
        The systems document when it opened.
    observed
        What the kept rows say, by model; models of which none are kept are made up from the signals.
    escalations
        Names of the escalation policies that drills have: what another one did is not expected.

    Raises
    ------
    PolicyError
        Nothing in the incident can be played.
    """
    opened = next(event for one in entries for event in one.events if isinstance(event, CaseOpened))
    models = _models(case, systems)
    origin = case.affected[0].model
    versions = {one.version for one in case.affected if one.model == origin}
    declared = systems.find(origin)
    several = declared is not None and len(declared[2].versions) > 1
    own = next(iter(versions)) if len(versions) == 1 and several else None  # else the fault is every version's
    evidence = {model: [one for one in case.course.signals if one.model == model] for model in models}
    seen = {model: _seen(evidence[model], observed.get(model, Observed())) for model in models}
    found = culprit(case.category, case.technique, evidence[origin], seen[origin], (models[origin], own))
    players = cast(entries, control)
    document: dict[str, Any] = {
        "version": 1,
        "title": f"As it was: {case.category.value.replace('_', ' ')} of {models[origin]}"[:120],
        "situation": _situation(case, opened, systems),
        "seed": crc32(case.incident.encode()) % 2**31,
        "systems": _systems(case, systems, models),
        "served": {
            name: _served(
                systems.find(model),
                models,
                seen[model],
                observed.get(model, Observed()),
                found if model == origin else Culprit(fault=None),
            )
            for model, name in models.items()
        },
        "people": dict(players.players),
    }
    if found.fault is not None and found.fault["kind"] == "bias":  # against the group: the outcome that nobody wants
        found.fault["outcome"] = document["served"][models[origin]]["outcomes"][0]
    first = _first(case, document["people"], models[origin], found)
    document["steps"] = [first]
    said, left = steps(entries, players, models, lambda step, _: _speaks(document, first, step))
    document["steps"] = [first, *said]
    document["speed"] = _speed(said)
    document["questions"] = [_question(case, opened)]
    document["expect"] = expected(case, entries, said, players, models, escalations)
    saying.check(read(document), "the incident's scenario")
    return Drawn(document=document, left=left)


def _models(case: Case, systems: Systems) -> dict[str, str]:
    """Return what each model of the incident is called in the drill: what it affects, then what it reaches."""
    named = [one.model for one in case.affected]
    reached = [one.model for one in case.blast_radius if systems.find(one.model) is not None]
    every = list(dict.fromkeys([*named, *reached]))[:MAX_MODELS]
    return {model: _renamed(model) for model in every}


def _renamed(name: str) -> str:
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
    plain = plain.lower().removeprefix(PREFIX) or "model"
    return f"{PREFIX}{plain}"[:128]


def _systems(case: Case, systems: Systems, models: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for model, name in models.items():
        found = systems.find(model)
        system, declared = (found[0], found[1]) if found else (f"of-{model}", System(scope="unknown", models={"x": {}}))
        if _renamed(system) not in made:
            told = declared.model_dump(mode="json", include=set(_KEPT), exclude_defaults=True)
            if "protected_groups" in told:
                told["protected_groups"] = [column(name) for name in told["protected_groups"]]
            made[_renamed(system)] = {"scope": declared.scope, "owner": declared.owner.value, **told, "models": {}}
            if declared.vendor is not None:
                rollback = declared.vendor.model_dump(include={"rollback"}, exclude_none=True)
                made[_renamed(system)]["vendor"] = {"name": "a vendor", "contact": "their desk", **rollback}
        own = found[2] if found else Model()
        bad = {one.version for one in case.affected if one.model == model}
        made[_renamed(system)]["models"][name] = _model(own, name, bad, models)
    return made


def _model(declared: Model, name: str, bad: set[str], models: Mapping[str, str]) -> dict[str, Any]:
    """Return a model with targets of its own; versions that the incident names are among those it has."""
    versions = list(dict.fromkeys([*declared.versions, *sorted(bad)])) or ["1"]
    made: dict[str, Any] = {"versions": versions}
    if declared.known_good:
        made["known_good"] = declared.known_good
        if declared.traffic:
            made["traffic"] = f"envoy:{name}"
        if declared.registry:
            made["registry"] = f"mlflow:{name}/{declared.registry.rpartition('/')[2]}"
        if declared.known_good not in versions:
            made["versions"] = [declared.known_good, *versions]
    if declared.favourable:
        made["favourable"] = declared.favourable
    if above := [models[one] for one in declared.depends_on if one in models]:
        made["depends_on"] = above
    return made


def _seen(evidence: Sequence[Evidence], observed: Observed) -> dict[str, Seen]:
    """Return the inputs of a model: those of its rows, then those that its signals name, then some more."""
    found = dict(list(observed.features.items())[:16])
    for name in inputs(evidence)[: 18 - len(found)]:
        found.setdefault(name, Seen())
    number = 1
    while len(found) < _LEAST_FEATURES:
        found.setdefault(f"input_{number}", Seen())
        number += 1
    return found


def _served(
    declared: tuple[str, System, Model] | None,
    models: Mapping[str, str],
    seen: Mapping[str, Seen],
    observed: Observed,
    found: Culprit,
) -> dict[str, Any]:
    fault = found.fault or {}
    first = [name for name in seen if name == fault.get("feature")]
    ordered = [*first, *(name for name in seen if name not in first)]
    features = {name: _feature(seen[name], number) for number, name in enumerate(ordered)}
    for other in declared[2].depends_on if declared else ():
        if other in models:
            features[f"from_{len(features)}"] = {"reads": models[other], "weight": 1.0}
    favourable = declared[2].favourable if declared else ""
    made: dict[str, Any] = {"outcomes": _outcomes(observed, favourable)}
    groups = {name: dict(shares) for name, shares in list(observed.groups.items())[:2] if len(shares) > 1}
    for name, value in found.groups.items():
        if value not in groups.get(name, {}):
            groups = {name: {value: 0.4, "others": 0.6}}
    if groups:
        made["groups"] = groups
    if declared is not None and declared[1].third_party:
        made["probed"] = True
    return made | found.served | {"features": features}


def _feature(seen: Seen, number: int) -> dict[str, Any]:
    weight = _WEIGHTS[number % len(_WEIGHTS)] / (1 + number // len(_WEIGHTS))
    match seen.usual:
        case Texts(shares=shares):
            return {"values": dict(shares), "weight": round(weight, 2)}
        case Numbers(mean=mean, sd=sd, skewed=skewed):
            told: dict[str, Any] = {"mean": mean, "sd": sd if sd > 0 else max(abs(mean) / 100, 0.01)}
            return told | ({"skewed": True} if skewed else {}) | {"weight": round(weight, 2)}
    return {"mean": 0.0, "sd": 1.0, "weight": round(weight, 2)}


def _outcomes(observed: Observed, favourable: str) -> list[str]:
    said = [one for one in observed.outcomes if one != favourable]
    if favourable:
        return [said[0] if said else f"not {favourable}"[:64], favourable[:64]]
    return said[:2] if len(said) > 1 else ["no", "yes"]


def _first(case: Case, people: dict[str, Any], model: str, found: Culprit) -> dict[str, Any]:
    """Return the step that begins it: the fault, or a person's report of what no machine saw."""
    if found.fault is not None:
        where = f" of {found.fault['feature']}" if "feature" in found.fault else ""
        tells = f"What began it: {found.fault['kind']}{where}, on {model}."
        return {"name": "what-began-it", "tells": tells, "faults": [found.fault]}
    people.setdefault(_TELLER, {"roles": [Role.STAFF.value]})
    fields = {"model": model, "version": case.affected[0].version, "what": "its answers cannot be right"}
    return {
        "name": "what-began-it",
        "by": _TELLER,
        "says": "ReportFailure",
        "fields": fields | {"prediction": ""},
    }


def _speaks(document: Mapping[str, Any], first: Mapping[str, Any], step: Mapping[str, Any]) -> bool:
    alone = {**step, "after": "start"}
    try:
        saying.check(read({**document, "expect": {}, "steps": [first, alone]}))
    except PolicyError:
        return False
    return True


def read(document: Mapping[str, Any]) -> Scenario:
    """Return a document as the scenario that it is; PolicyError says where it is none."""
    plain = json.loads(json.dumps(document))
    try:
        return Scenario.model_validate(plain)
    except ValueError as error:
        raise PolicyError(f"the incident gives no scenario: {str(error)[:500]}") from None


def _situation(case: Case, opened: CaseOpened, systems: Systems) -> str:
    found = systems.find(case.affected[0].model)
    scope = found[1].scope.rstrip(".") if found else "A system that nobody had declared"
    day = datetime.fromtimestamp(opened.at / 1000, UTC).date().isoformat()
    took = timedelta(seconds=(opened.at - opened.first_bad_at) // 1000) if opened.first_bad_at > 0 else timedelta()
    noticed = f" It was noticed {written(took)} after its first bad row." if took > timedelta() else ""
    return f"{scope}. On {day} something went wrong with it, and this plays it again with other names.{noticed}"[:2000]


def _speed(said: Sequence[Mapping[str, Any]]) -> float:
    waits = sum((span(step["wait"]) for step in said), timedelta()).total_seconds()
    return float(min(max(60, round(waits / _LIFE_SECONDS)), 1_000_000))


def _question(case: Case, opened: CaseOpened) -> dict[str, Any]:
    others = [one for one in Category if one not in (case.category, Category.HUMAN_REPORT)]
    start = crc32(case.incident.encode()) % len(others)
    choices = [*(others[start:] + others[:start])[:3], case.category]
    choices = sorted(choices, key=lambda one: one.value)
    seen = max(opened.evidence, key=lambda one: one.score, default=None)
    why = f"The weightiest signal was {seen.statistic} of {seen.subject}."[:500] if seen else "People reported it."
    return {
        "after": "opened",
        "ask": "What kind of incident is this?",
        "choices": [one.value.replace("_", " ") for one in choices],
        "right": [choices.index(case.category) + 1],
        "why": why,
    }
