"""The categories of text columns: how often each of the most common comes, against the rows before."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.detectors.sequential import epochs
from agents.detection.detectors.sequential.blocks import Blocks
from agents.detection.detectors.sequential.cusum import FINE, OVERSHOOT, Bank, Designs
from agents.detection.detectors.sequential.findings import Limits
from agents.detection.detectors.sequential.steps import BLOCK
from agents.detection.profile import Facet

MOST = 5
"""Categories told apart, the most common ones; the last of them is any other."""

ODDS = (1.5, 3.0)
"""Ratios of odds that CUSUMs are designed for, up and down."""

_ODDS = np.array([ratio for given in ODDS for ratio in (given, 1 / given)])
_NO_DESIGNS = Designs(*[np.zeros((len(_ODDS), 0))] * 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharesState:
    """Counts by indicator, of the baseline and since; version 1."""

    counts: bytes


def categories(facets: list[Facet]) -> int:
    """Return how many categories are watched."""
    return sum(_size(facet) for facet in facets)


class Shares:
    """Indicators of all text facets: facet by facet, category by category.

    Parameters
    ----------
    facets, counts
        The text facets, and their histograms in the reference.
    limits
        How sure a finding must be.

    Attributes
    ----------
    limit
        Evidence at which each of the bank's CUSUMs passes.
    """

    def __init__(self, facets: list[Facet], counts: list[NDArray[np.int64]], limits: Limits) -> None:
        self._score, self._epoch = limits.score, limits.epoch
        self._cap = limits.policy.drift.baseline_rows
        self.sizes = tuple(_size(facet) for facet in facets)
        self._facet = common(np.repeat(np.arange(len(facets)), self.sizes).astype(np.int64))
        # Baseline: happened and tried; since: happened and tried.
        self._counts = np.zeros((4, len(self._facet)))
        self._counts[:2] = self._reference(counts)
        designs, self.limit = self._designs()
        self.bank = Bank(designs, len(self._facet), limits.back)

    def together(self, channel: int) -> list[int]:
        """Return the indicators of the facet that one is of."""
        return [int(c) for c in np.flatnonzero(self._facet == self._facet[channel])]

    def known(self, channel: int) -> tuple[int, float]:
        """Return an indicator's facet, and its share in the baseline."""
        return int(self._facet[channel]), float(self._share()[channel])

    def take(self, blocks: Blocks) -> None:
        """Count what came."""
        if not len(self._facet):
            return
        self._counts[2] += blocks.happened.sum(axis=1)
        self._counts[3] += blocks.tried.sum(axis=1)

    def settle(self) -> None:
        """Let the baseline of what is not raised take in what came since the last call."""
        if not len(self._facet):
            return
        self._counts[:2] += self._counts[2:] * ~self.bank.raised
        self._counts[2:] = 0
        self._counts[:2] *= np.minimum(self._cap / np.maximum(self._counts[1], 1.0), 1.0)
        self._design()

    def state(self) -> SharesState:
        """Return the counts."""
        return SharesState(counts=pack(self._counts))

    def restore(self, state: SharesState) -> None:
        """Hold exactly those; SchemaError where the bytes are none."""
        self._counts = unpack(state.counts, self._counts.shape)
        self._design()

    def _share(self) -> Floats:
        found: Floats = (self._counts[0] + 0.5) / (self._counts[1] + 1.0)
        return np.minimum(np.maximum(found, 1e-6), 1 - 1e-6)

    def _design(self) -> None:
        self.bank.designs, self.limit = self._designs()

    def _designs(self) -> tuple[Designs, Floats]:
        if not len(self._facet):
            return _NO_DESIGNS, _NO_DESIGNS.slope
        epoch = (self._epoch, self._score)
        *parts, limit = epochs.shared(self._counts, _ODDS, epoch, (FINE, OVERSHOOT, float(BLOCK)))
        return Designs(*parts), limit

    def _reference(self, counts: list[NDArray[np.int64]]) -> Floats:
        happened = np.zeros(len(self._facet))
        tried = np.zeros(len(self._facet))
        at = 0
        for size, histogram in zip(self.sizes, counts, strict=True):
            happened[at : at + size - 1] = histogram[: size - 1]
            happened[at + size - 1] = histogram[size - 1 :].sum()
            tried[at : at + size] = histogram.sum()
            at += size
        return np.stack([happened, tried])


def _size(facet: Facet) -> int:
    return max(min(len(facet.categories), MOST), 1)
