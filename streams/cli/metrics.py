"""`headgate metrics`: how long it takes to detect, acknowledge, contain, respond, resolve, and how often it recurs."""

from pathlib import Path
from typing import Any

import click

from agents.metrics.history import History, histories
from agents.metrics.measures import (
    GROUPS,
    RECURRENCE_DAYS,
    Measure,
    Summary,
    grouped,
    recurrences,
    span,
    summary,
    within,
)
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.measured import COLUMNS, GROUP_COLUMNS, bars, drawing, group_rows, rate_rows, sections, time_rows
from streams.view.on_case import MOMENT
from streams.view.page import page
from streams.view.rendering import clean, emit, jsonable, table

_EVER = 2**62


@click.command(name="metrics")
@click.option("--since", type=MOMENT, default=0, help="Only incidents that were detected from then on (ISO 8601).")
@click.option("--until", type=MOMENT, default=_EVER, help="Only incidents that were detected before.")
@click.option("--by", type=click.Choice(list(GROUPS)), help="Measure each group by itself, too.")
@click.option("--drills", is_flag=True, help="Drills instead of incidents; the two are never measured together.")
@click.option(
    "--recurrence-days",
    type=click.IntRange(1, 3660),
    default=RECURRENCE_DAYS,
    show_default=True,
    help="Days after its end in which an incident of the same cause, model and category is a recurrence.",
)
@click.option("--html", "drawn", type=click.Path(path_type=Path, dir_okay=False), help="Write them to FILE, drawn.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def command(
    settings: Settings, /, since: int, until: int, by: str | None, *, drawn: Path | None, as_json: bool, **given: Any
) -> None:
    r"""Measure incidents: times as distributions under distinct names, recurrence, root causes, satisfaction.

    Respond (contained and mitigated) and resolve (recovered) are both called MTTR elsewhere; here each has its name.
    A time runs between milestones, with the corrections that people signed; --json has both. Dismissed candidates
    count in no time.

    \b
    Examples:
      headgate metrics
      headgate metrics --since 2026-10-01 --by severity
      headgate metrics --html metrics.html
    """
    with OpenLedger(settings) as ledger:
        every = histories(ledger.entries)
    found = [one for one in within(every, since, until) if one.drill == given["drills"]]
    again = recurrences(every, given["recurrence_days"])
    whole = summary(found, again)
    groups = {name: summary(own, again) for name, own in grouped(found, by).items()} if by else {}
    if drawn is not None:
        title = f"Headgate: {whole.incidents} {'drills' if given['drills'] else 'incidents'}"
        drawn.write_text(page(title, sections(whole, groups, by), [drawing(whole.times)]), "utf-8")
        click.echo(f"drawn to {drawn}", err=True)
    if as_json:
        emit(_document(found, whole, groups))
    else:
        _say(whole, groups, by)


def _document(found: list[History], whole: Summary, groups: dict[str, Summary]) -> dict[str, Any]:
    return {
        "summary": jsonable(whole),
        "groups": jsonable(groups),
        "incidents": [
            {
                "incident": one.incident,
                "recorded": jsonable(one.recorded),
                "corrected": jsonable(one.corrected),
                "seconds": {measure.value: span(one, measure) for measure in Measure},
                "root_causes": sorted(one.codes),
            }
            for one in found
        ],
    }


def _say(whole: Summary, groups: dict[str, Summary], by: str | None) -> None:
    click.echo(
        f"{whole.incidents} incidents: {whole.open} open, {whole.resolved} resolved; "
        f"{whole.dismissed} candidates were dismissed\n"
    )
    table(COLUMNS, time_rows(whole.times))
    if whole.corrections:
        click.echo(f"\nas recorded, without {whole.corrections} corrected milestones")
        table(COLUMNS, time_rows(whole.recorded))
    if whole.disordered:
        click.echo(f"\n{whole.disordered} times are left out: their end is before their beginning")
    for measure, one in whole.times.items():
        if one is not None:
            click.echo(f"\n{measure.value}")
            click.echo("\n".join(f"  {line}" for line in bars(one)))
    click.echo()
    table(("rate", "value", "of what"), rate_rows(whole))
    for again in whole.recurrences:
        like = f"{clean(again.before)}, {again.code.value}, {again.days:.0f} days on"
        click.echo(f"recurrence: {clean(again.incident)} of {like}")
    if by:
        click.echo()
        table(GROUP_COLUMNS, group_rows(groups), f"no {by}")
