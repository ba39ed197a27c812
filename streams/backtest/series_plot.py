"""A judged series as a picture: its values, the scores beneath, and where it alarmed."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from streams.backtest.series import Piece

_COLUMNS = 4000
"""Points across the picture; of more rows, the lowest and the highest of each column are drawn."""


def draw(path: Path, pieces: Sequence[Piece], threshold: float, title: str) -> None:
    """Write a PNG, SVG or HTML file, by the ending of its name."""
    from matplotlib.figure import Figure

    values = np.concatenate([piece.numbers for piece in pieces])
    scores = np.concatenate([piece.scores for piece in pieces])
    alarms = np.flatnonzero(np.concatenate([piece.alarms for piece in pieces]))
    figure = Figure(figsize=(14, 6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    above.plot(*_thin(values), linewidth=0.6)
    above.plot(alarms, np.nan_to_num(values[alarms]), "rv", markersize=5, label=f"{len(alarms)} alarms")
    above.set_title(title[:100])
    above.legend(loc="upper left")
    below.plot(*_thin(scores), linewidth=0.6)
    below.axhline(threshold, color="r", linewidth=0.6)
    below.set_ylabel("score")
    below.set_xlabel("row")
    if path.suffix == ".html":
        drawn = io.StringIO()
        figure.savefig(drawn, format="svg")
        path.write_text(f"<!doctype html><meta charset=utf-8>{drawn.getvalue()}", "utf-8")
    else:
        figure.savefig(path)


def _thin(values: Any) -> tuple[Any, Any]:
    rows = np.arange(len(values))
    shown = np.where(np.abs(values) < 1e100, values, np.nan)
    if len(values) <= 2 * _COLUMNS:
        return rows, shown
    starts = np.linspace(0, len(values), _COLUMNS, endpoint=False).astype(int)
    low, high = np.fmin.reduceat(shown, starts), np.fmax.reduceat(shown, starts)
    return np.repeat(starts, 2), np.stack([low, high], axis=1).ravel()
