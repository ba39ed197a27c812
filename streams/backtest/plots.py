"""A backtest or a series as a picture: scores over time, incidents as bands; PNG, or HTML that needs nothing else."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from schemas.errors import SchemaError
from streams.backtest.report import Tell
from streams.backtest.trial import Trial

WIDTH, HEIGHT, LEFT, TOP = 1100, 420, 70, 40
MAX_POINTS = 4000
CAP = 50.0
"""A score above this is drawn here: 1e-50 looks no different from 1e-300."""

COLOURS = {
    "data_drift": "#1f77b4",
    "data_quality": "#8c564b",
    "confidence": "#9467bd",
    "performance": "#d62728",
    "fairness": "#e377c2",
    "attack": "#000000",
    "output_safety": "#ff7f0e",
    "infrastructure": "#2ca02c",
    "human_report": "#7f7f7f",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A point: when (ms), how much, of which category, and what it says."""

    at: int
    value: float
    category: str
    text: str


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time (ms) that belongs to a category; without an end it lasts to the right edge."""

    start: int
    end: int | None
    category: str
    text: str


def draw(path: Path, trial: Trial, name: str, tell: Tell) -> None:
    """Draw a trial's signals and incidents to a .png or .html file; SchemaError for another ending."""
    marks = [
        Mark(s.raised.at, min(s.raised.score, CAP), s.raised.category.value, s.raised.summary) for s in trial.signals
    ]
    bands = [Band(i.opened.at, i.quieted_at, i.last.category.value, i.opened.title) for i in trial.incidents]
    picture(path, marks, bands, f"{name}: {len(marks)} signals, {len(bands)} incidents", tell)


def picture(path: Path, marks: Sequence[Mark], bands: Sequence[Band], title: str, tell: Tell) -> None:
    """Draw marks over bands to a .png or .html file; beyond MAX_POINTS only the highest marks are drawn."""
    shown = sorted(sorted(marks, key=lambda mark: -mark.value)[:MAX_POINTS], key=lambda mark: mark.at)
    if path.suffix.lower() == ".png":
        _png(path, shown, bands, title, tell)
    elif path.suffix.lower() in (".html", ".htm"):
        path.write_text(_page(shown, bands, title, tell), encoding="utf-8")
    else:
        raise SchemaError(f"{path} ends neither in .png nor in .html, so it is unclear what to draw")


def _span(marks: Sequence[Mark], bands: Sequence[Band]) -> tuple[int, int]:
    times = [mark.at for mark in marks] + [band.start for band in bands] + [b.end for b in bands if b.end is not None]
    first, last = (min(times), max(times)) if times else (0, 1)
    return first, max(last, first + 1)


def _page(marks: Sequence[Mark], bands: Sequence[Band], title: str, tell: Tell) -> str:
    first, last = _span(marks, bands)
    top = max((mark.value for mark in marks), default=1.0) or 1.0

    def across(at: int) -> float:
        return LEFT + (WIDTH - LEFT - 20) * (at - first) / (last - first)

    def down(value: float) -> float:
        return TOP + (HEIGHT - TOP - 40) * (1 - max(value, 0.0) / top)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">']
    for band in bands:
        begin, end = across(band.start), across(last if band.end is None else band.end)
        box = f'x="{begin:.1f}" y="{TOP}" width="{max(end - begin, 2):.1f}" height="{HEIGHT - TOP - 40}"'
        told = html.escape(f"{tell(band.start)}: {band.text}")
        parts.append(f'<rect {box} fill="{_colour(band.category)}" opacity="0.15"><title>{told}</title></rect>')
    for mark in marks:
        told = html.escape(f"{tell(mark.at)}: {mark.text}")
        spot = f'cx="{across(mark.at):.1f}" cy="{down(mark.value):.1f}" r="3"'
        parts.append(f'<circle {spot} fill="{_colour(mark.category)}"><title>{told}</title></circle>')
    parts += [
        f'<line x1="{LEFT}" y1="{HEIGHT - 40}" x2="{WIDTH - 20}" y2="{HEIGHT - 40}" stroke="#444"/>',
        f'<text x="{LEFT}" y="{HEIGHT - 22}">{html.escape(str(tell(first)))}</text>',
        f'<text x="{WIDTH - 20}" y="{HEIGHT - 22}" text-anchor="end">{html.escape(str(tell(last)))}</text>',
        f'<text x="{LEFT - 8}" y="{TOP + 10}" text-anchor="end">{top:.3g}</text>',
        "</svg>",
    ]
    kinds = dict.fromkeys([mark.category for mark in marks] + [band.category for band in bands])
    legend = " ".join(f'<span style="color:{_colour(kind)}">■ {html.escape(kind)}</span>' for kind in kinds)
    head = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
    return f"{head}<body><h1>{html.escape(title)}</h1><p>{legend}</p>{''.join(parts)}</body></html>\n"


def _png(path: Path, marks: Sequence[Mark], bands: Sequence[Band], title: str, tell: Tell) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    first, last = _span(marks, bands)
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=100)
    axes = figure.add_subplot()
    for band in bands:
        axes.axvspan(band.start, last if band.end is None else band.end, color=_colour(band.category), alpha=0.15)
    for kind in dict.fromkeys(mark.category for mark in marks):
        own = [mark for mark in marks if mark.category == kind]
        axes.plot([m.at for m in own], [m.value for m in own], "o", ms=3, color=_colour(kind), label=kind)
    axes.set_xlim(first, last)
    axes.set_xticks([first, last], [str(tell(first)), str(tell(last))])
    axes.set_ylabel("score, −log10 p")
    axes.set_title(title.replace("$", r"\$"))
    if marks:
        axes.legend(loc="upper left", fontsize=8)
    FigureCanvasAgg(figure).print_figure(str(path))


def _colour(category: str) -> str:
    return COLOURS.get(category, "#444444")
