"""What an instance's newest rows look like: enough to say whether it shows what the whole monitor raised."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from agents.detection.arrays import pack, unpack
from agents.detection.detectors.level import Key, Level
from agents.detection.profile import Profile
from agents.detection.sample import Sample
from schemas.avro import decode, encode

_ENOUGH = 50
_LIKELY = 4.5  # standard errors that are enough to say which instance shows what is already known to be wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class GlimpseState:
    """Histograms of this window and the one before; version 1."""

    rows: int
    counts: bytes


class Glimpse:
    """An instance's histograms against the reference's; raises nothing by itself.

    Parameters
    ----------
    profile
        The reference.
    window
        Rows that are looked at together.
    """

    name: ClassVar[str] = "cusum"

    def __init__(self, profile: Profile, window: int) -> None:
        self._profile = profile
        self._window = window
        self._rows = 0
        self._counts = np.zeros((2, *profile.counts.shape), dtype=np.int32)

    def update(self, sample: Sample) -> None:
        """Take in a sample's histograms."""
        if sample.counts is None:
            return
        self._counts[0] += sample.counts.astype(np.int32)
        self._rows += sample.rows
        if self._rows >= self._window:
            self._counts[1] = self._counts[0]
            self._counts[0] = 0
            self._rows = 0

    def levels(self) -> list[Level]:
        """Return nothing: an instance is judged by the whole's finding."""
        return []

    def shows(self, key: Key) -> bool:
        """Whether the newest rows are unlike the reference in the bins of that column."""
        names = key[3].split(", ")
        return any(self._moved(i) for i, facet in enumerate(self._profile.facets) if facet.name in (key[3], *names))

    def state(self) -> bytes:
        """Return all that is remembered, exactly."""
        return encode(GlimpseState(rows=self._rows, counts=pack(self._counts, "<i8")))

    def restore(self, state: bytes) -> None:
        """Remember exactly that."""
        saved = decode(GlimpseState, state)
        self._rows = saved.rows
        self._counts = unpack(saved.counts, self._counts.shape, "<i8").astype(np.int32)

    def _moved(self, index: int) -> bool:
        now = self._counts[0, index] if self._rows >= _ENOUGH else self._counts[:, index].sum(axis=0)
        before = self._profile.counts[index]
        number, total = int(now.sum()), int(before.sum())
        if number < _ENOUGH or not total:
            return False
        share = (before + 0.5) / (total + 0.5 * len(before))
        error = np.sqrt(share * (1 - share) * float(self._profile.inflation[index]) * (1 / number + 1 / total))
        return bool((np.abs(now / number - share) > _LIKELY * error).any())
