"""What the conformance suite holds to the contract of detectors: each with what it is fed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.signal import lfilter

from agents.detection.columns import Floats
from agents.detection.detectors.catalogue import Detector, Setting, make
from agents.detection.detectors.estimate import Estimate
from agents.detection.detectors.exchange import Exchange
from agents.detection.detectors.jumps import Jumps
from agents.detection.detectors.sequential.drift import Drift
from agents.detection.profile import Facet, Profile, learn
from agents.detection.sample import BAD, Sample, streams
from schemas.thresholds import Thresholds
from tests import attackers
from tests.traffic import START, grouped, labelled, sure
from tests.traffic import profile as made_profile

POLICY = Thresholds()


def _columns(kind: str) -> Callable[[np.random.Generator, bool], Sample]:
    def sample(rng: np.random.Generator, bad: bool) -> Sample:
        values = rng.normal(2.0 if bad and kind in ("psi", "cusum") else 0.0, 1.0, (1, 250))
        counts = np.zeros((1, 6), dtype=np.int64)
        if bad and kind == "quality":
            counts[0, 0] = 60
        longest = rng.integers(1, 9, 1)
        return Sample(
            rows=250,
            at_from=START,
            at_to=START + 250,
            values=values,
            steady=values,
            times=START + np.arange(250),
            counts=made_profile().histogram(values),
            bad=counts,
            longest=longest,
        )

    return sample


def _wandering(rng: np.random.Generator, bad: bool) -> Sample:
    rows = 250
    values = (40 + lfilter([1], [1, -0.95], rng.normal(size=rows)))[None, :] * (2.54 if bad else 1.0)
    return Sample(
        rows=rows, at_from=START, at_to=START + rows, values=values, steady=values, times=START + np.arange(rows)
    )


def _wandered() -> tuple[Profile, Sample]:
    """Return what the rows of eight batches teach, and all of them as one sample."""
    rng = np.random.default_rng(0)
    values = np.concatenate([cast("Floats", _wandering(rng, False).values) for _ in range(8)], axis=1)
    times = START + np.arange(values.shape[1])
    facets = (Facet(name="f0", role="feature", text=False),)
    bad = np.zeros((1, len(BAD)), dtype=np.int64)
    learnt, _ = learn(facets, values, bad, np.array([[0, 1999]]), POLICY, times)
    return learnt, Sample(rows=0, at_from=START, at_to=START, values=values, times=times)


def _stream(name: str, usual: Callable[[np.random.Generator], Any], bad: Callable[[np.random.Generator], Any]) -> Any:
    def sample(rng: np.random.Generator, fault: bool) -> Sample:
        values = bad(rng) if fault else usual(rng)
        return Sample(rows=250, at_from=START, at_to=START + 250, streams=streams(**{name: values}))

    return sample


def _unlabelled(rng: np.random.Generator, bad: bool) -> Sample:
    later = START + 1000
    confidence = rng.random(250) * (0.5 if bad else 1.0)
    return Sample(rows=250, at_from=later, at_to=later, streams=streams(confidence=confidence))


def _health(rng: np.random.Generator, bad: bool) -> Sample:
    failures = int(rng.binomial(50, 0.5 if bad else 0.01))
    return Sample(rows=0, at_from=START, at_to=START, requests=50, failures=failures)


def curved(rng: np.random.Generator, bad: bool, rows: int = 250) -> Sample:
    """Return two columns with the same values, of which one follows from the square of the other; or exchanged."""
    first = rng.normal(0.0, 1.0, rows)
    second = rng.permutation(np.abs(first)) * np.sign(first**2 + rng.normal(-1.0, 0.5, rows))
    values = np.stack([second, first] if bad else [first, second])
    return Sample(rows=rows, at_from=START, at_to=START + rows, values=values, times=START + np.arange(rows))


def curved_profile() -> Profile:
    """Return the profile of such columns."""
    values = curved(np.random.default_rng(0), False, 2000).values
    facets = tuple(Facet(name=f"f{i}", role="feature", text=False) for i in range(2))
    repeats = np.array([[0, 1999]] * 2)
    assert values is not None
    return learn(facets, values, np.zeros((2, len(BAD)), dtype=np.int64), repeats, POLICY)[0]


@dataclass(frozen=True)
class Subject:
    """A detector with what it is fed: without a fault, and with one."""

    name: str
    sample: Callable[[np.random.Generator, bool], Sample]
    profile: Callable[[], Profile] = made_profile
    whole: bool = True

    def new(self) -> Detector:
        """Return a fresh detector; one that learns elsewhere than from what it judges has learnt."""
        made = make(self.name, Setting(thresholds=POLICY, profile=self.profile(), whole=self.whole))
        rng = np.random.default_rng(0)
        if isinstance(made, Drift):
            values = rng.normal(size=(1, 2000))
            times = START + np.arange(2000)
            made.begin(Sample(rows=0, at_from=START, at_to=START, values=values, steady=values, times=times))
        if isinstance(made, Exchange):
            made.begin(curved(rng, False, 2000))
        if isinstance(made, Jumps):
            made.begin(_wandered()[1])
        if isinstance(made, Estimate):
            for _ in range(8):
                made.update(sure(rng, False))
        return made


DETECTORS = (
    Subject("psi", _columns("psi")),
    Subject("cusum", _columns("cusum")),
    Subject("quality", _columns("quality")),
    Subject("jump", _wandering, lambda: _wandered()[0]),
    Subject("confidence", _stream("confidence", lambda r: r.beta(12, 2, 250), lambda r: r.beta(12, 2, 250) * 0.7)),
    Subject("latency", _stream("latency", lambda r: r.lognormal(2, 0.4, 250), lambda r: r.lognormal(4, 0.4, 250))),
    Subject("vector", _stream("vector", lambda r: r.beta(20, 2, 250), lambda r: r.beta(40, 2, 250))),
    Subject("error", lambda rng, bad: labelled(rng.random(250) < (0.4 if bad else 0.05))),
    Subject("calibration", sure),
    Subject("estimate", _unlabelled),
    Subject("fairness", grouped),
    Subject("residual", lambda rng, bad: labelled(residuals=abs(rng.normal(0, 3 if bad else 1, 250)))),
    Subject("score:toxicity", _stream("score:toxicity", lambda r: r.beta(1, 9, 250), lambda r: r.beta(4, 6, 250))),
    Subject("health", _health),
    Subject("exchange", curved, curved_profile),
    *(Subject(*given) for given in attackers.EACH),
)
"""Every detector that a scope can hold."""
