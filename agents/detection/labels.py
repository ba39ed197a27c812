"""What turned out to be true, joined with what was predicted: a bounded store of predictions that wait for labels.

Predictions are sampled by a hash of their id. The sample is all of them while that fits the budget; each time
the budget is full of predictions that wait, the sample is halved (adaptive sampling: Flajolet, 1990), so that what is
kept is a fair sample of all that wait, however late the labels come.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from agents.detection.columns import MAX_NAME, Cells, Rows
from agents.detection.compare import Comparison, compare
from agents.detection.joined import Joined, Target, combine, group_columns
from agents.detection.kept import KEPT, KINDS, TEXT, WHOLE_SAMPLE, compact, confidence_of, keys_of, usable_of
from schemas.errors import SchemaError
from schemas.label_thresholds import Labels as LabelPolicy
from schemas.signals import LabelCounts

PERIOD = 1024
"""Predictions between two looks at what is overdue, and at whether the sample may grow again."""

_WAITING, _JOINED, _MISSED = range(3)
_NOTHING = np.zeros(0, dtype=KEPT)
_NO_COUNTS = LabelCounts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A label whose prediction has not come yet."""

    key: bytes
    label: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelState:
    """The predictions that wait, the strings and targets they name, and the sample; version 2."""

    kept: bytes
    texts: tuple[str, ...]
    combinations: tuple[tuple[str, ...], ...]
    targets: tuple[Target, ...]
    orphans: tuple[Orphan, ...]
    cut: int
    floor: int
    rows: int
    newest: int
    tally: LabelCounts


