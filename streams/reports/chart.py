"""The main statistic of an incident against its limit, as an SVG of our own."""

import html
import math
from dataclasses import dataclass
from datetime import UTC, datetime

from agents.reports.record import Record
from schemas.case.learning import Milestone
from schemas.events import CaseGrew, CaseOpened
from schemas.signals import Evidence

_WIDTH, _HEIGHT = 720, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 18, 26, 40
_SOFTER = 8.0
_MARKS = (
    (Milestone.DETECTED, "noticed"),
    (Milestone.CONTAINED, "stopped"),
    (Milestone.RESOLVED, "over"),
)
_FONT = 'font-family="Libertinus Serif, Georgia, serif"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing, and what it shows in a sentence."""

    svg: str
    says: str


@dataclass(frozen=True, slots=True)
class _Scale:
    """From time and value to the place in the drawing."""

    first: int
    last: int
    top: float

    def x(self, at: int) -> float:
        span = max(self.last - self.first, 1)
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (at - self.first) / span

    def y(self, value: float) -> float:
        share = min(max(value / self.top, 0.0), 1.0)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * share


def chart(record: Record) -> Chart | None:
    """Return the drawing of the strongest signal, each time the record measured it; None where there is no number."""
    signals = [one for one in record.case.course.signals if _drawable(one)]
    if not signals:
        return None
    main = max(signals, key=lambda one: one.score)
    points = _points(record, main)
    marks = [(at, said) for milestone, said in _MARKS if (at := record.history.reached(milestone)) is not None]
    ends = [one.window_to for one in points]
    far = max(ends) + max((max(ends) - min(one.window_from for one in points)) * _SOFTER, 60_000)
    marks = [(at, said) for at, said in marks if at <= far]  # what came long after would press the measurement flat
    times = [*(one.window_from for one in points), *ends, *(at for at, _ in marks)]
    top = max(main.threshold, *(one.value for one in points)) * 1.15
    scale = _Scale(min(times), max(times), top)
    says = (
        f"{main.statistic} of {main.subject or main.model} ({main.model} version {main.version}): "
        f"{points[-1].value:.3g} at the last measurement, limit {main.threshold:.3g}. "
        "Each bar spans the window of predictions that was judged."
    )
    return Chart(svg=_svg(points, marks, main, scale), says=says)


def _drawable(one: Evidence) -> bool:
    return (
        math.isfinite(one.value)
        and math.isfinite(one.threshold)
        and one.threshold > 0
        and one.value >= 0
        and 0 < one.window_from <= one.window_to
    )


def _points(record: Record, main: Evidence) -> list[Evidence]:
    found: dict[tuple[int, int], Evidence] = {}
    told = [seen.event for seen in record.seen if isinstance(seen.event, CaseOpened | CaseGrew)]
    for event in told:
        for one in event.evidence:
            if one.signal == main.signal and _drawable(one):
                found[one.window_from, one.window_to] = one
    found[main.window_from, main.window_to] = main
    return [found[key] for key in sorted(found)]


def _svg(points: list[Evidence], marks: list[tuple[int, str]], main: Evidence, scale: _Scale) -> str:
    limit, base, right = scale.y(main.threshold), _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" {_FONT} font-size="12">',
        f'<rect x="{_LEFT}" y="{_TOP}" width="{right - _LEFT}" height="{limit - _TOP:.1f}" fill="#fbeaea"/>',
        *_axis(scale),
        f'<path d="M{_LEFT} {limit:.1f}H{right}" stroke="#b42318" stroke-width="1.5" stroke-dasharray="6 4"/>',
        _text(right - 4, limit + (14 if base - limit > 24 else -6), f"limit {main.threshold:.3g}", "end", "#b42318"),
    ]
    for at, said in marks:
        x = scale.x(at)
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{base}" stroke="#5d6b7a" stroke-dasharray="2 3"/>'
        )
        parts.append(_text(min(max(x, _LEFT + 22), right - 22), _TOP - 8, said, "middle", "#5d6b7a"))
    for one in points:
        first, last, y = scale.x(one.window_from), scale.x(one.window_to), scale.y(one.value)
        parts.append(
            f'<line x1="{first:.1f}" y1="{y:.1f}" x2="{max(last, first + 3):.1f}" y2="{y:.1f}" stroke="#1f4e79" '
            'stroke-width="5" stroke-linecap="round"/>'
        )
    newest = points[-1]
    x, y = scale.x(newest.window_to), scale.y(newest.value)
    parts.append(_text(min(max(x, _LEFT + 20), right - 20), y + 20, f"{newest.value:.3g}", "middle", "#1f4e79"))
    return "".join([*parts, "</svg>"])


def _axis(scale: _Scale) -> list[str]:
    base, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    parts = [f'<path d="M{_LEFT} {_TOP}V{base}H{right}" fill="none" stroke="#8a96a3"/>']
    step = _step(scale.top)
    values = [step * number for number in range(int(scale.top / step) + 1)]
    parts += [_text(_LEFT - 6, scale.y(value) + 4, f"{value:.3g}", "end", "#3d4853") for value in values]
    whole_days = scale.last - scale.first >= 2 * 86_400_000
    form = "%Y-%m-%d" if whole_days else "%H:%M:%S"
    for at, anchor in ((scale.first, "start"), ((scale.first + scale.last) // 2, "middle"), (scale.last, "end")):
        said = datetime.fromtimestamp(at / 1000, UTC).strftime(form)
        parts.append(_text(scale.x(at), base + 16, said, anchor, "#3d4853"))
    day = datetime.fromtimestamp(scale.first / 1000, UTC).strftime("%Y-%m-%d, times in UTC")
    parts.append(_text((_LEFT + right) / 2, base + 33, day, "middle", "#3d4853"))
    return parts


def _step(top: float) -> float:
    """Return the distance of the marks on an axis: 1, 2 or 5 times a power of ten, so that there are 3 to 8."""
    power = 10.0 ** math.floor(math.log10(top / 4))
    return next(power * factor for factor in (1, 2, 5, 10) if top / (power * factor) <= 6)


def _text(x: float, y: float, said: str, anchor: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}">{html.escape(said)}</text>'
