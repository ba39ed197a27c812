"""Which predictions are favourable: the outcome that policy names, or one that the first rows suggest."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import MAX_NAME, Cells
from agents.detection.joined import Joined, class_name
from schemas.errors import SchemaError

FIRST = 200
"""Predictions that an unnamed outcome is chosen from."""

UNKNOWN, NAMED, OTHER, ABOVE, NONE = range(5)
"""How an outcome is favourable: not known yet; it has the name; it has another; it is above the cut; none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeState:
    """What is known of the favourable outcome; version 1."""

    how: int
    name: str
    cut: float
    texts: tuple[str, ...]
    numbers: bytes


class Outcome:
    """The favourable outcome; where policy names none, the rarer of two classes, or a number above the median.

    Parameters
    ----------
    name
        The favourable class, or empty.
    """

    def __init__(self, name: str) -> None:
        self._named = name
        self.how = NAMED if name else UNKNOWN
        self._name = name
        self._cut = 0.0
        self._texts: list[str] = []
        self._numbers: list[float] = []

    @property
    def sure(self) -> bool:
        """Whether policy names it, so that its direction is known."""
        return bool(self._named)

    def learn(self, made: Cells) -> int:
        """Learn from predictions, and return where the rows begin that may be judged."""
        if self.how != UNKNOWN:
            return 0
        count = len(self._texts) + len(self._numbers)
        end = min(FIRST - count, len(made.values))
        part = made.values[:end]
        if made.text:
            self._texts += [made.dictionary[code][:MAX_NAME] if made.dictionary else "" for code in part.tolist()]
        else:
            self._numbers += part.astype(np.float64).tolist()
        if count + end >= FIRST:
            self._choose(whole=made.kind == "long")
        return end

    def of(self, made: Cells) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which rows have an outcome, and which a favourable one."""
        known = np.ones(len(made.values), dtype=bool) if made.flags is None else made.flags == 0
        if made.text:
            fits = np.array([text[:MAX_NAME] == self._name for text in made.dictionary] or [False])[made.values]
        elif self.how == ABOVE:
            known = known & np.isfinite(made.values)
            fits = made.values > self._cut
        else:
            known = known & np.isfinite(made.values)
            fits = made.values == _number(self._name)
        return known, ~fits if self.how == OTHER else fits

    def classes(self, joined: Joined) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which predictions, and which labels, are favourable classes; none is where it is a number."""
        if self.how not in (NAMED, OTHER):
            nothing = np.zeros(len(joined), dtype=bool)
            return nothing, nothing
        fits = np.array([self._same(name) for name in joined.classes] + [False])
        if self.how == OTHER:
            fits[:-1] = ~fits[:-1]
        return fits[joined.predicted], fits[joined.labelled]

    def state(self) -> OutcomeState:
        """Return all that is remembered, exactly."""
        numbers = pack(np.array(self._numbers))
        return OutcomeState(how=self.how, name=self._name, cut=self._cut, texts=tuple(self._texts), numbers=numbers)

    def restore(self, state: OutcomeState) -> None:
        """Remember exactly that, unless policy names another outcome now."""
        if not UNKNOWN <= state.how <= NONE:
            raise SchemaError("the saved outcome is favourable in no known way")
        self._texts = list(state.texts)
        self._numbers = unpack(state.numbers, (len(state.numbers) // 8,)).tolist()
        if not self._named:
            self.how, self._name, self._cut = state.how, state.name, state.cut

    def _same(self, name: str) -> bool:
        return name == self._name or (_number(name) == _number(self._name))

    def _choose(self, *, whole: bool) -> None:
        numbers = np.array([number for number in self._numbers if np.isfinite(number)])
        names = self._texts or [class_name(v) if v.is_integer() else repr(v) for v in numbers.tolist()]
        kinds = sorted(set(names), key=lambda name: (names.count(name), name))
        if len(kinds) in (1, 2):
            # The rarer of two; of one alone, whatever else may come.
            self.how, self._name = (NAMED, kinds[0]) if len(kinds) == 2 else (OTHER, kinds[0])
        elif len(numbers) and not whole:
            self.how, self._cut = ABOVE, float(np.quantile(numbers, 0.5, method="inverted_cdf"))
        else:
            self.how = NONE
        self._texts, self._numbers = [], []


def _number(name: str) -> float:
    try:
        return float(name)
    except ValueError:
        return float("nan")