class LabelStore:
    """Predictions of one model that wait for their labels.

    Parameters
    ----------
    policy
        Sample, budget and horizon.
    """

    def __init__(self, policy: LabelPolicy) -> None:
        self._policy = policy
        self._cut = self._floor = self._most = int(policy.sample * WHOLE_SAMPLE)
        self._kept = _NOTHING
        self._count = self._rows = self._newest = 0
        self._order: NDArray[np.int64] | None = None
        self._texts: dict[str, int] = {}
        self._combinations: dict[tuple[str, ...], int] = {}
        self._targets: dict[Target, int] = {}
        self._orphans: dict[int, tuple[str, int]] = {}
        self.tally = _NO_COUNTS

    def __len__(self) -> int:
        """Return how many predictions are kept, joined ones (against repeats) included."""
        return self._count

    @property
    def sample(self) -> float:
        """The share of predictions that is kept now."""
        return self._cut / WHOLE_SAMPLE

    def remember(self, rows: Rows, at: NDArray[np.int64]) -> list[Joined]:
        """Keep the sampled predictions of a batch, and return what labels say that came before them."""
        ids, made = rows.with_role("prediction_id"), rows.with_role("prediction")
        if ids is None or made is None or not ids.text or not self._policy.budget:
            return []
        keys, sizes = keys_of(ids.dictionary or ("",))
        keys, usable = keys[ids.values], usable_of(ids, made, sizes)
        hashes = keys >> np.uint64(32)
        first, joined = 0, []
        while first < rows.rows:
            # Parts end at exact rows, so that nothing depends on how rows were batched.
            end = min(first + PERIOD - self._rows % PERIOD, rows.rows)
            chosen = np.flatnonzero(usable[first:end] & (hashes[first:end] < self._cut)) + first
            if len(chosen):
                joined += self._add(self._entries(rows, made, chosen, keys[chosen], at))
            self._rows += end - first
            if self._rows % PERIOD == 0:
                self._look()
            first = end
        return joined

    def join(self, ids: Sequence[str], labels: Sequence[str], at: Sequence[int]) -> list[Joined]:
        """Return what the labels say, target by target in order of appearance."""
        keys, _ = keys_of([name[:MAX_NAME] for name in ids])
        slots = self._find(keys)
        for i in np.flatnonzero((slots < 0) & (keys >> np.uint64(32) < self._cut)).tolist():
            self._hold(int(keys[i]), labels[i], at[i])
        hit = np.flatnonzero(slots >= 0)
        return self._compare(slots[hit], [labels[i] for i in hit.tolist()], np.array(at, dtype=np.int64)[hit])

    def state(self) -> LabelState:
        """Return all that is kept, exactly."""
        return LabelState(
            kept=self._kept[: self._count].tobytes(),
            texts=tuple(self._texts),
            combinations=tuple(self._combinations),
            targets=tuple(self._targets),
            orphans=tuple(Orphan(key=k.to_bytes(8, "big"), label=v[0], at=v[1]) for k, v in self._orphans.items()),
            cut=self._cut,
            floor=self._floor,
            rows=self._rows,
            newest=self._newest,
            tally=self.tally,
        )

    def restore(self, state: LabelState) -> None:
        """Keep exactly that; SchemaError where it names a string, a group or a target that it does not hold."""
        if len(state.kept) % KEPT.itemsize or state.rows < 0:
            raise SchemaError("the saved labels are no whole number of predictions")
        kept = np.frombuffer(state.kept, dtype=KEPT).copy()
        texts = kept["value"][kept["kind"] == TEXT]
        groups = kept["group"][kept["group"] != -1]
        for codes, names in ((kept["target"], state.targets), (groups, state.combinations), (texts, state.texts)):
            if not ((codes >= 0) & (codes < len(names))).all():
                raise SchemaError("the saved labels name a target, a group or a string that is not saved with them")
        self._kept, self._count, self._order = kept, len(kept), None
        self._texts = {text: code for code, text in enumerate(state.texts)}
        self._combinations = {combination: code for code, combination in enumerate(state.combinations)}
        self._targets = {target: code for code, target in enumerate(state.targets)}
        self._orphans = {int.from_bytes(o.key, "big"): (o.label, o.at) for o in state.orphans}
        self._cut, self._floor = min(state.cut, self._most), min(state.floor, self._most)
        self._rows, self._newest, self.tally = state.rows, state.newest, state.tally

    def _entries(
        self, rows: Rows, made: Cells, chosen: NDArray[np.int64], keys: NDArray[np.uint64], at: NDArray[np.int64]
    ) -> NDArray[np.void]:
        new = np.zeros(len(chosen), dtype=KEPT)
        new["key"], new["at"], new["kind"] = keys, at[chosen], KINDS[made.kind]
        new["target"] = self._targets.setdefault(Target(version=rows.version, mode=rows.mode), len(self._targets))
        if made.text:
            said, table = made.values[chosen], np.zeros(len(made.dictionary))
            for code in np.flatnonzero(np.bincount(said)).tolist():
                table[code] = self._text(made.dictionary[code])
            new["value"] = table[said]
        else:
            new["value"] = made.values[chosen]
        new["confidence"], new["group"] = confidence_of(rows, chosen), -1
        columns = group_columns(rows, chosen)
        if columns:
            codes_of, named = combine(columns)
            known = [self._combinations.setdefault(name, len(self._combinations)) if name else -1 for name in named]
            new["group"] = np.array(known, dtype=np.int32)[codes_of]
        return new

    def _text(self, text: str) -> int:
        return self._texts.setdefault(text[:MAX_NAME], len(self._texts))

    def _add(self, new: NDArray[np.void]) -> list[Joined]:
        joined: list[Joined] = []
        while len(new):
            room = self._policy.budget - self._count
            if not room:
                new = self._make_room(new)
                continue
            part, new = new[:room], new[room:]
            if self._count + len(part) > len(self._kept):
                size = min(max(2 * len(self._kept), self._count + len(part), 64), self._policy.budget)
                self._kept = np.concatenate([self._kept[: self._count], np.zeros(size - self._count, dtype=KEPT)])
            self._kept[self._count : self._count + len(part)] = part
            first, self._count, self._order = self._count, self._count + len(part), None
            self._newest = max(self._newest, int(part["at"].max()))
            joined += self._adopt(first)
        return joined

    def _adopt(self, first: int) -> list[Joined]:
        if not self._orphans:
            return []
        keys = self._kept["key"][first : self._count].tolist()
        here = [(first + i, self._orphans.pop(key)) for i, key in enumerate(keys) if key in self._orphans]
        if not here:
            return []
        self.tally = replace(self.tally, early=self.tally.early + len(here))
        known = np.array([at for _, (_, at) in here], dtype=np.int64)
        return self._compare(np.array([slot for slot, _ in here]), [label for _, (label, _) in here], known)

    def _hold(self, key: int, label: str, at: int) -> None:
        if key in self._orphans:
            self.tally = replace(self.tally, repeated=self.tally.repeated + 1)
            return
        self._orphans[key] = (label[:MAX_NAME], at)
        if len(self._orphans) > self._policy.early:
            self._drop_orphan(next(iter(self._orphans)))

    def _drop_orphan(self, key: int) -> None:
        del self._orphans[key]
        if key >> 32 < self._floor:
            self.tally = replace(self.tally, unmatched=self.tally.unmatched + 1)

    def _find(self, keys: NDArray[np.uint64]) -> NDArray[np.int64]:
        own = self._kept["key"][: self._count]
        if not len(own) or not len(keys):
            return np.full(len(keys), -1, dtype=np.int64)
        if self._order is None:
            self._order = np.argsort(own, kind="stable")
        place = np.minimum(np.searchsorted(own[self._order], keys), len(own) - 1)
        slots = self._order[place]
        return np.where(own[slots] == keys, slots, -1)

    def _compare(self, slots: NDArray[np.int64], labels: list[str], at: NDArray[np.int64]) -> list[Joined]:
        _, first = np.unique(slots, return_index=True)
        once = np.zeros(len(slots), dtype=bool)
        once[first] = True
        once &= self._kept["state"][slots] != _JOINED
        late = once & (at - self._kept["at"][slots] > self._policy.horizon_seconds * 1000)
        self._kept["state"][slots] = _JOINED
        usable = np.flatnonzero(once & ~late)
        given = Comparison(
            kept=self._kept[slots[usable]],
            labels=[labels[i] for i in usable.tolist()],
            texts=tuple(self._texts),
            combinations=tuple(self._combinations),
            targets=tuple(self._targets),
        )
        joined = compare(given)
        used = sum(len(part) for part in joined)
        self.tally = replace(
            self.tally,
            joined=self.tally.joined + used,
            late=self.tally.late + int(late.sum()),
            repeated=self.tally.repeated + int((~once).sum()),
            unreadable=self.tally.unreadable + len(usable) - used,
        )
        return joined

    def _make_room(self, new: NDArray[np.void]) -> NDArray[np.void]:
        """Drop what need not be kept, and return the new predictions that still belong to the sample."""
        budget = self._policy.budget
        kept = self._kept[: self._count]
        keep = (kept["state"] == _WAITING) | (np.arange(len(kept)) >= len(kept) // 2)
        while int(keep.sum()) > budget - budget // 8 - (budget < 8):
            self._cut //= 2
            keep &= kept["key"] >> np.uint64(32) < self._cut
        self._floor = min(self._floor, self._cut)
        new = new[new["key"] >> np.uint64(32) < self._cut]
        # Together, because names are numbered anew, and the new predictions carry the old numbers.
        self._kept, self._count = np.concatenate([kept, new]), len(kept) + len(new)
        self._keep(np.concatenate([keep, np.ones(len(new), dtype=bool)]))
        self._count -= len(new)
        return self._kept[self._count :].copy()

    def _keep(self, keep: NDArray[np.bool_]) -> None:
        self._kept = self._kept[: self._count][keep]
        self._count, self._order = len(self._kept), None
        self._texts, self._kept["value"] = compact(self._texts, self._kept["value"], self._kept["kind"] == TEXT)
        self._combinations, self._kept["group"] = compact(
            self._combinations, self._kept["group"], self._kept["group"] >= 0
        )
        self._targets, self._kept["target"] = compact(
            self._targets, self._kept["target"], np.ones(self._count, dtype=bool)
        )

    def _look(self) -> None:
        horizon = self._policy.horizon_seconds * 1000
        kept = self._kept[: self._count]
        overdue = (kept["state"] == _WAITING) & (kept["at"] < self._newest - horizon)
        kept["state"][overdue] = _MISSED
        self.tally = replace(self.tally, missing=self.tally.missing + int(overdue.sum()))
        gone = kept["at"] < self._newest - 2 * horizon
        if gone.any():
            self._keep(~gone)
        for key in [key for key, (_, at) in self._orphans.items() if at < self._newest - horizon]:
            self._drop_orphan(key)
        waiting = int((self._kept["state"][: self._count] == _WAITING).sum())
        if waiting <= self._policy.budget // 8:
            self._cut = min(2 * max(self._cut, 1), self._most)
