"""How a drill's models stand in the registry: the formula of each version, and the rows it would have learnt from."""

import hashlib
import json
from collections.abc import Iterable

import numpy as np

from agents.drills import formula
from schemas.drills import Scenario
from schemas.systems import Model
from streams.drills.hosting import Hosted, Hosting
from streams.serving.registry import Published, Registered

ROWS = 2000
_CARD = """{model}, version {version}: a model of a drill, which answers from a logistic formula of its inputs.

Intended use: exercises; nobody is decided on.
Training data: {rows} rows drawn for the drill, SHA-256 {digest}.
"""


def registered(hosting: Hosting, scenarios: Iterable[Scenario]) -> list[Registered]:
    """Return the models that have an alias in the registry, which names their newest version."""
    hosted = {one.model: one for one in hosting.models}
    return [
        _registered(hosted[name], declared)
        for scenario in scenarios
        for system in scenario.systems.values()
        for name, declared in system.models.items()
        if declared.registry is not None
    ]


def data_digest(hosted: Hosted, version: str) -> str:
    """Return the SHA-256 of the rows that a version would have learnt from: their inputs and outcomes as JSON."""
    dice = hosted.chance("train", version)
    reads = {name: dice.random(ROWS) for name, feature in hosted.served.features.items() if feature.reads}
    columns = formula.draw(hosted.served, ROWS, reads, dice)
    true = formula.truth(formula.chance(hosted.served, columns), dice)
    rows = {name: cells.tolist() if isinstance(cells, np.ndarray) else cells for name, cells in columns.items()}
    return hashlib.sha256(json.dumps([rows, true.tolist()], sort_keys=True).encode()).hexdigest()


def _registered(hosted: Hosted, declared: Model) -> Registered:
    name, _, alias = (declared.registry or "").partition(":")[2].partition("/")
    versions = list(hosted.versions)
    return Registered(
        model=name,
        says="A model of a drill",
        inputs={name: bool(feature.values) for name, feature in hosted.served.features.items()},
        versions=[_published(hosted, version) for version in versions],
        alias=alias,
        champion=versions[-1],
        known_good=declared.known_good or versions[0],
    )


def _published(hosted: Hosted, version: str) -> Published:
    digest = data_digest(hosted, version)
    return Published(
        version=version,
        artefact=("formula.json", hosted.served.model_dump_json(exclude_defaults=True)),
        card=_CARD.format(model=hosted.model, version=version, rows=ROWS, digest=digest),
        data_digest=digest,
        flavour={"headgate_drill": {"data": "formula.json", "classes": list(hosted.served.outcomes)}},
        params={"seed": hosted.seed, "rows": ROWS},
    )
