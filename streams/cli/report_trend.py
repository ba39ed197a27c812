"""`headgate report trend`: a quarter of incidents against the quarter before."""

from pathlib import Path

import click

from agents.feedback.proposal import judged, propose
from agents.metrics.history import histories
from agents.metrics.trend import quarter, quarter_of, trend
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.page import markdown, page
from streams.view.proposed import document, sentence
from streams.view.rendering import emit
from streams.view.signing_in import names_of
from streams.view.trend_report import sections


@click.command(name="trend")
@click.option("--quarter", "asked", default="", metavar="YYYYQn", help="Which quarter; by default the present one.")
@click.option("--md", "form", flag_value="md", default=True, help="As Markdown (the default).")
@click.option("--html", "form", flag_value="html", help="As one HTML file.")
@click.option("--json", "form", flag_value="json", help="As JSON.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it to FILE.")
@click.pass_obj
def command(settings: Settings, asked: str, form: str, out: Path | None) -> None:
    """Print the trend of a quarter: counts, medians, recurrences, root causes, open actions, proposed thresholds.

    Example: headgate report trend --quarter 2026Q4 --html --out trend.html
    """
    now = now_ms()
    chosen = quarter(asked) if asked else quarter_of(now)
    with OpenLedger(settings) as ledger:
        found, control = histories(ledger.entries), ledger.state.control
    told = trend(found, chosen, now)
    feedback = propose(judged(found), control.policies, control.policy) if control.policy else None
    if form == "json":
        emit({"trend": told, "proposal": document(feedback) if feedback else None})
        return
    proposed = sentence(feedback) if feedback else "No policy is adopted."
    title = f"Incidents of {told.quarter.name}"
    parts = sections(told, names_of(settings), proposed)
    text = page(title, parts) if form == "html" else markdown(title, parts)
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        click.echo(f"written to {out}", err=True)
