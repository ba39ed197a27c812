"""The quarter's trend as a report for people who run the organisation."""

from collections.abc import Mapping

from agents.metrics.measures import Measure, Summary
from agents.metrics.trend import Trend
from streams.view.measured import lasting, percent, rate_rows
from streams.view.page import Section
from streams.view.rendering import when
from streams.view.signing_in import called


def sections(told: Trend, names: Mapping[str, str], proposed: str) -> list[Section]:
    """Return the parts of the report; `proposed` says which thresholds feedback speaks for."""
    now, then = told.quarter.name, told.before.name
    return [
        Section(
            title="Counts",
            text=f"{told.now.incidents} incidents, {told.then.incidents} in {then}. {told.drills.incidents} drills "
            "were played, and count in nothing here.",
            columns=("what", now, then),
            rows=_counts(told.now, told.then),
        ),
        *(
            Section(
                title=f"By {by}",
                columns=(by, now, then),
                rows=[[name, str(here), str(there)] for name, (here, there) in counts.items()],
            )
            for by, counts in told.groups.items()
        ),
        Section(
            title="Times",
            text="Medians (p90); means are left out because a few long incidents move them.",
            columns=("time", now, then),
            rows=[[m.value, _middle(told.now, m), _middle(told.then, m)] for m in Measure],
        ),
        Section(title="Rates", columns=("rate", now, then, "of what"), rows=_rates(told)),
        Section(
            title="Recurrences",
            columns=("incident", "of", "control", "category", "days on"),
            rows=[
                [r.incident, r.before, r.code.value, r.category.value, f"{r.days:.0f}"] for r in told.now.recurrences
            ],
        ),
        Section(
            title="Top root causes",
            text="The controls that should have caught them.",
            columns=("control", "incidents"),
            rows=[[code.value, str(count)] for code, count in told.causes[:10]],
        ),
        Section(
            title="Open actions",
            columns=("incident", "task", "owner", "due", "state", "what"),
            rows=[
                [
                    a.incident,
                    a.task,
                    called(names, a.owner),
                    when(a.due_at),
                    "overdue" if a.overdue else "open",
                    a.title,
                ]
                for a in told.actions
            ],
        ),
        Section(
            title="Thresholds",
            text=proposed,
            columns=("signals judged", "count"),
            rows=[[finding.value, str(count)] for finding, count in told.findings.items() if count],
        ),
    ]


def _counts(now: Summary, then: Summary) -> list[list[str]]:
    return [
        ["incidents", str(now.incidents), str(then.incidents)],
        ["still open", str(now.open), str(then.open)],
        ["resolved", str(now.resolved), str(then.resolved)],
        ["candidates dismissed", str(now.dismissed), str(then.dismissed)],
        ["recurrences", str(len(now.recurrences)), str(len(then.recurrences))],
    ]


def _rates(told: Trend) -> list[list[str]]:
    here, there = rate_rows(told.now), rate_rows(told.then)
    return [[name, value, before[1], means] for (name, value, means), before in zip(here, there, strict=True)]


def _middle(found: Summary, measure: Measure) -> str:
    one = found.times[measure]
    return percent(None) if one is None else f"{lasting(one.median)} ({lasting(one.p90)}), {one.count}"
