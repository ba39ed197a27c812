"""Rows cut into blocks that end where they end, whatever the batches: what the CUSUMs eat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import steps
from agents.detection.detectors.sequential.steps import BLOCK


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingState:
    """Rows that do not fill a block yet; version 1."""

    innovations: bytes
    codes: bytes
    times: bytes


@dataclass(frozen=True, slots=True)
class Blocks:
    """Whole blocks of rows.

    sums, power, squares, number
        Of the innovations: sum, sum of squares, that about the block's own mean, and how many are known
        (channels × blocks).
    clipped, missing
        How many innovations are at the end of what they can be, and how many are unknown.
    freedom
        Degrees of freedom of `squares`.
    happened, tried
        How often each category came, and how many cells could tell (indicators × blocks).
    totals
        The first seven, each of all blocks (7 × channels; see steps.py).
    starts, ends
        Each block's first and last time.
    """

    sums: Floats
    power: Floats
    squares: Floats
    number: Floats
    freedom: Floats
    clipped: Floats
    missing: Floats
    happened: Floats
    tried: Floats
    totals: Floats
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)


class Cutter:
    """Holds rows until they fill a block.

    Parameters
    ----------
    channels
        Numeric facets.
    texts
        Categories told apart of each text facet; the last of them is any other.
    """

    def __init__(self, channels: int, texts: tuple[int, ...]) -> None:
        self._channels = channels
        self._sizes = common(np.array(texts, dtype=np.int64))
        self._held: tuple[Floats, Floats, NDArray[np.int64]] | None = None

    def cut(
        self,
        innovations: Floats,
        known: NDArray[np.bool_],
        codes: Floats,
        times: NDArray[np.int64],
        *,
        ends: bool,
    ) -> Blocks:
        """Return the whole blocks that these rows fill, and the short rest too where an epoch `ends`."""
        # Contiguous, all of them: compiled code is made anew for each layout, and a slice of one item has another one.
        x, k, c, t = innovations, known, np.ascontiguousarray(codes), times
        if self._held is not None:
            held = self._held[0]
            k = np.concatenate([np.isfinite(held), known], axis=1)
            x = np.concatenate([held, innovations], axis=1)
            c = np.concatenate([self._held[1], codes], axis=1)
            t = np.concatenate([self._held[2], times])
        whole = len(t) if ends else len(t) // BLOCK * BLOCK
        self._held = None
        if whole < len(t):
            self._held = (np.where(k[:, whole:], x[:, whole:], np.nan), c[:, whole:].copy(), t[whole:].copy())
        (sums, power, squares, number, freedom, clipped, missing), totals = steps.blocked(x, k, whole)
        happened, tried = steps.counted(c, self._sizes, whole)
        starts = np.ascontiguousarray(t[:whole:BLOCK])
        lasts = np.arange(BLOCK, len(starts) * BLOCK + 1, BLOCK)
        return Blocks(
            sums=sums,
            power=power,
            squares=squares,
            number=number,
            freedom=freedom,
            clipped=clipped,
            missing=missing,
            happened=happened,
            tried=tried,
            totals=totals,
            starts=starts,
            ends=t[np.minimum(lasts, whole) - 1],
        )

    def state(self) -> PendingState:
        """Return the rows held, exactly."""
        if self._held is None:
            return PendingState(innovations=b"", codes=b"", times=b"")
        x, c, t = self._held
        return PendingState(innovations=pack(x, "<f4"), codes=pack(c, "<f4"), times=pack(t, "<i8"))

    def restore(self, state: PendingState) -> None:
        """Hold exactly those; SchemaError where the bytes are none."""
        rows = len(state.times) // 8
        held = (
            unpack(state.innovations, (self._channels, rows), "<f4").astype(np.float64),
            unpack(state.codes, (len(self._sizes), rows), "<f4").astype(np.float64),
            unpack(state.times, (rows,), "<i8"),
        )
        self._held = held if rows else None
