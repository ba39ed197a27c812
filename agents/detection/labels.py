"""What turned out to be true, joined with what was predicted: a bounded store of predictions that wait for labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import MAX_NAME, Floats, Rows
from schemas.errors import SchemaError
from schemas.thresholds import Labels as LabelPolicy
from schemas.values import Mode

TEXT, WHOLE, NUMBER = range(3)
"""How a prediction is compared: strings and whole numbers are right or wrong, doubles are off by a residual."""

_KINDS = {"string": TEXT, "long": WHOLE, "double": NUMBER}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whose predictions they were."""

    version: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Labels so far: used, come too late, come again, of no prediction that is kept, not comparable."""

    joined: int = 0
    late: int = 0
    repeated: int = 0
    unmatched: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """The predictions that wait; version 1. `numbers` holds time, value, target, kind and whether it was joined."""

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    targets: tuple[Target, ...]
    numbers: bytes
    tally: Tally


@dataclass(frozen=True, slots=True)
class Joined:
    """What the labels of one batch say of one target: errors as bits, or absolute residuals."""

    target: Target
    errors: Floats
    residuals: Floats


@dataclass(slots=True)
class _Waiting:
    target: Target
    kind: int
    value: float | str
    at: int
    joined: bool = False


@dataclass(slots=True)
class _Found:
    errors: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)


class LabelStore:
    """Predictions of one model, sampled by a hash of their id, the oldest dropped beyond the budget.

    Parameters
    ----------
    policy
        Sample, budget and horizon.
    """

    def __init__(self, policy: LabelPolicy) -> None:
        self._policy = policy
        self._cut = int(policy.sample * 2**32)
        self._waiting: dict[str, _Waiting] = {}
        self.tally = Tally()

    def remember(self, rows: Rows, at: NDArray[np.int64]) -> None:
        """Keep the sampled predictions of a batch."""
        ids, made = rows.with_role("prediction_id"), rows.with_role("prediction")
        if ids is None or made is None or not ids.text or not self._policy.budget:
            return
        target = Target(version=rows.version, mode=rows.mode)
        chosen = self._sampled(ids.dictionary)[ids.values]
        for cells in (ids, made):
            if cells.flags is not None:
                chosen = chosen & (cells.flags == 0)
        kind = _KINDS[made.kind]
        kept = np.flatnonzero(chosen)
        columns = (ids.values[kept].tolist(), made.values[kept].tolist(), at[kept].tolist())
        for code, value, when in zip(*columns, strict=True):
            prediction = made.dictionary[value] if kind == TEXT else float(value)
            if isinstance(prediction, str) or math.isfinite(prediction):
                self._waiting.setdefault(ids.dictionary[code], _Waiting(target, kind, prediction, when))
        excess = len(self._waiting) - self._policy.budget
        # All at once: finding the first key of a dict passes over every one that was deleted before it.
        for name in list(islice(self._waiting, max(excess, 0))):
            del self._waiting[name]

    def join(self, ids: Sequence[str], labels: Sequence[str], at: Sequence[int]) -> list[Joined]:
        """Return what the labels say, target by target in order of appearance."""
        found: dict[Target, _Found] = {}
        for name, label, known in zip(ids, labels, at, strict=True):
            waiting = self._waiting.get(name)
            if waiting is None:
                if crc32(name.encode()) < self._cut:
                    self.tally = replace(self.tally, unmatched=self.tally.unmatched + 1)
            elif waiting.joined:
                self.tally = replace(self.tally, repeated=self.tally.repeated + 1)
            else:
                waiting.joined = True
                self._compare(waiting, label, known, found.setdefault(waiting.target, _Found()))
        return [Joined(target, np.array(f.errors), np.array(f.residuals)) for target, f in found.items()]

    def state(self) -> LabelState:
        """Return all that is kept, exactly."""
        targets = list(dict.fromkeys(waiting.target for waiting in self._waiting.values()))
        texts = list(dict.fromkeys(w.value for w in self._waiting.values() if isinstance(w.value, str)))
        target_code = {target: code for code, target in enumerate(targets)}
        text_code = {text: code for code, text in enumerate(texts)}
        numbers = [
            (w.at, text_code[w.value] if isinstance(w.value, str) else w.value, target_code[w.target], w.kind, w.joined)
            for w in self._waiting.values()
        ]
        return LabelState(
            ids=tuple(self._waiting),
            texts=tuple(texts),
            targets=tuple(targets),
            numbers=pack(np.array(numbers, dtype=np.float64).reshape(-1, 5)),
            tally=self.tally,
        )

    def restore(self, state: LabelState) -> None:
        """Keep exactly that; SchemaError where it names a string or a target that it does not hold."""
        self._waiting = {}
        for name, row in zip(state.ids, unpack(state.numbers, (len(state.ids), 5)).tolist(), strict=True):
            at, value, target, kind, joined = row
            if not 0 <= target < len(state.targets) or (kind == TEXT and not 0 <= value < len(state.texts)):
                raise SchemaError("the saved labels name a target or a string that is not saved with them")
            kept = state.texts[int(value)] if kind == TEXT else value
            self._waiting[name] = _Waiting(state.targets[int(target)], int(kind), kept, int(at), bool(joined))
        self.tally = state.tally

    def _sampled(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        hashes = np.fromiter(map(crc32, map(str.encode, ids)), np.uint32, len(ids))
        chosen: NDArray[np.bool_] = hashes < self._cut
        for row in np.flatnonzero(chosen).tolist():
            chosen[row] = 0 < len(ids[row]) <= MAX_NAME
        return chosen

    def _compare(self, waiting: _Waiting, label: str, known: int, found: _Found) -> None:
        if known - waiting.at > self._policy.horizon_seconds * 1000:
            self.tally = replace(self.tally, late=self.tally.late + 1)
            return
        if isinstance(waiting.value, str):
            found.errors.append(float(waiting.value != label))
        else:
            truth = _number(label)
            if truth is None:
                self.tally = replace(self.tally, unreadable=self.tally.unreadable + 1)
                return
            if waiting.kind == WHOLE or (waiting.value.is_integer() and truth.is_integer()):
                found.errors.append(float(waiting.value != truth))
            if waiting.kind == NUMBER:
                found.residuals.append(min(abs(waiting.value - truth), 1e300))
        self.tally = replace(self.tally, joined=self.tally.joined + 1)


def _number(label: str) -> float | None:
    try:
        number = float(label[:64])
    except ValueError:
        return None
    return number if math.isfinite(number) else None
