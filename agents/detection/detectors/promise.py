"""What a confidence promises: the accuracy that predictions of such a confidence had, learnt from their labels."""

from dataclasses import dataclass

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.joined import Codes, Joined
from agents.detection.sample import Counts

BINS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseState:
    """Predictions and right ones, by confidence; version 1."""

    table: bytes


def binned(confidence: Floats) -> Codes:
    """Return the bin of each confidence; those outside 0 to 1, or no numbers, are left out."""
    usable = confidence[(confidence >= 0) & (confidence <= 1)]
    return np.minimum((usable * BINS).astype(np.int64), BINS - 1)


def sure_of(joined: Joined) -> Joined:
    """Return the labels that are right or wrong and whose prediction has a confidence."""
    return joined.where(
        np.flatnonzero(np.isfinite(joined.errors) & (joined.confidence >= 0) & (joined.confidence <= 1))
    )


def table_of(joined: Joined) -> Counts:
    """Return predictions and right ones of each bin (bins × 2), of labels that are all `sure_of`."""
    bins, right = binned(joined.confidence), joined.errors == 0
    counts = np.bincount(2 * bins + right, minlength=2 * BINS).reshape(BINS, 2)
    return np.stack([counts.sum(axis=1), counts[:, 1]], axis=1)


class Promise:
    """The accuracy of each bin of confidence, made to rise with it (isotonic regression: Zadrozny and Elkan, 2002)."""

    def __init__(self) -> None:
        self.table = np.zeros((BINS, 2), dtype=np.int64)

    @property
    def labels(self) -> int:
        """How many labels it was learnt from."""
        return int(self.table[:, 0].sum())

    def accuracy(self) -> float:
        """Return the accuracy of all that it was learnt from."""
        rows, right = self.table.sum(axis=0).tolist()
        return float((right + 1) / (rows + 2))

    def kept(self) -> Floats:
        """Return the accuracy that each bin promises."""
        used = np.flatnonzero(self.table[:, 0])
        blocks: list[tuple[float, float, int]] = []
        for rows, right in self.table[used].tolist():
            blocks.append((float(rows), float(right), 1))
            # Pool adjacent violators.
            while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
                last, before = blocks.pop(), blocks.pop()
                blocks.append((before[0] + last[0], before[1] + last[1], before[2] + last[2]))
        shares = [(right + 1) / (rows + 2) for rows, right, size in blocks for _ in range(size)]
        return np.interp(np.arange(BINS), used, shares)

    def state(self) -> PromiseState:
        """Return the counts."""
        return PromiseState(table=pack(self.table, "<i8"))

    def restore(self, state: PromiseState) -> None:
        """Remember exactly these."""
        self.table = unpack(state.table, (BINS, 2), "<i8")
