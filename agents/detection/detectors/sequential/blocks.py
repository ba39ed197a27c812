"""Rows cut into blocks that end where they end, whatever the batches: what the CUSUMs eat."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential.scores import REACH, UNIT

BLOCK = 8
"""Rows of a block; the last of an epoch may be shorter."""

_NO_CODE = -1.0
_ONES = np.ones(BLOCK)


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
        self._facet = np.repeat(np.arange(len(texts)), texts)
        self._code = np.concatenate([np.arange(n) for n in texts]) if texts else np.empty(0, dtype=np.int64)
        self._most = np.array(texts, dtype=np.float64)[:, None] - 1
        self._held: tuple[Floats, Floats, NDArray[np.int64]] = (
            np.empty((channels, 0)),
            np.empty((len(texts), 0)),
            np.empty(0, dtype=np.int64),
        )

    def cut(
        self,
        innovations: Floats,
        known: NDArray[np.bool_] | None,
        codes: Floats,
        times: NDArray[np.int64],
        *,
        ends: bool,
    ) -> Blocks:
        """Return the whole blocks that these rows fill, and the short rest too where an epoch `ends`."""
        if known is not None:
            innovations = np.where(known, innovations, np.nan)
        x, c, t = innovations, codes, times
        if len(self._held[2]):
            x = np.concatenate([self._held[0], innovations], axis=1)
            c = np.concatenate([self._held[1], codes], axis=1)
            t = np.concatenate([self._held[2], times])
        whole = len(t) if ends else len(t) // BLOCK * BLOCK
        self._held = (x[:, whole:].copy(), c[:, whole:].copy(), t[whole:].copy())
        return self._blocks(x[:, :whole], c[:, :whole], t[:whole])

    def state(self) -> PendingState:
        """Return the rows held, exactly."""
        x, c, t = self._held
        return PendingState(innovations=pack(x, "<f4"), codes=pack(c, "<f4"), times=pack(t, "<i8"))

    def restore(self, state: PendingState) -> None:
        """Hold exactly those; SchemaError where the bytes are none."""
        rows = len(state.times) // 8
        self._held = (
            unpack(state.innovations, (self._channels, rows), "<f4").astype(np.float64),
            unpack(state.codes, (len(self._most), rows), "<f4").astype(np.float64),
            unpack(state.times, (rows,), "<i8"),
        )

    def _blocks(self, x: Floats, c: Floats, t: NDArray[np.int64]) -> Blocks:
        rows = len(t)
        blocks = -(-rows // BLOCK)
        fill = blocks * BLOCK - rows
        if fill:
            x = np.concatenate([x, np.zeros((len(x), fill))], axis=1)
            c = np.concatenate([c, np.full((len(c), fill), np.nan)], axis=1)
        shape = (len(x), blocks, BLOCK)
        absent = np.isnan(x)
        number = np.full(shape[:2], float(BLOCK))
        missing, clipped = np.zeros(shape[:2]), np.zeros(shape[:2])
        if fill:
            number[:, -1] -= fill
        if absent.any():
            missing = absent.reshape(shape).sum(axis=2).astype(np.float64)
            number -= missing
            x = np.where(absent, 0.0, x)
        far = np.abs(x) >= REACH * UNIT
        if far.any():
            clipped = far.reshape(shape).sum(axis=2).astype(np.float64)
        # A product with ones sums faster than a sum; of whole numbers it is exact as well.
        shaped = np.ascontiguousarray(x).reshape(shape)
        sums, power = shaped @ _ONES, (shaped * shaped) @ _ONES
        squares = power - np.rint(sums * sums / np.maximum(number, 1.0))
        happened, tried = self._counts(np.ascontiguousarray(c).reshape(len(c), blocks, BLOCK))
        ends = t[np.minimum(np.arange(1, blocks + 1) * BLOCK, rows) - 1] if rows else t
        freedom = np.maximum(number - 1, 0.0)
        return Blocks(sums, power, squares, number, freedom, clipped, missing, happened, tried, t[::BLOCK], ends)

    def _counts(self, codes: Floats) -> tuple[Floats, Floats]:
        if not len(codes):
            return np.empty((0, codes.shape[1])), np.empty((0, codes.shape[1]))
        present = ~np.isnan(codes)
        capped = np.minimum(np.where(present, codes, _NO_CODE), self._most[:, :, None])
        happened = (capped[self._facet] == self._code[:, None, None]).sum(axis=2).astype(np.float64)
        tried = present.sum(axis=2).astype(np.float64)[self._facet]
        return happened, tried


def totals(blocks: Blocks) -> tuple[Floats, Floats, Floats]:
    """Return each channel's sum, sum of squares and number over all blocks."""
    return blocks.sums.sum(axis=1), blocks.power.sum(axis=1), blocks.number.sum(axis=1)
