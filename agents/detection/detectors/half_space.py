"""Half-space trees over the whole feature vector (Tan, Ting and Liu, 2011): how unlike the reference a row is.

river grows the trees from a fixed seed and learns their masses from one half of the reference; then they are flat
arrays, so that many rows are scored at a time and nothing that comes later is learnt as normal.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees

from agents.detection.arrays import common, pack, unpack
from agents.detection.columns import Floats
from agents.detection.compiled import compiled
from schemas.errors import SchemaError
from schemas.thresholds import Forest as ForestPolicy

SEED = 20_260_117
MARGIN = 0.25
"""The middle 98 % of a feature lies between this and 1 minus this, so that the trees also split the space outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestState:
    """Where the features lay and what the trees learnt; version 1. The structure follows from the seed."""

    columns: bytes
    low: bytes
    high: bytes
    masses: bytes
    trees: int
    height: int
    learnt: int


class Forest:
    """Trees over some of a matrix's rows.

    Parameters
    ----------
    columns
        Rows of the matrix that are the vector.
    low, high
        Where the middle 98 % of each lies.
    leaves
        Learnt reference masses of the leaves (trees × leaves), which add up to those of all nodes; in as few bytes as
        the rows learnt allow, because each of 10,000 models keeps its own.
    policy
        Number and height of the trees.
    learnt
        Rows they learnt from.
    """

    def __init__(
        self,
        columns: NDArray[np.int64],
        low: Floats,
        high: Floats,
        leaves: NDArray[np.unsignedinteger[Any]] | None,
        policy: ForestPolicy,
        learnt: int,
    ) -> None:
        self._columns, self._range = common(columns), np.stack([low, high, _scale(low, high)])
        self._height, self._trees, self._learnt = policy.height, policy.trees, learnt
        self._feature, self._cut = _structure(policy.trees, policy.height, len(columns))
        kind = np.uint16 if learnt < 2**16 else np.uint32
        given = np.zeros((policy.trees, 2**policy.height)) if leaves is None else leaves
        self._leaves = given.astype(kind) if given.max() <= np.iinfo(kind).max else given

    @classmethod
    def learn(cls, columns: NDArray[np.int64], matrix: Floats, policy: ForestPolicy) -> "Forest | None":
        """Return a forest that learnt these rows, or None where too few of them are complete."""
        vectors = matrix[columns]
        vectors = vectors[:, np.isfinite(vectors).all(axis=0)]
        if not len(columns) or vectors.shape[1] < 50:
            return None
        low, high = np.quantile(vectors, [0.01, 0.99], axis=1, method="inverted_cdf")
        forest = cls(columns, low, high, None, policy, vectors.shape[1])
        leaf = _leaves(forest._scaled(vectors), forest._feature, forest._cut, policy.height)
        for tree in range(policy.trees):
            forest._leaves[tree] = np.bincount(leaf[tree], minlength=2**policy.height)
        return forest

    def score(self, matrix: Floats) -> Floats:
        """Return 0 (like the reference) to 1 for each row; NaN for one that is not complete."""
        vectors = matrix[self._columns]
        complete = np.isfinite(vectors).all(axis=0)
        whole = bool(complete.all())
        unit = self._scaled(vectors if whole else vectors[:, complete])
        leaf = _leaves(unit, self._feature, self._cut, self._height)
        total = _earned(leaf, self._leaves.astype(np.float64), 0.1 * self._learnt)
        most = self._trees * self._learnt * (2 ** (self._height + 1) - 1)
        found: Floats = 1 - total / most
        if whole:
            return found
        scores = np.full(matrix.shape[1], np.nan)
        scores[complete] = found
        return scores

    def state(self) -> ForestState:
        """Return all but the structure."""
        return ForestState(
            columns=pack(self._columns, "<i8"),
            low=pack(self._range[0]),
            high=pack(self._range[1]),
            masses=pack(np.concatenate(self._masses(), axis=1), "<u4"),
            trees=self._trees,
            height=self._height,
            learnt=self._learnt,
        )

    @classmethod
    def of_state(cls, state: ForestState) -> "Forest":
        """Return the forest; SchemaError where its arrays do not fit one another."""
        if not (0 < state.trees <= 50 and 1 < state.height <= 10 and state.learnt > 0) or not state.columns:
            raise SchemaError("a saved forest is larger than any that policy allows")
        size = len(state.columns) // 8
        columns = unpack(state.columns, (size,), "<i8")
        low, high = unpack(state.low, (size,)), unpack(state.high, (size,))
        masses = unpack(state.masses, (state.trees, 2 ** (state.height + 1) - 1), "<u4")
        policy = ForestPolicy(trees=state.trees, height=state.height)
        return cls(columns, low, high, masses[:, 2**state.height - 1 :].copy(), policy, state.learnt)

    def _scaled(self, vectors: Floats) -> Floats:
        low, _, scale = self._range
        with np.errstate(over="ignore", invalid="ignore"):
            unit = (vectors - low[:, None]) * scale[:, None] + MARGIN
        np.fmax(unit, 0.0, out=unit)
        np.fmin(unit, 1.0, out=unit)
        return np.ascontiguousarray(unit)

    def _masses(self) -> list[Floats]:
        """Return the masses of the nodes, depth by depth."""
        levels = [self._leaves.astype(np.float64)]
        while levels[0].shape[1] > 1:
            levels.insert(0, levels[0][:, ::2] + levels[0][:, 1::2])
        return levels


