"""What a series has looked like: points that lie apart, each with when it was last seen.

A leader clustering (Hartigan 1975), as adaptive resonance uses it (Carpenter, Grossberg and Rosen 1991): a point
further than `APART` from all that are remembered is remembered too. Only sums, products and comparisons of doubles are
used, so that a row gives the same bits alone and among others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.detection.arrays import pack, unpack

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

APART = 0.08
"""Points nearer than this share of the usual spread are one."""

FURTHEST = 1e6
"""The largest distance told from a larger one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookState:
    """The points, dimension by dimension, and the row in which each was last seen; version 1."""

    points: bytes
    seen: bytes


class Book:
    """At most `limit` points of some dimensions; the one longest unseen makes room.

    Parameters
    ----------
    dimensions, limit
        Of each point; how many.
    wraps
        Whether the last dimension is a share of a day, where 0 follows 1.
    """

    def __init__(self, dimensions: int, limit: int, *, wraps: bool) -> None:
        self.size = 0
        self._limit = limit
        self._wraps = wraps
        self._points: Floats = np.zeros((dimensions, limit))
        self._seen: Ints = np.zeros(limit, dtype=np.int64)

    def nearest(self, given: Floats, spread: Floats) -> tuple[Floats, Ints]:
        """Return each given point's (dimensions × rows) greatest difference from the nearest, in spreads, and which."""
        if not self.size:
            rows = given.shape[1]
            return np.full(rows, FURTHEST), np.full(rows, -1, dtype=np.int64)
        apart = self._apart(given, self._points[:, : self.size], 1.0 / spread)
        which = apart.argmin(axis=1)
        return np.minimum(apart[np.arange(len(which)), which], FURTHEST), which

    def learn(self, given: Floats, spread: Floats, found: tuple[Floats, Ints], row: int) -> None:
        """Remember the given points, the first of which is `row`; `found` is what `nearest` said of them."""
        apart, which = found
        known = apart <= APART
        self._seen[which[known]] = row + np.flatnonzero(known)
        left = np.flatnonzero(~known)
        if not len(left):
            return
        among = given[:, left]
        near = self._apart(among, among, 1.0 / spread) <= APART
        covered = np.zeros(len(left), dtype=np.bool_)
        for i, at in enumerate(left.tolist()):
            if not covered[i]:
                covered |= near[i]
                self._keep(given[:, at], row + at)

    def forget(self, before: int) -> None:
        """Forget the points last seen before a row."""
        if before <= 0:
            return
        seen = self._seen[: self.size]
        if not self.size or seen.min() >= before:
            return
        kept = np.flatnonzero(seen >= before)
        self.size = len(kept)
        self._points[:, : self.size] = self._points[:, kept]
        self._seen[: self.size] = seen[kept]

    def state(self) -> BookState:
        """Return all that is remembered, exactly."""
        return BookState(points=pack(self._points[:, : self.size]), seen=pack(self._seen[: self.size], "<i8"))

    def restore(self, state: BookState) -> None:
        """Remember exactly that; of more than policy allows now, those seen last."""
        saved = len(state.seen) // 8
        points, seen = unpack(state.points, (len(self._points), saved)), unpack(state.seen, (saved,), "<i8")
        kept = np.sort(np.argsort(seen, kind="stable")[-self._limit :])
        self.size = len(kept)
        self._points[:, : self.size] = points[:, kept]
        self._seen[: self.size] = seen[kept]

    def _keep(self, point: Floats, row: int) -> None:
        if self.size < self._limit:
            at, self.size = self.size, self.size + 1
        else:
            at = int(self._seen.argmin())
        self._points[:, at] = point
        self._seen[at] = row

    def _apart(self, given: Floats, points: Floats, scale: Floats) -> Floats:
        last = len(given) - 1
        found: Floats | None = None
        for i, (mine, theirs) in enumerate(zip(given, points, strict=True)):
            each = np.subtract.outer(mine * scale[i], theirs * scale[i])
            np.abs(each, out=each)
            if self._wraps and i == last:
                np.minimum(each, scale[i] - each, out=each)
            found = each if found is None else np.maximum(found, each, out=found)
        assert found is not None
        return found
