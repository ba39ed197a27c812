"""A model that serves a table: fitted to clean rows, and fed what a broken pipeline delivers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.frames import Frame

Floats = NDArray[np.float64]

PART = 0.6
"""Where a fault begins, as a share of the rows."""


def _design(frame: Frame) -> Floats:
    columns = []
    for values in frame.features.values():
        if values.dtype == object:
            kinds, codes = np.unique([str(v) for v in values], return_inverse=True)
            top = np.argsort(-np.bincount(codes))[:12]
            columns += [(codes == kind).astype(float) for kind in top]
            del kinds
            continue
        filled = np.where(np.isfinite(values), values, np.nanmedian(values))
        low, high = np.quantile(filled, [0.02, 0.98])
        columns.append((np.clip(filled, low, high) - filled.mean()) / (filled.std() + 1e-9))
        columns.append(np.tanh(columns[-1]) ** 2)
    return np.column_stack([*columns, np.ones(frame.rows)])


@dataclass(frozen=True, slots=True)
class Model:
    """A linear model, fitted by gradient on chosen rows; it predicts a class with a confidence, or a number."""

    weights: Floats
    classes: int

    @classmethod
    def fit(cls, design: Floats, target: Any, classes: int) -> "Model":
        """Fit by ridge regression on the classes' indicators, or on the number."""
        wanted = np.eye(classes)[target.astype(int)] if classes else target[:, None].astype(float)
        gram = design.T @ design + 1e-2 * len(design) * 0.01 * np.eye(design.shape[1])
        return cls(np.linalg.solve(gram, design.T @ wanted), classes)

    def predict(self, design: Floats) -> tuple[Any, Any]:
        """Return predictions and confidences (None for numbers)."""
        raw = design @ self.weights
        if not self.classes:
            return raw[:, 0], None
        share = np.exp(4 * (raw - raw.max(axis=1, keepdims=True)))
        share /= share.sum(axis=1, keepdims=True)
        return raw.argmax(axis=1), share.max(axis=1)


def served(frame: Frame, fault: Callable[[Frame, int], Frame] | None, *, trained: str = "all") -> dict[str, Any]:
    """Return the table that a backtest reads: the model sees the features as the fault leaves them."""
    design = _design(frame)
    rng = np.random.default_rng(7)
    chosen = rng.random(frame.rows) < 0.5 if trained == "all" else np.arange(frame.rows) < frame.rows // 4
    model = Model.fit(design[chosen], frame.target[chosen], frame.classes)
    said, sure = model.predict(design)
    start = int(frame.rows * PART)
    kept = replace(frame, extra={"prediction": said, "confidence": sure, "latency": rng.lognormal(3, 0.4, frame.rows)})
    kept.extra["version"] = np.full(frame.rows, "v1", dtype=object)
    broken = kept if fault is None else fault(kept, start)
    moved = any(broken.features[name] is not frame.features[name] for name in frame.features)
    if moved:
        # The model is fed what the pipeline delivers from the fault on; scaling is what it learnt before.
        mixed = _design(frame)
        both = _scaled_like(frame, broken)
        mixed[start:] = both[start:]
        said2, sure2 = model.predict(mixed)
        broken.extra["prediction"] = np.where(np.arange(frame.rows) < start, said, said2)
        if sure is not None:
            broken.extra["confidence"] = np.where(np.arange(frame.rows) < start, sure, sure2)
    columns: dict[str, Any] = dict(broken.features) | {"said": broken.extra["prediction"], "truth": broken.target}
    if broken.extra["confidence"] is not None:
        columns["sure"] = broken.extra["confidence"]
    columns |= {"took": broken.extra["latency"], "version": broken.extra["version"]}
    if broken.group is not None:
        columns["team"] = broken.group
    if broken.time is not None:
        columns["at"] = broken.time
    return columns


def _scaled_like(frame: Frame, broken: Frame) -> Floats:
    columns = []
    for name, values in frame.features.items():
        now = broken.features[name]
        if values.dtype == object:
            codes = np.unique([str(v) for v in values], return_inverse=True)
            top = np.argsort(-np.bincount(codes[1]))[:12]
            columns += [(np.array([str(v) for v in now]) == codes[0][kind]).astype(float) for kind in top]
            continue
        filled = np.where(np.isfinite(values), values, np.nanmedian(values))
        low, high = np.quantile(filled, [0.02, 0.98])
        clean = np.clip(np.where(np.isfinite(now), now, np.nanmedian(values)), low, high)
        columns.append((clean - filled.mean()) / (filled.std() + 1e-9))
        columns.append(np.tanh(columns[-1]) ** 2)
    return np.column_stack([*columns, np.ones(frame.rows)])