@compiled
def _leaves(unit: Floats, feature: NDArray[np.int64], cut: Floats, height: int) -> NDArray[np.int64]:
    """Return the leaf of each tree that each row (a column here) ends in."""
    found = np.empty((len(feature), unit.shape[1]), dtype=np.int64)
    for tree in range(len(feature)):
        for t in range(unit.shape[1]):
            node = 0
            for _ in range(height):
                node = 2 * node + 1 + (unit[feature[tree, node], t] >= cut[tree, node])
            found[tree, t] = node - (2**height - 1)
    return found


@compiled
def _earned(leaf: NDArray[np.int64], masses: Floats, small: float) -> Floats:
    """Return what each row earns in all trees: the weighed masses on its way to a leaf, up to the first small one.

    Parameters
    ----------
    leaf
        Of each tree and row.
    masses
        Of the leaves (trees × leaves). What a leaf is worth is not kept: it would be as much memory again.
    """
    found = np.zeros(leaf.shape[1])
    size = masses.shape[1]
    mass, worth, weight = np.empty(2 * size), np.zeros(2 * size), np.ones(2 * size)
    for tree in range(len(leaf)):
        mass[size:] = masses[tree]
        for node in range(size - 1, 0, -1):
            mass[node] = mass[2 * node] + mass[2 * node + 1]
        worth[1], weight[1] = mass[1], 1.0 if mass[1] >= small else 0.0
        for node in range(2, 2 * size):
            above = weight[node // 2]  # 0 below a small node, where nothing more is earned
            worth[node] = worth[node // 2] + mass[node] * 2.0 * above
            weight[node] = 2.0 * above if mass[node] >= small else 0.0
        for t in range(leaf.shape[1]):
            found[t] += worth[size + leaf[tree, t]]
    return found


def _scale(low: Floats, high: Floats) -> Floats:
    scale: Floats = (1 - 2 * MARGIN) / np.where(high > low, high - low, 1.0)
    return scale


@lru_cache(maxsize=64)
def _structure(trees: int, height: int, features: int) -> tuple[NDArray[np.int64], Floats]:
    """Return which feature each inner node asks for, and where it cuts: the same for all forests of one shape."""
    river = HalfSpaceTrees(n_trees=trees, height=height, window_size=1, seed=SEED)
    river.learn_one(dict.fromkeys(range(features), 0.5))
    feature = np.zeros((trees, 2**height - 1), dtype=np.int64)
    cut = np.zeros((trees, 2**height - 1))
    for tree, root in enumerate(river.trees):
        level = [root]
        for depth in range(height):
            for place, node in enumerate(level, start=2**depth - 1):
                feature[tree, place], cut[tree, place] = node.feature, node.threshold
            level = [child for node in level for child in node.children]
    return feature, cut
