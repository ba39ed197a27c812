"""Metrics of incidents as tables, as a small histogram on a terminal, and drawn."""

import io
from collections.abc import Mapping, Sequence

from agents.metrics.distribution import EDGES, Distribution
from agents.metrics.measures import Measure, Summary
from streams.view.page import Section

_MEANING: Mapping[Measure, str] = {
    Measure.DETECT: "from the first bad row to the case",
    Measure.ACKNOWLEDGE: "from the case to the first person on it",
    Measure.CONTAIN: "from the case to the harm stopped",
    Measure.RESPOND: "from the case to contained and mitigated",
    Measure.RESOLVE: "from the case to recovered",
}
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_BAR = 30
COLUMNS = ("time", "count", "mean", "median", "p90", "least", "most", "")


def lasting(seconds: float) -> str:
    """Return a duration as people say it: 42 s, 3.5 min, 2.1 h, 4 d."""
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.2g} s"


def time_rows(times: Mapping[Measure, Distribution | None]) -> list[list[str]]:
    """Return a row for each time, with what it means."""
    rows = []
    for measure, one in times.items():
        told = ["0", *["–"] * 5]
        if one is not None:
            values = (one.mean, one.median, one.p90, one.minimum, one.maximum)
            told = [str(one.count), *(lasting(value) for value in values)]
        rows.append([measure.value, *told, _MEANING[measure]])
    return rows


def bins() -> list[str]:
    """Return the name of each bin of a histogram."""
    return [*(f"≤ {lasting(edge)}" for edge in EDGES), f"> {lasting(EDGES[-1])}"]


def bars(one: Distribution) -> list[str]:
    """Return a histogram as lines, from the first bin that has any to the last."""
    used = [at for at, count in enumerate(one.histogram) if count]
    most = max(one.histogram)
    names = bins()
    return [
        f"{names[at]:>9}  {'#' * -(-one.histogram[at] * _BAR // most):<{_BAR}}  {one.histogram[at]}"
        for at in range(used[0], used[-1] + 1)
    ]


def percent(share: float | None) -> str:
    """Return a share in percent; a dash where there is none."""
    return "–" if share is None else f"{share:.0%}"


def rate_rows(found: Summary) -> list[list[str]]:
    """Return the rates, and what each is a share of."""
    rated = found.satisfaction
    satisfied = "–" if rated is None else f"median {rated.median:g}, mean {rated.mean:.1f} of 5, {rated.count} ratings"
    return [
        ["recurrence", percent(found.recurrence_rate), "recurrences among incidents whose root cause is known"],
        [
            "root cause resolved",
            percent(found.resolution_rate),
            "known, accepted and every task done, of resolved ones",
        ],
        ["satisfaction", satisfied, "newest rating of each person"],
        ["break-glass", percent(found.break_glass_rate), "incidents in which a glass was broken"],
    ]


def sections(found: Summary, groups: Mapping[str, Summary], by: str | None) -> list[Section]:
    """Return a summary, and that of each group, as parts of a report."""
    told = [
        Section(title="Times", columns=COLUMNS, rows=time_rows(found.times)),
        Section(title="Rates", columns=("rate", "value", "of what"), rows=rate_rows(found)),
    ]
    if found.corrections:
        text = f"{found.corrections} milestones were corrected by people; this is what the ledger itself recorded."
        told.insert(1, Section(title="Times as recorded", text=text, columns=COLUMNS, rows=time_rows(found.recorded)))
    if by:
        told.append(Section(title=f"By {by}", columns=GROUP_COLUMNS, rows=group_rows(groups)))
    return told


GROUP_COLUMNS = ("group", "incidents", "open", *(f"{measure.value}, median (p90)" for measure in Measure))


def group_rows(groups: Mapping[str, Summary]) -> list[list[str]]:
    """Return a row for each group: counts, and the median and p90 of each time."""
    return [
        [name, str(one.incidents), str(one.open), *map(_middle, one.times.values())] for name, one in groups.items()
    ]


def _middle(one: Distribution | None) -> str:
    return "–" if one is None else f"{lasting(one.median)} ({lasting(one.p90)})"


def drawing(times: Mapping[Measure, Distribution | None]) -> str:
    """Return the histograms of the times as one SVG element."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    shown: Sequence[tuple[Measure, Distribution]] = [(m, one) for m, one in times.items() if one is not None]
    figure = Figure(figsize=(11, 2.4 * max(len(shown), 1)), layout="constrained")
    for place, (measure, one) in enumerate(shown, 1):
        axes = figure.add_subplot(len(shown), 1, place)
        axes.bar(bins(), one.histogram, color="#4477aa")
        axes.set_ylabel("incidents")
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        told = f"median {lasting(one.median)}, p90 {lasting(one.p90)}, mean {lasting(one.mean)}"
        axes.set_title(f"{measure.value}: {one.count} incidents, {told}", fontsize=10)
        axes.tick_params(labelsize=8)
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    return drawn.getvalue()[drawn.getvalue().index("<svg") :]
