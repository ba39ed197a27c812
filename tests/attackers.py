"""Samples of rows for the detectors of attacks: honest ones, and what attackers send."""

from functools import cache
from typing import Any

import numpy as np

from agents.detection.columns import decode
from agents.detection.guard import matrix
from agents.detection.profile import Facet, Profile, learn
from agents.detection.sample import BAD, Sample, streams
from schemas.telemetry import ProbeResult
from schemas.thresholds import Thresholds
from tests.traffic import START, batch, column

SIZE = 250
FEATURES = 4
_FACETS = (
    *(Facet(name=f"f{i}", role="feature", text=False) for i in range(FEATURES)),
    Facet(name="prediction", role="prediction", text=False),
    Facet(name="confidence", role="confidence", text=False),
)


def _columns(rng: np.random.Generator) -> dict[str, Any]:
    made: dict[str, Any] = {f"f{i}": rng.normal(i, 1, SIZE) for i in range(FEATURES)}
    made["prediction"] = (made["f0"] > 0).astype(np.int64)
    made["confidence"] = 1 - np.exp(-np.abs(made["f0"])) / 2
    return made


@cache
def profile() -> Profile:
    """Return the reference of honest rows."""
    rng = np.random.default_rng(0)
    columns = [_columns(rng) for _ in range(8)]
    cells = np.stack([np.concatenate([made[facet.name] for made in columns]) for facet in _FACETS]).astype(np.float64)
    bad = np.zeros((len(_FACETS), len(BAD)), dtype=np.int64)
    repeats = np.tile([0, cells.shape[1] - 1], (len(_FACETS), 1))
    learnt, _ = learn(_FACETS, cells, bad, repeats, Thresholds())
    return learnt


def sample(rng: np.random.Generator, columns: dict[str, Any], **given: Any) -> Sample:
    """Return the sample of a batch's rows, a fiftieth of a second apart."""
    del rng
    rows = decode(batch(columns))
    values, _ = matrix(rows, profile().facets)
    times = np.asarray(given.pop("times", START + np.arange(SIZE) * 20), dtype=np.int64)
    return Sample(
        rows=SIZE,
        at_from=int(times.min()),
        at_to=int(times.max()),
        values=values,
        times=times,
        source=rows,
        **given,
    )


def probing(rng: np.random.Generator, bad: bool) -> Sample:
    """Return rows of which half are near a point where the prediction flips."""
    columns = _columns(rng)
    if bad:
        near = rng.random(SIZE) < 0.5
        for i in range(FEATURES):
            columns[f"f{i}"] = np.where(near, i + 0.1 + rng.normal(0, 0.001, SIZE), columns[f"f{i}"])
        columns["prediction"] = np.where(near, rng.integers(0, 2, SIZE), columns["prediction"])
    columns["caller"] = column("caller", [f"c{n}" for n in rng.integers(0, 9, SIZE)], "caller")
    return sample(rng, columns)


def outliers(rng: np.random.Generator, bad: bool) -> Sample:
    """Return rows that the forest scored, of which a third are far away and surely predicted."""
    columns = _columns(rng)
    far = rng.random(SIZE) < (0.3 if bad else 0.0)
    columns["confidence"] = np.where(far, 1.0, columns["confidence"])
    scores = np.where(far, 0.99, rng.beta(20, 8, SIZE) * 0.9)
    return sample(rng, columns, streams=streams(vector=scores), picked=slice(0, None, 1))


def callers(rng: np.random.Generator, bad: bool) -> Sample:
    """Return rows that cost ten times what they did."""
    columns = _columns(rng)
    columns["caller"] = column("caller", [f"c{n}" for n in rng.integers(0, 9, SIZE)], "caller")
    columns["tokens"] = column("tokens", rng.integers(50, 150, SIZE) * (10 if bad else 1), "tokens")
    columns["at"] = START + np.arange(SIZE) * 20
    return sample(rng, columns)


def feedback(rng: np.random.Generator, bad: bool) -> Sample:
    """Return rows whose labels are turned where f2 is high, from one source."""
    columns = _columns(rng)
    turned = (columns["f2"] > 3) if bad else rng.random(SIZE) < 0.03
    columns["label"] = column("label", np.where(turned, 1 - columns["prediction"], columns["prediction"]), "label")
    columns["caller"] = column("caller", ["x" if t else f"c{n % 5}" for n, t in enumerate(turned.tolist())], "caller")
    return sample(rng, columns)


def safety(rng: np.random.Generator, bad: bool) -> Sample:
    """Return a judge's scores, of which a third are unsafe."""
    scores = rng.beta(1, 12, SIZE)
    scores = np.where(rng.random(SIZE) < (0.33 if bad else 0.0), 0.7, np.minimum(scores, 0.45))
    ids = tuple(f"p{n}" for n in range(SIZE))
    return Sample(rows=0, at_from=START, at_to=START, streams=streams(**{"score:toxicity": scores}), ids=ids)


def serving(rng: np.random.Generator, bad: bool) -> Sample:
    """Return what an instance says of itself, saturated or not."""
    level = rng.uniform(0.95, 1.0) if bad else rng.uniform(0.2, 0.6)
    return Sample(rows=0, at_from=START, at_to=START, requests=100, failures=0, saturation=level)


def canary(rng: np.random.Generator, bad: bool) -> Sample:
    """Return a run of twelve probes, answered alike until the model is exchanged."""
    del rng
    digests = tuple(f"{n}{'x' if bad else ''}" for n in range(12))
    run = ProbeResult(
        model="m",
        version="1",
        at=START,
        probe_set="a" * 64,
        fingerprint="f",
        exact=digests,
        coarse=digests,
        latency_ms=1.0,
    )
    return Sample(rows=0, at_from=START, at_to=START, probed=run)


EACH: tuple[tuple[Any, ...], ...] = (
    ("probing", probing, profile),
    ("outliers", outliers, profile),
    ("callers", callers),
    ("feedback", feedback, profile),
    ("safety", safety),
    ("serving", serving, profile, False),
    ("canary", canary),
)
"""Name, sample and (where it matters) profile and scope of each detector that judges what callers and servers do."""
