"""How far the means of windows wander by themselves, and whether several windows together have left that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from agents.detection.arrays import finite, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.intervals import student_score

_ONE_IN = 10  # one window in so many may be a lone peak: the next lower ones say what is natural
_FEW = 6  # fewer windows than this have a spread rather than a maximum
_SPREAD = 0.9
_FREEDOM = 12.0
_FIRST = 1.0  # spans apart from each other that what is expected at first counts for
_LONG = 2000  # windows after which the older half counts half


@dataclass(frozen=True, slots=True, kw_only=True)
class RisesState:
    """How often each span was looked at, with the sum of squares, and squares that do not count yet; version 1."""

    spans: tuple[int, ...]
    seen: bytes
    late: bytes


class Rise(NamedTuple):
    """Several windows that are higher than those before them.

    windows
        How many of the newest are behind it.
    mean, natural
        Of the span that showed it; the highest that as many windows before reached together.
    score
        −log10 p of so high a mean, were it how these windows wander.
    """

    windows: int
    mean: float
    natural: float
    score: float


def natural(memory: Sequence[float]) -> float:
    """Return the level that nine in ten windows stayed under, or the upper end of their spread while there are few."""
    ordered = np.sort(memory)
    highest = float(ordered[-1 - len(ordered) // _ONE_IN])
    if len(ordered) >= _FEW:
        return highest
    reach = float(stdtrit(len(ordered) - 1, _SPREAD)) * float(ordered.std(ddof=1))
    return max(highest, float(ordered.mean()) + reach)


class Rises:
    """How far several windows together have been from those before them, and whether the newest are further.

    Windows of one stream share what makes them wander, so what they wander beyond chance does not shrink with their
    number; and the few that are remembered show only a part of what wanders slowly. So they are judged by the mean
    square of how far such windows were from those before them whenever nothing was raised. It begins as what chance
    and the spread of the remembered windows make of it, and is the more its own the longer a stream was watched.

    Parameters
    ----------
    spans
        Windows that are looked at together, beside the newest alone.
    slow
        Factor of how far the remembered windows wander, while nothing else is known.
    """

    def __init__(self, spans: tuple[int, ...], slow: float) -> None:
        self._spans = (1, *sorted(spans))
        self._slow = slow
        # How often each span was looked at, and the sum of the squares; and those that may be a rise's beginning yet.
        self._seen = np.zeros((2, len(self._spans)))
        self._late = np.empty((0, len(self._spans)))

    @property
    def longest(self) -> int:
        """The most windows that are looked at together."""
        return self._spans[-1]

    def judge(self, memory: Sequence[float], newest: Sequence[float], noise: float | None, rows: float) -> list[Rise]:
        """Return what each span of the newest windows says against those before it; nothing where these are too few.

        Parameters
        ----------
        memory
            Means of windows in order.
        newest
            Means of those after them, which may be a rise already.
        noise
            Variance of one value; None where values are bits.
        rows
            Values of a window.
        """
        found, apart = [], np.full(len(self._spans), np.nan)
        for k, span in enumerate(self._spans):
            before = np.array(memory[: len(memory) - max(span - len(newest), 0)])
            if len(before) < max(_FEW if span > 1 else 2, span):
                continue
            recent = np.array([*memory, *newest])[-span:]
            mean, usual = float(recent.mean()), float(before.mean())
            chance = (max(usual * (1 - usual), 1 / rows) if noise is None else noise) / rows
            wander = self._slow * max(float(before.var(ddof=1)) - chance, 0.0)
            spread = chance / span + wander + (chance + wander) / len(before)
            apart[k] = (mean - usual) * (mean - usual)
            # Spans that overlap are no further evidence.
            number, squares = (self._seen[:, k] / span).tolist()
            spread = max((_FIRST * spread + squares) / (_FIRST + number), 1e-300)
            score = student_score((mean - usual) / math.sqrt(spread), len(before) + _FREEDOM + number)
            # The rise began where what is above the middle, from there to the end, is most.
            sums = np.cumsum((recent - (usual + mean) / 2)[::-1])
            peaks = np.convolve(before, np.full(span, 1 / span), "valid")
            found.append(Rise(int(np.argmax(sums)) + 1, mean, float(peaks.max()), score))
        self._learn(apart)
        return found

    def forget(self) -> None:
        """Learn nothing from the newest windows: they are no longer how this stream wanders."""
        self._late = self._late[:0]

    def state(self) -> RisesState:
        """Return all that is remembered, exactly."""
        return RisesState(spans=self._spans, seen=pack(self._seen), late=pack(self._late))

    def restore(self, state: RisesState) -> None:
        """Remember exactly that; nothing where policy asks for other spans now."""
        if state.spans == self._spans:
            spans = len(self._spans)
            self._seen = finite(state.seen, (2, spans), least=0.0)
            self._late = unpack(state.late, (len(state.late) // 8 // spans, spans))[-self.longest :]

    def _learn(self, apart: Floats) -> None:
        self._late = np.concatenate([self._late, apart[None]])
        if len(self._late) > self.longest:
            known = np.isfinite(self._late[0])
            self._seen += np.stack([known, np.where(known, self._late[0], 0.0)])
            self._seen /= np.where(self._seen[0] > _LONG, 2.0, 1.0)
            self._late = self._late[1:]
