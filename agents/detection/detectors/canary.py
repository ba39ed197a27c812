"""Canary probes: a model whose answers to the same questions changed, though its version did not, was exchanged.

A model that answers a probe alike every time is held to that answer; one that samples is held to the form of its
answers, at the rate at which the form itself varies. What was learnt is never forgotten: it is of this version.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.detectors import attack
from agents.detection.detectors.attack import Usual, UsualState
from agents.detection.detectors.level import Key, Level
from agents.detection.sample import Sample
from schemas.atlas import RUG_PULL
from schemas.avro import decode, encode
from schemas.errors import SchemaError
from schemas.telemetry import ProbeResult
from schemas.thresholds import Thresholds
from schemas.values import Category

_MANY = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryState:
    """The answers learnt, how steady each is, and what stands; version 1."""

    probe_set: str
    runs: int
    exact: tuple[str, ...]
    coarse: tuple[str, ...]
    steady: bytes
    usual: UsualState
    good: int
    level: Level | None


class Canary:
    """Runs of one probe set against one model version.

    Parameters
    ----------
    thresholds
        How to judge.
    score
        −log10 of the tail probability below which the answers of an unsteady model count.
    """

    name: ClassVar[str] = "canary"

    def __init__(self, thresholds: Thresholds, score: float) -> None:
        self._policy = thresholds.canary
        self._score = score
        self._probe_set = ""
        self._runs = self._good = 0
        self._exact: tuple[str, ...] = ()
        self._coarse: tuple[str, ...] = ()
        self._steady = np.ones(0, dtype=np.bool_)
        self._usual = Usual(1, self._policy.learn_runs - 1)
        self._level: Level | None = None

    def update(self, sample: Sample) -> None:
        """Take in a run of the probes; one in which most went unanswered says nothing of the model."""
        run = sample.probed
        if run is None:
            return
        if run.probe_set != self._probe_set or len(run.exact) != len(self._exact):
            self._begin(run.probe_set, len(run.exact))
            self._level = None
        answered = np.array([bool(digest) for digest in run.exact])
        if 2 * np.count_nonzero(answered) < len(answered) or not len(answered):
            return
        exact = np.array([a != b for a, b in zip(run.exact, self._exact, strict=True)]) & answered
        coarse = np.array([a != b for a, b in zip(run.coarse, self._coarse, strict=True)]) & answered
        known = np.array([bool(digest) for digest in self._exact])
        if self._runs < self._policy.learn_runs:
            self._learn(run, exact & known, coarse & known, answered)
        else:
            self._judge(run, exact & known, coarse & known, answered & known)

    def levels(self) -> list[Level]:
        """Return what is raised."""
        return [self._level] if self._level else []

    def shows(self, key: Key) -> bool:
        """Whether it stands: probes go to the model, not to an instance."""
        return self._level is not None and self._level.key == key

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(
            CanaryState(
                probe_set=self._probe_set,
                runs=self._runs,
                exact=self._exact,
                coarse=self._coarse,
                steady=pack(self._steady, "|b1"),
                usual=self._usual.state(),
                good=self._good,
                level=self._level,
            )
        )

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(CanaryState, state)
        if len(saved.exact) != len(saved.coarse):
            raise SchemaError("saved answers to probes have as many forms as digests")
        self._begin(saved.probe_set, len(saved.exact))
        self._runs, self._exact, self._coarse = saved.runs, saved.exact, saved.coarse
        self._steady = unpack(saved.steady, (len(saved.exact),), "|b1")
        self._usual.restore(saved.usual)
        self._good, self._level = saved.good, saved.level

    def _begin(self, probe_set: str, probes: int) -> None:
        self._probe_set = probe_set
        self._runs = self._good = 0
        self._exact = self._coarse = ("",) * probes
        self._steady = np.ones(probes, dtype=np.bool_)
        self._usual = Usual(1, self._policy.learn_runs - 1)

    def _learn(self, run: ProbeResult, exact: attack.Mask, coarse: attack.Mask, answered: attack.Mask) -> None:
        if self._runs:
            self._usual.take([int(np.count_nonzero(coarse))], [int(np.count_nonzero(answered))])
        self._steady &= ~exact
        # The first answer to a probe is what later ones are held against.
        self._exact = tuple(old or new for old, new in zip(self._exact, run.exact, strict=True))
        self._coarse = tuple(old or new for old, new in zip(self._coarse, run.coarse, strict=True))
        self._runs += 1

    def _judge(self, run: ProbeResult, exact: attack.Mask, coarse: attack.Mask, answered: attack.Mask) -> None:
        asked = answered & self._steady
        steady = 2 * np.count_nonzero(asked) >= np.count_nonzero(answered)
        if steady:
            # Laplace's rule of succession: an answer seen n times is another one with probability 1 / (n + 2).
            count, rows, base = int(np.count_nonzero(exact & asked)), int(np.count_nonzero(asked)), 1 / (self._runs + 2)
            limit, least = self._policy.changed_share, 0.0
        else:
            count, rows, base = int(np.count_nonzero(coarse)), int(np.count_nonzero(answered)), self._usual.base(0)
            limit, least = base + self._policy.changed_share, self._score
        share, score = count / max(rows, 1), attack.binomial(count, rows, base)
        if share >= limit and score > least:
            self._good = 0
            if self._level is None:
                self._level = self._raised(run, (share, limit, score), count, rows, steady=bool(steady))
            return
        self._good += 1
        self._runs = min(self._runs + (self._level is None), _MANY)
        if not steady and self._level is None:
            self._usual.take([count], [rows])
        if self._good >= self._policy.clear_runs:
            self._level = None

    def _raised(
        self, run: ProbeResult, measured: tuple[float, float, float], count: int, rows: int, *, steady: bool
    ) -> Level:
        value, threshold, score = measured
        what = "answers" if steady else "forms of answers"
        more = f"{count} of {rows} {what} to probe set {run.probe_set[:12]} are new, under an unchanged version"
        return Level(
            detector=self.name,
            subject="canary",
            statistic="changed_answers",
            baseline="reference",
            category=Category.ATTACK,
            value=value,
            threshold=threshold,
            score=score,
            first_bad_at=run.at,
            window_from=run.at,
            window_to=run.at,
            rows=rows,
            symptom=False,
            technique=RUG_PULL,
            note=attack.suspicion(RUG_PULL, 0.8 if steady else 0.5, more),
        )
